"""`winback init` on small files: what it proposes, what it asks, and what it refuses."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest
import sqlalchemy
import yaml
from click.testing import CliRunner

from winback.cli import main
from winback.config import Settings, load_settings
from winback.errors import WinbackError
from winback.onboarding.databases import without_secrets
from winback.onboarding.init import Wishes, write_proposal

ORDERS = "订单编号,客户编号,下单时间,实付金额,订单状态\n"


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    monkeypatch.setenv("WINBACK_STATE", str(tmp_path / "state"))


@pytest.fixture
def exports(tmp_path) -> Path:
    folder = tmp_path / "Exports 2026"
    folder.mkdir()
    return folder


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


def propose(tmp_path: Path, *sources: Path | str, **wishes: str) -> tuple[str, Settings]:
    """Return what is said and the configuration, which must be valid."""
    file = tmp_path / "winback.yml"
    said, is_complete = write_proposal(tuple(map(str, sources)), file, Wishes(**wishes), overwrites=True)
    assert is_complete, said
    return "\n".join(said), load_settings(file)


def columns(settings: Settings, feed: str) -> dict[str, str | None]:
    return {name: mapping.column for name, mapping in settings.feeds[feed].sources[0].columns.items()}


def test_chinese_exports_of_two_folders_become_linked_feeds(tmp_path):
    sales, desk = tmp_path / "sales", tmp_path / "投诉"
    sales.mkdir()
    desk.mkdir()
    write(
        sales, "订单.csv", ORDERS + "A1,C1,2026-03-02 09:05:00,12.50,已完成\nA2,C2,2026/3/3 10:00,8,已取消\n"
    )
    head = "投诉编号,客户编号,投诉时间,投诉类型,处理状态,满意度\n"
    for day in ("2026-03-02", "2026-03-03"):
        write(desk, f"投诉_{day}.csv", f"{head}T{day},C1,{day} 12:00,配送,已结案,5\n", "gb18030")
    said, settings = propose(tmp_path, sales, desk)
    assert columns(settings, "orders") == {
        "order_id": "订单编号",
        "ordered_at": "下单时间",
        "amount": "实付金额",
        "customer_id": "客户编号",
        "status": "订单状态",
    }
    complaints = settings.feeds["complaints"].sources[0]
    assert (complaints.source, complaints.files, complaints.encoding) == (
        "files",
        "投诉_%Y-%m-%d.csv",
        "gb18030",
    )
    assert complaints.columns["customer_source_id"].constant == "sales"
    assert complaints.columns["opened_at"].column == "投诉时间"
    assert "1 of 1 客户编号 are found among the 客户编号 of 订单.csv" in said
    assert "2 files; looked at the newest" in said


def test_ids_that_are_not_those_of_the_orders_are_asked_about(tmp_path, exports):
    write(exports, "orders.csv", "order_no,customer_no,order_date,total\n1,C1,2026-03-02,5\n")
    write(
        exports,
        "complaints.csv",
        "ticket_id,customer_no,complaint_date\nT1,X1,2026-03-02\nT2,X2,2026-03-02\n",
    )
    said, _ = propose(tmp_path, exports)
    assert (
        "0 of 2 customer_no are found among the customer_no of orders.csv: are these the same numbers?"
        in said
    )


@pytest.mark.parametrize(
    ("dates", "format_", "question"),
    [
        (["13/02/2026", "01/02/2026"], "%d/%m/%Y", None),
        (["02/13/2026", "01/02/2026"], "%m/%d/%Y", None),
        (
            ["01/02/2026", "03/04/2026"],
            "%d/%m/%Y",
            "day and month cannot be told apart: %m/%d/%Y fits as well",
        ),
        (["2026-03-02", "2026-03-03"], None, None),
    ],
)
def test_day_and_month_are_told_apart_or_asked_about(tmp_path, exports, dates, format_, question):
    rows = "".join(f"{number},{date},5\n" for number, date in enumerate(dates))
    said, settings = propose(tmp_path, write(exports, "orders.csv", "order_no,order_date,total\n" + rows))
    assert settings.feeds["orders"].sources[0].columns["ordered_at"].format == format_
    assert ("cannot be told apart" in said) is (question is not None)
    assert question is None or question in said


def test_title_lines_semicolons_and_decimal_commas_are_found(tmp_path, exports):
    text = "Umsatz;;\nMärz;;\norder no;order date;total\n1;2026-03-02;1.234,50\n2;2026-03-03;12,5\n"
    file = write(exports, "orders.csv", text, "cp1252")
    _, settings = propose(tmp_path, file)
    source = settings.feeds["orders"].sources[0]
    assert (source.delimiter, source.header_line, source.encoding) == (";", 3, "cp1252")
    assert source.columns["amount"].decimal == ","


def test_a_sheet_among_several_is_named(tmp_path, exports):
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active.append(["内部使用"])
    for name, rows in {
        "订单": [["订单编号", "下单时间", "实付金额"], ["A1", "2026-03-02", 5]],
        "客户": [["客户编号", "客户名称", "手机"], ["C1", "甲", "1"]],
    }.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(exports / "book.xlsx")
    _, settings = propose(tmp_path, exports / "book.xlsx")
    assert settings.feeds["orders"].sources[0].sheet == "订单"
    assert settings.feeds["customers"].sources[0].sheet == "客户"


def test_statuses_that_are_plain_are_coded_and_the_others_asked_about(tmp_path, exports):
    rows = "A1,C1,2026-03-02,5,已完成\nA2,C1,2026-03-02,5,客户取消\nA3,C1,2026-03-02,5,9\n"
    said, settings = propose(tmp_path, write(exports, "订单.csv", ORDERS + rows))
    assert settings.feeds["orders"].sources[0].columns["status"].codes == {"9": "9", "客户取消": "已取消"}
    assert "would wait in quarantine: 9;" in said


def test_lines_are_added_up_to_orders_and_a_line_without_a_number_keeps_its_order_back(tmp_path, exports):
    rows = (
        "C1,2026/3/10 09:00,W,2,1.50\nC1,2026/3/9 10:00,X,1,2\n"  # 10 March sorts before 9 March as text
        "C2,2026/3/10 11:00,W,-2,1.50\nC3,2026/3/10 12:00,W,many,1\nC3,2026/3/10 12:00,X,1,1\n"
    )
    file = write(exports, "lines.csv", "receipt no,sold at,sku,quantity,unit price\n" + rows)
    said, settings = propose(tmp_path, file)
    assert "1 orders have a negative amount: they count as returns" in said
    assert "1 orders have a line without a readable amount" in said
    source = settings.feeds["orders"].sources[0]
    assert source.files == {"lines": "lines.csv"}
    with duckdb.connect() as engine:
        engine.execute(f"create view lines as select * from read_csv('{file}', all_varchar = true)")
        assert engine.execute(
            f"select order_id, ordered_at, cast(amount as decimal(9, 2)) from ({source.query}) order by 1"
        ).fetchall() == [
            ("C1", "2026/3/9 10:00", Decimal("5.00")),
            ("C2", "2026/3/10 11:00", Decimal("-3.00")),
            ("C3", "2026/3/10 12:00", None),
        ]


def test_an_order_total_that_stands_on_every_line_is_not_added_up(tmp_path, exports):
    rows = "1,2026-03-02,W,9\n1,2026-03-02,X,9\n2,2026-03-02,W,4\n"
    said, settings = propose(
        tmp_path, write(exports, "a.csv", "order no,order date,sku,order total\n" + rows)
    )
    assert "order total is the same on every line of an order, so it is taken once per order" in said
    assert "max(amount_of_line) as amount" in (settings.feeds["orders"].sources[0].query or "")


def test_lines_beside_their_orders_stay_lines(tmp_path, exports):
    write(exports, "orders.csv", "order_no,order_date,total\n1,2026-03-02,5\n")
    write(exports, "items.csv", "order_no,line_no,sku,quantity\n1,1,W,2\n1,2,X,1\n")
    _, settings = propose(tmp_path, exports)
    assert set(settings.feeds) == {"orders", "order_lines"}
    assert settings.feeds["orders"].sources[0].query is None


def test_what_is_missing_is_a_gap_in_the_file_and_an_exit_code(tmp_path, exports):
    file = write(exports, "orders.csv", "order_no,order_date,customer_no\n1,2026-03-02,C1\n")
    target = tmp_path / "winback.yml"
    result = CliRunner().invoke(main, ["init", str(file), "--config", str(target)])
    assert result.exit_code == 1
    assert "orders.csv: no column for amount, which orders needs" in result.output
    assert "# GAP: amount: (name its column)" in target.read_text(encoding="utf-8")
    with pytest.raises(WinbackError, match="required but not mapped: amount"):
        load_settings(target)


def test_without_orders_the_file_says_so(tmp_path, exports):
    file = write(exports, "complaints.csv", "ticket_id,complaint_date\nT1,2026-03-02\n")
    target = tmp_path / "winback.yml"
    said, is_complete = write_proposal((str(file),), target, Wishes())
    assert not is_complete
    assert "# GAP: orders is missing" in target.read_text(encoding="utf-8")
    assert "no orders among the sources" in "\n".join(said)


def test_a_guess_that_a_feed_can_do_without_is_only_a_comment(tmp_path, exports):
    file = write(exports, "orders.csv", "order_no,order_date,total,org_id\n1,2026-03-02,5,7\n")
    said, settings = propose(tmp_path, file)
    assert "store_id is left out; org_id may be it" in said
    assert "store_id" not in settings.feeds["orders"].sources[0].columns
    assert "# store_id: org_id  # unsure" in (tmp_path / "winback.yml").read_text(encoding="utf-8")


def test_a_key_that_repeats_is_asked_about(tmp_path, exports):
    file = write(exports, "orders.csv", "order_no,order_date,total\n1,2026-03-02,5\n1,2026-03-03,6\n")
    said, _ = propose(tmp_path, file)
    assert "order_no repeats: 2 rows have 1 different keys" in said


def test_the_currency_of_a_column_and_what_is_stated_are_taken_over(tmp_path, exports):
    file = write(exports, "orders.csv", "order_no,order_date,total,currency\n1,2026-03-02,5,GBP\n")
    said, settings = propose(tmp_path, file, company="河畔", time_zone="Europe/London", policy="restaurant")
    assert settings.business.currency == "GBP"
    assert settings.business.lines == {"restaurant": "restaurant"}
    assert settings.company.name_zh == "河畔"
    assert {system.time_zone for system in settings.systems.values()} == {"Europe/London"}
    assert "To decide" not in said


def test_no_value_of_a_row_is_said_or_written(tmp_path, exports):
    rows = "A1,C77,2026-03-02,5,已完成\nA2,C78,x,y,已完成\n"
    said, _ = propose(tmp_path, write(exports, "订单.csv", ORDERS + rows))
    written = (tmp_path / "winback.yml").read_text(encoding="utf-8")
    assert "1 of 2 values are no date" in said
    assert not [text for text in (said, written) if "C77" in text or "A1" in text]


def test_an_existing_file_is_not_overwritten_unless_forced(tmp_path, exports):
    file = write(exports, "orders.csv", "order_no,order_date,total\n1,2026-03-02,5\n")
    target = write(tmp_path, "winback.yml", "mine: true\n")
    with pytest.raises(WinbackError, match="exists already"):
        write_proposal((str(file),), target, Wishes())
    assert yaml.safe_load(target.read_text(encoding="utf-8")) == {"mine": True}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("missing.csv", "no such file or folder"),
        ("empty_folder", "no file ending in"),
        ("no url://", "no database URL"),
        ("nonsense://host/db", "cannot be read"),
    ],
)
def test_a_source_that_is_none_is_refused(tmp_path, source, problem):
    (tmp_path / "empty_folder").mkdir()
    place = source if "://" in source else str(tmp_path / source)
    with pytest.raises(WinbackError, match=problem):
        write_proposal((place,), tmp_path / "winback.yml", Wishes())


def test_a_time_zone_that_is_none_is_refused_before_anything_is_written(tmp_path, exports):
    with pytest.raises(WinbackError, match="no IANA time zone"):
        write_proposal((str(exports),), tmp_path / "winback.yml", Wishes(time_zone="Beijing"))
    assert not (tmp_path / "winback.yml").exists()


def test_a_policy_that_is_none_is_refused_with_the_list(tmp_path, exports):
    with pytest.raises(WinbackError, match="use one of restaurant, auto_service"):
        write_proposal((str(exports),), tmp_path / "winback.yml", Wishes(policy="bakery"))


def test_another_database_is_read_through_its_dialect(tmp_path):
    file = tmp_path / "till.db"
    with sqlite3.connect(file) as database:
        database.execute(
            "create table receipts (receipt_no text, sold_at text, total numeric, member_no text)"
        )
        database.execute("insert into receipts values ('1', '2026-03-02 09:00', 5, 'C1')")
    said, settings = propose(tmp_path, f"sqlite:///{file}")
    assert settings.systems["till"].connector == "sqlalchemy"
    assert settings.feeds["orders"].sources[0].table == "receipts"
    assert "no column tells when a row changed: the whole table is read each time" in said


def test_secrets_of_a_url_are_left_out_where_it_is_shown():
    url = sqlalchemy.make_url("mysql://u:hush@h/shop?ssl_key=hush&charset=utf8mb4&password=hush")
    assert without_secrets(url) == "mysql://u:PASSWORD@h/shop?charset=utf8mb4"
