"""Propose which feed a table is and how its columns map, how sure that is, and what a person must decide."""

from collections.abc import Iterator
from dataclasses import replace

import duckdb

from winback.extract.conversions import quoted
from winback.feeds import FEEDS, REFERENCE_SOURCES
from winback.onboarding import measure
from winback.onboarding.columns import propose_column
from winback.onboarding.databases import WORTH_A_LOOK
from winback.onboarding.lines import add_up_lines
from winback.onboarding.proposal import Choice, ColumnProposal, FeedProposal
from winback.onboarding.samples import SourceTable
from winback.onboarding.words import (
    Sureness,
    feed_scores,
    match_headers,
    speaks_of_lines,
)

_RIVAL_MARGIN = 0.15  # a second feed this close to the best one is named
_SURE_SCORE = 0.8
_LOW_COVERAGE = 0.5


def choose_feeds(engine: duckdb.DuckDBPyConnection, tables: list[SourceTable]) -> list[Choice]:
    """Choose a feed for every table; within a system, one table per feed: the one that fits best."""
    choices = [_choose_feed(engine, table) for table in tables]
    with_orders = {
        choice.table.system.name for choice in choices if choice.feed == "orders" and not choice.is_by_line
    }
    settled = [_settle_lines(choice, choice.table.system.name in with_orders) for choice in choices]
    best: dict[tuple[str, str | None], Choice] = {}
    for choice in sorted(settled, key=lambda choice: -choice.score):
        best.setdefault((choice.table.system.name, choice.feed), choice)
    return [_unless_taken(choice, best[choice.table.system.name, choice.feed]) for choice in settled]


def _unless_taken(choice: Choice, best: Choice) -> Choice:
    if choice.feed is None or best is choice:
        return choice
    why = (
        f"looks like {choice.feed}, but {best.table.name} does so more; a feed takes one source per system:"
        " join them by a query, or keep them in folders of their own"
    )
    return replace(choice, feed=None, why=why)


def _settle_lines(choice: Choice, has_orders: bool) -> Choice:
    """Decide what a table of order lines is: the lines beside their orders, else the orders by adding up."""
    if not choice.is_by_line or not has_orders:
        return choice
    return replace(choice, feed="order_lines", why=f"{choice.why}; the orders themselves are here too")


def _choose_feed(engine: duckdb.DuckDBPyConnection, table: SourceTable) -> Choice:
    headers = _filled_headers(engine, table)
    scores = feed_scores(table.name, headers)
    best, score = next(iter(scores.items()))
    if score < WORTH_A_LOOK:
        return Choice(table, None, score, "its columns fit no feed")
    rivals = [feed for feed, other in scores.items() if feed != best and score - other < _RIVAL_MARGIN]
    rival = f"; it could also be {' or '.join(rivals)}" if rivals else ""
    if best in ("orders", "order_lines") and _is_by_line(engine, table, headers):
        return Choice(table, "orders", score, f"a row is a line of an order{rival}", is_by_line=True)
    found = match_headers(best, headers)
    named = ", ".join(name for name in FEEDS[best].column_names if name in found)
    return Choice(table, best, score, f"its columns say {named}{rival}")


def _filled_headers(engine: duckdb.DuckDBPyConnection, table: SourceTable) -> list[str]:
    """Return the columns that hold something; a table without rows is judged by all of them."""
    filled = measure.count_filled(engine, quoted(table.sample), tuple(table.types))
    return [name for name, count in filled.items() if count] or list(table.types)


def _is_by_line(engine: duckdb.DuckDBPyConnection, table: SourceTable, headers: list[str]) -> bool:
    match = match_headers("orders", headers).get("order_id")
    if match is None or not speaks_of_lines(headers):
        return False
    rows, orders = measure.count_keys(engine, quoted(table.rows), (match.header,))
    return orders < rows


def propose(engine: duckdb.DuckDBPyConnection, choice: Choice) -> FeedProposal:
    """Propose the mapping of a table whose feed is chosen."""
    assert choice.feed is not None
    table, feed = choice.table, FEEDS[choice.feed]
    matches = match_headers(feed.name, _filled_headers(engine, table))
    columns = tuple(
        propose_column(engine, table, feed.name, column, matches[column.name])
        for column in feed.columns
        if column.name in matches
    )
    proposal = FeedProposal(
        feed=feed.name,
        table=table,
        sureness=Sureness.CERTAIN if choice.score >= _SURE_SCORE else Sureness.LIKELY,
        why=choice.why,
        columns=columns,
        reading=table.reading,
        remarks=table.notes,
        questions=table.doubts,
    )
    if feed.name == "orders" and choice.is_by_line:
        proposal = add_up_lines(engine, proposal)
    else:
        proposal = _with_key(engine, proposal)
    return _with_cursor(engine, _with_gaps(_with_questions(proposal)))


