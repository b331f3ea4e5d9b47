"""`winback doctor`: prove a configuration on samples of its sources. Nothing is loaded."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from winback import warehouse
from winback.config import FileSystem, PostgresSystem, Settings
from winback.connections import connection_url
from winback.errors import WinbackError
from winback.extract.encodings import Detection, detect
from winback.extract.packed import kind_of
from winback.onboarding.findings import Finding, Level, fail, ok, warn
from winback.onboarding.rows import LandedSample, check_rows
from winback.onboarding.sampling import SampledSource, land_sample, sampled_sources
from winback.rules.load import load_rules
from winback.tasks.signature import secret

_SURE_ENCODING = 0.9
_LOW_COVERAGE = 0.5
_MANY_IDS = 1_000


def examine(settings: Settings, feeds: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Yield every check of the deployment and of the feeds' sources, one by one as they are done.

    Raises:
        WinbackError: a named feed is not configured.
    """
    sources = sampled_sources(settings, feeds)
    yield from _deployment(settings)
    with _warehouse() as connection:
        if isinstance(connection, Finding):
            yield connection
            for sampled in sources:
                yield from _without_warehouse(sampled)
            return
        yield ok("warehouse", "reachable")
        samples = []
        for number, sampled in enumerate(sources):
            files = list(_files(sampled))
            yield from files
            if any(finding.level is Level.FAIL for finding in files):
                continue
            sample = _landed(connection, f"sample_{number}", sampled)
            if isinstance(sample, Finding):
                yield sample
                continue
            yield ok(sampled.place, f"{sample.rows:,} rows read as a sample, every mapped column is there")
            if sample.rows:
                yield from check_rows(sample)
                samples.append(sample)
        yield from _coverage(settings, samples)


def _deployment(settings: Settings) -> Iterator[Finding]:
    lines = settings.business.lines
    try:
        warnings = load_rules(lines).warnings
    except WinbackError as error:
        yield fail("rules", error.problem.removeprefix("the rules: "), error.fix)
    else:
        yield ok("rules", f"they fit together, and every policy is known: {', '.join(lines.values())}")
        yield from (warn("rules", said, "see them all: winback rules check") for said in warnings)
    try:
        connection_url(settings.mail.connection)
        yield ok("mail", f"the connection {settings.mail.connection} has its secret")
    except WinbackError as error:
        yield warn("mail", f"{error.problem} Reports cannot be sent", error.fix)
    if settings.tasks is not None:
        try:
            secret()
            yield ok("tasks", "there is a secret to sign them with")
        except WinbackError as error:
            yield fail("tasks", error.problem, error.fix)


@contextmanager
def _warehouse() -> Iterator[psycopg.Connection[Any] | Finding]:
    """Open the warehouse, or say why the rows cannot be checked."""
    try:
        connection = warehouse.connect(autocommit=True)
    except WinbackError as error:
        said = f"{error.problem} Only files, connections and columns are checked, no rows"
        yield fail("warehouse", said, f"{error.fix}; the embedded one starts with: winback warehouse start")
        return
    with connection:
        yield connection


def _without_warehouse(sampled: SampledSource) -> Iterator[Finding]:
    """Read the sample and drop it: the source is reachable and has its columns, or not."""
    files = list(_files(sampled))
    yield from files
    if any(finding.level is Level.FAIL for finding in files):
        return
    try:
        for _ in sampled.batch().chunks():
            pass
    except WinbackError as error:
        yield fail(sampled.place, error.problem, error.fix)
        return
    yield ok(sampled.place, "readable, every mapped column is there")


def _files(sampled: SampledSource) -> Iterator[Finding]:
    """Check folder, files and encoding."""
    system = sampled.settings.systems[sampled.source.source]
    if not isinstance(system, FileSystem):
        return
    try:
        files = sampled.newest_files(system)
        yield ok(sampled.place, f"found {', '.join(path.name for path in files.values())}")
        for path in files.values():
            if kind_of(path) != "text":
                continue
            yield _encoding(sampled, path)
    except WinbackError as error:
        yield fail(sampled.place, error.problem, error.fix)


