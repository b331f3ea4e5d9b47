"""When an issue of a report goes out: complete, late with a warning, or not yet."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from winback.holidays import DayKind, Holidays
from winback.incidents import Incident


def day_of_issue(planned: date, on_days_off: Literal["send", "wait"], holidays: Holidays) -> date:
    """Return the day on which an issue goes out: as planned, or the first one that is worked."""
    day = planned
    while on_days_off == "wait" and holidays.kind(day) not in (DayKind.WORKDAY, DayKind.MAKE_UP_WORKDAY):
        day += timedelta(days=1)
    return day


def is_overdue(issued_on: date, deadline: str | None, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether waiting has ended: at the deadline's time on the day of issue."""
    if deadline is None:
        return False
    return now >= datetime.combine(issued_on, time.fromisoformat(deadline), tzinfo=zone)


def goes_out(
    published: date | None,
    ends_on: date,
    hindered_by: Sequence[Incident],
    when_stopped: Literal["hold", "warn"],
    *,
    overdue: bool = False,
) -> bool:
    """Tell whether a report goes out: complete, or with a warning if its deadline is over.

    Something that keeps it incomplete is a reason not to wait for the deadline, if so configured. A report
    that is merely late is waited for.
    """
    if published is None:
        return False
    return published >= ends_on or overdue or (when_stopped == "warn" and len(hindered_by) > 0)


def hindrances(incidents: Iterable[Incident], published: date | None, ends_on: date) -> tuple[Incident, ...]:
    """Return the first incident of each place that keeps the marts from going on to the end of a period."""
    first: dict[tuple[str, str], Incident] = {}
    for incident in sorted(incidents, key=lambda found: found.business_day):
        is_in_the_way = published is None or published < incident.business_day
        if incident.stage != "report" and is_in_the_way and incident.business_day <= ends_on:
            first.setdefault((incident.stage, incident.subject), incident)
    return tuple(first.values())
