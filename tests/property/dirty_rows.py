"""Rows as they should be, and as people write them: what is harmless, and what a check must reject.

Written from the contract alone: which rule a slip breaks stands here by name, not by what the loader does.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.company import ZONE

MARK = "记号"  # a column that no mapping reads: which row of the test this is
DELETED = "作废"
NOON = datetime(2026, 3, 1, 12)
ORDER_NUMBERS = ("A1", "0012", "B-7")
NEVER_THERE = "A9"

Texts = dict[str, str]
Values = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row: the values it means, by feed column, and its text, by feed column, clean and as written."""

    mark: str
    values: Values = field(repr=False)
    clean: Texts = field(repr=False)
    written: Texts
    broken: frozenset[str] = frozenset()  # the columns that a check must reject
    reasons: frozenset[str] = frozenset()  # the rules that must say so
    is_deleted: bool = False

    @property
    def is_bad(self) -> bool:
        return bool(self.broken)

    @property
    def stamp(self) -> datetime | None:
        return self.values.get("updated_at")

    @property
    def text(self) -> tuple[str, ...]:
        """Return what tells this row from others in quarantine."""
        return (self.mark, *self.written.values())


@dataclass(frozen=True)
class Slip:
    """A mistake in one column, which a rule must reject; `{status}` is the text that belongs there."""

    column: str
    reason: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """What the files of a feed look like: feed column to header, values, and the slips that happen."""

    feed: str
    key: tuple[str, ...]
    headers: dict[str, str]
    values: st.SearchStrategy[Values]
    slips: tuple[Slip, ...]
    has_stamps: bool = True

    def key_of(self, row: Row) -> tuple[str, ...]:
        return tuple(row.values[name] for name in self.key)

    def source(self, encoding: str | None) -> dict[str, Any]:
        """Return the source in the words of `winback.yml`."""
        source = {
            "source": "desk",
            "files": f"{self.feed}_%Y-%m-%d.csv",
            "encoding": encoding,
            "columns": {name: {"column": header} for name, header in self.headers.items()},
        }
        return source | ({"deletes": {"column": DELETED, "values": ["Y"]}} if self.has_stamps else {})


# What is written


NOT_A_DATE = ("昨天", "2026-02-30 10:00", "3/4/2026", "26-03-02", "?")
NOT_A_NUMBER = ("五百", "12%", "1,2345", "1-2", "#N/A")
EMPTY = ("", "\u3000")
AHEAD = ("2126-03-02 10:00", "2126/3/2")
PLACEHOLDER = ("1899-12-30", "2999-12-31 23:59")
LONG_AGO = ("2020-02-29 10:00",)  # before everything else that happens here
UNCLASSED = ("内部{status}",)


def moment_slips(column: str, *, is_required: bool = False, may_be_ahead: bool = False) -> Iterator[Slip]:
    """Return the slips of a moment."""
    yield Slip(column, f"{column}_is_readable", NOT_A_DATE)
    yield Slip(column, f"{column}_is_plausible", PLACEHOLDER)
    if is_required:
        yield Slip(column, f"{column}_is_filled", EMPTY)
    if not may_be_ahead:
        yield Slip(column, f"{column}_is_not_in_the_future", AHEAD)


MOMENTS = st.integers(0, 2000).map(lambda minutes: NOON + timedelta(minutes=minutes))
MONEY = st.sampled_from([Decimal(text) for text in ("0", "12.50", "-3.1", "1234.50", "12345678901234567.89")])
FREE_TEXT = st.sampled_from(
    [None, "门店", "NULL", "0012", "1e5", "=1+1", 'O\'Neil, "Jo"', "两\n行", "🙂", "café", "TRUE", "-"]
)