def _encoding(sampled: SampledSource, path: Path) -> Finding:
    """Judge a text file's encoding: sure by itself, or stated in agreement with what its letters say."""
    found, stated = detect(path), sampled.source.encoding
    said = f"{path.name} is {found.encoding} ({found.confidence:.0%} sure, {found.reason})"
    if stated is None and found.confidence < _SURE_ENCODING:
        return warn(sampled.place, said, "look at some names in it, and state encoding in winback.yml")
    if stated is not None and _family(stated) != _family(found.encoding) and not _is_ascii(found):
        return warn(
            sampled.place,
            f"{said}, but winback.yml states {stated}",
            "look at some names in it, and correct encoding in winback.yml",
        )
    return ok(sampled.place, said)


def _family(encoding: str) -> str:
    """Return one name for encodings of which the wider reads the narrower alike."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        return encoding
    return {"gbk": "gb18030", "gb2312": "gb18030", "utf-8-sig": "utf-8"}.get(name, name)


def _is_ascii(found: Detection) -> bool:
    return found.reason == "plain ASCII"


def _landed(connection: psycopg.Connection[Any], name: str, sampled: SampledSource) -> LandedSample | Finding:
    try:
        rows = land_sample(connection, name, sampled.feed, sampled.batch())
    except WinbackError as error:
        is_postgres = isinstance(sampled.settings.systems[sampled.source.source], PostgresSystem)
        bad = _unreadable_columns(connection, name, sampled) if is_postgres else []
        where = f" Columns that fail by themselves: {', '.join(bad)}." if bad else ""
        return fail(sampled.place, error.problem + where, error.fix)
    return LandedSample(connection, name, sampled, rows)


def _unreadable_columns(connection: psycopg.Connection[Any], name: str, sampled: SampledSource) -> list[str]:
    """Return the columns that cannot be read one by one, where others can: PostgreSQL names none."""
    bad = []
    for number, (column, mapping) in enumerate(sampled.source.columns.items()):
        only = sampled.source.model_copy(update={"columns": {column: mapping}, "attributes": None})
        try:
            alone = SampledSource(sampled.settings, sampled.feed, only)
            land_sample(connection, f"{name}_{number}", sampled.feed, alone.batch())
        except WinbackError:
            bad.append(column)
    return bad if len(bad) < len(sampled.source.columns) else []


def _coverage(settings: Settings, samples: list[LandedSample]) -> Iterator[Finding]:
    """Check that the customers that each feed speaks of are known, as the whole source has them."""
    for sample in samples:
        feed = sample.sampled.feed.name
        known_by = ("customers",) if feed == "orders" else ("customers", "orders")
        if feed == "customers" or not sample.mapped("customer_id") or not {*known_by} & {*settings.feeds}:
            continue
        (ids,) = sample.row("array_agg(distinct customer_id) filter (where customer_id is not null)")
        if ids:
            yield _known_customers(settings, sample, tuple(ids[:_MANY_IDS]), known_by)


def _known_customers(
    settings: Settings, sample: LandedSample, ids: tuple[str, ...], known_by: tuple[str, ...]
) -> Finding:
    reference = sample.sampled.source.columns.get("customer_source_id")
    system = (reference.constant if reference else None) or sample.sampled.source.source
    homes = [
        home
        for home in sampled_sources(settings, tuple(feed for feed in known_by if feed in settings.feeds))
        if home.source.source == system
    ]
    found: set[str] = set()
    for number, home in enumerate(homes):
        found |= _customers_among(sample, home, ids, f"{sample.table}_home_{number}")
    said = f"{len(found):,} of {len(ids):,} customer_id are known to {' or '.join(known_by)} of {system}"
    if len(found) >= len(ids) * _LOW_COVERAGE:
        return ok(sample.place, said)
    return warn(
        sample.place,
        said,
        "if these are another system's customers, state customer_source_id: {constant: THAT_SYSTEM}",
    )


def _customers_among(sample: LandedSample, home: SampledSource, ids: tuple[str, ...], table: str) -> set[str]:
    """Return which of some ids a source has; none if its customers are not read from a column."""
    mapping = home.source.columns.get("customer_id")
    if mapping is None or mapping.column is None:
        return set()
    try:
        land_sample(sample.connection, table, home.feed, home.batch(mapping.column, ids))
    except WinbackError:
        return set()  # what is wrong with that source is said where it is checked
    (found,) = LandedSample(sample.connection, table, home, 0).row("array_agg(distinct customer_id)")
    return set(found or ()) & set(ids)
