"""The seed of the calendar: public holidays and make-up workdays, as the checks know them too."""

import csv
import io
from dataclasses import fields
from pathlib import Path

from winback.holidays import Holidays, SpecialDay
from winback.rules.load import write_changed
from winback.rules.seeds import SHIPPED

_SHIPPED_CALENDAR = SHIPPED / "calendar"


def write_calendar(folder: Path, holidays: Holidays, last_year: int) -> None:
    """Write the days of all years up to the last one where dbt loads them, and their description."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in _SHIPPED_CALENDAR.glob("*.yml"):
        write_changed(folder / file.name, file.read_text("utf-8"))
    write_changed(folder / "holidays.csv", _as_csv(holidays.special_days(last_year)))


def _as_csv(days: tuple[SpecialDay, ...]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(field.name for field in fields(SpecialDay))
    writer.writerows(
        (day.day, str(day.is_workday).lower(), day.name_zh or "", day.name_en or "") for day in days
    )
    return out.getvalue()
