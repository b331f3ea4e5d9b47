"""The feeds: what enters the warehouse, column by column.

This is the one home of the canonical columns. The raw, landing and quarantine tables, the mapping
in `winback.yml` and its error messages are all made from it.
"""

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "numeric", "integer", "boolean", "date", "timestamptz", "jsonb"]


@dataclass(frozen=True)
class Column:
    """One canonical column of a feed."""

    name: str
    type: ColumnType = "text"
    is_required: bool = False


@dataclass(frozen=True)
class Feed:
    """One canonical input table.

    `key` holds the columns that, after `source_id`, name a row. `event_column` is when the thing
    happened: it tells which business day a file reaches to.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    event_column: str | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the canonical column names, in the order of the tables."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Return the columns that every row must fill."""
        return tuple(column.name for column in self.columns if column.is_required)

    @property
    def version_column(self) -> str | None:
        """Return the column that tells which of two versions of a row is newer, if the feed has one."""
        return "updated_at" if "updated_at" in self.column_names else None

    def column(self, name: str) -> Column:
        """Return one column by its name."""
        return next(column for column in self.columns if column.name == name)


# References default to the row's own source: `customer_source_id` names the system whose customer
# numbers a row uses, so that a complaint file can speak of the ERP's customers.
REFERENCE_SOURCES = ("customer_source_id", "order_source_id")


def _columns(spec: str) -> tuple[Column, ...]:
    """Read `name[!][:type]` words; `!` marks a required column."""
    columns = []
    for word in spec.split():
        name, _, type_name = word.partition(":")
        columns.append(Column(name.rstrip("!"), type_name or "text", name.endswith("!")))  # type: ignore[arg-type]
    return tuple(columns)


def _feed(name: str, key: str, spec: str, event_column: str | None = None) -> Feed:
    return Feed(name, tuple(key.split()), _columns(spec), event_column)


FEEDS: dict[str, Feed] = {
    feed.name: feed
    for feed in (
        _feed(
            "orders",
            "order_id",
            """order_id! ordered_at!:timestamptz amount!:numeric customer_source_id customer_id
            document_type status reverses_order_id channel store_id region_id promised_at:timestamptz
            delivered_at:timestamptz currency updated_at:timestamptz""",
            event_column="ordered_at",
        ),
        _feed(
            "order_lines",
            "order_id line_no",
            """order_id! line_no! product_id batch_no quantity:numeric unit_price:numeric
            discount:numeric amount:numeric""",
        ),
        _feed(
            "complaints",
            "complaint_id",
            """complaint_id! opened_at!:timestamptz customer_source_id customer_id order_source_id order_id
            product_id batch_no channel category severity first_response_at:timestamptz
            resolved_at:timestamptz reopened_count:integer status satisfaction:numeric
            compensation:numeric updated_at:timestamptz""",
            event_column="opened_at",
        ),
        _feed(
            "customers",
            "customer_id",
            """customer_id! name kind business_line region_id account_manager_id registered_on:date gender
            birthday:date birthday_calendar phone email im_account preferred_channel
            do_not_contact:boolean merged_into closed_on:date closed_reason attributes:jsonb
            updated_at:timestamptz""",
        ),
        _feed(
            "products",
            "product_id",
            "product_id! name category brand unit_cost:numeric launched_on:date discontinued_on:date",
        ),
        _feed("regions", "region_id", "region_id! name parent_region_id"),
        _feed(
            "account_managers",
            "account_manager_id",
            "account_manager_id! name email region_id reports_to left_on:date",
        ),
        _feed(
            "contacts",
            "contact_id",
            """contact_id! customer_source_id customer_id! contacted_at!:timestamptz account_manager_id
            campaign_id task_id channel outcome reason_code competitor note""",
            event_column="contacted_at",
        ),
        _feed(
            "surveys",
            "survey_id",
            """survey_id! customer_source_id customer_id! asked_at!:timestamptz score:numeric
            expected_score:numeric scale_max:numeric comment""",
            event_column="asked_at",
        ),
        _feed("balances", "customer_id month", "customer_source_id customer_id! month!:date balance:numeric"),
        _feed(
            "events",
            "event_id",
            "event_id! started_on!:date ended_on:date name product_id batch_no region_id",
            event_column="started_on",
        ),
        _feed("exchange_rates", "currency day", "currency! day!:date rate:numeric", event_column="day"),
    )
}
