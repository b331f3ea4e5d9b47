"""Pages about data quality: what the checks of a business day found, what waits, what stands still.

They are read from the loader's books and not from the marts, so that they tell of a stop, which keeps new
marts from being published. Each is one file without scripts that loads nothing. Of rows in quarantine they
show the shape only.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import psycopg
import yaml
from psycopg import sql
from psycopg.rows import dict_row

from winback import paths, warehouse
from winback.check.rules import RowRule
from winback.check.suites import rules_for
from winback.config import Settings
from winback.feeds import FEEDS
from winback.report.definition import ReportFile
from winback.report.language import LOCALES, Formats
from winback.report.masking import shape
from winback.report.scope import Language
from winback.report.sparkline import draw
from winback.report.templates import read_templates, render_sentences
from winback.warehouse.schema import ensure_schema

FOLDER = paths.REPORTS / "data_quality"
_SHOWN_COLUMNS = 4

Row = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What is known of a day, in no language yet."""

    feeds: tuple[Row, ...]
    incidents: tuple[Row, ...]
    checks: tuple[Row, ...]
    waiting: tuple[Row, ...]

    @property
    def rows_waiting(self) -> int:
        """Return how many rows wait in quarantine."""
        return sum(feed["rows_waiting"] for feed in self.feeds)


def page_name(day: date, language: Language) -> str:
    """Return the file name of a day's page."""
    return f"{day.isoformat()}.{language}.html"


def read_page_file() -> ReportFile:
    """Read the page's title, parameters and words."""
    return ReportFile.model_validate(yaml.safe_load((FOLDER / "page.yml").read_text(encoding="utf-8")))


def write_quality_pages(settings: Settings, day: date, folder: Path) -> tuple[Path, ...]:
    """Write the page of a business day in each language, and the list of all pages; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    page = read_page_file()
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        evidence = read_evidence(connection, settings, day)
    previous = max((known for known in _days(folder) if known < day), default=None)
    written_at = datetime.now(UTC).astimezone(settings.zone)
    files = []
    for language in _languages():
        text = render_page(
            page, evidence, settings, day, language=language, previous=previous, written_at=written_at
        )
        files.append(_write(folder / page_name(day, language), text))
    return (*files, _write(folder / "index.html", _render_index(page, settings, _days(folder))))


def read_evidence(connection: psycopg.Connection[Any], settings: Settings, day: date) -> Evidence:
    """Read what the page of a day shows, all from one moment.

    The connection must not be inside a transaction.
    """
    sources = [(feed, source.source) for feed, config in settings.feeds.items() for source in config.sources]
    parameters = {
        **read_page_file().parameters,
        "day": day,
        "time_zone": settings.business.time_zone,
        "feeds": [feed for feed, _ in sources],
        "sources": [source for _, source in sources],
    }
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("set transaction isolation level repeatable read read only")
        blocks = {
            file.stem: tuple(_rows(cursor, file.read_text(encoding="utf-8"), settings.feeds, parameters))
            for file in sorted((FOLDER / "sql").glob("*.sql"))
        }
    settled = {(row["feed"], row["source_id"]): row for row in blocks["quarantine"]}
    none = dict.fromkeys(("rows_waiting", "rows_replayed", "rows_resolved", "rows_discarded"), 0)
    rules = {feed: {rule.name: rule for rule in rules_for(settings, feed)} for feed in settings.feeds}
    return Evidence(
        feeds=tuple(
            {**none, **settled.get((row["feed"], row["source_id"]), {}), **row} for row in blocks["feeds"]
        ),
        incidents=blocks["incidents"],
        checks=tuple(
            {**row, "trend": draw(row["trend_days"], row["trend_values"])} for row in blocks["checks"]
        ),
        waiting=tuple(
            _masked(row, rules[row["feed"]].get(row["reason"]), _source_columns(settings, row))
            for row in blocks["waiting"]
        ),
    )


def render_page(
    page: ReportFile,
    evidence: Evidence,
    settings: Settings,
    day: date,
    *,
    language: Language,
    previous: date | None,
    written_at: datetime,
) -> str:
    """Return the page of a day in one language."""
    templates = read_templates(FOLDER, language)
    context = {
        "page": page,
        "company": _company(settings)[language],
        "language": language,
        "language_tag": LOCALES[language].replace("_", "-"),
        "other_language": next(other for other in _languages() if other != language),
        "day": day,
        "previous": previous,
        "page_name": page_name,
        "written_at": written_at,
        "evidence": evidence,
        "failed": [check for check in evidence.checks if check["rows_failed"]],
        "passed": [check for check in evidence.checks if not check["rows_failed"]],
        "show": Formats(language, settings.business.currency),
    }
    context["sentences"] = render_sentences(templates, context)
    return templates.get_template("template.html.j2").render(context)


def columns_of(rule: RowRule, feed: str) -> tuple[str, ...]:
    """Return the columns that a rule speaks of, in the order of the feed's."""
    named = set(re.findall(r"\blanded\.(\w+)", f"{rule.fails_when} {rule.finds or ''}"))
    return tuple(name for name in FEEDS[feed].column_names if name in named)


