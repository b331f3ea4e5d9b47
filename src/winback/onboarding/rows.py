"""Checks on a landed sample: what the loader's own rules say, and what looks wrong though it is readable."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from winback.check.landed import as_landed
from winback.check.rules import RowRule, Severity
from winback.check.suites import rules_for, thresholds
from winback.onboarding.columns import seed_of
from winback.onboarding.findings import Finding, by_share, fail, ok, warn
from winback.onboarding.sampling import SampledSource

_MANY_REJECTED = 0.05
_MANY_WARNED = 0.2
_MANY_TWINS = 0.2
_MANY_AT_NIGHT = 0.4
_LONG_ID = 6
_SAME_LENGTH = 0.9
_NAMED_STATUSES = 10
_MOST_STATUSES = 30
_PAST_ONLY = ("updated_at", "delivered_at", "resolved_at", "first_response_at", "registered_on")


@dataclass(frozen=True)
class LandedSample:
    """A sample in a temporary table of the warehouse."""

    connection: psycopg.Connection[Any]
    table: str
    sampled: SampledSource
    rows: int

    @property
    def place(self) -> str:
        """Return how findings call this sample's source."""
        return self.sampled.place

    def mapped(self, *names: str) -> list[str]:
        """Return those of some canonical columns that come from a column of the source."""
        columns = self.sampled.source.columns
        return [name for name in names if name in columns and columns[name].column is not None]

    def row(self, select: str | sql.Composable) -> tuple[Any, ...]:
        """Return the one row of a query's select list over the sample."""
        found = self.connection.execute(
            sql.SQL("select {} from {}").format(
                sql.SQL(select) if isinstance(select, str) else select,
                as_landed(sql.Identifier("pg_temp", self.table)),
            )
        ).fetchone()
        assert found is not None
        return tuple(found)


def check_rows(sample: LandedSample) -> Iterator[Finding]:
    """Yield every check on a sample's rows."""
    yield from _rules(sample)
    yield from _key(sample)
    yield from _dates(sample)
    yield from _hours(sample)
    yield from _ids(sample)
    yield from _currency(sample)
    yield from _cursor(sample)


def _rules(sample: LandedSample) -> Iterator[Finding]:
    """Ask the suite's own predicates, so that what is said here is what the load will do."""
    settings = sample.sampled.settings
    # A sample knows neither the rows beside it nor those of other feeds.
    rules = [rule for rule in rules_for(settings, sample.sampled.feed.name) if rule.finds is None]
    count = sql.SQL(", ").join(
        sql.SQL("count(*) filter (where (" + rule.fails_when + "))").format(**thresholds(settings))
        for rule in rules
    )
    counts = sample.row(count)
    broken = [(rule, count) for rule, count in zip(rules, counts, strict=True) if count]
    for rule, count in broken:
        yield _broken(sample, rule, count)
    if len(broken) < len(rules):
        yield ok(sample.place, f"{len(rules) - len(broken)} of {len(rules)} rules hold for every row")


def _broken(sample: LandedSample, rule: RowRule, count: int) -> Finding:
    share = count / sample.rows
    said = f"{count:,} of {sample.rows:,} rows break {rule.name}"
    if rule.severity is Severity.WARN:
        if share <= _MANY_WARNED:
            return ok(sample.place, f"{said}; they are loaded all the same")
        return warn(sample.place, f"{said}; they are loaded all the same", rule.protects_en)
    if rule.severity is Severity.STOP:
        return fail(sample.place, f"{said}, for which nothing at all would be loaded", rule.protects_en)
    said += " and would wait in quarantine"
    column, _, kind = rule.name.rpartition("_is_")
    if kind == "known":
        said += _unclassed(sample, rule, column)
    fixes = {
        "filled": f"check columns.{column} in winback.yml: is it the right column of the source?",
        "readable": f"state format, decimal or null_values for columns.{column} in winback.yml",
        "known": f"map them with codes: under columns.{column} in winback.yml",
    }
    if seed := seed_of(sample.sampled.feed.name, column):
        fixes["known"] += f", or add them to dbt_project/seeds/company/{seed}.csv"
    fix = fixes.get(kind, f"ask {rule.owner}; {rule.protects_en}")
    return by_share(sample.place, said, share, _MANY_REJECTED, fix)


def _unclassed(sample: LandedSample, rule: RowRule, column: str) -> str:
    """Name the codes that no seed classes: words of a category, unless there are too many to be that."""
    query = f"array_agg(distinct btrim(landed.{column})) filter (where ({rule.fails_when}))"
    (words,) = sample.row(sql.SQL(query).format(**thresholds(sample.sampled.settings)))
    if len(words) > _MOST_STATUSES:
        return f": {len(words)} different values, too many for a status"
    return f": {', '.join(words[:_NAMED_STATUSES])}"


