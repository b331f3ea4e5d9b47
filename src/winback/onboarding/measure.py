"""Measure columns of a DuckDB relation: how many are filled, distinct, readable as a type. Counts only."""

from dataclasses import dataclass

import duckdb

from winback.config import ColumnMapping
from winback.extract.conversions import as_type, literal, quoted, trimmed
from winback.feeds import ColumnType
from winback.onboarding.words import date_formats, null_words

# Digits and what stands between them in numbers, dates and times, Chinese units included.
_FIGURES = r"[\d\s.,:/+\-年月日时分秒TZ]*\d[\d\s.,:/+\-年月日时分秒TZ]*"
_SORTABLE = r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?"
_COMMA_DECIMAL = r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"


@dataclass(frozen=True)
class DateReading:
    """How the text of a column becomes a date or a moment.

    `formats` is empty where the usual ISO forms read every value. `swapped` is the other order of day and
    month, where both read every value alike. `unread` of `filled` values are read by none of the formats.
    """

    formats: tuple[str, ...]
    filled: int
    unread: int
    swapped: str | None = None


def count_filled(
    engine: duckdb.DuckDBPyConnection, relation: str, columns: tuple[str, ...]
) -> dict[str, int]:
    """Return how many rows fill each column."""
    if not columns:
        return {}
    row = engine.execute(f"select {', '.join(f'count({_text(name)})' for name in columns)} from {relation}")
    return dict(zip(columns, row.fetchone() or (), strict=True))


def count_keys(engine: duckdb.DuckDBPyConnection, relation: str, columns: tuple[str, ...]) -> tuple[int, int]:
    """Return the number of rows, and how many different keys they have."""
    key = ", ".join(_text(name) for name in columns)
    row = engine.execute(
        f"select coalesce(sum(n), 0), count(*) from (select count(*) as n from {relation} group by {key})"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def distinct_values(
    engine: duckdb.DuckDBPyConnection, relation: str, column: str, at_most: int
) -> list[str] | None:
    """Return the different values of a column, the most frequent first; None if there are too many."""
    rows = engine.execute(
        f"select {_text(column)} as value from {relation} where value is not null"
        f" group by value order by count(*) desc, value limit {at_most + 1}"
    ).fetchall()
    return None if len(rows) > at_most else [row[0] for row in rows]


def found_null_words(
    engine: duckdb.DuckDBPyConnection, relation: str, columns: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the null words of columns whose every other value is a number or a date."""
    words = ", ".join(map(literal, null_words()))
    found: set[str] = set()
    for column in columns:
        row = engine.execute(
            f"select list(distinct value) filter (value in ({words})),"
            f" bool_and(regexp_full_match(value, {literal(_FIGURES)})) filter (value not in ({words}))"
            f" from (select {_text(column)} as value from {relation})"
        ).fetchone()
        assert row is not None
        if row[0] and row[1] is not False:
            found.update(row[0])
    return tuple(word for word in null_words() if word in found)


def count_unread(
    engine: duckdb.DuckDBPyConnection,
    relation: str,
    column: str,
    column_type: ColumnType,
    mapping: ColumnMapping | None = None,
) -> int:
    """Return how many values the loader could not read as a type."""
    value = as_type(column_type, "value", mapping, "UTC")
    row = engine.execute(
        f"select count(*) filter (value is not null and ({value}) is null)"
        f" from (select {_text(column)} as value from {relation})"
    ).fetchone()
    assert row is not None
    return int(row[0])


def has_signs_in_numbers(engine: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    """Tell whether some numbers carry separators of thousands or a currency's sign."""
    row = engine.execute(
        f"select count(*) filter (regexp_matches(value, '[,￥¥$€£]')) from (select {_text(column)} as value"
        f" from {relation})"
    ).fetchone()
    return row is not None and row[0] > 0


def uses_decimal_comma(engine: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    """Tell whether numbers are written 1.234,50: all fit that form, and some have a decimal comma."""
    row = engine.execute(
        f"select bool_and(regexp_full_match(value, {literal(_COMMA_DECIMAL)})),"
        " count(*) filter (regexp_matches(value, ',(\\d{1,2}|\\d{4,})$'))"
        f" from (select {_text(column)} as value from {relation}) where value is not null"
    ).fetchone()
    return row is not None and bool(row[0]) and row[1] > 0


def is_sortable_text(engine: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    """Tell whether dates sort as text: all of them in one ISO form."""
    row = engine.execute(
        f"select bool_and(regexp_full_match(value, {literal(_SORTABLE)})), count(distinct length(value))"
        f" from (select {_text(column)} as value from {relation}) where value is not null"
    ).fetchone()
    return row is not None and bool(row[0]) and row[1] == 1


def read_dates(
    engine: duckdb.DuckDBPyConnection, relation: str, column: str, column_type: ColumnType
) -> DateReading:
    """Find the formats that read a column's dates: none if the usual ones do."""
    filled = count_filled(engine, relation, (column,))[column]
    usual_unread = count_unread(engine, relation, column, column_type)
    if usual_unread == 0:
        return DateReading((), filled, 0)
    candidates = date_formats(with_time=column_type == "timestamptz")
    counts = [
        f"count(*) filter (year(try_strptime(value, {literal(one)})) between 1900 and 2200)"
        for one in candidates
    ]
    row = engine.execute(
        f"select {', '.join(counts)} from (select {_text(column)} as value from {relation})"
    ).fetchone()
    assert row is not None
    return choose_formats(dict(zip(candidates, row, strict=True)), filled, usual_unread)


def formats_in_use(engine: duckdb.DuckDBPyConnection, relation: str, column: str) -> tuple[str, ...]:
    """Return the formats with the year first that read some of a column's dates."""
    candidates = tuple(one for one in date_formats(with_time=True) if one.startswith("%Y"))
    read = [f"count(try_strptime(value, {literal(one)}))" for one in candidates]
    row = engine.execute(
        f"select {', '.join(read)} from (select {_text(column)} as value from {relation})"
    ).fetchone()
    assert row is not None
    return tuple(one for one, count in zip(candidates, row, strict=True) if count)


def choose_formats(read_by: dict[str, int], filled: int, usual_unread: int) -> DateReading:
    """Choose the format that reads most values; day before month where both read the same.

    The usual forms stay where no single format reads more than they do.
    """
    best = max(read_by, key=lambda one: read_by[one])  # the first of equals: the list begins with day first
    unread = filled - read_by[best]
    if unread >= usual_unread:
        return DateReading((), filled, usual_unread)
    other = _swapped(best)
    is_ambiguous = other is not None and read_by.get(other) == read_by[best]
    return DateReading((best,), filled, unread, other if is_ambiguous else None)


def _swapped(format_: str) -> str | None:
    """Return the format with day and month exchanged, if both are numbers and stand side by side."""
    if "%d" not in format_ or "%m" not in format_ or format_.startswith("%Y"):
        return None
    return format_.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")


def _text(column: str) -> str:
    """Write the SQL of a value as the loader sees it: trimmed text, empty as null."""
    return trimmed(f"cast({quoted(column)} as varchar)")
