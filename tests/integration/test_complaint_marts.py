"""Complaints, surveys, contacts and events of one company, from raw rows to marts and a recall's list."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from click.testing import CliRunner
from psycopg.rows import dict_row

from tests.company import DAY, found_company
from tests.conftest import DatabaseMaker
from winback.build import run_dbt
from winback.cli import main
from winback.score.causes import read_days, read_limits, score_causes
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

Row = dict[str, Any]

DAYS, DAILY, CUSTOMERS = 420, 10, 200  # everybody buys every twenty days
BAD_SINCE = DAY - timedelta(days=3)
RECALLED_ON = DAY - timedelta(days=27)
SECRET = "夫妻吵架 do not tell"
FORMULA = "=HYPERLINK(0)"


@dataclass(frozen=True)
class Order:
    """An order of tea, before it is a row."""

    number: str
    day: date
    customer: int
    batch: str

    @property
    def region(self) -> str:
        return "north" if self.customer % 2 else "south"


def made_orders() -> list[Order]:
    """Sell ten a day; every seventh customer ceases to buy 220 days before the end."""
    found = []
    for back in range(DAYS, -1, -1):
        day = DAY - timedelta(days=back)
        for place in range(DAILY):
            customer = (back * DAILY + place) % CUSTOMERS
            if customer % 7 or back > 220:
                is_bad = day >= BAD_SINCE and place >= DAILY // 2
                batch = "C" if is_bad else "A" if back > 200 else "B"
                found.append(Order(f"{back}.{place}", day, customer, batch))
    return found


ORDERS = made_orders()
# One order in thirty is complained about on the next day, and each of the bad batch on the same.
COMPLAINED = [
    order
    for number, order in enumerate(ORDERS)
    if order.batch == "C" or (number % 30 == 0 and order.day < DAY - timedelta(days=1))
]
BAD = [order for order in ORDERS if order.batch == "C"]


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
            run_dbt(company.settings, DAY, "build", "--exclude", "path:models/marts", "test_type:unit")
            score_causes(connection, DAY)
            run_dbt(
                company.settings, DAY, "build", "--select", "path:models/marts", "--exclude", "test_type:unit"
            )
            yield connection
    maker.drop_all()


def load(connection: psycopg.Connection[Any]) -> None:
    """Write the rows that a loader would have written."""
    insert(connection, "products", {"product_id": "tea", "name": "龙井"}, {"product_id": "rice"})
    insert(connection, "regions", {"region_id": "north"}, {"region_id": "south"})
    names = [{"name": FORMULA, "phone": "+86 1"}] + [
        {"name": f"客户{n}", "phone": "1"} for n in range(1, CUSTOMERS)
    ]
    customers = [{"customer_id": f"C{number}", **name} for number, name in enumerate(names)]
    insert(connection, "customers", *customers)
    insert(connection, "customers_versions", *(row | {"valid_from": "-infinity"} for row in customers))
    insert(
        connection,
        "orders",
        *(
            {
                "order_id": order.number,
                "ordered_at": f"{order.day} 12:00+08",
                "amount": 10,
                "customer_source_id": "erp",
                "customer_id": f"C{order.customer}",
                "status": "settled",
                "channel": "web",
                "region_id": order.region,
            }
            for order in ORDERS
        ),
        {
            "order_id": "walk-in",
            "ordered_at": f"{DAY} 12:00+08",
            "amount": 1,
            "customer_source_id": "erp",
            "status": "settled",
        },
    )
    insert(
        connection,
        "order_lines",
        *(
            {
                "order_id": order.number,
                "line_no": "1",
                "product_id": "tea",
                "batch_no": order.batch,
                "quantity": 2,
            }
            for order in ORDERS
        ),
        {"order_id": "walk-in", "line_no": "1", "product_id": "tea", "batch_no": "C", "quantity": 1},
        {"order_id": "walk-in", "line_no": "2", "product_id": "rice", "batch_no": "A", "quantity": 1},
    )
    insert(
        connection,
        "complaints",
        *(
            {
                "complaint_id": order.number,
                "opened_at": f"{order.day + timedelta(days=order.batch != 'C')} 13:00+08",
                "customer_source_id": "erp",
                "customer_id": f"C{order.customer}",
                "order_source_id": "erp",
                "order_id": order.number,
                "category": "taste",
                "status": "open" if order.batch == "C" else "closed",
            }
            for order in COMPLAINED
        ),
    )
    asked = {
        "customer_source_id": "erp",
        "asked_at": f"{DAY - timedelta(days=10)} 12:00+08",
        "comment": SECRET,
    }
    insert(
        connection,
        "surveys",
        asked | {"survey_id": "1", "customer_id": "C1", "score": 8, "expected_score": 10, "scale_max": 10},
        asked | {"survey_id": "2", "customer_id": "C2", "score": 2, "expected_score": None, "scale_max": 5},
    )
    called = {
        "customer_source_id": "erp",
        "contacted_at": f"{DAY} 23:59+08",
        "note": SECRET,
        "outcome": "reached",
    }
    insert(
        connection,
        "contacts",
        called | {"contact_id": "1", "customer_id": "C1", "account_manager_id": "nobody"},
        called | {"contact_id": "2", "customer_id": "unheard of", "account_manager_id": None},
        called
        | {"contact_id": "3", "customer_id": "C1", "contacted_at": f"{DAY + timedelta(days=1)} 00:00+08"},
    )
    insert(
        connection,
        "events",
        {
            "event_id": "recall",
            "started_on": RECALLED_ON,
            "name": "召回",
            "product_id": "tea",
            "batch_no": "B",
        },
        {"event_id": "batch only", "started_on": RECALLED_ON, "batch_no": "B"},
        {"event_id": "regional", "started_on": RECALLED_ON, "region_id": "north", "ended_on": DAY},
        {"event_id": "ahead", "started_on": DAY + timedelta(days=1)},
    )


def insert(connection: psycopg.Connection[Any], table: str, *rows: Row) -> None:
    own = {"source_id": "erp", "load_batch_id": 1, "loaded_at": "now"}
    for row in rows:
        day = {} if "valid_from" in row else {"business_day": DAY}
        whole = own | day | row
        connection.execute(
            f"insert into raw.{table} ({', '.join(whole)}) values ({', '.join(['%s'] * len(whole))})",
            list(whole.values()),
        )


def select(connection: psycopg.Connection[Any], query: str) -> list[Row]:
    return connection.cursor(row_factory=dict_row).execute(query).fetchall()


def test_the_bad_batch_alarms_and_the_others_do_not(connection):
    causes = {
        (row["kind"], row["cause_key"]): row
        for row in select(connection, "select * from marts.complaint_causes")
    }
    batches = {key: row["is_alarm"] for (kind, key), row in causes.items() if kind == "batch"}
    assert batches == {"erp:tea:A": False, "erp:tea:B": False, "erp:tea:C": True, "erp:rice:A": False}
    bad = causes["batch", "erp:tea:C"]
    assert bad["complaints"] == len(BAD) > 15
    assert float(bad["complaints_per_1000_orders"]) == pytest.approx(
        1000 * len(BAD) / (len(BAD) + 1)
    )  # a walk-in
    assert bad["q_value"] < 0.001
    assert causes["product", "erp:tea"]["is_alarm"]
    # 200 days ago; nobody is due to complain about it any more
    assert causes["batch", "erp:tea:A"]["p_value"] is None


def test_causes_count_the_orders_of_twelve_months_and_the_complaints_about_them(connection):
    first = date(2025, 3, 3)
    wanted = Counter(order.region for order in ORDERS if order.day >= first)
    complained = Counter(order.region for order in COMPLAINED if order.day >= first)
    found = select(connection, "select * from marts.complaint_causes where kind = 'region'")
    assert {row["region_key"]: (row["orders"], row["complaints"]) for row in found} == {
        f"erp:{region}": (wanted[region], complained[region]) for region in wanted
    }
    north, south = (
        next(row for row in found if row["region_key"] == f"erp:{name}") for name in ("north", "south")
    )
    one, other = complained["north"] / wanted["north"], complained["south"] / wanted["south"]
    assert float(north["risk_ratio"]) == pytest.approx(one / other)
    error = sqrt(
        1 / complained["north"] - 1 / wanted["north"] + 1 / complained["south"] - 1 / wanted["south"]
    )
    assert float(north["risk_ratio_high"] / north["risk_ratio"]) == pytest.approx(
        2.718281828 ** (1.959964 * error)
    )
    assert float(north["risk_ratio_low"]) == pytest.approx(1 / float(south["risk_ratio_high"]))


def test_alarms_read_the_days_whose_orders_are_counted(connection):
    # the 22nd of May less 12 months, then 90 days: the other way round a leap day lies in between
    assert read_days(connection, date(2024, 5, 28), read_limits()).first == date(2023, 2, 21)


def test_complaints_roll_up_over_lines_regions_and_categories(connection):
    months = select(connection, "select * from marts.complaint_months where region_key = 'all'")
    by_month = Counter(
        (order.day + timedelta(days=order.batch != "C")).replace(day=1) for order in COMPLAINED
    )
    for line in ("all", "retail"):
        for category in ("all", "taste"):
            found = {
                row["month"]: row["complaints"]
                for row in months
                if (row["business_line"], row["category"]) == (line, category)
            }
            assert found == by_month


def test_the_backlog_is_what_is_open(connection):
    (row,) = select(
        connection,
        "select * from marts.complaint_backlog_months where region_key = 'all' and business_line = 'all'"
        f" and month = '{DAY:%Y-%m}-01'",
    )
    assert (row["age_class"], row["complaints_open"], row["oldest_days"]) == ("week", len(BAD), 3)


def test_complainers_are_compared_with_an_interval(connection):
    rows = select(connection, "select * from intermediate.int_complaint_churn where category = 'all'")
    assert rows
    (mart,) = select(connection, "select * from marts.complaint_churn where category = 'all'")
    compared = [row for row in rows if row["peers"]]
    assert mart["complainers"] == len(rows)
    assert mart["complainers_compared"] == len(compared) > 10
    n = len(compared)
    share = sum(row["is_silent"] for row in compared) / n
    other = float(sum(row["peers_silent_share"] for row in compared)) / n
    strata = Counter((row["stratum"], row["peers"]) for row in compared)
    effective = n**2 / sum(count**2 / key[-1] for key, count in strata.items())
    low, high = wilson(share, n)
    other_low, other_high = wilson(other, effective)
    assert 0 < share < 1
    assert float(mart["difference"]) == pytest.approx(share - other)
    assert float(mart["difference_low"]) == pytest.approx(
        share - other - sqrt((share - low) ** 2 + (other_high - other) ** 2)
    )
    assert float(mart["difference_high"]) == pytest.approx(
        share - other + sqrt((high - share) ** 2 + (other - other_low) ** 2)
    )


def wilson(share: float, n: float) -> tuple[float, float]:
    z = 1.959964
    middle, half = share + z * z / (2 * n), z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def test_an_event_is_measured_by_what_it_is_about(connection):
    rows = select(connection, "select * from marts.event_recovery order by event_key, week")
    assert {row["event_key"] for row in rows} == {"erp:recall", "erp:batch only", "erp:regional"}
    weeks = {key: [row for row in rows if row["event_key"] == f"erp:{key}"] for key in ("recall", "regional")}
    assert [row["week"] for row in weeks["recall"]] == list(range(-8, 4))
    for key, is_of in (("recall", lambda order: True), ("regional", lambda order: order.region == "north")):
        sold = Counter((order.day - RECALLED_ON).days // 7 for order in ORDERS if is_of(order))
        before = sum(sold[week] for week in range(-8, 0)) / 8
        for row in weeks[key]:
            # a walk-in bought tea too, on the last day
            extra = int(key == "recall" and row["week"] == 3)
            assert row["orders"] == sold[row["week"]] + extra
            assert float(row["orders_to_before"]) == pytest.approx(row["orders"] / before)
    buyers = {order.customer for order in ORDERS if order.day < RECALLED_ON}
    live = {customer for customer in buyers if customer % 7}  # the others have churned, 180 days after
    assert [row["live_customers"] for row in weeks["recall"] if row["week"] >= 0] == [len(live)] * 4
    assert all(row["live_customers_to_before"] <= 1 for row in weeks["recall"] if row["week"] >= 0)


def test_events_ahead_are_not_shown_and_notes_stay_in_raw(connection):
    events = select(connection, "select event_id, is_running from marts.events order by event_id")
    assert [(row["event_id"], row["is_running"]) for row in events] == [
        ("batch only", True),
        ("recall", True),
        ("regional", True),
    ]
    contacts = select(connection, "select * from marts.fct_contacts order by contact_key")
    assert [(row["contact_id"], row["customer_key"], row["account_manager_key"]) for row in contacts] == [
        ("1", "erp:C1", "-1"),
        ("2", "-1", "-1"),
    ]
    surveys = select(connection, "select * from marts.fct_surveys order by survey_key")
    assert [(row["satisfaction"], row["expected_satisfaction"]) for row in surveys] == [(4, 5), (2, None)]
    assert SECRET not in str(contacts) + str(surveys)


def recall(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["recall", *map(str, arguments)])
    return done.exit_code, done.output


def test_a_recall_lists_who_bought_the_batch(connection, tmp_path):
    code, said = recall("C", "--folder", tmp_path)
    assert code == 0
    buyers = {f"C{order.customer}" for order in BAD}
    assert f"{len(buyers)} customers, {len(buyers)} of them complained" in said
    assert "1 orders of walk-ins" in said
    sheet = openpyxl.load_workbook(tmp_path / "recall_C.xlsx").active
    header, *rows = sheet.iter_rows(values_only=True)
    assert header[0] == "客户编号 Customer"
    assert not any("Phone" in title for title in header)
    assert {row[0] for row in rows} == buyers
    found = dict(zip(header, rows[0], strict=True))
    assert found["该批次投诉数 Complaints about the batch"] == 1
    assert found["净购买数量 Net quantity bought"] == 2
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:O{len(rows) + 1}"
    code, said = recall("C", "--folder", tmp_path)
    assert code == 1
    assert "is there already" in said


def test_contact_details_are_only_there_when_asked_for_and_are_no_formulas(connection, tmp_path):
    code, _ = recall("A", "--product", "tea", "--folder", tmp_path, "--with-contacts")
    assert code == 0
    sheet = openpyxl.load_workbook(tmp_path / "recall_A_tea.xlsx").active
    cells = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row}
    assert cells[FORMULA] == "s"
    assert cells["+86 1"] == "s"


def test_a_batch_that_nobody_knows_or_that_two_products_have_is_refused(connection, tmp_path):
    code, said = recall("L-2026", "--folder", tmp_path)
    assert code == 1
    assert "no order line and no complaint names it (3 batches are known" in said
    code, said = recall("A", "--folder", tmp_path)
    assert code == 1
    assert "2 products have one of that number: erp:rice (None), erp:tea (龙井)" in said
    assert "winback recall A --product erp:rice" in said
    assert not list(tmp_path.iterdir())
