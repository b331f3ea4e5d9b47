"""Who bought a batch, who complained about it, and what they are worth: the list for a recall."""

import difflib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from winback.errors import WinbackError
from winback.publish import reading_marts

_WIDTH = 18  # characters: what a column of the workbook shows
_SHOWN = 10
# Titles by column of the query; contact details only where they are asked for.
TITLES = {
    "customer_id": "客户编号 Customer",
    "business_line": "业务线 Business line",
    "region": "区域 Region",
    "account_manager": "客户经理 Account manager",
    "value_tier": "价值等级 Value tier",
    "value_12m": "12 个月价值 Value of 12 months",
    "stage": "客户阶段 Stage",
    "orders": "含该批次的订单数 Orders with the batch",
    "quantity": "净购买数量 Net quantity bought",
    "first_bought_on": "首次购买 First bought",
    "last_bought_on": "最近购买 Last bought",
    "batch_complaints": "该批次投诉数 Complaints about the batch",
    "last_complaint_on": "该批次最近投诉 Last complaint about it",
    "open_complaints": "全部未结投诉 Open complaints of any kind",
    "do_not_contact": "请勿营销联系 Asked for no marketing contact",
}
CONTACT_TITLES = {
    "name": "姓名 Name",
    "phone": "电话 Phone",
    "email": "邮箱 E-mail",
    "im_account": "即时通讯账号 Messenger",
    "preferred_channel": "首选联系方式 Preferred channel",
}
_PRODUCTS = """
select distinct products.product_key, products.product_id, products.name
from (
    select product_key, batch_no from marts.fct_order_lines
    union
    select product_key, batch_no from marts.fct_complaints
) as found
inner join marts.dim_product as products using (product_key)
where found.batch_no = %s
order by products.product_key
"""
_BATCHES = """
select batch_no from marts.fct_order_lines where batch_no is not null
union
select batch_no from marts.fct_complaints where batch_no is not null
order by batch_no
"""
_CUSTOMERS = """
with bought as (
    select
        customer_key,
        count(distinct order_key) filter (where order_class = 'sale') as orders,
        sum(quantity) as quantity,
        min(ordered_on) filter (where order_class = 'sale') as first_bought_on,
        max(ordered_on) filter (where order_class = 'sale') as last_bought_on
    from marts.fct_order_lines
    where batch_no = %(batch)s and product_key = %(product)s
    group by 1
),

complained as (
    select
        customer_key,
        count(*) filter (where is_of_batch) as batch_complaints,
        max(opened_on) filter (where is_of_batch) as last_complaint_on,
        count(*) filter (where is_open) as open_complaints
    from (
        select
            *,
            coalesce(batch_no = %(batch)s and product_key = %(product)s, false) as is_of_batch
        from marts.fct_complaints
    ) as complaints
    group by 1
)

select
    customers.customer_key,
    customers.customer_id,
    customers.business_line,
    regions.name as region,
    account_managers.name as account_manager,
    customers.value_tier,
    customers.value_12m,
    customers.stage,
    coalesce(bought.orders, 0) as orders,
    bought.quantity,
    bought.first_bought_on,
    bought.last_bought_on,
    coalesce(complained.batch_complaints, 0) as batch_complaints,
    complained.last_complaint_on,
    coalesce(complained.open_complaints, 0) as open_complaints,
    customers.do_not_contact,
    contacts.name,
    contacts.phone,
    contacts.email,
    contacts.im_account,
    contacts.preferred_channel
from marts.dim_customer as customers
left join bought using (customer_key)
left join complained using (customer_key)
left join marts.dim_region as regions using (region_key)
left join marts.dim_account_manager as account_managers using (account_manager_key)
left join marts.dim_customer_contact as contacts using (customer_key)
where bought.customer_key is not null or complained.batch_complaints > 0
order by batch_complaints desc, value_12m desc, customers.customer_key
"""


@dataclass(frozen=True)
class Recall:
    """What was found; walk-ins bought the batch too, but nobody knows who they are."""

    file: Path
    customers: int
    complainers: int
    value_12m: Decimal
    walk_in_orders: int


def write_recall(
    connection: psycopg.Connection[Any],
    batch_no: str,
    folder: Path,
    *,
    product_id: str | None = None,
    with_contacts: bool = False,
) -> Recall:
    """Write the customers of a batch into a workbook, those who complained first, then by value.

    Raises:
        WinbackError: nobody bought the batch or complained about it, several products have a batch of that
            number, or the file is there already.
    """
    with reading_marts(connection), connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        product = _the_product(connection, batch_no, product_id)
        rows = cursor.execute(_CUSTOMERS, {"batch": batch_no, "product": product}).fetchall()
    known = [row for row in rows if row["customer_key"] != "-1"]
    walk_ins = sum(row["orders"] for row in rows if row["customer_key"] == "-1")
    file = folder / f"recall_{_file_name('_'.join(filter(None, (batch_no, product_id))))}.xlsx"
    if file.exists():
        raise WinbackError(f"{file}: is there already.", "remove it first, or name another --folder")
    folder.mkdir(parents=True, exist_ok=True)
    _write_workbook(file, TITLES | (CONTACT_TITLES if with_contacts else {}), known)
    return Recall(
        file=file,
        customers=len(known),
        complainers=sum(row["batch_complaints"] > 0 for row in known),
        value_12m=sum((row["value_12m"] for row in known), Decimal(0)),
        walk_in_orders=walk_ins,
    )


def _the_product(connection: psycopg.Connection[Any], batch_no: str, product_id: str | None) -> str:
    """Return the product that the batch is of; two products may have a batch of one number."""
    found = connection.execute(_PRODUCTS, [batch_no]).fetchall()
    chosen = [row for row in found if product_id in (None, row[0], row[1])]
    if not found:
        batches = [str(row[0]) for row in connection.execute(_BATCHES)]
        close = difflib.get_close_matches(batch_no, batches, 3)
        raise WinbackError(
            f"batch {batch_no!r}: no order line and no complaint names it"
            f" ({len(batches):,} batches are known in the published marts).",
            f"did you mean {' or '.join(close)}?"
            if close
            else "check the number, and that its sales are loaded",
        )
    if len(chosen) != 1:
        shown = ", ".join(f"{row[0]} ({row[2]})" for row in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise WinbackError(
            f"batch {batch_no!r}: {len(found)} products have one of that number: {shown}{more}.",
            f"winback recall {batch_no} --product {found[0][0]}",
        )
    return str(chosen[0][0])


def _file_name(batch_no: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in batch_no)


def _write_workbook(target: Path, titles: dict[str, str], rows: list[dict[str, Any]]) -> None:
    # A third of a second to import: only whoever writes a workbook pays for it.
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("recall")
    last_column = get_column_letter(len(titles))
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{last_column}{len(rows) + 1}"
    for number in range(1, len(titles) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTH

    def cell(value: str | Decimal | int | bool | date | None, *, is_title: bool = False) -> WriteOnlyCell:
        made = WriteOnlyCell(sheet, value=None)
        made.value = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
        if isinstance(value, str):
            made.data_type = "s"  # text, whatever it begins with
            made.number_format = "@"
        if is_title:
            made.font = Font(bold=True)
        return made

    sheet.append([cell(title, is_title=True) for title in titles.values()])
    for row in rows:
        sheet.append([cell(row[name]) for name in titles])
    workbook.save(target)
