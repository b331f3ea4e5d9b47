"""First contact: `winback init` proposes, `winback doctor` proves, and the load gives the known figures."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
import yaml
from click.testing import CliRunner

from tests.mariadb import MariaDb, is_installed
from winback.cli import main
from winback.config import load_settings
from winback.load import load_feed
from winback.onboarding.doctor import examine
from winback.onboarding.findings import Level


def init(*arguments: object) -> str:
    """Run `winback init` and return what it says; it must succeed."""
    result = CliRunner().invoke(main, ["init", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def doctor(file: Path, *feeds: str) -> list[str]:
    """Return the lines of `winback doctor` that are not ok."""
    return [str(one) for one in examine(load_settings(file), feeds) if one.level is not Level.OK]


def test_online_retail_needs_no_edit_to_load_every_invoice_to_the_penny(
    warehouse, test_data, tmp_path, query
):
    file = tmp_path / "winback.yml"
    said = init(test_data / "online_retail.csv.xz", "--config", file, "--time-zone", "Europe/London")
    assert "541,909 lines of 25,900 orders" in said
    assert [line for line in doctor(file) if not line.startswith("warn  mail")] == []
    load_feed(load_settings(file), "orders", date(2011, 12, 9))
    assert query("select count(*), round(sum(amount), 2) from raw.orders") == [
        (25_900, Decimal("9747747.93"))
    ]
    assert query("select count(*) from quarantine.orders") == [(0,)]


def test_restaurant_bills_load_once_the_status_codes_are_said(warehouse, test_data, tmp_path, query):
    file = tmp_path / "winback.yml"
    said = init(test_data / "restaurant", "--config", file, "--policy", "restaurant")
    assert "status: is order_status right?" in said
    failed = [line for line in doctor(file) if line.startswith("FAIL")]
    assert len(failed) == 1
    assert "945 of 945 rows break status_is_known" in failed[0]
    assert ": 0, 1, 2" in failed[0]
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["feeds"]["orders"]["sources"][0]["columns"]["status"]["codes"] = {
        "0": "voided",
        "1": "settled",
        "2": "voided",
    }
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    assert [line for line in doctor(file) if line.startswith("FAIL")] == []
    for feed in ("orders", "order_lines"):
        load_feed(load_settings(file), feed, date(2016, 8, 31))
    assert query("select count(*), sum(amount), count(customer_id) from raw.orders") == [
        (945, Decimal(465_214), 945)
    ]
    assert query("select count(*), count(distinct product_id) from raw.order_lines")[0][0] == 10_037


def test_a_database_is_proposed_without_its_password_and_proven(
    warehouse, new_database, monkeypatch, tmp_path, query
):
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute(
            'create schema sales; create table sales.orders ("订单编号" text primary key,'
            ' "下单时间" timestamp, "实付金额" numeric, "会员号" text, "更新时间" timestamp)'
        )
        connection.execute(
            "insert into sales.orders select n::text, '2026-03-02 09:00', 5, 'C' || n % 3,"
            " case when n > 1 then timestamp '2026-03-02 10:00' end from generate_series(1, 10) as n"
        )
        connection.execute("create table settings (key text, value text)")
    file = tmp_path / "winback.yml"
    said = init(url, "--config", file)
    password = psycopg.conninfo.conninfo_to_dict(url)["password"]
    assert password not in said + file.read_text(encoding="utf-8")
    settings = load_settings(file)
    source = settings.feeds["orders"].sources[0]
    assert (source.table, source.cursor) == ("sales.orders", "updated_at")
    assert "更新时间, which 1 of 10 rows leave empty" in said
    assert f"export WINBACK_CONN_{source.source.upper()}=" in said
    assert any("no secret found" in line for line in doctor(file, "orders"))
    monkeypatch.setenv(f"WINBACK_CONN_{source.source.upper()}", url)
    lines = [line for line in doctor(file, "orders") if "mail" not in line]
    assert len(lines) == 1
    assert "the cursor updated_at is empty in 1 of 10 rows" in lines[0]
    load_feed(settings, "orders", date(2026, 3, 3))
    assert query("select count(*), sum(amount) from raw.orders") == [(10, Decimal(50))]


def test_lines_in_a_database_are_added_up_there(warehouse, new_database, monkeypatch, tmp_path, query):
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute(
            "create table lines (order_no text, sold_at timestamp, customer_no text, sku text,"
            " quantity integer, unit_price numeric);"
            "insert into lines values ('1', '2026-03-02 09:00', 'C1', 'W', 2, 1.50),"
            " ('1', '2026-03-02 09:01', 'C1', 'X', 1, 2), ('2', '2026-03-02 10:00', 'C2', 'W', -1, 1.50)"
        )
    file = tmp_path / "winback.yml"
    init(url, "--config", file)
    settings = load_settings(file)
    monkeypatch.setenv(f"WINBACK_CONN_{settings.feeds['orders'].sources[0].source.upper()}", url)
    assert [line for line in doctor(file) if line.startswith("FAIL")] == []
    load_feed(settings, "orders", date(2026, 3, 3))
    assert query("select order_id, amount from raw.orders order by 1") == [
        ("1", Decimal("5.00")),
        ("2", Decimal("-1.50")),
    ]


@pytest.fixture
def shop(warehouse, tmp_path):
    """Return a function that configures one file of orders and says what the doctor finds."""

    def found(rows: str, columns: dict[str, object] | None = None, **keys: object) -> list[str]:
        (tmp_path / "orders.csv").write_text(f"no,at,total,customer,state\n{rows}", encoding="utf-8")
        mapped = {"order_id": "no", "ordered_at": "at", "amount": "total", "customer_id": "customer"}
        source = {"source": "shop", "files": "orders.csv", "columns": mapped | (columns or {}), **keys}
        return doctor(configured(tmp_path, {"orders": {"sources": [source]}}))

    return found


def configured(tmp_path: Path, feeds: dict[str, object], **changes: object) -> Path:
    zone = "Asia/Shanghai"
    systems = {
        name: {"connector": "files", "folder": str(tmp_path), "time_zone": zone} for name in ("shop", "desk")
    }
    config = {"company": {"name_en": "T", "name_zh": "T"}, "systems": systems, "feeds": feeds, **changes}
    file = tmp_path / "winback.yml"
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return file


GOOD = "100,2026-03-02 09:00,5,C1,paid\n101,2026-03-02 10:00,6,C2,paid\n"


@pytest.mark.parametrize(
    ("rows", "columns", "line"),
    [
        (
            GOOD,
            {"amount": "sum"},
            "FAIL  orders from shop: feeds.orders from shop (orders.csv): no column 'sum'",
        ),
        (GOOD.replace("5", "five"), {}, "FAIL  orders from shop: 1 of 2 rows break amount_is_readable"),
        (GOOD.replace("paid", "9"), {"status": "state"}, "would wait in quarantine: 9"),
        (GOOD + GOOD, {}, "FAIL  orders from shop: 2 of 4 rows repeat the order_id"),
        (GOOD.replace("2026", "1926"), {}, "ordered_at: 2 rows before 1990 and 0 in the future"),
        (
            GOOD.replace(" 09:", " 02:").replace(" 10:", " 03:"),
            {},
            "2 of 2 ordered_at lie between midnight and 5",
        ),
        (GOOD.replace("C1", "17.0").replace("C2", "18.0"), {}, "customer_id: 2 of 2 ids end in .0"),
        (
            "".join(f"{n},2026-03-02,5,{'9' if n else ''}000001,\n" for n in range(20)).replace(
                ",000001", ",1"
            ),
            {},
            "customer_id: 19 of 20 ids have 7 digits, 1 have fewer",
        ),
        (GOOD, {"currency": "state"}, "1 currencies besides CNY"),
        (GOOD.replace(",C1,", ",,"), {}, "1 of 2 rows break customer_id_is_filled"),
    ],
)
def test_the_doctor_finds_what_is_wrong_with_a_file(shop, rows, columns, line):
    found = [one for one in shop(rows, columns) if "mail" not in one]
    assert [one for one in found if line in one], found
    assert all("fix: " in one for one in found)


def test_the_doctor_doubts_an_encoding_that_is_stated_wrongly(shop):
    rows = GOOD.replace("C1", "北京市朝阳区的老客户").replace("C2", "上海市的新客户们")
    (line,) = [one for one in shop(rows, encoding="gb18030") if "but winback.yml states" in one]
    assert "orders.csv is utf-8" in line


@pytest.mark.without_tables
def test_the_doctor_finds_nothing_wrong_with_a_good_file(shop, query):
    assert [one for one in shop(GOOD, {"status": "state"}) if "mail" not in one] == []
    schemas = (
        "select count(*) from information_schema.schemata where schema_name in ('raw', 'ops', 'landing')"
    )
    assert query(schemas) == [(0,)]  # nothing was written, not even tables


def test_the_doctor_asks_whose_customers_a_complaint_file_means(warehouse, tmp_path):
    (tmp_path / "orders.csv").write_text(f"no,at,total,customer,state\n{GOOD}", encoding="utf-8")
    (tmp_path / "complaints.csv").write_text(
        "no,at,who\nT1,2026-03-02,C1\nT2,2026-03-02,C2\n", encoding="utf-8"
    )
    orders = {"order_id": "no", "ordered_at": "at", "amount": "total", "customer_id": "customer"}
    complaints = {"complaint_id": "no", "opened_at": "at", "customer_id": "who"}
    feeds = {
        "orders": {"sources": [{"source": "shop", "files": "orders.csv", "columns": orders}]},
        "complaints": {"sources": [{"source": "desk", "files": "complaints.csv", "columns": complaints}]},
    }
    said = "0 of 2 customer_id are known to customers or orders of desk"
    assert [line for line in doctor(configured(tmp_path, feeds), "complaints") if said in line]
    complaints["customer_source_id"] = {"constant": "shop"}
    assert not [line for line in doctor(configured(tmp_path, feeds)) if "are known to" in line]


def test_without_a_warehouse_the_doctor_still_proves_files_and_columns(monkeypatch, tmp_path):
    monkeypatch.setenv("WINBACK_WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("WINBACK_STATE", str(tmp_path / "state"))
    (tmp_path / "orders.csv").write_text(f"no,at,total,customer,state\n{GOOD}", encoding="utf-8")
    columns = {"order_id": "no", "ordered_at": "at", "amount": "total"}
    source = {"source": "shop", "files": "orders.csv", "columns": columns}
    file = configured(tmp_path, {"orders": {"sources": [source]}}, business={"lines": {"retail": "bakery"}})
    found = [str(one) for one in examine(load_settings(file))]
    assert [line for line in found if line.startswith("FAIL  warehouse") and "no rows" in line]
    (rules,) = (line for line in found if line.startswith("FAIL  rules: 1 problem."))
    assert "business.lines.retail: no such policy 'bakery'" in rules
    assert [line for line in found if line.startswith("ok    orders from shop: readable")]


def test_the_doctor_ends_with_an_exit_code(warehouse, monkeypatch, tmp_path):
    columns = {"order_id": "no", "ordered_at": "at", "amount": "total"}
    source = {"source": "shop", "files": "orders.csv", "columns": columns}
    monkeypatch.setenv("WINBACK_CONFIG", str(configured(tmp_path, {"orders": {"sources": [source]}})))
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert "matches orders.csv" in result.output
    (tmp_path / "orders.csv").write_text("no,at,total\n1,2026-03-02,5\n", encoding="utf-8")
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 0


@pytest.mark.skipif(not is_installed(), reason="mariadbd is not on the PATH (Debian: mariadb-server-core)")
def test_a_mariadb_is_proposed_proven_and_loaded(warehouse, monkeypatch, tmp_path, query):
    database = MariaDb()
    database.start()
    try:
        database.execute(
            "create table `销售明细` (`小票号` varchar(9), `交易时间` datetime, `会员号` varchar(9),"
            " `商品编号` varchar(9), `数量` int, `单价` decimal(9, 2))"
        )
        database.execute(
            "insert into `销售明细` values ('1', '2026-03-02 09:00', 'C1', 'W', 2, 1.50),"
            " ('1', '2026-03-02 09:00', 'C1', 'X', 1, 2), ('2', '2026-03-02 10:00', 'C2', 'W', 1, 4)"
        )
        database.execute(
            "create table tickets (ticket_id varchar(9), opened_at datetime, member_no varchar(9))"
        )
        database.execute("insert into tickets values ('T1', '2026-03-02 11:00', 'C1')")
        file = tmp_path / "winback.yml"
        init(database.url(), "--config", file)
        settings = load_settings(file)
        (system,) = settings.systems
        assert settings.systems[system].connector == "mysql"
        monkeypatch.setenv(f"WINBACK_CONN_{system.upper()}", database.url())
        found = [str(one) for one in examine(settings)]
        assert [line for line in found if line.startswith("FAIL")] == []
        assert [line for line in found if "1 of 1 customer_id are known" in line]
        load_feed(settings, "orders", date(2026, 3, 3))
    finally:
        database.remove()
    assert query("select order_id, amount from raw.orders order by 1") == [
        ("1", Decimal("5.0000")),
        ("2", Decimal("4.0000")),
    ]
