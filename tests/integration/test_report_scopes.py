"""Whoever receives whatever report, of whatever part of a company: their own customers, and right figures."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import openpyxl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.report_marts import AS_OF, Customer, Region, Scene, create_marts, manager_key
from tests.unit.report import samples
from winback.report.definition import load_report
from winback.report.glossary import read_definitions
from winback.report.language import Formats
from winback.report.period import Period, calendar_month, calendar_quarter, iso_week, one_day
from winback.report.query import ReportRows, read_rows
from winback.report.render import render
from winback.report.scope import Recipient, Scope, with_account_managers
from winback.warehouse.schema import ensure_schema

PERIODS = {"week": iso_week, "day": one_day, "month": calendar_month, "quarter": calendar_quarter}
NAMES = ("weekly_retention", "key_customer_alert", "monthly_tier_review", "quarterly_campaign_review")
STAGES = ("active", "at_risk", "churned")
TIERS = ("vip", "major", "ordinary", "small")
LINES = ("retail", "export")


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Draw a forest of regions and customers in any of them."""
    parents: list[int | None] = [None]
    for number in range(1, draw(st.integers(1, 6))):
        parents.append(draw(st.none() | st.integers(0, number - 1)))
    regions = tuple(Region(number, parent) for number, parent in enumerate(parents))
    customers = tuple(
        Customer(
            number,
            draw(st.integers(0, len(regions) - 1)),
            draw(st.integers(0, 2)),
            draw(st.sampled_from(LINES)),
            draw(st.sampled_from(STAGES)),
            draw(st.sampled_from(TIERS)),
        )
        for number in range(draw(st.integers(1, 8)))
    )
    numbers = st.integers(0, 5)
    superiors = draw(st.dictionaries(numbers, numbers, max_size=6))  # circles too
    return Scene(regions, customers, superiors, draw(st.frozensets(numbers, max_size=2)))


def in_scope(scene: Scene, scope: Scope) -> list[Customer]:
    """Return a scope's customers, worked out without the warehouse."""
    return [
        customer
        for customer in scene.customers
        if scope.kind == "everything"
        or (scope.kind == "region" and scope.key in scene.path(customer.region))
        or (scope.kind == "business_line" and scope.key == customer.business_line)
        or (scope.kind == "account_manager" and scope.key == manager_key(customer.manager))
        or (scope.kind == "team" and scope.key in map(manager_key, chain(scene, customer.manager)))
    ]


def chain(scene: Scene, manager: int) -> list[int]:
    """Return a manager and all superiors, nearest first, each once."""
    found = [manager]
    while (superior := scene.superiors.get(found[-1])) is not None and superior not in found:
        found.append(superior)
    return found


def receivers(scene: Scene) -> set[tuple[str, str]]:
    """Return the scope kind and key of each account manager or superior who receives something."""
    owners = {customer.manager for customer in scene.customers}
    nearest = set()
    for owner in owners:
        superior = scene.superiors.get(owner)
        asked = set()
        while superior in scene.left and superior not in asked:
            asked.add(superior)
            superior = scene.superiors.get(superior)
        nearest.add(superior)
    return {
        ("team" if number in nearest else "account_manager", manager_key(number))
        for number in owners | nearest - {None}
        if number not in scene.left
    }


@st.composite
def cases(draw: st.DrawFn) -> tuple[Scene, Scope]:
    """Draw a company and a part of it that has a name."""
    scene = draw(scenes())
    one = draw(st.sampled_from(scene.customers))
    region = draw(st.sampled_from(scene.regions))
    scopes = [Scope("region", region.key), Scope("region", region.key), Scope("everything")]
    scopes += [Scope("business_line", one.business_line)]
    present = [manager_key(number) for number in scene.managers if number not in scene.left]
    scopes += [Scope(kind, key) for key in present for kind in ("account_manager", "team")]  # type: ignore[arg-type]
    return scene, draw(st.sampled_from(scopes))


@pytest.fixture
def marts(warehouse: str) -> Iterator[Any]:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ensure_schema(connection)
        create_marts(connection)
        yield connection


def fill(marts: psycopg.Connection[Any], scene: Scene) -> None:
    names = [name for (name,) in marts.execute("select tablename from pg_tables where schemaname = 'marts'")]
    marts.execute("truncate " + ", ".join(f"marts.{name}" for name in names))
    scene.fill(marts)


def issue(
    marts: psycopg.Connection[Any], name: str, scope: Scope, language: Any = "en"
) -> tuple[ReportRows, EmailMessage]:
    report = load_report(name)
    period: Period = PERIODS[report.file.period](AS_OF)
    reader = Recipient("lin@example.com", "Lin", language, scope)
    rows = read_rows(marts, report, reader, period, AS_OF)
    assert rows is not None
    message = render(
        report,
        ReportRows(rows.scope, {"missing": (), **rows.blocks}, rows.page),
        reader,
        period=period,
        as_of_date=AS_OF,
        issued_at=datetime(2018, 1, 1, 8, tzinfo=UTC),
        house=samples.HOUSE,
        definitions=read_definitions(),
    )
    return rows, message