def _key(sample: LandedSample) -> Iterator[Finding]:
    key = sample.sampled.feed.key
    named = " + ".join(key)
    (keys,) = sample.row(f"count(distinct ({', '.join(key)}))")
    twins = sample.rows - keys
    if not twins:
        yield ok(sample.place, f"{named} names each of {sample.rows:,} rows once")
        return
    yield by_share(
        sample.place,
        f"{twins:,} of {sample.rows:,} rows repeat the {named} of another; only the newest is kept",
        twins / sample.rows,
        _MANY_TWINS,
        f"check columns.{key[-1]} in winback.yml; if a row is only a part, add the parts up in a query",
    )


def _dates(sample: LandedSample) -> Iterator[Finding]:
    event = sample.sampled.feed.event_column
    names = sample.mapped(*((event,) if event else ()), *_PAST_ONLY)
    for name in names:
        old, future = sample.row(
            f"count(*) filter (where {name} < '1990-01-01'),"
            f" count(*) filter (where {name} > now() + interval '1 day')"
        )
        if old or future:
            yield warn(
                sample.place,
                f"{name}: {old:,} rows before 1990 and {future:,} in the future, of {sample.rows:,}",
                f"check the format of columns.{name} and the systems' time_zone in winback.yml",
            )
    if names:
        yield ok(sample.place, f"dates looked at: {', '.join(names)}")


def _hours(sample: LandedSample) -> Iterator[Finding]:
    """Judge the time zone by the hours: few businesses do most of their work at night."""
    event, feed = sample.sampled.feed.event_column, sample.sampled.feed
    if event is None or feed.column(event).type != "timestamptz" or not sample.mapped(event):
        return
    system = sample.sampled.settings.systems[sample.sampled.source.source]
    local = f"({event} at time zone '{system.time_zone}')"
    timed, night = sample.row(
        f"count(*) filter (where {local}::time <> '00:00'),"
        f" count(*) filter (where {local}::time <> '00:00' and {local}::time < '05:00')"
    )
    if not timed:
        yield ok(sample.place, f"{event} carries no time of day")
    elif night > timed * _MANY_AT_NIGHT:
        yield warn(
            sample.place,
            f"{night:,} of {timed:,} {event} lie between midnight and 5 in {system.time_zone}",
            f"check systems.{sample.sampled.source.source}.time_zone in winback.yml (often it is UTC)",
        )
    else:
        yield ok(
            sample.place, f"{night / timed:.0%} of {event} lie between midnight and 5 in {system.time_zone}"
        )


def _ids(sample: LandedSample) -> Iterator[Finding]:
    """Look for what spreadsheets do to ids: 1001 becomes 1001.0, and 001001 becomes 1001."""
    feed = sample.sampled.feed
    names = sample.mapped(*(name for name in feed.column_names if name.endswith("_id") or name in feed.key))
    for name in names:
        if feed.column(name).type != "text":
            continue
        filled, floats, usual = sample.row(
            f"count({name}), count(*) filter (where {name} ~ '^[0-9]+[.]0+$'),"
            f" mode() within group (order by length({name})) filter (where {name} ~ '^[0-9]+$')"
        )
        if floats:
            yield by_share(
                sample.place,
                f"{name}: {floats:,} of {filled:,} ids end in .0, as a spreadsheet writes numbers",
                floats / filled,
                _MANY_REJECTED,
                "have the column exported as text, or cut the end off in a query",
            )
        if not usual or usual < _LONG_ID:
            continue
        same, shorter = sample.row(
            f"count(*) filter (where length({name}) = {usual}),"
            f" count(*) filter (where length({name}) < {usual} and {name} ~ '^[0-9]+$')"
        )
        if shorter and same >= filled * _SAME_LENGTH:
            yield warn(
                sample.place,
                f"{name}: {same:,} of {filled:,} ids have {usual} digits, {shorter:,} have fewer",
                "if the source pads ids with zeros, have the column exported as text",
            )


def _currency(sample: LandedSample) -> Iterator[Finding]:
    if not sample.mapped("currency"):
        return
    (found,) = sample.row("array_agg(distinct currency) filter (where currency is not null)")
    own = sample.sampled.settings.business.currency
    others = sorted({word for word in found or () if word.strip().upper() != own})
    if not others:
        yield ok(sample.place, f"every amount is in {own}")
    elif "exchange_rates" not in sample.sampled.settings.feeds:
        yield warn(
            sample.place,
            f"{len(others)} currencies besides {own} (business.currency)",
            "correct business.currency, or give the feed exchange_rates",
        )


def _cursor(sample: LandedSample) -> Iterator[Finding]:
    source = sample.sampled.source
    if source.cursor is None:
        return
    (empty,) = sample.row(f"count(*) filter (where {source.cursor} is null)")
    if empty:
        yield warn(
            sample.place,
            f"the cursor {source.cursor} is empty in {empty:,} of {sample.rows:,} rows, which are read again"
            " each time",
            "use a query with coalesce(changed, created) as the cursor's column",
        )
    else:
        yield ok(sample.place, f"the cursor {source.cursor} is filled in every row")
    if not source.lookback:
        yield warn(
            sample.place,
            "lookback is 0: a row that is committed late is never read",
            "state lookback: 1 day, or as long as the source's longest transaction",
        )
