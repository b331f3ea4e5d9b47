"""Further sources for the small company of the tests, and changes to those that it has."""

from typing import Any

import psycopg

from tests.company import Company
from winback.config import FeedConfig, FeedSource


def give_source(company: Company, feed: str, **source: Any) -> None:
    """Configure a feed with one source, in the words of `winback.yml`."""
    config = FeedConfig(sources=(FeedSource.model_validate(source),))
    feeds = {**company.settings.feeds, feed: config}
    company.settings = company.settings.model_copy(update={"feeds": feeds})


def change_source(company: Company, feed: str, **changes: Any) -> None:
    """Write a feed's only source anew, with some keys changed, in the words of `winback.yml`."""
    old = company.settings.feeds[feed].sources[0].model_dump(mode="python", exclude_defaults=True)
    give_source(company, feed, **{**old, **changes})


def give_customers(company: Company, **changes: Any) -> None:
    """Configure customers as a table of the ERP that is read whole and shows deletes by missing keys."""
    with psycopg.connect(company.erp_url) as connection:
        connection.execute("create table customers (id text primary key, name text, manager text)")
    source = {
        "source": "erp",
        "table": "customers",
        "columns": {"customer_id": "id", "name": "name", "account_manager_id": "manager"},
        "deletes": {"missing_keys": True, "at_most": 0.5},
    }
    give_source(company, "customers", **{**source, **changes})


def set_customers(company: Company, *rows: tuple[Any, ...]) -> None:
    """Make the ERP's customers exactly these: number, name, manager."""
    with psycopg.connect(company.erp_url) as connection:
        connection.execute("truncate customers")
        connection.cursor().executemany("insert into customers values (%s, %s, %s)", rows)


def run_in_erp(company: Company, statement: str) -> None:
    """Run a statement in the ERP's database."""
    with psycopg.connect(company.erp_url) as connection:
        connection.execute(statement)  # type: ignore[arg-type]
