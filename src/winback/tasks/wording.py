"""What is said of a workbook that came back: what was taken, and which cells are wrong, in its language."""

from dataclasses import dataclass

from winback.report.scope import Language
from winback.tasks.workbook import Problem, Reading

_SAYS: dict[Language, dict[str, str]] = {
    "en": {
        "taken": "Rows taken: {taken}; not taken: {refused}. Mend the cells below and send the file again.",
        "all": "Rows taken: {taken}; nothing is wrong.",
        "foreign": "No sheet of tasks can be read in this file: send back the workbook of the weekly report.",
        "colon": ": ",
        "comma": ", ",
        "place": "Sheet {sheet}, row {row}, column {column}",
        "no_day": "on which day did you call?",
        "day": "that is no day; write it like {0}.",
        "day_range": "a day from {0} to {1}.",
        "no_outcome": "what came of it? Choose one of: {words}.",
        "choice": "choose one of: {words}.",
        "class": "this belongs to another class of reasons; to the one you chose belong: {words}.",
        "no_number": "there is no task number; only tasks can be answered here.",
        "number": "that is no task number; leave it as it was.",
        "not_yours": "this number was not made for a task of yours.",
        "repeated": "another row says something else of this task and day.",
    },
    "zh": {
        "taken": "已接收 {taken} 行；{refused} 行未接收：请改好以下单元格后重新发送。",
        "all": "已接收 {taken} 行，没有问题。",
        "foreign": "文件中读不到任务表：请填写周报所附的工作簿后发回。",
        "colon": "：",
        "comma": "、",
        "place": "工作表“{sheet}”第 {row} 行“{column}”列",
        "no_day": "请填写联系日期。",
        "day": "不是日期，请按 {0} 的格式填写。",
        "day_range": "日期须在 {0} 至 {1} 之间。",
        "no_outcome": "请填写结果，可选：{words}。",
        "choice": "请从以下选项中选择：{words}。",
        "class": "此原因不属于所选的原因类别；该类别可选：{words}。",
        "no_number": "没有任务编号；这里只接收任务的反馈。",
        "number": "任务编号有误，请保持原样。",
        "not_yours": "此编号不是发给您的任务。",
        "repeated": "同一任务同一天已有另一行。",
    },
}


@dataclass(frozen=True)
class WrongCell:
    """Where a cell is, and what may stand in it; never what does."""

    place: str
    allowed: str


def rows_refused(reading: Reading) -> int:
    """Return how many rows of a workbook were not taken."""
    return len({(problem.sheet, problem.row) for problem in reading.problems})


def wrong_cells(reading: Reading) -> list[WrongCell]:
    """Return every cell that is wrong, as the sheets have them."""
    return [_wrong_cell(problem, reading.language) for problem in reading.problems]


def answer_text(reading: Reading) -> str:
    """Say what was taken of a workbook, and which cells are wrong, a line each."""
    if not reading.is_ours:
        return "\n".join(texts["foreign"] for texts in _SAYS.values()) + "\n"
    says, refused = _SAYS[reading.language], rows_refused(reading)
    first = says["taken" if refused else "all"].format(taken=len(reading.answers), refused=refused)
    lines = [f"{cell.place}{says['colon']}{cell.allowed}" for cell in wrong_cells(reading)]
    return "\n".join([first, *lines]) + "\n"


def _wrong_cell(problem: Problem, language: Language) -> WrongCell:
    says = _SAYS[language]
    return WrongCell(
        says["place"].format(sheet=problem.sheet, row=problem.row, column=problem.column),
        says[problem.wrong].format(*problem.allowed, words=says["comma"].join(problem.allowed)),
    )
