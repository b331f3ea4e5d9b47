import re
from collections import Counter
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2 import UndefinedError

from tests.unit.report import samples
from winback.report.render import message_id
from winback.report.scope import ScopedCustomers

pytestmark = pytest.mark.filterwarnings("error:Glyph")  # a character that the chart's font lacks

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HOSTILE = [
    "<script>alert(1)</script>",
    "</td></tr></table><h1>hello",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt;",
    "Li\r\nBcc: evil@example.com",
    "李\u202e\u2066雷\u0000\u200b",
    "王" * 10_000,
    "x" * 10_000,
    "{{ 7 * 7 }} {% raw %} %(count)s %s ${x} <mj-text>",
    "=HYPERLINK(1)",
]


class Page(HTMLParser):
    """What a browser would make of a mail: tags, attributes, text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def html_of(message: EmailMessage) -> str:
    return str(message.get_body(("html",)).get_content())


def text_of(message: EmailMessage) -> str:
    return str(message.get_body(("plain",)).get_content())


@pytest.fixture(params=["zh", "en"])
def message(request: pytest.FixtureRequest) -> EmailMessage:
    return samples.message(request.param)


def test_a_mail_has_text_and_html_with_its_pictures_and_the_workbook(message: EmailMessage) -> None:
    parsed = message_from_bytes(message.as_bytes(), policy=default)
    kinds = [part.get_content_type() for part in parsed.walk()]
    assert kinds == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html"),
        *("image/png", "image/png", XLSX),
    ]
    pictures = [part for part in parsed.walk() if part.get_content_type() == "image/png"]
    shown = [value for tag, name, value in Page(html_of(message)).attributes if (tag, name) == ("img", "src")]
    assert shown == [f"cid:{picture['Content-ID'].strip('<>')}" for picture in pictures]
    assert all(picture.get_content().startswith(b"\x89PNG") for picture in pictures)


def test_pictures_are_described_in_words(message: EmailMessage) -> None:
    alternatives = [value for _, name, value in Page(html_of(message)).attributes if name == "alt"]
    trend, causes = alternatives
    assert "13" in trend
    assert "340" in trend
    assert "41" in causes


def test_a_mail_needs_nothing_from_outside(message: EmailMessage) -> None:
    html = html_of(message)
    links = [value for _, name, value in Page(html).attributes if name in ("src", "href", "background")]
    assert len(links) > 20
    assert {link.split(":")[0] for link in links} == {"cid", "tel"}
    assert not re.search(r"@import|url\(|<link|<script", html)
    assert set(re.findall(r'https?://[^"\s]+', html)) <= {"http://www.w3.org/1999/xhtml"}


def test_a_mail_is_small_enough_to_be_shown_whole(message: EmailMessage) -> None:
    assert len(html_of(message).encode()) < 90_000


def test_mjml_left_no_tag_behind(message: EmailMessage) -> None:
    assert "<mj" not in html_of(message)


def test_every_figure_stands_in_both_parts() -> None:
    message = samples.message("en")
    shown = Page(html_of(message)).text
    figures = [
        "340",
        "$567,123",
        "12",
        "$8,900",
        "2,446",
        "0.49%",
        "12 of 2,453 customers",
        "2,871",
        "$88,123",
    ]
    changes = ["+18", "+$31,200", "−3", "−4", "unchanged", "−0.12 pts", "−120", "−$4,210", "+5"]
    for figure in figures + changes:
        assert figure in shown
        assert figure in text_of(message)


def test_chinese_mails_say_it_in_chinese() -> None:
    message = samples.message("zh")
    shown = Page(html_of(message)).text
    assert message["Subject"] == "东北大区：流失 12 位，有风险 340 位（2017 年第 52 周）"
    assert message["Content-Language"] == "zh-CN"
    for phrase in (
        "US$56.71万",
        "2,453 位中的 12 位",
        "−0.12 个百分点",
        "2017年12月25日至31日",
        "1 件投诉未结",
    ):
        assert phrase in shown
        assert phrase in text_of(message)
    own_words = set(re.findall(r"[A-Za-z]{3,}", text_of(message)))
    assert own_words <= {"USD", "Zhang", "Wei", "erp", "service", "desk", "service_desk", "retail"}


def test_a_good_change_is_green_and_a_bad_one_red() -> None:
    html = html_of(samples.message("en"))
    colours = dict(re.findall(r'<span class="(good|bad)"[^>]*>([^<]+)</span>', html)[::-1])
    assert re.search(r'class="bad"[^>]*>\+18<', html)  # more customers at risk
    assert re.search(r'class="good"[^>]*>−3<', html)  # fewer churned
    assert re.search(r'class="bad"[^>]*>−4<', html)  # fewer live customers
    assert set(colours) == {"good", "bad"}


@pytest.mark.parametrize(
    ("churned", "at_risk", "rows", "headline"),
    [
        (
            "1",
            "1",
            1,
            "1 customer churned this week, worth $5,000 a year. 1 customer is at risk, worth $7,000 a year."
            " Call the customer below first, worth $65,589 a year.",
        ),
        (
            "0",
            "2",
            2,
            "No customer churned this week. 2 customers are at risk, worth $7,000 a year."
            " Call the 2 customers below first: together they are worth $65,589 a year.",
        ),
        ("0", "0", 0, "No customer churned this week. Nobody is at risk. There is nobody you need to call."),
    ],
)
def test_the_headline_says_what_happened_and_what_to_do(
    churned: str, at_risk: str, rows: int, headline: str
) -> None:
    values = {"customers_churned": churned, "customers_at_risk": at_risk}
    values |= {"lost_revenue": "5000", "revenue_at_risk": "7000"}
    figures = [{**row, "value": samples.decimal(values.get(row["name"], "1"))} for row in samples.figures()]
    found = samples.report_rows("en", figures=figures, call_first=samples.call_first("en", rows), overdue=[])
    assert text_of(samples.message("en", found)).splitlines()[3] == headline


def test_churn_without_a_known_value_is_still_said() -> None:
    figures = [
        {**row, "value": None if row["name"] == "lost_revenue" else row["value"]} for row in samples.figures()
    ]
    text = text_of(samples.message("en", samples.report_rows("en", figures=figures)))
    assert "12 customers churned this week. 340 customers" in text
    assert "Lost revenue: –" in text


def test_an_empty_scope_reads_well(language: str) -> None:
    empty = samples.report_rows(language, **dict.fromkeys(samples.report_rows().blocks, ()))
    message = samples.message(language, replace(empty, scope=ScopedCustomers(None, 0)))
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    assert {"zh": "还没有客户", "en": "no customers in your scope"}[language] in text_of(message)
    assert "None" not in html_of(message) + text_of(message)


# Columns of the marts that are never null, or that a row is made for.
KNOWN = {
    *(
        "name",
        "feed",
        "source_id",
        "stage",
        "place",
        "week_ends_on",
        "reason_class",
        "kind",
        "next_tier",
        "growth",
    ),
    *(
        "metric",
        "business_line",
        "month",
        "count",
        "amount",
        "opened_on",
        "complaints",
        "candidates",
        "started_on",
    ),
    *("window_days", "cause_key", "days_open"),
}


def test_what_is_not_known_is_a_dash(language: str) -> None:
    rows = samples.report_rows(language)
    nothing = {
        block: [
            {name: value if name in KNOWN else None for name, value in row.items()}
            for row in found
        ]
        for block, found in rows.blocks.items()
    }  # fmt: skip
    for customer in nothing["call_first"]:
        customer |= {"name": None, "customer_id": "4711", "open_complaints": 0, "candidates": 20}
    for occasion in nothing["care"]:
        occasion |= {"customer_id": "4711", "due_on": samples.AS_OF, "reason": "?", "occasions": 8}
    message = samples.message(language, samples.report_rows(language, **nothing))
    text = text_of(message)
    assert text.count("–") > 10
    assert "4711" in text
    assert "None" not in html_of(message) + text


def test_figures_of_a_missing_feed_are_left_out() -> None:
    figures = [row for row in samples.figures() if not row["name"].startswith("complaints")]
    message = samples.message("en", samples.report_rows("en", figures=figures))
    assert "Complaints opened" not in html_of(message) + text_of(message)
    assert "Orders by customers" in html_of(message)


def test_late_data_are_said_on_top(language: str) -> None:
    late = samples.report_rows(language, data_quality=samples.data_quality(is_stale=True))
    message = samples.message(language, late)
    notice = {
        "zh": "来自 service_desk 的投诉数据没有按时到达：2017年12月29日 之后的没有计入。",
        "en": "Complaints from service_desk did not arrive in time: nothing after Dec 29, 2017 is counted.",
    }[language]
    assert notice in html_of(message)
    assert notice in text_of(message)
    assert notice not in html_of(samples.message(language))


def test_an_unfinished_week_says_so() -> None:
    message = samples.message("en", as_of_date=samples.AS_OF.replace(day=30))
    assert "The data end on Dec 30, 2017, before the end of this week" in html_of(message)


def test_hostile_text_changes_neither_layout_nor_headers(language: str) -> None:
    def tags_and_headers(text: str) -> tuple[Counter[str], list[str], Page]:
        hostile = {"name": text, "phone": text, "region": text, "reason": text, "evidence": text}
        customers = [{**row, **hostile, "other_reasons": [text]} for row in samples.call_first(language)]
        rows = samples.report_rows(language, call_first=customers, trend=[])
        message = samples.message(
            language,
            replace(rows, scope=ScopedCustomers(text, 5)),
            recipient=samples.recipient(language, name=text),
        )
        parsed = message_from_bytes(message.as_bytes(), policy=default)
        page = Page(html_of(parsed))
        return Counter(page.tags), parsed.keys(), page

    plain_tags, plain_headers, _ = tags_and_headers("Li Lei")
    assert plain_tags["td"] > 100
    for text in HOSTILE:
        tags, headers, page = tags_and_headers(text)
        assert tags == plain_tags
        assert headers == plain_headers
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
        assert max(map(len, re.findall(r"王+|x+", page.text)), default=0) <= 240
    assert "<script>alert(1)</script>" in tags_and_headers(HOSTILE[0])[2].text  # shown, not run


def test_hostile_mails_are_still_small() -> None:
    wide = dict.fromkeys(("name", "phone", "region", "reason", "evidence"), "王" * 10_000)
    customers = [{**row, **wide} for row in samples.call_first("zh")]
    assert (
        len(html_of(samples.message("zh", samples.report_rows("zh", call_first=customers))).encode())
        < 150_000
    )


@pytest.mark.parametrize("address", ["a@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com"])
def test_an_address_cannot_bring_a_header_or_a_second_address(address: str) -> None:
    with pytest.raises(Exception, match=r"(?i)address|CR|mailbox|invalid|@"):
        samples.message(recipient=samples.recipient(address=address))


def test_a_message_id_depends_on_report_period_and_recipient_alone() -> None:
    usual = message_id("weekly", "2017-W52", "lin@example.com", "Winback <w@example.com>")
    assert usual == samples_id("weekly", "2017-W52", "LIN@example.com")
    assert re.fullmatch(r"<weekly\.2017-W52\.[0-9a-f]{20}@example\.com>", usual)
    others = {
        samples_id("monthly", "2017-W52", "lin@example.com"),
        samples_id("weekly", "2017-W51", "lin@example.com"),
        samples_id("weekly", "2017-W52", "li@example.com"),
    }
    assert len(others | {usual}) == 4


def samples_id(*key: Any) -> str:
    return message_id(*key, "Winback <w@example.com>")


def test_rendering_twice_gives_the_same_mail() -> None:
    def shown(message: EmailMessage) -> list[Any]:
        """A workbook says when it was written, and is left out."""
        parts = [part for part in message.walk() if not part.is_multipart()]
        return [part.get_content() for part in parts if part.get_content_type() != XLSX]

    one, two = samples.message("zh"), samples.message("zh")
    assert len(shown(one)) == 4
    assert shown(one) == shown(two)
    assert one.items()[:-1] == two.items()[:-1]


def test_a_row_without_a_column_that_the_template_shows_is_an_error() -> None:
    rows = samples.report_rows(
        "en", data_quality=[{k: v for k, v in samples.data_quality()[0].items() if k != "rows_in"}]
    )
    with pytest.raises(UndefinedError, match="rows_in"):
        samples.message("en", rows)


def test_the_data_box_links_the_page_where_pages_are_served(language: str) -> None:
    assert "2017-12-31" not in html_of(samples.message(language))
    served = replace(samples.HOUSE, pages_url="https://winback.example.com/quality/")
    message = samples.message(language, house=served)
    url = f"https://winback.example.com/quality/2017-12-31.{language}.html"
    assert f'href="{url}"' in html_of(message)
    said = {"en": f"All checks of the day: {url}", "zh": f"查看当天的全部数据检查：{url}"}
    assert said[language] in text_of(message)
