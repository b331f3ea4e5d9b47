"""What values say: date formats, decimal signs, null words, on small columns."""

import duckdb
import pytest

from winback.onboarding import measure


@pytest.fixture
def column():
    """Return a function that makes a relation of one column `v`."""
    with duckdb.connect() as engine:

        def make(*values: str | None) -> tuple[duckdb.DuckDBPyConnection, str]:
            engine.execute("create or replace table t as select unnest(cast($1 as varchar[])) as v", [values])
            return engine, "t"

        yield make


@pytest.mark.parametrize(
    ("values", "formats", "swapped"),
    [
        (["2026-03-02 09:05:00", "2026/3/2 9:05"], (), None),  # the usual forms need no format
        (["13/02/2026", "01/02/2026"], ("%d/%m/%Y",), None),  # 13 is no month
        (["02/13/2026", "01/02/2026"], ("%m/%d/%Y",), None),
        (["01/02/2026", "03/04/2026"], ("%d/%m/%Y",), "%m/%d/%Y"),  # nothing tells them apart
        (["02.03.2026 09:05", "31.12.2026 10:00"], ("%d.%m.%Y %H:%M",), None),
        (["3/14/2026 2:05 PM", None], ("%m/%d/%Y %I:%M %p",), None),
    ],
)
def test_the_format_is_the_one_that_reads_every_value(column, values, formats, swapped):
    found = measure.read_dates(*column(*values), "v", "timestamptz")
    assert (found.formats, found.swapped, found.unread) == (formats, swapped, 0)


def test_what_no_format_reads_is_counted(column):
    found = measure.read_dates(*column("13/02/2026", "14/02/2026", "soon"), "v", "timestamptz")
    assert (found.formats, found.filled, found.unread) == (("%d/%m/%Y",), 3, 1)


def test_the_usual_forms_stay_where_no_format_reads_more():
    found = measure.choose_formats({"%d/%m/%Y": 2, "%m/%d/%Y": 1}, filled=10, usual_unread=8)
    assert (found.formats, found.unread) == ((), 8)


@pytest.mark.parametrize(
    ("values", "is_comma"),
    [
        (["1.234,50", "12,5"], True),
        (["1,234.50", "12.5"], False),
        (["1,234", "2,345"], False),  # more likely thousands
        (["12", "13"], False),
    ],
)
def test_a_decimal_comma_is_told_from_separators_of_thousands(column, values, is_comma):
    assert measure.uses_decimal_comma(*column(*values), "v") is is_comma


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["NA", "12", "3.5"], ("NA",)),
        (["-", "2026-03-02", "\\N"], ("\\N", "-")),
        (["NULL", "NULL"], ("NULL",)),
        (["NA", "Berlin", "12"], ()),  # among words, NA may be one
        (["12", "13"], ()),
        ([None, None], ()),
    ],
)
def test_a_null_word_is_known_by_the_numbers_around_it(column, values, words):
    engine, relation = column(*values)
    assert measure.found_null_words(engine, relation, ("v",)) == words


def test_keys_are_counted_with_nulls_and_over_several_columns():
    with duckdb.connect() as engine:
        engine.execute(
            "create table t as select * from (values ('a', '1'), ('a', '2'), ('b', '1')) as t (x, y)"
        )
        assert measure.count_keys(engine, "t", ("x",)) == (3, 2)
        assert measure.count_keys(engine, "t", ("x", "y")) == (3, 3)