def _languages() -> tuple[Language, ...]:
    return get_args(Language)


def _company(settings: Settings) -> dict[Language, str]:
    return {"en": settings.company.name_en, "zh": settings.company.name_zh}


def _rows(
    cursor: psycopg.Cursor[Row], query: str, feeds: Iterable[str], parameters: Mapping[str, Any]
) -> Iterator[Row]:
    """Run a query; one that names `{quarantine}` is run for every feed's."""
    text = sql.SQL(query)
    if "{quarantine}" not in query:
        yield from cursor.execute(text, parameters)
        return
    for feed in feeds:
        statement = text.format(quarantine=sql.Identifier("quarantine", feed))
        yield from cursor.execute(statement, {**parameters, "feed": feed})


def _source_columns(settings: Settings, row: Row) -> dict[str, str | None]:
    """Return what a row's source calls the feed's columns; nothing if it is no longer configured."""
    return {
        name: mapping.column
        for source in settings.feeds[row["feed"]].sources
        if source.source == row["source_id"]
        for name, mapping in source.columns.items()
    }


def _masked(row: Row, rule: RowRule | None, source_columns: Mapping[str, str | None]) -> Row:
    """Return a reason with the shapes of what its examples say in the columns that the rule is about."""
    columns = columns_of(rule, row["feed"]) if rule else ()
    examples = []
    values = zip(row["quarantine_ids"], row["typed_values"], row["source_texts"], strict=True)
    for quarantine_id, typed_values, source_text in values:
        # What could not be read has no value, only a text.
        texts = {name: (source_text or {}).get(column) for name, column in source_columns.items()} | {
            name: value for name, value in typed_values.items() if value is not None
        }
        filled = [(name, texts[name]) for name in columns if texts.get(name) not in (None, "")]
        shapes = [(name, shape(value)) for name, value in filled[:_SHOWN_COLUMNS]]
        examples.append({"quarantine_id": quarantine_id, "shapes": shapes})
    kept = ("feed", "source_id", "reason", "rows_waiting", "oldest_day", "protects_en", "protects_zh")
    return {
        **{name: row[name] for name in kept},
        "columns": columns,
        "waits_for": rule.waits_for if rule else None,
        "examples": examples,
    }


def _days(folder: Path) -> list[date]:
    """Return the days that have a page, newest first."""
    named = (re.fullmatch(r"(\d{4}-\d\d-\d\d)\.zh\.html", file.name) for file in folder.iterdir())
    return sorted((date.fromisoformat(match[1]) for match in named if match), reverse=True)


def _render_index(page: ReportFile, settings: Settings, days: list[date]) -> str:
    formats = {language: Formats(language, settings.business.currency) for language in _languages()}
    titles = {
        language: read_templates(FOLDER, language).from_string("{{ _(title) }}").render(title=page.title)
        for language in _languages()
    }
    return (
        read_templates(FOLDER, "en")
        .get_template("index.html.j2")
        .render(company=_company(settings), days=days, page_name=page_name, show=formats, titles=titles)
    )


def _write(path: Path, text: str) -> Path:
    """Write a file so that readers see all of it or the one before."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    return path