ORDERS = Sheet(
    feed="orders",
    key=("order_id",),
    headers={
        "order_id": "单号",
        "ordered_at": "下单时间",
        "amount": "金额",
        "customer_id": "客户",
        "document_type": "单据",
        "status": "状态",
        "channel": "渠道",
        "delivered_at": "送达时间",
        "updated_at": "更新时间",
    },
    values=st.fixed_dictionaries(
        {
            "ordered_at": MOMENTS,
            "amount": MONEY,
            "customer_id": st.sampled_from([None, "C1", "007"]),
            "document_type": st.sampled_from([None, "order", "return"]),
            "status": st.sampled_from([None, "已完成", "已取消", "paid"]),
            "channel": FREE_TEXT,
            "delivered_at": st.none() | MOMENTS,
        }
    ),
    slips=(
        Slip("order_id", "order_id_is_filled", EMPTY),
        *moment_slips("ordered_at", is_required=True),
        Slip("amount", "amount_is_readable", NOT_A_NUMBER),
        Slip("amount", "amount_is_filled", EMPTY),
        Slip("document_type", "document_type_is_known", ("合同",)),
        Slip("status", "status_is_known", UNCLASSED),
        *moment_slips("delivered_at", may_be_ahead=True),
        *moment_slips("updated_at"),
    ),
)

LINES = Sheet(
    feed="order_lines",
    key=("order_id", "line_no"),
    headers={
        "order_id": "单号",
        "line_no": "行号",
        "product_id": "商品",
        "quantity": "数量",
        "unit_price": "单价",
        "amount": "金额",
    },
    values=st.fixed_dictionaries(
        {
            "product_id": st.sampled_from([None, "P1", "P2"]),
            "quantity": st.sampled_from([None, Decimal(1), Decimal("0.5"), Decimal(-2)]),
            "unit_price": st.sampled_from([None, Decimal("9.9"), Decimal(1000)]),
            "amount": st.none() | MONEY,
        }
    ),
    slips=(
        Slip("order_id", "order_id_is_filled", EMPTY),
        Slip("line_no", "line_no_is_filled", EMPTY),
        Slip("quantity", "quantity_is_readable", NOT_A_NUMBER),
        Slip("unit_price", "unit_price_is_readable", NOT_A_NUMBER),
    ),
    has_stamps=False,
)

COMPLAINTS = Sheet(
    feed="complaints",
    key=("complaint_id",),
    headers={
        "complaint_id": "编号",
        "opened_at": "受理时间",
        "customer_id": "客户",
        "category": "类别",
        "status": "状态",
        "first_response_at": "首次响应",
        "resolved_at": "结案时间",
        "reopened_count": "重开次数",
        "satisfaction": "满意度",
        "compensation": "赔付",
        "updated_at": "更新时间",
    },
    values=st.fixed_dictionaries(
        {
            "opened_at": st.just(NOON),
            "customer_id": st.sampled_from([None, "C1", "007"]),
            "category": FREE_TEXT,
            "status": st.sampled_from([None, "处理中", "已结案"]),
            "first_response_at": st.none() | MOMENTS,
            "resolved_at": st.none() | MOMENTS,
            "reopened_count": st.sampled_from([None, 0, 2]),
            "satisfaction": st.sampled_from([None, Decimal(1), Decimal(5)]),
            "compensation": st.none() | MONEY,
        }
    ),
    slips=(
        Slip("complaint_id", "complaint_id_is_filled", EMPTY),
        *moment_slips("opened_at", is_required=True),
        Slip("status", "status_is_known", UNCLASSED),
        Slip("first_response_at", "first_response_at_is_not_before_opened_at", LONG_AGO),
        Slip("resolved_at", "resolved_at_is_not_before_opened_at", LONG_AGO),
        Slip("resolved_at", "resolved_at_is_readable", NOT_A_DATE),
        Slip("reopened_count", "reopened_count_is_readable", ("两次", "1/2")),
        Slip("satisfaction", "satisfaction_is_from_1_to_5", ("6", "0", "-1", "５５")),
        Slip("satisfaction", "satisfaction_is_readable", NOT_A_NUMBER),
        Slip("compensation", "compensation_is_readable", NOT_A_NUMBER),
        *moment_slips("updated_at"),
    ),
)