def _with_key(engine: duckdb.DuckDBPyConnection, proposal: FeedProposal) -> FeedProposal:
    """Say whether the feed's key names a row once, counted on all rows at hand."""
    by_name = {column.name: column.column for column in proposal.columns}
    key = tuple(column for name in FEEDS[proposal.feed].key if (column := by_name.get(name)))
    if len(key) < len(FEEDS[proposal.feed].key):
        return proposal
    rows, keys = measure.count_keys(engine, quoted(proposal.table.rows), key)
    named = " + ".join(key)
    if keys == rows:
        remark = f"{named} names each row once ({rows:,} rows)"
        return replace(proposal, remarks=(*proposal.remarks, remark))
    question = (
        f"{named} repeats: {rows:,} rows have {keys:,} different keys. Of rows with one key only the newest"
        " is kept. Is another column the key, or is a row only a part?"
    )
    return replace(proposal, sureness=Sureness.UNSURE, questions=(*proposal.questions, question))


def _with_questions(proposal: FeedProposal) -> FeedProposal:
    """Make a question of every column that a person must look at."""
    doubts = [_question(column) for column in proposal.columns if column.sureness is Sureness.UNSURE]
    return replace(proposal, questions=(*proposal.questions, *doubts))


def _question(column: ColumnProposal) -> str:
    remarks = "; ".join(column.remarks)
    if not column.is_used:
        return f"{column.name} is left out; {column.column} may be it" + (f": {remarks}" if remarks else "")
    asked = f"{column.name}: is {column.column} right?" if column.column else f"{column.name}: is this right?"
    return f"{asked} {remarks}".rstrip()


def _with_gaps(proposal: FeedProposal) -> FeedProposal:
    found = {column.name for column in proposal.columns if column.is_used}
    gaps = tuple(
        f"{proposal.table.name}: no column for {name}, which {proposal.feed} needs; map one or leave the feed"
        f" out. Its columns are {', '.join(proposal.table.types)}"
        for name in FEEDS[proposal.feed].required
        if name not in found
    )
    return replace(proposal, gaps=gaps)


def _with_cursor(engine: duckdb.DuckDBPyConnection, proposal: FeedProposal) -> FeedProposal:
    """Choose the column by which changes are found in a database."""
    if proposal.table.system.connector == "files":
        return proposal
    updated = next((one for one in proposal.columns if one.name == "updated_at" and one.is_used), None)
    if updated is None or updated.column is None:
        remark = "no column tells when a row changed: the whole table is read each time"
        return replace(proposal, remarks=(*proposal.remarks, remark))
    if "query" in proposal.reading:
        return replace(proposal, cursor="updated_at")
    sample = quoted(proposal.table.sample)
    rows = sum(count for (count,) in engine.execute(f"select count(*) from {sample}").fetchall())
    empty = rows - measure.count_filled(engine, sample, (updated.column,))[updated.column]
    said = f"changes are found by {updated.column}"
    if empty:
        said += f", which {empty:,} of {rows:,} rows leave empty: those are read again each time"
    return replace(proposal, cursor="updated_at", remarks=(*proposal.remarks, said))


def link_references(
    engine: duckdb.DuckDBPyConnection, proposals: list[FeedProposal]
) -> Iterator[FeedProposal]:
    """Yield the proposals, each with the system whose customers and orders it speaks of."""
    home = {
        reference: next((one for feed in feeds for one in proposals if one.feed == feed), None)
        for reference, feeds in (
            ("customer_source_id", ("customers", "orders")),
            ("order_source_id", ("orders",)),
        )
    }
    assert tuple(home) == REFERENCE_SOURCES
    for proposal in proposals:
        linked = proposal
        for reference, other in home.items():
            if other is not None and other is not proposal:
                linked = _linked(engine, linked, other, reference)
        yield linked


def _linked(
    engine: duckdb.DuckDBPyConnection, proposal: FeedProposal, other: FeedProposal, reference: str
) -> FeedProposal:
    """Set the reference to another system, and say how many of the ids are found there."""
    name = reference.replace("_source_id", "_id")
    own, theirs = (_column_of(one, name) for one in (proposal, other))
    if own is None or theirs is None or reference not in FEEDS[proposal.feed].column_names:
        return proposal
    if other.table.system != proposal.table.system:
        constant = ColumnProposal(
            reference,
            None,
            Sureness.LIKELY,
            {"constant": other.table.system.name},
            (f"{name} of {other.feed}",),
        )
        columns = (*proposal.columns, constant)
        order = FEEDS[proposal.feed].column_names.index
        proposal = replace(proposal, columns=tuple(sorted(columns, key=lambda one: order(one.name))))
    if not other.table.is_whole:
        return proposal
    row = engine.execute(
        f"select count(*), count(*) filter (id in (select cast({quoted(theirs)} as varchar)"
        f" from {quoted(other.table.rows)})) from"
        f" (select distinct cast({quoted(own)} as varchar) as id from {quoted(proposal.table.rows)})"
        " where id is not null"
    ).fetchone()
    assert row is not None
    ids, found = row
    said = f"{found:,} of {ids:,} {own} are found among the {theirs} of {other.table.name}"
    if ids and found < ids * _LOW_COVERAGE:
        question = f"{said}: are these the same numbers?"
        return replace(proposal, questions=(*proposal.questions, question))
    return replace(proposal, remarks=(*proposal.remarks, said))


def _column_of(proposal: FeedProposal, name: str) -> str | None:
    return next((one.column for one in proposal.columns if one.name == name and one.is_used), None)
