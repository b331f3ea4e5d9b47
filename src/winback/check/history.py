"""What a source usually sends: what its earlier batches measured, and how many rows each day brought."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import psycopg

from winback.check.measures import VOLUME, Delivery
from winback.config_checks import Usual


@dataclass(frozen=True)
class History:
    """What a source measured before a business day: volumes by day, all else by check, newest first.

    `newest` is the day of the newest event in the warehouse.
    """

    volumes: Mapping[date, float] = field(default_factory=dict)
    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    mixes: Mapping[str, tuple[Mapping[str, float], ...]] = field(default_factory=dict)
    newest: date | None = None


def read_history(connection: psycopg.Connection[Any], delivery: Delivery, usual: Usual) -> History:
    """Return what a source measured before a delivery; of a day that was loaded again, the last time.

    How many rows a day brought is told from `raw` too: after a first load of years nothing else knows it.
    """
    day = delivery.day
    values: defaultdict[str, dict[date, float]] = defaultdict(dict)
    mixes: defaultdict[str, defaultdict[date, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for measured_on, measure, value, number in connection.execute(
        _MEASURED,
        {
            "feed": delivery.feed.name,
            "source_id": delivery.source_id,
            "day": day,
            "days": max(usual.batches, 7 * usual.weeks),
        },
    ):
        if value:
            mixes[measure][measured_on][value] = number
        else:
            values[measure][measured_on] = number
    known, newest = _days_in_raw(connection, delivery, usual)
    # Before its first row a source may not have been there; after it, a day without rows is a day of none.
    first = min(known, default=day) if delivery.is_daily else day
    in_raw = {first + timedelta(n): known.get(first + timedelta(n), 0) for n in range((day - first).days)}
    return History(
        volumes=in_raw | values.pop(VOLUME, {}),
        values={name: tuple(by_day.values())[: usual.batches] for name, by_day in values.items()},
        mixes={name: tuple(by_day.values())[: usual.batches] for name, by_day in mixes.items()},
        newest=newest,
    )


_MEASURED = """
with loads as (
    select distinct on (volumes.business_day) volumes.business_day, volumes.batch_id
    from ops.batch_measures as volumes
    inner join ops.batches on volumes.batch_id = batches.batch_id
    where
        volumes.feed = %(feed)s
        and volumes.source_id = %(source_id)s
        and volumes.measure = 'volume'
        and volumes.business_day < %(day)s
        and batches.status = 'committed'
        and batches.kind = 'load'
    order by volumes.business_day desc, batches.committed_at desc
    limit %(days)s
)

select measures.business_day, measures.measure, measures.subject, measures.value
from loads
inner join ops.batch_measures as measures on loads.batch_id = measures.batch_id
order by measures.business_day desc
"""


def _days_in_raw(
    connection: psycopg.Connection[Any], delivery: Delivery, usual: Usual
) -> tuple[dict[date, int], date | None]:
    """Count the rows of the last weeks by the day of their event, and name the newest day, however old."""
    event = delivery.feed.event_column
    if event is None:
        return {}, None
    of_source = f"from raw.{delivery.feed.name} where source_id = %(source_id)s and {event} < %(end)s"
    day_of = f"({event} at time zone %(zone)s)::date" if delivery.has_moments else event
    parameters = {
        "source_id": delivery.source_id,
        "zone": delivery.zone.key,
        **delivery.bounds(delivery.day - timedelta(weeks=usual.weeks)),
    }
    by_day = f"select {day_of}, count(*) {of_source} and {event} >= %(start)s group by 1"
    if known := dict(connection.execute(by_day, parameters).fetchall()):
        return known, max(known)
    row = connection.execute(f"select max({event}) {of_source}", parameters).fetchone()
    return {}, delivery.day_of(row[0]) if row else None
