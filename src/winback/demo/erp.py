"""Fill the demo's ERP database: real receipts, and simulated people, regions and service around them."""

import random
from collections.abc import Iterable
from datetime import date
from typing import Any

import duckdb
import psycopg
from faker import Faker

from winback.demo import LAST_DAY, SEED, TIME_ZONE
from winback.demo.service import EVENTS, calls, surveys

_REGIONS = {"NORTH": "北区", "CENTRAL": "中区", "SOUTH": "南区"}
_ADVISERS_PER_REGION = 2
_DO_NOT_CONTACT_SHARE = 0.04
_COST_SHARES = {"FUEL": 0.95, "GROCERY": 0.78, "DRUG GM": 0.7, "MEAT": 0.82}
_COST_SHARE = 0.65  # of all other products

_TABLES = """
create schema sales;
create schema crm;
create schema org;

create table org.units (unit_no text primary key, name text not null, parent_no text);

create table crm.advisers (
    adviser_no text primary key,
    name text not null,
    email text not null,
    unit_no text not null,
    boss_no text,
    left_on date
);

create table org.clock (today date not null);

create table org.events (
    event_no text primary key,
    started_on date not null,
    ended_on date,
    name text not null,
    product_no text,
    batch_no text
);

create table crm.calls (
    call_no bigint primary key,
    member_no bigint not null,
    adviser_no text not null,
    called_at timestamp not null,
    channel text not null,
    reason text
);

create table crm.surveys (
    survey_no bigint primary key,
    member_no bigint not null,
    asked_at timestamp not null,
    score integer not null,
    expected_score integer not null
);

create table crm.members (
    member_no bigint primary key,
    name text not null,
    phone text,
    email text,
    home_unit_no text not null,
    adviser_no text not null,
    refuses_contact boolean not null
);

create table sales.receipts (
    receipt_no bigint primary key,
    member_no bigint,
    store_no bigint not null,
    sold_at timestamp not null,
    net_amount numeric(12, 2) not null,
    state text not null,
    updated_at timestamp not null
);
create index on sales.receipts (updated_at);
comment on column sales.receipts.sold_at is 'UTC';

create table sales.products (
    product_no text primary key,
    category text not null,
    unit_cost numeric(12, 4) not null
);

create table sales.receipt_lines (
    receipt_no bigint not null,
    line_no integer not null,
    product_no text not null,
    batch_no text,
    quantity bigint not null,
    amount numeric(12, 2) not null
);

-- lines carry no moment by which a load could leave out those of later days
create view sales.lines as
select receipt_lines.*
from sales.receipt_lines
inner join sales.receipts using (receipt_no)
cross join org.clock
where receipts.sold_at at time zone 'UTC' < (clock.today + 1)::timestamp at time zone '%(zone)s';
"""


def fill_erp(url: str, receipts: duckdb.DuckDBPyConnection) -> bool:
    """Create and fill the ERP in one transaction; return False where it was filled before."""
    with psycopg.connect(url) as connection:
        connection.execute("select pg_advisory_xact_lock(2017)")
        filled = connection.execute("select to_regclass('sales.receipts') is not null").fetchone()
        if filled and filled[0]:
            return False
        connection.execute(_TABLES % {"zone": TIME_ZONE})
        connection.execute("insert into org.clock values (%s)", [LAST_DAY])
        homes = _home_stores(receipts)
        region_of = _regions_of_stores(receipts)
        _copy(connection, "org.units (unit_no, name, parent_no)", _units(region_of))
        advisers = _advisers()
        _copy(connection, "crm.advisers (adviser_no, name, email, unit_no, boss_no)", advisers)
        members = _members(homes, region_of)
        _copy(
            connection,
            "crm.members (member_no, name, phone, email, home_unit_no, adviser_no, refuses_contact)",
            members,
        )
        _copy(connection, "crm.calls", calls(receipts, members))
        _copy(connection, "crm.surveys", surveys(receipts))
        _copy(connection, "org.events", EVENTS)
        _copy(connection, "sales.products", _products(receipts))
        lines = receipts.execute(
            "select receipt_no, line_no, product_no, batch_no, quantity, amount from lines"
        )
        while some := lines.fetchmany(20_000):
            _copy(connection, "sales.receipt_lines", some)
        rows = receipts.execute(
            "select receipt_no, member_no, store_no, sold_at, net_amount, 'completed', sold_at from receipts"
        )
        copied = "sales.receipts (receipt_no, member_no, store_no, sold_at, net_amount, state, updated_at)"
        while some := rows.fetchmany(20_000):
            _copy(connection, copied, some)
    return True


def turn_clock(url: str, today: date) -> None:
    """Let the ERP know the lines of receipts up to the end of a day."""
    with psycopg.connect(url) as connection:
        connection.execute("update org.clock set today = %s", [today])


def _products(receipts: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Return what is sold, each at the cost that leaves its simulated margin over the year."""
    sold = receipts.execute(
        "select product_no, is_fresh, sum(amount) / sum(quantity) from lines group by 1, 2 order by 1"
    ).fetchall()
    return [
        (
            product,
            "生鲜 / Fresh" if is_fresh else "其他 / Other",
            price * _COST_SHARES.get(product, _COST_SHARE),
        )
        for product, is_fresh, price in sold
    ]


def _copy(connection: psycopg.Connection[Any], target: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor().copy(f"copy {target} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _home_stores(receipts: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """Return each household's most visited shop."""
    return dict(
        receipts.execute(
            "select member_no, store_no from receipts group by member_no, store_no"
            " qualify row_number() over (partition by member_no order by count(*) desc, store_no) = 1"
        ).fetchall()
    )


def _regions_of_stores(receipts: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Deal the shops out to the simulated regions, busiest first, so that all weigh about the same."""
    busiest = receipts.execute(
        "select store_no from receipts group by 1 order by count(*) desc, 1"
    ).fetchall()
    names = list(_REGIONS)
    return {store: names[rank % len(names)] for rank, (store,) in enumerate(busiest)}


def _units(region_of: dict[int, str]) -> list[tuple[str, str, str | None]]:
    regions = [(region, name, "ALL") for region, name in _REGIONS.items()]
    stores = [(f"S{store}", f"{store} 号店", region) for store, region in sorted(region_of.items())]
    return [("ALL", "全国", None), *regions, *stores]


def _advisers() -> list[tuple[str, str, str, str, str | None]]:
    """Return one head, a manager per region, and the advisers below them."""
    fake = Faker("zh_CN")
    fake.seed_instance(SEED)
    people: list[tuple[str, str, str, str, str | None]] = [
        ("HEAD", fake.unique.name(), "head@demo.example", "ALL", None)
    ]
    for region in _REGIONS:
        boss = f"{region}-0"
        people.append((boss, fake.unique.name(), f"{boss.lower()}@demo.example", region, "HEAD"))
        for number in range(1, _ADVISERS_PER_REGION + 1):
            adviser = f"{region}-{number}"
            people.append((adviser, fake.unique.name(), f"{adviser.lower()}@demo.example", region, boss))
    return people


def _members(homes: dict[int, int], region_of: dict[int, str]) -> list[tuple[Any, ...]]:
    fake = Faker("zh_CN")
    fake.seed_instance(SEED + 1)
    chance = random.Random(SEED)
    return [
        (
            member,
            fake.name(),
            fake.phone_number(),
            f"member{member}@demo.example",
            f"S{store}",
            f"{region_of[store]}-{1 + chance.randrange(_ADVISERS_PER_REGION)}",
            chance.random() < _DO_NOT_CONTACT_SHARE,
        )
        for member, store in sorted(homes.items())
    ]
