"""Business days: the date of a moment in the business time zone (DEFINITIONS 2)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which a business day begins."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment, in UTC, that no longer belongs to a business day."""
    return day_start(day + timedelta(days=1), zone)


def deadline(day: date, time_of_day: str, zone: ZoneInfo) -> datetime:
    """Return when waiting for a business day's data ends: the given time on the following day."""
    return datetime.combine(day + timedelta(days=1), time.fromisoformat(time_of_day), tzinfo=zone)


def last_sunday(day: date) -> date:
    """Return the last day of the newest ISO week that ended before a day."""
    return day - timedelta(days=day.isoweekday())
