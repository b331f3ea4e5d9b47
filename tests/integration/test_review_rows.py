"""The quarterly review's queries at the edges of the quarter, and beside the quarters compared with it."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.report_marts import create_marts
from winback.report.definition import load_report
from winback.report.period import calendar_quarter
from winback.report.query import ReportRows, read_rows
from winback.report.scope import Recipient, Scope

AS_OF = date(2017, 12, 31)
FIRST, LAST = date(2017, 10, 1), AS_OF
DAY = timedelta(days=1)


@pytest.fixture
def marts(warehouse: str) -> Iterator[Any]:
    """Return marts with ten customers, of whom the first five are in region N, and two account managers."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        create_marts(connection)
        connection.execute(
            """
            insert into marts.dim_region (region_key, name, region_path) values
                ('N', 'North', '{N}'), ('S', 'South', '{S}');
            insert into marts.dim_account_manager (account_manager_key, name)
            values ('m1', '林'), ('-1', null);
            insert into marts.dim_customer (customer_key, business_line, region_key)
            select
                'c' || n,
                case when n <= 8 then 'retail' else 'export' end,
                case when n <= 5 then 'N' else 'S' end
            from generate_series(1, 10) as n
            """
        )
        yield connection


def add_campaign(
    marts: psycopg.Connection[Any],
    name: str,
    ends_on: date,
    arms: str = "ttcc",
    back: str = "t",
    **result: Any,
) -> None:
    """Add a campaign of the first customers, an arm for each; those of the arms in `back` came back."""
    is_complete = ends_on <= AS_OF
    words = {"t": "treated", "c": "control", "o": "outside"}
    for number, arm in enumerate(arms, start=1):
        marts.execute(
            "insert into marts.campaign_members (campaign_id, customer_key, business_line, arm, value_tier,"
            " reason_class, time_away, assigned_on, window_ends_on, is_complete, has_returned)"
            " values (%s, %s, 'retail', %s, 'major', 'disappointed', 'long', %s, %s, %s, %s)",
            [name, f"c{number}", words[arm], ends_on - 90 * DAY, ends_on, is_complete,
             arm in back if is_complete else None],
        )  # fmt: skip
    usual = {"margin_won": Decimal(100), "treated_cost": Decimal(40), "finding": "worked"}
    row = {"campaign_id": name, "name_en": name, "name_zh": name, "business_line": "retail",
           **{word: arms.count(arm) for arm, word in words.items()}, **usual, **result}  # fmt: skip
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    marts.execute(f"insert into marts.campaign_results ({columns}) values ({places})", list(row.values()))


def add_task(marts: psycopg.Connection[Any], due_on: date, status: str, **more: Any) -> None:
    row = {"customer_key": "c1", "account_manager_key": "m1", "due_on": due_on, "status": status,
           "is_late": False if status == "done" else None, **more}  # fmt: skip
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    marts.execute(f"insert into marts.winback_tasks ({columns}) values ({places})", list(row.values()))


def read(marts: psycopg.Connection[Any], scope: Scope | None = None, as_of: date = AS_OF) -> ReportRows:
    reader = Recipient("head@example.com", "Head", "en", scope or Scope("everything"))
    report = load_report("quarterly_campaign_review")
    rows = read_rows(marts, report, reader, calendar_quarter(AS_OF), as_of)
    assert rows is not None
    return rows


def names(rows: ReportRows, block: str) -> list[str]:
    return [row["name"] for row in rows.blocks[block]]


def figures(rows: ReportRows) -> dict[str, tuple[Any, Any, Any]]:
    return {row["name"]: (row["value"], row["change"], row["year_change"]) for row in rows.blocks["figures"]}


def test_a_campaign_belongs_to_the_quarter_in_which_its_window_ended(marts: Any) -> None:
    for name, ends_on in (("before", FIRST - DAY), ("first", FIRST), ("last", LAST), ("after", LAST + DAY)):
        add_campaign(marts, name, ends_on)
    add_campaign(marts, "next", LAST + 91 * DAY)  # drawn on the day after the quarter
    rows = read(marts)
    assert names(rows, "campaigns") == ["first", "last"]
    assert names(rows, "running") == ["after"]


def test_a_campaign_that_the_data_do_not_reach_the_end_of_is_still_running(marts: Any) -> None:
    add_campaign(marts, "late", LAST)
    marts.execute("update marts.campaign_members set is_complete = false, has_returned = null")
    rows = read(marts, as_of=LAST - DAY)
    assert (names(rows, "campaigns"), names(rows, "running")) == ([], ["late"])


def test_the_largest_campaign_stands_first(marts: Any) -> None:
    add_campaign(marts, "a", LAST, "tc")
    add_campaign(marts, "b", LAST, "tttc")
    assert names(read(marts), "campaigns") == ["b", "a"]


