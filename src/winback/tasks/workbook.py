"""Read a filled-in workbook of tasks: rows by the words of either language, and what is wrong, cell by cell.

No database, no clock: whose task it is, and since when, the caller says.
"""

import io
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from winback.report.definition import Sheet, load_report
from winback.report.language import Words, plain, read_words
from winback.report.scope import Language
from winback.tasks.signature import task_of

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

log = logging.getLogger(__name__)

REPORT, SHEET = "weekly_retention", "tasks"
MOST_BYTES = 20_000_000
_MOST_ROWS = 20_000
_LONGEST = 500  # characters of a text that somebody wrote
_NO_REASON = "unknown"
_FILLED_IN = (
    "contacted_on",
    "outcome",
    "reason_class",
    "reason_code",
    "competitor",
    "comes_back_for",
    "note",
)
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_SERIALS = range(40_000, 80_000)  # a day whose cell has lost its format: 2009 to 2119

Wrong = Literal[
    "no_day",
    "day",
    "day_range",
    "no_outcome",
    "choice",
    "class",
    "no_number",
    "number",
    "not_yours",
    "repeated",
]


@dataclass(frozen=True)
class Task:
    """What must be known of a task to take an answer; `owners` are all whom it was ever given to."""

    customer_key: str
    campaign_id: str | None
    created_on: date
    owners: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """One row that was filled in and holds; reasons and outcomes are codes."""

    task_id: str
    owner: str
    contacted_on: date
    outcome: str
    reason_code: str | None = None
    competitor: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Problem:
    """A cell that cannot be taken: where it is, what is wrong, and what is allowed."""

    sheet: str
    row: int
    column: str
    wrong: Wrong
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a workbook says, in whose language; `is_ours` is false where no sheet is one of tasks.

    `owners` are the account managers for whom a number in it was signed.
    """

    language: Language = "en"
    is_ours: bool = False
    owners: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Checks:
    """What decides whether a row is taken."""

    tasks: Mapping[str, Task]
    signed_for: Callable[[str, str, str], bool]  # task, signature, owner
    reason_classes: Mapping[str, str]  # class of each reason code
    today: date


def read_workbook(content: bytes, checks: Checks) -> Reading:
    """Read every sheet of tasks in a workbook.

    Rows with no cell filled in are passed over. Of two rows about one task and day the second is refused.
    What is no workbook, is damaged, or is larger than anybody fills in says nothing.
    """
    if len(content) > MOST_BYTES:
        return Reading()
    try:
        return _read(content, checks)
    except Exception as error:
        log.warning("A workbook that came back cannot be read (%s).", type(error).__name__)
        return Reading()


def _read(content: bytes, checks: Checks) -> Reading:
    from openpyxl import load_workbook  # noqa: PLC0415 -- a third of a second to import

    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    reading = Reading()
    for page in workbook.worksheets:
        for language in ("en", "zh"):
            found = _SheetReader(page, _words(language), language, checks).read()
            if found.is_ours:
                reading = replace(
                    found,
                    owners=tuple(dict.fromkeys(reading.owners + found.owners)),
                    answers=reading.answers + found.answers,
                    problems=reading.problems + found.problems,
                )
                break
    workbook.close()
    return reading


@dataclass(frozen=True)
class _Vocabulary:
    """Titles of columns, and the words of the drop-downs, in one language."""

    columns: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]


def _sheet() -> Sheet:
    return load_report(REPORT).file.sheets[SHEET]


@cache
def _words(language: Language) -> _Vocabulary:
    report = load_report(REPORT)
    words: Words = read_words(report.folder, language)
    columns = _sheet().columns
    return _Vocabulary(
        {words.gettext(column.label): name for name, column in columns.items()},
        {
            name: {words.gettext(word): code for code, word in report.file.words[column.choices].items()}
            for name, column in columns.items()
            if column.choices is not None
        },
    )


class _SheetReader:
    """Read one sheet in one language."""

    def __init__(self, page: "Worksheet", words: _Vocabulary, language: Language, checks: Checks) -> None:
        self.page = page
        self.words = words
        self.language: Language = language
        self.checks = checks
        self.titles = {name: title for title, name in words.columns.items()}
        self.answers: list[Answer] = []
        self.problems: list[Problem] = []
        self.owners: dict[str, None] = {}

    def read(self) -> Reading:
        rows = self.page.iter_rows(max_row=_MOST_ROWS, values_only=True)
        header = [_text(cell) for cell in next(rows, ())]
        places = {
            self.words.columns[title]: n for n, title in enumerate(header) if title in self.words.columns
        }
        # The call list has no numbers of tasks; what somebody fills in there must not be lost without a word.
        if not {"contacted_on", "outcome"} <= places.keys():
            return Reading()
        for number, row in enumerate(rows, start=2):
            cells = {name: row[place] if place < len(row) else None for name, place in places.items()}
            if owner := self._owner(cells):
                self.owners[owner] = None
            if any(_text(cells.get(name)) for name in _FILLED_IN):
                self._read_row(number, cells)
        return Reading(
            self.language,
            is_ours="task_number" in places or bool(self.problems),
            owners=tuple(self.owners),
            answers=tuple(self.answers),
            problems=tuple(self.problems),
        )

    def _read_row(self, row: int, cells: Mapping[str, Any]) -> None:
        found, owner = task_of(_text(cells.get("task_number"))), self._owner(cells)
        task = self.checks.tasks.get(found[0]) if found else None
        codes, wrong = self._codes(cells)
        problems = [*self._wrong_task(cells), *self._wrong_day(cells, task), *wrong]
        if problems:
            self.problems += [
                Problem(self.page.title, row, self.titles[name], said, allowed)
                for name, said, allowed in problems
            ]
            return
        assert found is not None
        assert owner is not None
        answer = Answer(
            found[0],
            owner,
            _day(cells["contacted_on"]) or date.min,
            codes["outcome"],
            codes.get("reason_code") or codes.get("reason_class"),
            _said(cells.get("competitor")),
            " | ".join(filter(None, (_said(cells.get("comes_back_for")), _said(cells.get("note"))))) or None,
        )
        if any((answer.task_id, answer.contacted_on) == (a.task_id, a.contacted_on) for a in self.answers):
            self.problems.append(Problem(self.page.title, row, self.titles["task_number"], "repeated"))
            return
        self.answers.append(answer)

    def _wrong_task(self, cells: Mapping[str, Any]) -> Iterator[tuple[str, Wrong, tuple[str, ...]]]:
        text = _text(cells.get("task_number"))
        if task_of(text) is None:
            yield "task_number", "number" if text else "no_number", ()
        elif self._owner(cells) is None:
            yield "task_number", "not_yours", ()

    def _owner(self, cells: Mapping[str, Any]) -> str | None:
        """Return the account manager for whom a row's number was signed."""
        found = task_of(_text(cells.get("task_number")))
        task = self.checks.tasks.get(found[0]) if found else None
        if found is None or task is None:
            return None
        return next((owner for owner in task.owners if self.checks.signed_for(*found, owner)), None)

    def _wrong_day(
        self, cells: Mapping[str, Any], task: Task | None
    ) -> Iterator[tuple[str, Wrong, tuple[str, ...]]]:
        day, today = _day(cells["contacted_on"]), self.checks.today
        if not _text(cells["contacted_on"]):
            yield "contacted_on", "no_day", ()
        elif day is None:
            yield "contacted_on", "day", (f"{today:%Y-%m-%d}",)
        elif task is not None and not task.created_on <= day <= today:
            yield "contacted_on", "day_range", (f"{task.created_on:%Y-%m-%d}", f"{today:%Y-%m-%d}")

    def _codes(
        self, cells: Mapping[str, Any]
    ) -> tuple[dict[str, str], list[tuple[str, Wrong, tuple[str, ...]]]]:
        """Return the codes of what was chosen, and the cells that hold none of the words."""
        codes: dict[str, str] = {}
        problems: list[tuple[str, Wrong, tuple[str, ...]]] = []
        for name, known in self.words.codes.items():
            text = _text(cells.get(name))
            if text and (code := _code(name, text)) is None:
                problems.append((name, "choice", tuple(known)))
            elif text and code is not None and code != _NO_REASON:
                codes[name] = code
        if not _text(cells["outcome"]):
            problems.append(("outcome", "no_outcome", tuple(self.words.codes["outcome"])))
        reason, stated = codes.get("reason_code"), codes.get("reason_class")
        if reason and stated and self.checks.reason_classes.get(reason) not in (None, stated):
            allowed = [
                word
                for word, code in self.words.codes["reason_code"].items()
                if self.checks.reason_classes.get(_as_noted(code)) == stated
            ]
            problems.append(("reason_code", "class", tuple(allowed)))
        return codes, problems


def _code(column: str, text: str) -> str | None:
    """Return the code of a word of either language; reasons come as the feed's seed writes them."""
    for language in ("zh", "en"):
        for word, code in _words(language).codes[column].items():
            if word.casefold() == text.casefold():
                return _as_noted(code) if column == "reason_code" else code
    return None


def _as_noted(code: str) -> str:
    return load_report(REPORT).file.words["reason_codes"][code]


def _text(value: Any) -> str:
    return " ".join(str(value).split()) if value is not None else ""


def _said(value: Any) -> str | None:
    return plain(_text(value), _LONGEST) or None


def _day(value: Any) -> date | None:
    """Read a day: a cell of days, a day that lost its format, or one that was typed as text."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, int | float) and int(value) in _SERIALS:
            from openpyxl.utils.datetime import from_excel  # noqa: PLC0415 -- as above

            found = from_excel(value)
            return found.date() if isinstance(found, datetime) else None
        match = _DAY.match(_text(value))
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
