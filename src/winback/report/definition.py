"""A report as its folder says it: adding a folder under `reports/` adds a report.

report.yml         what `ReportFile` below allows
sql/<block>.sql    one query per block, from schema `marts` and the temp table `scoped_customers`; about
                   incidents from `ops`
sentences.txt.j2   texts that HTML and plain mail share; blocks `subject` and `headline` must be there
template.mjml.j2   the mail as HTML
template.txt.j2    the mail as plain text
translations/      <locale>.po for every language but English, which the sources are written in
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

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


class Panel(_Strict):
    """One pane of a chart: one column of the rows."""

    column: str
    kind: Literal["bars", "line"]
    label: str
    color: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]


class Chart(_Strict):
    """Panes one above the other over the same days."""

    block: str
    day: str
    panels: Annotated[tuple[Panel, ...], Field(min_length=1)]


class ReportFile(_Strict):
    """What `report.yml` may say. `words` are phrases that templates look up by a name from the rows.

    A report with a `period` has an issue for each; whoever has no row in any block of `silent_without` gets
    none.
    """

    title: str
    period: PeriodKind | None = None
    silent_without: tuple[str, ...] = ()
    parameters: dict[str, int] = {}
    figures: dict[str, Figure] = {}
    charts: dict[str, Chart] = {}
    glossary: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}

    def phrases(self) -> list[str]:
        """Return every English phrase in the file that a reader sees and a catalogue translates."""
        panels = [panel.label for chart in self.charts.values() for panel in chart.panels]
        words = [phrase for group in self.words.values() for phrase in group.values()]
        figures = [figure.label for figure in self.figures.values()]
        return [self.title, *figures, *panels, *self.glossary.values(), *words]


@dataclass(frozen=True)
class Report:
    """A report's folder, read."""

    name: str
    folder: Path
    file: ReportFile
    queries: tuple[tuple[str, str], ...]


@cache
def load_report(name: str, root: Path = paths.REPORTS) -> Report:
    """Read a report's folder.

    Raises:
        WinbackError: there is no such report, or its `report.yml` says something that is not allowed.
    """
    folder = root / name
    source = folder / "report.yml"
    if not source.is_file():
        known = sorted(found.parent.name for found in root.glob("*/report.yml"))
        raise WinbackError(f"There is no report {name!r}.", f"choose one of: {', '.join(known)}")
    try:
        file = ReportFile.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise WinbackError(
            f"{source}: {error}", "mend the file; src/winback/report/definition.py says what it may hold"
        ) from None
    queries = tuple(
        (path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("sql/*.sql"))
    )
    if unknown := set(file.silent_without) - {block for block, _ in queries}:
        raise WinbackError(
            f"{source}: silent_without names {', '.join(sorted(unknown))}; sql/ has no such query.",
            "name blocks that sql/ has",
        )
    return Report(name, folder, file, queries)
