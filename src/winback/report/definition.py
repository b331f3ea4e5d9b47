"""A report as its folder says it: adding a folder under `reports/` adds a report.

report.yml         what `ReportFile` below allows
sql/<block>.sql    one query per block, from schema `marts` and the temp tables `scoped_customers`,
                   `figures_as_sent`, `own_tasks` and `in_trial` (the last two only in a report with a block
                   `tasks`); about incidents from `ops`. Those that several reports need lie in
                   `reports/shared/sql`, and each of them names them under `shared`
sentences.txt.j2   texts that HTML and plain mail share; blocks `subject` and `headline` must be there
template.mjml.j2   the mail as HTML
template.txt.j2    the mail as plain text
translations/      <locale>.po for every language but English, which the sources are written in

A folder with a `page.yml` and a `page.html.j2` instead is a page that several reports attach: its queries
also get `customer_keys`, the customers that the report names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from winback import paths
from winback.errors import WinbackError
from winback.report.period import PeriodKind


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Strict):
    """How one figure of the block `figures` is shown; SQL gives its value."""

    label: str
    unit: Literal["count", "money", "rate"]
    good: Literal["up", "down"] | None = None
    is_card: bool = False


Color = Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]


class Panel(_Strict):
    """One pane of a chart: one column of the rows."""

    column: str
    kind: Literal["bars", "line"]
    label: str
    color: Color


class Trend(_Strict):
    """Panes one above the other over the same days; a block of events marks some of them."""

    kind: Literal["trend"]
    block: str
    day: str
    panels: Annotated[tuple[Panel, ...], Field(min_length=1)]
    events: str | None = None

    def phrases(self) -> list[str]:
        """Return what the chart says by itself."""
        return [panel.label for panel in self.panels]


class Waterfall(_Strict):
    """Rows (`name`, `amount`) from one total by steps up and down to another."""

    kind: Literal["waterfall"]
    block: str
    label: str
    steps: dict[str, str]
    totals: frozenset[str]

    def phrases(self) -> list[str]:
        """Return what the chart says by itself."""
        return [self.label, *self.steps.values()]


class HeatMap(_Strict):
    """Rows (`month`, `number`, `share`): one line per month, one field per number of months since."""

    kind: Literal["heat_map"]
    block: str
    label: str

    def phrases(self) -> list[str]:
        """Return what the chart says by itself."""
        return [self.label]


class Pyramid(_Strict):
    """Rows (`tier`, `customers`, `risen`, `fallen`) from the top down; `tiers` names them."""

    kind: Literal["pyramid"]
    block: str
    label: str
    risen: str
    fallen: str
    tiers: dict[str, str]

    def phrases(self) -> list[str]:
        """Return what the chart says by itself."""
        return [self.label, self.risen, self.fallen, *self.tiers.values()]


class Pareto(_Strict):
    """Rows (`name`, `count`), most first, with the share that they have together; None is `unnamed`."""

    kind: Literal["pareto"]
    block: str
    label: str
    unnamed: str
    color: Color

    def phrases(self) -> list[str]:
        """Return what the chart says by itself."""
        return [self.label, self.unnamed]


class Arms(_Strict):
    """Rows of campaigns (`name`, `target_rate`, and of each arm its `_rate`, `_low` and `_high`)."""

    kind: Literal["arms"]
    block: str
    label: str
    control: str
    target: str

    def phrases(self) -> list[str]:
        """Return what the chart says by itself."""
        return [self.label, self.control, self.target]


class Part(_Strict):
    """One part of a whole: a column of the rows, which counts."""

    label: str
    color: Color


class Shares(_Strict):
    """Rows (`month` and a count for each of `parts`): one line per month, divided into its parts."""

    kind: Literal["shares"]
    block: str
    label: str
    parts: Annotated[dict[str, Part], Field(min_length=2)]

    def phrases(self) -> list[str]:
        """Return what the chart says by itself."""
        return [self.label, *(part.label for part in self.parts.values())]


Chart = Annotated[Trend | Waterfall | HeatMap | Pyramid | Pareto | Arms | Shares, Field(discriminator="kind")]


class Column(_Strict):
    """One column of a sheet: a column of the block's rows, or one to be filled in.

    `words` turns codes of the rows into words; `choices` are the words that a reader chooses from.
    """

    label: str
    unit: Literal["text", "count", "number", "money", "rate", "day", "month"] = "text"
    width: Annotated[int, Field(ge=4, le=80)] = 14
    words: str | None = None
    choices: str | None = None
    is_filled_in: bool = False


class Sheet(_Strict):
    """One sheet of the workbook: every row of a block."""

    label: str
    block: str
    columns: Annotated[dict[str, Column], Field(min_length=1)]


class Page(_Strict):
    """A page about customers, attached to the mail: those of the rows of some blocks that say `has_page`."""

    folder: str
    blocks: tuple[str, ...]
    at_most: int = 20

    def customers(self, blocks: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
        """Return whom the page is about, in the order of the rows."""
        rows = (row for name in self.blocks for row in blocks[name])
        return list(dict.fromkeys(row["customer_key"] for row in rows if row["has_page"]))[: self.at_most]


class ReportFile(_Strict):
    """What `report.yml` may say. `words` are phrases that templates look up by a name from the rows.

    A report with a `period` has an issue for each; a recipient for whom all blocks of `silent_without` are
    empty gets none. `charts` are in the order of importance: a mail shows the first of them that have
    anything to show.
    """

    title: str
    period: PeriodKind | None = None
    silent_without: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    parameters: dict[str, int] = {}
    figures: dict[str, Figure] = {}
    targets: dict[str, Figure] = {}
    charts: dict[str, Chart] = {}
    charts_shown: int = 2
    sheets: dict[str, Sheet] = {}
    page: Page | None = None
    glossary: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}

    def phrases(self) -> list[str]:
        """Return every English phrase in the file that a reader sees and a catalogue translates."""
        charts = [phrase for chart in self.charts.values() for phrase in chart.phrases()]
        sheets = [phrase for sheet in self.sheets.values() for phrase in (sheet.label, *_labels(sheet))]
        words = [phrase for group in self.words.values() for phrase in group.values()]
        figures = [figure.label for figure in (*self.figures.values(), *self.targets.values())]
        return [self.title, *figures, *charts, *sheets, *self.glossary.values(), *words]

    def is_silent(self, blocks: Mapping[str, Sequence[Any]]) -> bool:
        """Tell whether these rows are nothing that a mail should be sent about."""
        return bool(self.silent_without) and not any(blocks[name] for name in self.silent_without)


def _labels(sheet: Sheet) -> list[str]:
    return [column.label for column in sheet.columns.values()]


@dataclass(frozen=True)
class Report:
    """A report's folder, read."""

    name: str
    folder: Path
    file: ReportFile
    queries: tuple[tuple[str, str], ...]
    page: "Report | None" = None

    @property
    def has_tasks(self) -> bool:
        """Tell whether it carries the reader's own tasks."""
        return any(block == "tasks" for block, _ in self.queries)