SHEETS = {sheet.feed: sheet for sheet in (ORDERS, LINES, COMPLAINTS)}
# What the company's own status words mean, for a mapping that has learnt them.
STATUS_WORDS = {f"内部{status}": status for status in ("已完成", "已取消", "paid", "处理中", "已结案")}


def as_text(value: Any) -> str:
    """Write a value the plain way."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


def in_warehouse(value: Any) -> Any:
    """Return a value as the warehouse must hold it."""
    return value.replace(tzinfo=ZoneInfo(ZONE)) if isinstance(value, datetime) else value


def full_width(text: str) -> str:
    """Write letters, digits and signs as wide as a Hanzi."""
    return "".join(
        "\u3000" if sign == " " else chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text
    )


def spaced(text: str) -> str:
    """Put spaces that nobody sees around a text."""
    return f"\t {text}\u3000\u00a0 "


# How the same value is written otherwise, by kind of column; a reader must see no difference.
MOMENT_WAYS: tuple[Callable[[datetime], str], ...] = (
    lambda at: f"{at:%Y/}{at.month}/{at.day} {at.hour}:{at:%M}",
    lambda at: f"{at:%Y}年{at.month}月{at.day}日 {at.hour}时{at.minute}分",
    lambda at: f"{at:%Y-%m-%dT%H:%M:%S}",
    lambda at: full_width(f"{at:%Y-%m-%d %H:%M}"),
    lambda at: spaced(f"{at:%Y-%m-%d %H:%M}"),
)
NUMBER_WAYS: tuple[Callable[[Decimal], str], ...] = (
    lambda number: f"{number:,}",
    lambda number: full_width(str(number)),
    lambda number: spaced(str(number)),
    lambda number: f"{-number}-" if number < 0 else f"￥{number}",
    lambda number: f"({-number})" if number < 0 else f"{number}元",
)
KEY_WAYS: tuple[Callable[[str], str], ...] = (full_width, spaced)
KEYS = ("order_id", "complaint_id", "customer_id", "line_no", "product_id")


def otherwise(column: str, value: Any, way: int) -> str:
    """Write a value in another way that means the same."""
    match value:
        case None:
            return ""
        case datetime():
            return MOMENT_WAYS[way % len(MOMENT_WAYS)](value)
        case Decimal():
            return NUMBER_WAYS[way % len(NUMBER_WAYS)](value)
        case int():
            return full_width(str(value))
        case _:
            return KEY_WAYS[way % len(KEY_WAYS)](value) if column in KEYS else spaced(value)


@st.composite
def dirtied(draw: Any, sheet: Sheet, row: Row, at_least: int) -> Row:
    """Write a clean row as people do: some slips, and some columns in another way."""
    possible = [
        slip
        for slip in sheet.slips
        # A status that is empty has no other word; a number that is empty may well be mistyped.
        if slip.texts is not UNCLASSED or row.values["status"] is not None
    ]
    slips = draw(
        st.lists(st.sampled_from(possible), min_size=at_least, max_size=2, unique_by=lambda slip: slip.column)
    )
    noisy = draw(st.lists(st.sampled_from(sorted(row.values)), max_size=2))
    written = {
        name: otherwise(name, row.values[name], draw(st.integers(0, 9))) if name in noisy else text
        for name, text in row.clean.items()
    }
    for slip in slips:
        written[slip.column] = draw(st.sampled_from(slip.texts)).format(**row.clean)
    broken = frozenset(slip.column for slip in slips)
    # Nothing is before an opening that cannot be read.
    reasons = {slip.reason for slip in slips if not ("opened_at" in broken and slip.texts is LONG_AGO)}
    return replace(row, written=written, broken=broken, reasons=frozenset(reasons))


def clean_row(sheet: Sheet, mark: str, values: Mapping[str, Any]) -> Row:
    """Return a row that says what it means."""
    named = {name: values.get(name) for name in sheet.headers}
    texts = {name: as_text(value) for name, value in named.items()}
    return Row(mark, named, texts, texts)