def all_text(message: EmailMessage) -> str:
    """Return everything readable in a message: subject, both texts, each cell of the workbook, the page."""
    texts = [str(message["Subject"])]
    for part in message.walk():
        if part.get_content_maintype() == "text":
            texts.append(str(part.get_content()))
        elif part.get_content_type() == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
            workbook = openpyxl.load_workbook(io.BytesIO(part.get_content()))
            texts += [
                str(cell) for page in workbook for row in page.iter_rows(values_only=True) for cell in row
            ]
    return "\n".join(texts)


def check(marts: psycopg.Connection[Any], scene: Scene, scope: Scope) -> None:
    inside = in_scope(scene, scope)
    outside = [customer for customer in scene.customers if customer not in inside]
    managers = {customer.manager for customer in inside}
    for name in NAMES:
        rows, message = issue(marts, name, scope)
        assert rows.scope.customers == len(inside)
        text = all_text(message) + repr(rows)  # the rows are all that charts are drawn from
        foreign = [mark for customer in outside for mark in customer.marks if mark in text]
        foreign += [
            f"经理{customer.manager:03}"
            for customer in outside
            if customer.manager not in managers and f"经理{customer.manager:03}" in text
        ]
        assert foreign == [], name
        if name == "key_customer_alert":
            key = [customer for customer in inside if customer.tier in ("vip", "major")]
            changed = [customer for customer in key if customer.stage in ("at_risk", "churned")]
            assert {row["customer_key"] for row in rows.blocks["changed"]} == {c.key for c in changed}
            assert {row["customer_key"] for row in rows.blocks["overdue"]} == {c.key for c in key}
            assert load_report(name).file.is_silent(rows.blocks) == (not key)
            if changed:
                assert f"{len(changed)} key customer" in text
                assert Formats("en", "USD").money(sum((c.value for c in changed), Decimal())) in text
            assert all(customer.marks[0] in text for customer in key)
        elif name == "quarterly_campaign_review":
            check_review(inside, len(scene.customers), rows, text)
        else:
            check_figures(name, inside, rows, message)