@cache
def load_report(name: str, root: Path = paths.REPORTS) -> Report:
    """Read a report's folder, and that of the page that it attaches.

    Raises:
        WinbackError: there is no such report, or its `report.yml` says something that is not allowed.
    """
    source = root / name / "report.yml"
    if not source.is_file():
        known = sorted(found.parent.name for found in root.glob("*/report.yml"))
        raise WinbackError(f"There is no report {name!r}.", f"choose one of: {', '.join(known)}")
    report = _read(source)
    if report.file.page is None:
        return report
    return replace(report, page=_read(root / report.file.page.folder / "page.yml"))


def _read(source: Path) -> Report:
    try:
        file = ReportFile.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise WinbackError(
            f"{source}: {error}", "mend the file; src/winback/report/definition.py says what it may hold"
        ) from None
    shared = [source.parents[1] / "shared" / "sql" / f"{name}.sql" for name in file.shared]
    if missing := [path for path in shared if not path.is_file()]:
        raise WinbackError(
            f"{source}: shared names {missing[0].stem}; {missing[0].parent} has no such query.",
            "name one that is there, or write it into the report's own sql/",
        )
    found = sorted((*source.parent.glob("sql/*.sql"), *shared), key=lambda path: path.stem)
    queries = tuple((path.stem, path.read_text(encoding="utf-8")) for path in found)
    if unknown := set(file.silent_without) - {block for block, _ in queries}:
        raise WinbackError(
            f"{source}: silent_without names {', '.join(sorted(unknown))}; there is no such query.",
            "name blocks of its sql/, or of shared",
        )
    return Report(source.parent.name, source.parent, file, queries)
