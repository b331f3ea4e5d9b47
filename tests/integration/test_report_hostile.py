"""A thousand hostile names and notes in every report: no tag, header or formula of theirs in any part."""

import io
import random
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import psycopg
import pytest

from tests.integration.test_report_scopes import NAMES, issue
from tests.report_marts import Customer, Region, Scene, create_marts
from tests.unit.report.test_render import Page
from winback.report.definition import Report, load_report
from winback.report.scope import Scope
from winback.warehouse.schema import ensure_schema

CUSTOMERS, MAILS = 100, 10  # a mail that shows a thousand rows takes minutes, ten of a hundred do not
MARKUP = (
    "<script>alert(1)</script>",
    "</td></tr></table>",
    '"><img src=x onerror=alert(1)>',
    "<mj-text>",
    "<!--",
    "]]>",
)
FORMULAS = ("=HYPERLINK(1)", "+1+1", "-2", "@SUM(A1)", "\t=1", '=cmd|" /C calc"!A0')
BREAKS = ("\r\nBcc: evil@example.com\r\n\r\n", "\n", "\x00", "\x0b", "\u2028", "\u0085")
TURNS = ("\u202e", "\u2066", "\u200f", "\u200b", "\ufeff")
TEMPLATES = ("{{ 7 * 7 }}", "{% raw %}", "%(count)s", "${x}", "$\\frac{1}{2}$", "&lt;b&gt;")
LONG = ("王" * 10_000, "x" * 10_000)


def hostile(seed: int) -> str:
    """Return one text, made of what breaks mails and a name; every kind leads some of them."""
    chance = random.Random(seed)
    kinds = (MARKUP, FORMULAS, BREAKS, TURNS, TEMPLATES, LONG)
    first = chance.choice(kinds[seed % len(kinds)])
    return (
        first + "".join(chance.choice(chance.choice(kinds[:5])) for _ in range(chance.randrange(3))) + " Li"
    )


@pytest.fixture
def marts(warehouse: str) -> Iterator[Any]:
    """Return marts whose company has a hundred customers with a manager each, all of them in every list."""
    regions = (Region(0, None),)
    customers = tuple(
        Customer(
            number, 0, number, "retail", ("at_risk", "churned")[number % 2], ("vip", "major")[number % 2]
        )
        for number in range(CUSTOMERS)
    )
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ensure_schema(connection)
        create_marts(connection)
        Scene(regions, customers).fill(connection)
        yield connection


def spoil(marts: psycopg.Connection[Any], mail: int) -> None:
    """Put hostile text wherever a source's own words can stand; a database holds no NUL."""
    texts = [hostile(mail * CUSTOMERS + number).replace("\x00", "") for number in range(CUSTOMERS)]
    marts.execute("create temp table if not exists hostile (number integer, said text)")
    marts.execute("truncate hostile")
    with marts.cursor() as cursor:
        cursor.executemany("insert into hostile values (%s, %s)", list(enumerate(texts)))
    for table, key, columns in (
        ("dim_customer_contact", "erp:C", ("name", "phone")),
        ("fct_complaints", "erp:C", ("category", "severity", "complaint_id")),
        ("fct_contacts", "erp:C", ("channel", "outcome", "reason_code", "competitor")),
        ("customer_flags", "erp:C", ("label_en", "evidence_en")),
        ("customer_flag_history", "erp:C", ("evidence_en",)),
        ("dim_customer", "erp:C", ("customer_id",)),
    ):
        values = ", ".join(f"{column} = said" for column in columns)
        marts.execute(
            f"update marts.{table} set {values} from hostile"
            f" where customer_key = '{key}' || to_char(number, 'FM000')"
        )
    marts.execute(
        "update marts.campaign_results set name_en = said, offer_en = said from hostile where number = 0"
    )
    for table, key in (("dim_account_manager", "erp:M"), ("dim_product", "p"), ("dim_region", "erp:R")):
        marts.execute(
            f"update marts.{table} set name = said from hostile"
            f" where {table.removeprefix('dim_')}_key = '{key}' || to_char(number, 'FM000')"
        )


def showing_all(name: str) -> Report:
    """Return a report that shows a hundred rows where it shows twenty, so that each of them is looked at."""
    report = load_report(name)
    more = {key: CUSTOMERS for key in report.file.parameters if key.startswith("rows_")}
    page = report.file.page and report.file.page.model_copy(update={"at_most": CUSTOMERS})
    update = {"parameters": {**report.file.parameters, **more}, "page": page}
    return replace(report, file=report.file.model_copy(update=update))


def parts(message: EmailMessage) -> tuple[Counter[str], list[str], Page]:
    """Return the tags of all HTML, the headers as a mail program parses them, and the HTML itself."""
    parsed = message_from_bytes(message.as_bytes(), policy=default)
    pages = [part.get_content() for part in parsed.walk() if part.get_content_type() == "text/html"]
    page = Page("".join(pages))
    return Counter(page.tags), [name for part in parsed.walk() for name in part], page


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_thousand_hostile_texts_change_nothing_but_text(
    marts: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("winback.report.chart.draw", lambda *_: None)
    monkeypatch.setattr("tests.integration.test_report_scopes.load_report", showing_all)
    _, harmless = issue(marts, name, Scope("everything"))
    plain_tags, plain_headers, _ = parts(harmless)
    for mail in range(MAILS):
        spoil(marts, mail)
        rows, message = issue(marts, name, Scope("everything"))
        assert max(len(found) for found in rows.blocks.values()) == CUSTOMERS
        tags, headers, page = parts(message)
        assert tags["td"] > 2 * CUSTOMERS
        assert tags == plain_tags
        assert headers == plain_headers
        check_text(page)
        check_workbook(message)


def check_text(page: Page) -> None:
    assert not [attribute for _, attribute, _ in page.attributes if attribute.startswith("on")]
    assert max(map(len, re.findall(r"王+|x+", page.text)), default=0) <= 240
    assert not re.search("[\u200b-\u200f\u2028-\u202e\u2066-\u2069]", page.text)


def check_workbook(message: EmailMessage) -> None:
    (workbook,) = [part for part in message.iter_attachments() if str(part.get_filename()).endswith("xlsx")]
    with zipfile.ZipFile(io.BytesIO(workbook.get_content())) as archive:
        sheets = [archive.read(found) for found in archive.namelist() if found.startswith("xl/worksheets/")]
    assert max(sheet.count(b"<row ") for sheet in sheets) == CUSTOMERS + 1
    assert not [sheet for sheet in sheets if re.search(rb"<f[ >]", sheet)]
