"""Files as people send them: refused by file and line until mended, or every row with its fate."""

import gzip
import io
from dataclasses import astuple
from datetime import UTC, datetime
from decimal import Decimal

import openpyxl
import pytest
import xlwt

from tests.company import DAY
from winback.config import ColumnMapping, FeedSource
from winback.errors import WinbackError
from winback.load import load_feed

pytestmark = pytest.mark.usefixtures("quick_checks")

HEADER = "编号,时间,客户,状态,满意度"
ROW = "T1,2026-03-02 10:00,C1,已结案,4"
GOOD = f"{HEADER}\n{ROW}\n".encode()


def with_feed(company, feed, **changes) -> None:
    """Change the first source of a feed; an encoding is found out unless one is given."""
    old = company.settings.feeds[feed]
    source = old.sources[0].model_copy(update={"encoding": None, **changes})
    feeds = {**company.settings.feeds, feed: old.model_copy(update={"sources": (source,)})}
    company.settings = company.settings.model_copy(update={"feeds": feeds})


@pytest.fixture
def load(company):
    """Return a function that drops a day's complaint file and loads it."""
    with_feed(company, "complaints")

    def run(content: bytes | str):
        file = company.folder / f"投诉_{DAY}.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return checked(load_feed(company.settings, "complaints", DAY).counts)

    return run


@pytest.fixture
def load_orders(company, query):
    """Return a function that loads orders from a file `订单.csv` and returns what is in the warehouse."""
    columns = {"order_id": "单号", "ordered_at": "时间", "amount": "金额", "customer_id": "客户"}

    def run(*lines: str, **mappings: ColumnMapping) -> dict[str, Decimal]:
        mapped = {name: ColumnMapping(column=column) for name, column in columns.items()} | mappings
        source = FeedSource(source="desk", files="订单.csv", columns=mapped)
        feeds = {**company.settings.feeds}
        feeds["orders"] = feeds["orders"].model_copy(update={"sources": (source,)})
        settings = company.settings.model_copy(update={"feeds": feeds})
        text = "\n".join(["单号,时间,金额,客户", *lines]) + "\n"
        (company.folder / "订单.csv").write_bytes(text.encode())
        checked(load_feed(settings, "orders", DAY).counts)
        return dict(query("select order_id, amount from raw.orders order by 1"))

    return run


def checked(counts):
    """Return counts whose fates add up to the rows that came."""
    fates = counts.rows_inserted, counts.rows_updated, counts.rows_unchanged
    assert counts.rows_in == sum(fates) + counts.rows_superseded + counts.rows_quarantined, astuple(counts)
    return counts


def workbook_of(*sheets: list[list[object]]) -> bytes:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for rows in sheets:
        sheet = workbook.create_sheet()
        for row in rows:
            sheet.append(row)
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def old_workbook_of(rows: list[list[object]]) -> bytes:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("x")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


