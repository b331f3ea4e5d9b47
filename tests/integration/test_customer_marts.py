"""Regions roll up without counting twice, and goods that left their territory are found, from raw to mart."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.company import DAY, found_company
from tests.conftest import DatabaseMaker
from winback.project import run_dbt
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

Row = dict[str, Any]

# Five levels, of which all have customers of their own; two regions above each other; one that stands alone;
# one that only a customer names; and nowhere.
PARENTS = {
    "country": None,
    "province": "country",
    "city": "province",
    "district": "city",
    "store": "district",
    "twin city": "province",
    "chicken": "egg",
    "egg": "chicken",
    "island": "",
}
NOWHERE, UNHEARD_OF, IN_A_LOOP = "-1", "terra incognita", {"chicken", "egg"}
HOMES = [*PARENTS, "city", "store", UNHEARD_OF, None, None]
AMOUNTS = [Decimal(10 * 2**number) + Decimal("0.01") for number in range(len(HOMES))]  # no two sums are equal

ORDERS: list[Row] = [
    {"order_id": "to dealer", "ordered_at": "2026-02-01 09:00+08", "amount": 100, "customer_id": "C0"},
    {"order_id": "in shop", "ordered_at": "2026-02-10 09:00+08", "amount": 5, "region_id": "island"},
    {"order_id": "void", "ordered_at": "2026-02-09 09:00+08", "amount": 5, "region_id": "island"},
    {"order_id": "tomorrow", "ordered_at": "2026-03-03 00:30+08", "amount": 5, "region_id": "island"},
]
LINES: list[Row] = [
    {"order_id": "to dealer", "line_no": "1", "product_id": "tea", "batch_no": "L7"},
    {"order_id": "to dealer", "line_no": "2", "product_id": "unlisted"},
    {"order_id": "in shop", "line_no": "1", "product_id": "tea", "batch_no": " L7 "},
    {"order_id": "void", "line_no": "1", "product_id": "tea", "batch_no": "L7"},
    {"order_id": "tomorrow", "line_no": "1", "product_id": "tea", "batch_no": "L7"},
]
COMPLAINTS: list[Row] = [
    {"complaint_id": "1", "opened_at": "2026-03-02 10:00+08", "customer_id": "C8"},
    {"complaint_id": "2", "opened_at": "2026-03-02 11:00+08", "customer_id": "C1"},
]


@pytest.fixture(scope="module")
def connection(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection[Any]]:
    """Build the marts of one company once."""
    maker = DatabaseMaker(server.url("postgres"))
    url, erp_url = maker(), maker()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINBACK_WAREHOUSE_URL", url)
        patch.setenv("WINBACK_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("WINBACK_CONN_TEST_ERP", erp_url)
        company = found_company(erp_url, tmp_path_factory.mktemp("erp"))
        with psycopg.connect(url, autocommit=True) as connection:
            ensure_schema(connection)
            load(connection)
            # a circle of regions is refused; here it must not count twice either
            circles = "dim_region_is_a_tree_without_circles"
            run_dbt(company.settings, DAY, "build", "--exclude", circles, "test_type:unit")
            yield connection
    maker.drop_all()


def load(connection: psycopg.Connection[Any]) -> None:
    """Give every home one customer with one order; the first is a dealer, and gets a batch of tea as well."""
    customers: list[Row] = [
        {"customer_id": f"C{number}", "kind": "consumer" if number else "dealer", "region_id": home}
        for number, home in enumerate(HOMES)
    ]
    orders: list[Row] = [
        {
            "order_id": str(number),
            "ordered_at": "2025-12-15 12:00+08",
            "amount": amount,
            "customer_id": f"C{number}",
        }
        for number, amount in enumerate(AMOUNTS)
    ]
    for order in orders + ORDERS:
        status = "cancelled" if order["order_id"] == "void" else "settled"
        insert(connection, "orders", order | {"customer_source_id": "erp", "status": status})
    for customer in customers:
        insert(connection, "customers", customer)
        insert(connection, "customers_versions", customer | {"valid_from": "-infinity"})
    for name, parent in PARENTS.items():
        insert(connection, "regions", {"region_id": name, "name": name.title(), "parent_region_id": parent})
    insert(connection, "products", {"product_id": "tea", "name": "龙井"})
    for line in LINES:
        insert(connection, "order_lines", line)
    for complaint in COMPLAINTS:
        goods = {"customer_source_id": "erp", "order_source_id": "erp", "product_id": "tea", "batch_no": "L7"}
        insert(connection, "complaints", {"source_id": "desk"} | complaint | goods)


def insert(connection: psycopg.Connection[Any], table: str, row: Row) -> None:
    day = {} if "valid_from" in row else {"business_day": DAY}
    row = {"source_id": "erp", "load_batch_id": 1, "loaded_at": "now"} | day | row
    connection.execute(
        f"insert into raw.{table} ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})",
        list(row.values()),
    )


def key_of(region: str | None) -> str:
    return f"erp:{region}" if region else NOWHERE


def regions_above(region: str | None) -> list[str]:
    """Walk up by hand; a region in a loop has nothing above it but the company."""
    above = [key_of(region)]
    while region and region not in IN_A_LOOP and (region := PARENTS.get(region)):
        above.append(key_of(region))
    return [*above, "all"]


def test_every_region_sums_its_own_customers_and_all_below_exactly_once(connection):
    customers: Counter[str] = Counter()
    revenue: Counter[str] = Counter()
    for home, amount in zip(HOMES, AMOUNTS, strict=True):
        for region in regions_above(home):
            customers[region] += 1
            revenue[region] += amount
    found = connection.execute(
        "select region_key, customers_end, revenue from marts.retention_months_rollup"
        " where month = '2025-12-01' and business_line = 'all' and value_tier = 'all'"
    ).fetchall()
    assert len(found) == len(set(HOMES)) + 1
    assert {region: count for region, count, _ in found} == customers
    assert {region: amount for region, _, amount in found} == revenue


def test_any_fact_rolls_up_through_the_bridge(connection):
    found = connection.execute(
        "select ancestor_region_key, count(*), sum(revenue_12m) from marts.dim_customer"
        " inner join marts.dim_region_rollup using (region_key) where customer_key <> '-1' group by 1"
    ).fetchall()
    expected = Counter(region for home in HOMES for region in regions_above(home))
    assert {region: count for region, count, _ in found} == expected
    total = sum(AMOUNTS, Decimal(100))
    assert {amount for region, _, amount in found if region == "all"} == {total}


def test_a_batch_that_left_its_territory_is_found_in_an_order_and_in_a_complaint(connection):
    found = connection.execute(
        "select found_as, product_key, batch_no, sold_in_region_key, dealer_key, found_in_region_key,"
        " first_found_on::text, documents, customers from marts.territory_diversion order by 1"
    ).fetchall()
    goods = ("erp:tea", "L7", "erp:country", "erp:C0", "erp:island")
    assert found == [
        ("complaint", *goods, "2026-03-02", 1, 1),
        ("order", *goods, "2026-02-10", 1, 0),
    ]


def test_lines_of_orders_that_count_are_there_with_products_known_or_not(connection):
    found = connection.execute(
        "select order_key, line_no, product_key, name from marts.fct_order_lines"
        " inner join marts.dim_product using (product_key) order by 1, 2"
    ).fetchall()
    assert found == [
        ("erp:in shop", "1", "erp:tea", "龙井"),
        ("erp:to dealer", "1", "erp:tea", "龙井"),
        ("erp:to dealer", "2", "erp:unlisted", "unlisted"),
    ]
