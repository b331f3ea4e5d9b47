"""Turn a table of order lines into orders: the query that adds the lines of each order up."""

from dataclasses import dataclass, replace

import duckdb

from winback.extract.conversions import literal, quoted
from winback.feeds import FEEDS
from winback.onboarding import measure
from winback.onboarding.proposal import ColumnProposal, FeedProposal
from winback.onboarding.words import Sureness, match_headers

_SAME_ON_EVERY_LINE = 0.95  # a share of orders above which an amount is the order's, repeated on its lines


def add_up_lines(engine: duckdb.DuckDBPyConnection, proposal: FeedProposal) -> FeedProposal:
    """Replace the rows of a table of lines by a query that makes one row per order."""
    columns = {column.name: column for column in proposal.columns if column.is_used}
    if "order_id" not in columns or "ordered_at" not in columns:
        return proposal
    amount = _amount(engine, proposal, columns)
    if amount is None:
        return proposal
    columns["amount"] = ColumnProposal("amount", None, amount.sureness, remarks=(amount.how,))
    columns = {name: columns[name] for name in FEEDS["orders"].column_names if name in columns}
    query = _query(engine, proposal, columns, amount)
    reading = dict(proposal.reading) | {"query": query}
    if "files" in reading:
        reading["files"] = {"lines": reading["files"]}
    reading.pop("table", None)
    remarks = (*proposal.remarks, *_said(engine, proposal, columns, query))
    return replace(proposal, columns=tuple(columns.values()), reading=reading, remarks=remarks)


@dataclass(frozen=True)
class _Amount:
    """An order's amount: the SQL of a line's share, whether shares add up, and how this is said in words."""

    of_line: str
    adds_up: bool
    how: str
    sureness: Sureness


def _amount(
    engine: duckdb.DuckDBPyConnection, proposal: FeedProposal, columns: dict[str, ColumnProposal]
) -> _Amount | None:
    """Find the amount: a column to add up, one that repeats the order's total, or quantity × price."""
    lines = match_headers("order_lines", proposal.table.types)
    stated = columns["amount"].column if "amount" in columns else None
    stated = stated or (lines["amount"].header if "amount" in lines else None)
    if stated:
        value = _number(engine, proposal, stated)
        if _is_the_orders(engine, proposal, columns["order_id"], stated):
            how = f"{stated} is the same on every line of an order, so it is taken once per order"
            return _Amount(value, adds_up=False, how=how, sureness=Sureness.UNSURE)
        how = f"the sum of {stated} over an order's lines"
        is_doubtful = "amount" in columns and columns["amount"].sureness is Sureness.UNSURE
        if is_doubtful and "quantity" in lines:
            how += (
                f"; if it is the price of one piece, multiply it by {lines['quantity'].header} in the query"
            )
        sureness = Sureness.UNSURE if is_doubtful else Sureness.LIKELY
        return _Amount(value, adds_up=True, how=how, sureness=sureness)
    if "quantity" not in lines or "unit_price" not in lines:
        return None
    quantity, price = lines["quantity"].header, lines["unit_price"].header
    value = f"{_number(engine, proposal, quantity)} * {_number(engine, proposal, price)}"
    how = f"the sum of {quantity} × {price} over an order's lines"
    return _Amount(value, adds_up=True, how=how, sureness=Sureness.LIKELY)


def _number(engine: duckdb.DuckDBPyConnection, proposal: FeedProposal, column: str) -> str:
    name = _quoted(proposal, column)
    if proposal.table.system.connector != "files":
        return name
    if measure.uses_decimal_comma(engine, quoted(proposal.table.sample), column):
        name = f"replace(replace({name}, '.', ''), ',', '.')"
    elif measure.has_signs_in_numbers(engine, quoted(proposal.table.sample), column):
        name = f"regexp_replace({name}, '[,￥¥$€£ ]', '', 'g')"
    return f"try_cast({name} as decimal(18, 4))"


def _quoted(proposal: FeedProposal, column: str) -> str:
    """Quote a column's name for the database that runs the query."""
    return f"`{column}`" if proposal.table.system.connector == "mysql" else quoted(column)


