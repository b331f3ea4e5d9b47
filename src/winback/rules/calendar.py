"""The seeds of the calendar: holidays and make-up workdays, as the checks know them too, and lunar days."""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, fields
from datetime import date, timedelta
from pathlib import Path

from winback.holidays import Holidays, SpecialDay
from winback.lunar import LunarDay, lunar_days
from winback.rules.load import write_changed
from winback.rules.seeds import SHIPPED

_SHIPPED_CALENDAR = SHIPPED / "calendar"
_AHEAD = timedelta(days=62)  # longer than any care calendar looks ahead


def write_calendar(folder: Path, holidays: Holidays, as_of_date: date) -> None:
    """Write the holidays until a day's year ends, and the lunar days after it, where dbt loads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in _SHIPPED_CALENDAR.glob("*.yml"):
        write_changed(folder / file.name, file.read_text("utf-8"))
    write_changed(folder / "holidays.csv", _as_csv(SpecialDay, holidays.special_days(as_of_date.year)))
    days_ahead = lunar_days(as_of_date, as_of_date + _AHEAD)
    write_changed(folder / "lunar_days.csv", _as_csv(LunarDay, days_ahead))


def _as_csv(kind: type, rows: Iterable[SpecialDay | LunarDay]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(field.name for field in fields(kind))
    writer.writerows([_cell(value) for value in astuple(row)] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    """Return a value as dbt reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
