"""What a seed is made of, as the YAML in `dbt_project/seeds` states it: columns, types, limits, the key."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from winback.paths import DBT_PROJECT
from winback.rules.problems import did_you_mean

SHIPPED = DBT_PROJECT / "seeds"
_SIGNALS = DBT_PROJECT / "models" / "intermediate" / "_intermediate__models.yml"
_COMPLAINTS = DBT_PROJECT / "models" / "marts" / "complaints" / "_complaints__models.yml"
_RETENTION = DBT_PROJECT / "models" / "marts" / "retention" / "_retention__models.yml"


@dataclass(frozen=True)
class Column:
    """One column of a seed: its type in the warehouse, and what its cells may say."""

    name: str
    type: str
    optional: bool = False
    lower_case: bool = False
    several: bool = False
    allowed: tuple[str, ...] = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None

    def read(self, cell: str) -> Any:
        """Return what a cell says; full-width figures and letters count as plain ones, except in free text.

        Raises:
            ValueError: the cell says nothing that the column may say; the message goes on after its name.
        """
        is_free = self.type == "text" and not self.allowed
        text = cell.strip() if is_free else unicodedata.normalize("NFKC", cell).strip()
        if not text:
            if self.optional:
                return None
            raise ValueError("is empty")
        words = text.split() if self.several else [text]
        for word in words if self.allowed else ():
            if word not in self.allowed:
                raise ValueError(f"{word!r} is unknown{did_you_mean(word, self.allowed)}")
        if self.several:
            return " ".join(words)
        value = _READERS[self.type](text.lower() if self.lower_case else text)
        if self.at_least is not None and value < self.at_least:
            raise ValueError(f"is {text}; it must be at least {self.at_least}")
        if self.at_most is not None and value > self.at_most:
            raise ValueError(f"is {text}; it must be at most {self.at_most}")
        return value


@dataclass(frozen=True)
class Seed:
    """One table of rules: its columns, and those that make up its key."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]


def descriptions() -> list[Path]:
    """Return the files that describe the seeds."""
    return sorted(SHIPPED.glob("*.yml"))


@cache
def read_seeds() -> dict[str, Seed]:
    """Return every seed that is described."""
    return {
        seed["name"]: Seed(
            seed["name"],
            tuple(seed["config"]["meta"]["key"]),
            {
                column["name"]: _column(column, seed["config"]["column_types"][column["name"]])
                for column in seed["columns"]
            },
        )
        for file in descriptions()
        for seed in yaml.safe_load(file.read_text("utf-8"))["seeds"]
    }


def read_signals() -> tuple[str, ...]:
    """Return the signals: the columns of int_signals that are marked so."""
    return tuple(
        column["name"] for column in _columns_of(_SIGNALS, "int_signals") if _meta(column).get("signal")
    )


def read_metrics() -> tuple[str, ...]:
    """Return what a target may be for: figures of retention_months, and means and rates of surveys."""
    retention = _columns_of(_RETENTION, "retention_months")
    surveys = _columns_of(_COMPLAINTS, "satisfaction_months")
    return (
        *_named(retention, "bigint", "pg_catalog.numeric"),
        *_named(surveys, "pg_catalog.numeric"),
    )


def _named(columns: list[dict[str, Any]], *types: str) -> list[str]:
    return [column["name"] for column in columns if column["data_type"] in types]


@cache
def _columns_of(file: Path, name: str) -> list[dict[str, Any]]:
    models = yaml.safe_load(file.read_text("utf-8"))["models"]
    columns: list[dict[str, Any]] = next(model["columns"] for model in models if model["name"] == name)
    return columns


def _column(described: dict[str, Any], type_: str) -> Column:
    meta = _meta(described)
    limits = {name: Decimal(str(meta[name])) for name in ("at_least", "at_most") if name in meta}
    return Column(described["name"], type_, **meta | limits | {"allowed": tuple(meta.get("allowed", ()))})


def _meta(described: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = described.get("config", {}).get("meta", {})
    return meta


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", text):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{text!r} is no number; write it like 14 or -0.3")
    return number


def _day(text: str) -> date:
    """Read a day with its year first; a spreadsheet writes slashes for dashes and leaves zeros out."""
    parts = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", text)
    try:
        year, month, day = map(int, parts.groups() if parts else ())
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"{text!r} is no day; write it like 2026-03-01") from None


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


_READERS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "integer": _integer,
    "numeric": _number,
    "date": _day,
    "boolean": _truth,
}