def check_figures(name: str, inside: list[Customer], rows: ReportRows, message: EmailMessage) -> None:
    """Work out each figure from the company itself, and find it in both texts of the message."""
    at_risk = [customer.value for customer in inside if customer.stage == "at_risk"]
    churned = [customer.value for customer in inside if customer.stage == "churned"]
    number = len(inside)
    orders = 3 if name == "weekly_retention" else 6
    expected: dict[str, Decimal | int | None] = {
        "customers_at_risk": len(at_risk),
        "revenue_at_risk": sum(at_risk, Decimal()),
        "customers_churned": len(churned),
        "lost_revenue": sum(churned, Decimal()),
        "customers_end": number - len(churned),
        "customers_new": 0,
        "customers_reactivated": 0,
        "churn_rate": Decimal(len(churned)) / number if number else None,
        "orders": orders * number,
        "revenue": Decimal(10 * orders * number),
        "complaints_opened": number,
        "complaints_open": number,
    }
    kinds = load_report(name).file.figures
    found = {row["name"]: row["value"] for row in rows.blocks["figures"]}
    if not number:
        assert found == {}
        return
    assert set(found) == set(kinds)
    formats = Formats("en", "USD")
    html = str(message.get_body(("html",)).get_content())  # type: ignore[union-attr]
    text = str(message.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    for figure, kind in kinds.items():
        shown = formats.figure(expected[figure], kind.unit)
        assert f"{kind.label}: {shown}" in text
        assert f">{shown}<" in html.replace("\n", "")


def check_review(inside: list[Customer], number: int, rows: ReportRows, text: str) -> None:
    """Work out from the company itself what came of its campaign and tasks."""
    treated = [one for one in inside if one.arm == "treated"]
    back = [one for one in treated if one.has_returned]
    done = [one for one in inside if one.task_status == "done"]
    expected: dict[str, Decimal | int] = {}
    if inside:
        expected = {
            "campaigns_ended": 1,
            "treated": len(treated),
            "treated_returned": len(back),
            "tasks_due": len(inside),
            "in_time_share": Decimal(len(done)) / len(inside),
            "tasks_overdue": len(inside) - len(done),
        }
    if treated:
        expected["treated_rate"] = Decimal(len(back)) / len(treated)
    if inside and len(inside) == number:
        expected["campaign_gain"] = Decimal(3000)
    found = {row["name"]: row["value"] for row in rows.blocks["figures"]}
    assert found == pytest.approx(expected)
    formats, kinds = Formats("en", "USD"), load_report("quarterly_campaign_review").file.figures
    for figure, value in expected.items():
        assert f"{kinds[figure].label}: {formats.figure(value, kinds[figure].unit)}" in text
    campaigns, running = rows.blocks["campaigns"], rows.blocks["running"]
    assert [row["campaign_id"] for row in campaigns] == ["ended"] * bool(inside)
    assert [row["campaign_id"] for row in running] == ["running"] * bool(inside)
    assert sum(row["treated"] + row["control"] for row in running) == len(inside)
    # who sees a part of the members is told nothing that compares the arms, or that is of all members
    is_whole = bool(inside) and len(inside) == number
    assert [row["finding"] for row in campaigns if is_whole] == ["worked"] * is_whole
    for row in campaigns if not is_whole else ():
        assert row["finding"] == "part"
        whole_only = ("uplift", "margin_won", "treated_cost", "gain", "treated_low")
        assert {row[name] for name in whole_only} == {None}
    owners = {row["account_manager"]: row["tasks_overdue"] for row in rows.blocks["feedback"]}
    assert owners == {
        f"经理{manager:03}": sum(one.manager == manager and one not in done for one in inside)
        for manager in {one.manager for one in inside}
    }


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the pictures, which take most of the time: what they are drawn from is looked at as rows."""
    monkeypatch.setattr("winback.report.chart.draw", lambda *_: None)


def test_a_region_sees_what_lies_below_it_in_every_report(marts: Any, no_charts: None) -> None:
    regions = (Region(0, None), Region(1, 0), Region(2, 1), Region(3, None))
    customers = tuple(
        Customer(number, number % 4, number % 3, LINES[number % 2], STAGES[number % 3], TIERS[number % 2])
        for number in range(12)
    )
    scene = Scene(regions, customers)
    fill(marts, scene)
    for scope in (Scope("region", "erp:R001"), Scope("everything"), Scope("account_manager", "erp:M002")):
        check(marts, scene, scope)
    assert 0 < len(in_scope(scene, Scope("region", "erp:R001"))) < len(customers)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_kept_from_one_recipient_for_the_next(marts: Any, name: str) -> None:
    """On one connection, as in an issue, in both orders: what one was told would show in the other's mail."""
    customers = tuple(
        Customer(number, 0, number % 2, LINES[number % 2], STAGES[number % 3], TIERS[0])
        for number in range(9)
    )
    scene = Scene((Region(0, None),), customers)
    fill(marts, scene)
    scopes = [Scope("account_manager", manager_key(0)), Scope("account_manager", manager_key(1))]
    scopes.append(Scope("everything"))

    def told(scope: Scope) -> tuple[str, tuple[bytes, ...]]:
        rows, message = issue(marts, name, scope)
        assert rows.scope.customers == len(in_scope(scene, scope))
        images = [part for part in message.walk() if part.get_content_maintype() == "image"]
        return all_text(message) + repr(rows), tuple(part.get_content() for part in images)

    forth = {scope: told(scope) for scope in scopes}
    back = {scope: told(scope) for scope in reversed(scopes)}
    assert forth == back
    texts, pictures = ({told[part] for told in forth.values()} for part in (0, 1))
    assert len(texts) == len(scopes)
    assert len(pictures) == len(scopes) or pictures == {()}


def check_receivers(marts: Any, scene: Scene) -> None:
    found = with_account_managers(marts, [], "zh", AS_OF, with_superiors=True)
    assert {(one.scope.kind, one.scope.key) for one in found} == receivers(scene)
    assert len(found) == len(receivers(scene))


def test_a_superior_sees_the_customers_of_all_below_and_stands_in_for_who_left(
    marts: Any, no_charts: None
) -> None:
    customers = tuple(
        Customer(number, 0, manager, LINES[0], STAGES[number % 3], TIERS[0])
        for number, manager in enumerate((1, 1, 2, 3, 5))
    )
    # 1 and 2 report to 4, who has left, and 4 to 5; 3 to 2; 5 and 6 to each other
    scene = Scene((Region(0, None),), customers, {1: 4, 2: 4, 4: 5, 3: 2, 5: 6, 6: 5}, frozenset({4}))
    fill(marts, scene)
    check_receivers(marts, scene)
    assert receivers(scene) == {
        *(("account_manager", manager_key(number)) for number in (1, 3)),
        *(("team", manager_key(number)) for number in (2, 5, 6)),
    }
    for number, seen in ((2, 2), (5, 5), (6, 5), (1, 2)):
        scope = Scope("team", manager_key(number))
        assert len(in_scope(scene, scope)) == seen
        check(marts, scene, scope)


@pytest.mark.parametrize(
    ("days", "listed"), [(0, True), (1, False), (6, False), (7, True), (8, False), (14, True)]
)
def test_the_alert_says_an_overdue_complaint_at_once_and_then_weekly(
    marts: Any, no_charts: None, days: int, listed: bool
) -> None:
    fill(marts, Scene((Region(0, None),), (Customer(0, 0, 0, LINES[0], "active", "vip"),)))
    marts.execute("update marts.fct_complaints set overdue_on = overdue_on - %s", [days])
    rows, _ = issue(marts, "key_customer_alert", Scope("everything"))
    assert bool(rows.blocks["overdue"]) == listed
    assert issue(marts, "weekly_retention", Scope("everything"))[0].blocks["overdue"]


@pytest.mark.slow
def test_no_company_and_no_recipient_brings_others_customers_into_a_report(
    marts: Any, no_charts: None
) -> None:
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
        database=None,
    )
    @given(case=cases())
    def holds(case: tuple[Scene, Scope]) -> None:
        scene, scope = case
        fill(marts, scene)
        check_receivers(marts, scene)
        check(marts, scene, scope)

    holds()