REFUSED = {
    "a truncated gzip": (gzip.compress(GOOD * 1000, mtime=0)[:-30], ["damaged or cut short"]),
    "a truncated workbook": (workbook_of([["a"]])[:-40], ["damaged or cut short"]),
    "an empty file": (b"", ["the file is empty"]),
    "NUL bytes": (GOOD + b"T2,2026-03-02 10:00,C\0secret,,\n", ["NUL byte at line 3"]),
    "a row too short": (GOOD + b"T2,secret\n", ["2 fields at line 3", "header has 5"]),
    "a row too long": (GOOD + b'T2,"\n",secret,,,,x\n', ["7 fields at line 3", "header has 5"]),
    "an open quote": (GOOD + b'T2,"secret\n' * 3, ["quotes of the row at line 3"]),
    "a merge conflict": (GOOD + b"<<<<<<< HEAD\nsecret\n", ["an unresolved merge", "line 3"]),
    "a file pasted twice": (GOOD + GOOD, ["the header again at line 3", "pasted twice"]),
    "a web page": (b"<html><table><tr><td>secret", ["holds a web page"]),
    "two sheets": (workbook_of([["a"], [1]], [["a"], [2]]), ["2 sheets hold data"]),
    "another encoding": (GOOD.decode().replace("客户", "客戶").encode("big5", "replace"), ["not clear"]),
    "two encodings": (GOOD + "T2,,李娜secret,,\n".encode("gb18030"), ["its encoding is not clear"]),
    "another header": (GOOD.replace("时间".encode(), b"when"), ["no column '时间'", "when"]),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_no_table_is_refused_whole_and_loads_once_mended(load, query, content, words):
    with pytest.raises(WinbackError) as caught:
        load(content)
    for word in (f"投诉_{DAY}.csv", *words, "What to do:"):
        assert word in str(caught.value)
    assert "secret" not in str(caught.value)
    assert query(
        "select to_regclass('raw.complaints') is null or not exists (select from raw.complaints)"
    ) == [(True,)]
    assert load(GOOD).rows_inserted == 1


LOADED = {
    "gb18030": GOOD.decode().encode("gb18030"),
    "utf-8 with a mark": b"\xef\xbb\xbf" + GOOD,
    "utf-16": GOOD.decode().encode("utf-16"),
    "utf-16 without a mark": GOOD.decode().encode("utf-16-be"),
    "gzip": gzip.compress(GOOD, mtime=0),
    "semicolons": GOOD.replace(b",", b";"),
    "tabs and carriage returns": GOOD.replace(b",", b"\t").replace(b"\n", b"\r\n"),
    "95,000 blank lines": GOOD.replace(b"\n", b"\n" * 95_000),
    "95,000 rows of commas": GOOD + b",,,,\n" * 95_000,
    "an unnamed last column": GOOD.replace(b"\n", b",\n"),
    "no newline at the end": GOOD.rstrip(),
    "a new workbook": workbook_of([HEADER.split(","), ["T1", datetime(2026, 3, 2, 10), "C1", "已结案", 4.0]]),
    "an old workbook": old_workbook_of([HEADER.split(","), ["T1", "2026年3月2日 10时", "C1", "已结案", 4.0]]),
    "full-width digits": "\n".join([HEADER, "Ｔ１,２０２６－０３－０２ １０：００,Ｃ１,已结案,４"]),
    "spaces of every width": "\n".join([HEADER, "\tT1,2026-03-02 10:00\u3000, C1,\u00a0已结案,4"]),
}


@pytest.mark.parametrize("content", LOADED.values(), ids=LOADED)
def test_the_same_row_is_read_however_it_is_written(load, query, content):
    assert load(content).rows_in == 1
    found = query("select complaint_id, opened_at, customer_id, status, satisfaction from raw.complaints")
    assert found == [("T1", datetime(2026, 3, 2, 2, tzinfo=UTC), "C1", "已结案", Decimal(4))]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_western_letters_are_not_read_as_chinese(company, query, encoding):
    columns = {"complaint_id": "no", "opened_at": "at", "channel": "city"}
    mapped = {name: ColumnMapping(column=column) for name, column in columns.items()}
    with_feed(company, "complaints", columns=mapped)
    lines = "no,at,city\n1,2026-03-02,Curitiba\n2,2026-03-02,São Paulo\n3,2026-03-02,GROẞ-GERAU\n"
    text = lines.replace("ẞ", "ß")
    (company.folder / f"投诉_{DAY}.csv").write_bytes(text.encode(encoding))
    checked(load_feed(company.settings, "complaints", DAY).counts)
    assert query("select channel from raw.complaints order by complaint_id") == [
        ("Curitiba",),
        ("São Paulo",),
        ("GROß-GERAU",),
    ]


def test_a_field_of_ten_megabytes_is_loaded_or_set_aside(load, query):
    counts = load(f"{HEADER}\n{ROW}\nT2,2026-03-02 10:00,C2,{'长' * 3_400_000},\n")
    assert (counts.rows_in, counts.rows_inserted, counts.rows_quarantined) == (2, 1, 1)
    assert query("select length(source_text ->> '状态') from quarantine.complaints") == [(3_400_000,)]


def test_dates_of_mixed_orders_are_never_guessed_but_set_aside(load, query):
    counts = load(f"{HEADER}\n{ROW}\nT2,3/4/2026,C1,,\nT3,13/4/2026,C1,,\nT4,4/13/2026 9:05,C1,,\n")
    assert (counts.rows_inserted, counts.rows_quarantined) == (1, 3)
    kept = query("select source_text ->> '时间', reasons from quarantine.complaints order by row_number")
    assert [text for text, _ in kept] == ["3/4/2026", "13/4/2026", "4/13/2026 9:05"]
    assert all("opened_at_is_readable" in reasons for _, reasons in kept)


def test_a_stated_format_reads_dates_of_one_order(load, company, query):
    source = company.settings.feeds["complaints"].sources[0]
    opened = ColumnMapping(column="时间", format=("%d/%m/%Y %H:%M", "%d/%m/%Y"))
    with_feed(company, "complaints", columns={**source.columns, "opened_at": opened})
    assert load(f"{HEADER}\nT1,3/4/2026,C1,,\nT2,13/4/2026 8:00,C1,,\n").rows_inserted == 2
    moments = query("select opened_at from raw.complaints order by complaint_id")
    assert moments == [(datetime(2026, 4, 2, 16, tzinfo=UTC),), (datetime(2026, 4, 13, tzinfo=UTC),)]


@pytest.mark.parametrize("moment", ["1899-12-31 00:00:00", "1899-12-31", "2999-12-31 23:59:59"])
def test_a_date_far_off_is_loaded_or_set_aside_with_a_reason(load, query, moment):
    counts = load(f"{HEADER}\n{ROW}\nT2,{moment},C1,已结案,4\n")
    assert counts.rows_in == 2
    assert counts.rows_inserted + counts.rows_quarantined == 2
    assert query("select count(*) from quarantine.complaints where reasons = '{}'") == [(0,)]


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ('"1,234.50"', "1234.50"),
        ('"￥1,234.50"', "1234.50"),
        ("１２３．５", "123.5"),
        ("1.2万", "12000"),
        ("(12.50)", "-12.50"),
        ("12.50-", "-12.50"),
        ("0.1", "0.1"),
        ("99999999999999999.99", "99999999999999999.99"),
    ],
)
def test_an_amount_arrives_exactly(load_orders, written, amount):
    assert load_orders(f"A1,2026-03-02 10:00,{written},C1") == {"A1": Decimal(amount)}


@pytest.mark.parametrize("written", ['"12,34"', '"1,2345"', "12%", "五百", '"1.234,50"'])
def test_an_amount_that_could_be_another_is_set_aside(load_orders, query, written):
    assert load_orders("A1,2026-03-02 10:00,1,C1", f"A2,2026-03-02 10:00,{written},C1") == {"A1": Decimal(1)}
    assert query("select 'amount_is_readable' = any(reasons) from quarantine.orders") == [(True,)]


def test_a_stated_decimal_comma_is_read(load_orders):
    amount = ColumnMapping(column="金额", decimal=",")
    assert load_orders('A1,2026-03-02 10:00,"1.234,50",C1', amount=amount) == {"A1": Decimal("1234.50")}


def test_identifiers_keep_their_zeros_and_stay_text_and_are_one_in_any_width(load_orders, query):
    found = load_orders(
        "0012,2026-03-02 10:00,1,007",
        "００１３,2026-03-02 10:00,2,００７",
        "10023.0,2026-03-02 10:00,3,20230000000000012345",
    )
    assert list(found) == ["0012", "0013", "10023.0"]
    assert query("select customer_id from raw.orders order by order_id") == [
        ("007",),
        ("007",),
        ("20230000000000012345",),
    ]
