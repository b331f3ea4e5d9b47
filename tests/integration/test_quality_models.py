"""The evidence that dbt gives: rows and sums agree from raw to mart, quarantine by state, sources by age."""

import json
from datetime import date, timedelta

import psycopg
import pytest
from dbt.cli.main import dbtRunner

from tests.company import DAY
from winback.errors import WinbackError
from winback.feeds import FEEDS
from winback.paths import DBT_PROJECT, state_dir
from winback.project import dbt_environment, dbt_vars, run_dbt
from winback.rules.load import load_rules
from winback.warehouse.schema import ensure_schema

ROWS = """
insert into raw.orders
    (source_id, order_id, ordered_at, amount, customer_source_id, customer_id, status, deleted_on,
    business_day, load_batch_id, loaded_at)
values
    ('erp', '1', '2026-03-01 10:00+08', 10, 'erp', 'C1', 'settled', null, '2026-03-02', 1, now()),
    ('erp', '2', '2026-03-01 10:00+08', -4, 'erp', 'C1', 'settled', null, '2026-03-02', 1, now()),
    ('erp', '3', '2026-03-01 10:00+08', 90, 'erp', 'C2', 'cancelled', null, '2026-03-02', 1, now()),
    ('erp', '4', '2026-03-01 10:00+08', 90, 'erp', 'C3', 'settled', '2026-03-02', '2026-03-02', 1, now()),
    ('erp', '5', '2026-03-03 00:30+08', 90, 'erp', 'C4', 'settled', null, '2026-03-02', 1, now()),
    ('erp', '6', '2026-03-02 23:30+08', 5, 'erp', null, null, null, '2026-03-02', 1, now());
insert into raw.complaints
    (source_id, complaint_id, opened_at, customer_source_id, customer_id, order_source_id, compensation,
    business_day, load_batch_id, loaded_at)
values
    ('desk', '1', '2026-03-02 10:00+08', 'erp', 'C1', 'erp', 3, '2026-03-02', 2, now()),
    ('desk', '2', '2026-03-02 11:00+08', 'erp', 'C5', 'erp', null, '2026-03-02', 2, now());
insert into raw.customers (source_id, customer_id, merged_into, business_day, load_batch_id, loaded_at)
values
    ('erp', 'C1', null, '2026-03-02', 3, now()),
    ('erp', 'C5', 'C1', '2026-03-02', 3, now());
insert into raw.customers_versions (source_id, customer_id, merged_into, valid_from, load_batch_id, loaded_at)
select source_id, customer_id, merged_into, '-infinity', load_batch_id, loaded_at from raw.customers;
"""
AGREEMENT = (
    "orders_of_the_source_are_all_in_the_mart_or_void",
    "complaints_of_the_source_are_all_in_the_mart",
    "customers_of_the_source_are_all_in_the_mart_and_no_others",
)
# Each time one loss on the way to each mart: an amount, a row, a customer; a class, a sum, somebody invented.
LOSSES = (
    (
        "update marts.fct_orders set amount = amount + 1 where order_id = '1'",
        "delete from marts.fct_complaints where complaint_id = '2'",
        "delete from marts.dim_customer where customer_id = 'C1'",
    ),
    (
        "update intermediate.int_orders set order_class = null where order_id = '3'",
        "update marts.fct_complaints set compensation = 4 where complaint_id = '1'",
        "update marts.dim_customer set customer_key = 'erp:C9' where customer_id = 'C1'",
    ),
)


@pytest.fixture
def connection(warehouse):
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ensure_schema(connection)
        yield connection


def test_whatever_came_in_is_counted_and_a_loss_on_the_way_is_found(company, connection):
    connection.execute(ROWS)
    compared = ("+marts.facts", "+dim_customer", *AGREEMENT)
    run_dbt(company.settings, DAY, "build", "--select", *compared, "--indirect-selection", "empty")
    stored = connection.execute("select order_id from marts.fct_orders order by 1").fetchall()
    assert stored == [("1",), ("2",), ("6",)]
    for number, losses in enumerate(LOSSES):
        if number:  # make good what was lost
            again = ("int_orders", "int_order_lines", "marts.facts", "dim_customer")
            run_dbt(company.settings, DAY, "run", "--select", *again)
        for loss in losses:
            assert connection.execute(loss).rowcount == 1
        with pytest.raises(WinbackError) as refused:
            run_dbt(company.settings, DAY, "test", "--select", *AGREEMENT)
        assert [name for name in AGREEMENT if f"{name}:" in refused.value.problem] == list(AGREEMENT)


def test_rows_in_quarantine_are_known_by_feed_and_state_but_not_by_what_they_say(company, connection, query):
    for feed in FEEDS:
        connection.execute(
            f"insert into quarantine.{feed} (source_id, load_batch_id, last_batch_id, row_number, reasons,"
            " typed_values, quarantined_at, business_day, fingerprint, state)"
            " values ('erp', 1, 1, 1, '{a_rule}', '{\"name\": \"王\"}', now(), '2026-03-02', '', 'discarded')"
        )
    run_dbt(company.settings, DAY, "run", "--select", "stg_quarantined_rows")
    found = query("select feed, source_id, state from staging.stg_quarantined_rows")
    assert sorted(found) == sorted((feed, "erp", "discarded") for feed in FEEDS)
    assert "王" not in str(query("select rows::text from staging.stg_quarantined_rows as rows"))


def test_a_source_is_fresh_by_the_day_that_it_has_reached(company, connection):
    today = connection.execute("select (now() at time zone 'Asia/Shanghai')::date").fetchone()[0]
    arrive(connection, "orders", "erp", today - timedelta(days=1))
    arrive(connection, "complaints", "desk", today - timedelta(days=1))
    arrive(connection, "complaints", "form", today - timedelta(days=5))
    arrive(connection, "complaints", "form", today, is_stale=True)
    found = freshness(company, connection)
    assert (found["orders"], found["complaints"], found["customers"]) == ("pass", "error", "pass")
    assert set(found) == {
        *("orders", "order_lines", "complaints", "customers", "products"),
        *("regions", "account_managers", "surveys", "balances", "contacts", "events"),
    }
    connection.execute("delete from ops.feed_days")
    arrive(connection, "orders", "erp", today - timedelta(days=4))
    assert freshness(company, connection)["orders"] == "error"


def arrive(connection: psycopg.Connection, feed: str, source: str, day: date, is_stale: bool = False) -> None:
    connection.execute("insert into ops.feed_days values (%s, %s, %s, %s)", [source, feed, day, is_stale])


def freshness(company, connection: psycopg.Connection) -> dict[str, str]:
    """Run `dbt source freshness` as docs/operations.md says, and return each table's status."""
    address = connection.info
    environment = dbt_environment(f"{address.dsn} password={address.password}")
    rules = load_rules(company.settings.business.lines)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        outcome = dbtRunner().invoke(
            [
                *("--quiet", "--log-path", str(state_dir() / "logs"), "source", "freshness"),
                *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
                *("--target-path", str(state_dir() / "dbt")),
                *("--vars", json.dumps(dbt_vars(company.settings, rules, DAY))),
            ]
        )
    assert outcome.exception is None
    return {result.node.name: str(result.status) for result in outcome.result}