def _is_the_orders(
    engine: duckdb.DuckDBPyConnection, proposal: FeedProposal, order: ColumnProposal, amount: str
) -> bool:
    """Tell whether an amount is the order's total, repeated on each of its lines."""
    assert order.column is not None
    row = engine.execute(
        f"select avg(cast(amounts = 1 as integer)) from (select count(distinct {quoted(amount)}) as amounts"
        f" from {quoted(proposal.table.rows)} group by {quoted(order.column)} having count(*) > 1)"
    ).fetchone()
    return row is not None and (row[0] or 0) >= _SAME_ON_EVERY_LINE


def _query(
    engine: duckdb.DuckDBPyConnection,
    proposal: FeedProposal,
    columns: dict[str, ColumnProposal],
    amount: _Amount,
) -> str:
    """Write the query; an order with a line that is no number gets no amount, so that it waits, whole."""
    total = (
        "case when count(amount_of_line) = count(*) then sum(amount_of_line) end"
        if amount.adds_up
        else "max(amount_of_line)"
    )
    selected = []
    for name, column in columns.items():
        if name == "order_id":
            expression = _quoted(proposal, str(column.column))
        elif name == "ordered_at":
            expression = _earliest(engine, proposal, column)
        else:
            expression = total if name == "amount" else f"max({_quoted(proposal, str(column.column))})"
        selected.append(f"    {expression} as {name}")
    relation = proposal.reading.get("table", "lines")
    key = _quoted(proposal, str(columns["order_id"].column))
    return (
        "select\n"
        + ",\n".join(selected)
        + f"\nfrom (\n    select\n        {relation}.*,\n        {amount.of_line} as amount_of_line"
        + f"\n    from {relation}\n) as priced\ngroup by {key}\n"
    )


def _earliest(engine: duckdb.DuckDBPyConnection, proposal: FeedProposal, column: ColumnProposal) -> str:
    """Write the SQL of an order's first moment; text that does not sort by time is compared as moments."""
    assert column.column is not None
    name = _quoted(proposal, column.column)
    if proposal.table.system.connector != "files" or measure.is_sortable_text(
        engine, quoted(proposal.table.rows), column.column
    ):
        return f"min({name})"
    stated = column.keys.get("format")
    used = measure.formats_in_use(engine, quoted(proposal.table.sample), column.column)
    formats = ", ".join(map(literal, (str(stated),) if stated else used))
    return f"min_by({name}, try_strptime({name}, [{formats}]))"


def _said(
    engine: duckdb.DuckDBPyConnection,
    proposal: FeedProposal,
    columns: dict[str, ColumnProposal],
    query: str,
) -> list[str]:
    """Say what adding the lines up does, with numbers."""
    rows, key = quoted(proposal.table.rows), str(columns["order_id"].column)
    lines, orders = measure.count_keys(engine, rows, (key,))
    said = [
        f"a row is a line, not an order: {lines:,} lines of {orders:,} orders ({key}); a query adds them up"
    ]
    if proposal.table.system.connector != "files":
        return said
    row = engine.execute(
        f"with lines as (select * from {rows})"
        f" select count(*) filter (amount < 0), count(*) filter (amount is null), sum(amount) from ({query})"
    ).fetchone()
    assert row is not None
    negative, unread, total = row
    if total is not None:
        said.append(f"the orders sum up to {total:,.2f}")
    if negative:
        said.append(
            f"{negative:,} orders have a negative amount: they count as returns, no document_type is needed"
        )
    if unread:
        said.append(f"{unread:,} orders have a line without a readable amount: they would wait in quarantine")
    if customer := columns.get("customer_id"):
        mixed = _orders_of_several(engine, rows, key, str(customer.column))
        said += [f"{mixed:,} orders name more than one customer: the greatest id is taken"] if mixed else []
    if copies := _copies(engine, rows):
        said.append(f"{copies:,} lines are exact copies of another line of the file: they are counted")
    return said


def _orders_of_several(engine: duckdb.DuckDBPyConnection, rows: str, key: str, customer: str) -> int:
    row = engine.execute(
        f"select count(*) from (select 1 from {rows} group by {quoted(key)}"
        f" having count(distinct {quoted(customer)}) > 1)"
    ).fetchone()
    return int(row[0]) if row else 0


def _copies(engine: duckdb.DuckDBPyConnection, rows: str) -> int:
    row = engine.execute(
        f"select (select count(*) from {rows}) - (select count(*) from (select distinct * from {rows}))"
    ).fetchone()
    return int(row[0]) if row else 0