@pytest.mark.parametrize(
    ("scope", "treated", "finding", "gain"),
    [
        (Scope("everything"), 4, "worked", Decimal(60)),
        (Scope("business_line", "retail"), 4, "worked", Decimal(60)),
        (Scope("region", "N"), 3, "part", None),
        (Scope("business_line", "export"), None, None, None),
    ],
)
def test_who_sees_a_part_of_a_campaign_sees_their_own_counts(
    marts: Any, scope: Scope, treated: int | None, finding: str | None, gain: Decimal | None
) -> None:
    add_campaign(marts, "spring", LAST, "tttcotc", uplift=Decimal("0.3"), revenue_won=Decimal(200))
    rows = read(marts, scope)
    if treated is None:
        assert rows.blocks["campaigns"] == rows.blocks["figures"] == rows.blocks["segments"] == ()
        return
    (row,) = rows.blocks["campaigns"]
    assert (row["treated"], row["treated_returned"], row["treated_rate"]) == (treated, treated, 1)
    assert (row["finding"], row["gain"]) == (finding, gain)
    assert (row["uplift"] is None) == (row["revenue_won"] is None) == (finding == "part")
    assert figures(rows).get("campaign_gain", (None,))[0] == gain
    assert sum(segment["treated"] for segment in rows.blocks["segments"]) == treated


def test_chances_are_of_the_whole_line_and_only_for_who_sees_it(marts: Any) -> None:
    add_campaign(marts, "spring", LAST)
    marts.execute(
        "insert into marts.winback_posteriors (business_line, value_tier, reason_class, time_away,"
        " time_away_en, p_treated) values ('retail', 'major', 'disappointed', 'long', 'a year', 0.3)"
    )
    for scope, chance in (
        (Scope("everything"), Decimal("0.3")),
        (Scope("business_line", "retail"), Decimal("0.3")),
        (Scope("region", "N"), None),
    ):
        (segment,) = read(marts, scope).blocks["segments"]
        assert (segment["time_away"], segment["p_treated"]) == ("a year", chance)


def test_the_gain_of_a_quarter_is_not_known_when_that_of_one_campaign_is_not(marts: Any) -> None:
    add_campaign(marts, "a", LAST)
    assert figures(read(marts))["campaign_gain"][0] == 60
    add_campaign(marts, "b", LAST, "tt", margin_won=None)
    assert "campaign_gain" not in figures(read(marts))


def test_feedback_is_of_the_tasks_that_were_due_in_the_quarter(marts: Any) -> None:
    for due_on in (FIRST - DAY, FIRST, LAST, LAST + DAY):
        add_task(marts, due_on, "done", result="reached")
    add_task(marts, date(2017, 11, 5), "done", is_late=True, result="refused")
    add_task(marts, date(2017, 11, 6), "overdue")
    add_task(marts, date(2017, 11, 6), "withdrawn", result="ordered")
    add_task(marts, date(2017, 11, 7), "overdue", customer_key="c9", account_manager_key="-1")
    rows = read(marts)
    nobody, lin = rows.blocks["feedback"]
    assert (lin["account_manager"], nobody["account_manager"]) == ("林", None)
    counts = ("tasks_due", "tasks_done_in_time", "tasks_done_late", "tasks_overdue")
    assert tuple(nobody[name] for name in counts) == (1, 0, 0, 1)
    assert tuple(lin[name] for name in counts) == (4, 2, 1, 1)
    assert (lin["all_due"], lin["all_overdue"], lin["all_in_time_share"]) == (5, 2, Decimal("0.4"))
    assert [tuple(row.values()) for row in rows.blocks["answers"]] == [
        (date(2017, 10, 1), 1, 1, 0, 0),
        (date(2017, 11, 1), 3, 0, 1, 2),
        (date(2017, 12, 1), 1, 1, 0, 0),
    ]
    assert sum(row["tasks_due"] for row in rows.blocks["feedback_months"]) == 5
    results = {row["result"]: row["tasks"] for row in rows.blocks["results"]}
    assert results == {"reached": 2, "refused": 1, "overdue": 2, "ordered": 1}
    north = read(marts, Scope("region", "N")).blocks["feedback"]
    assert [(row["account_manager"], row["tasks_due"]) for row in north] == [("林", 4)]


def test_figures_stand_beside_the_quarter_before_and_last_years(marts: Any) -> None:
    add_campaign(marts, "last_year", date(2016, 12, 31), "tttt", back="", margin_won=Decimal(0))
    add_campaign(marts, "before", date(2017, 9, 30), "tt")
    add_campaign(marts, "now", LAST, "tttcc")
    for due_on, status in ((date(2016, 10, 1), "overdue"), (date(2017, 7, 1), "overdue"), (LAST, "done")):
        add_task(marts, due_on, status)
    found = figures(read(marts))
    assert found == {
        "treated_rate": (1, 0, 1),
        "campaign_gain": (60, 0, 100),
        "campaigns_ended": (1, 0, 0),
        "treated": (3, 1, -1),
        "treated_returned": (3, 1, 3),
        "in_time_share": (1, 1, 1),
        "tasks_overdue": (0, -1, -1),
        "tasks_due": (1, 0, 0),
    }


def test_a_quarter_without_anything_has_no_rows(marts: Any) -> None:
    rows = read(marts)
    assert set(map(len, rows.blocks.values())) == {0}
