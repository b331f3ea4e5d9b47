"""A campaign from the list to what it brought: drawn once, decided by a person, counted by assignment."""

import csv
from datetime import timedelta
from decimal import Decimal

import numpy as np
import psycopg
import pytest
from click.testing import CliRunner

from tests.company import DAY, days_after
from winback import cli
from winback.build import build_warehouse
from winback.campaign import chances, decisions, trial
from winback.campaign.approval import forms_to_answer, record_answer
from winback.campaign.plan import read_plans
from winback.errors import WinbackError
from winback.load import load_feed
from winback.report.definition import load_report
from winback.report.period import calendar_quarter
from winback.report.query import read_rows
from winback.report.scope import Recipient, Scope
from winback.rules.seeds import read_seeds
from winback.warehouse import connect

pytestmark = pytest.mark.usefixtures("quick_checks")

LONG_AGO, RETURN = "2025-06-01 10:00", "2025-11-01 10:00"


@pytest.fixture
def own_campaigns(tmp_path, monkeypatch):
    """Return a function that writes the company's campaigns: changes of a usual one."""
    folder = tmp_path / "own_rules"
    folder.mkdir()
    monkeypatch.setenv("WINBACK_COMPANY_RULES", str(folder))
    usual = {
        **dict.fromkeys(read_seeds()["campaigns"].columns, ""),
        "business_line": "retail", "name_zh": "回家", "name_en": "Come home", "offer_zh": "九折",
        "offer_en": "Ten percent off", "starts_on": days_after(2), "capacity": 40, "contact_cost": 10,
        "control_share": "0.25", "target_rate": "0.1", "window_days": 30,
    }  # fmt: skip

    def write(*campaigns):
        with (folder / "campaigns.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, usual)
            writer.writeheader()
            writer.writerows(usual | campaign for campaign in campaigns)

    return write


@pytest.fixture
def silent_company(company):
    """Return a company of which 100 customers are silent; of 20 others half came back by themselves."""
    sold = [
        (f"L{number:03}", LONG_AGO, 1_000 + 10 * number, f"C{number:03}", LONG_AGO) for number in range(100)
    ]
    for number in range(20):
        sold.append((f"E{number:03}", "2025-03-01 10:00", 100, f"D{number:03}", LONG_AGO))
        if number < 10:
            sold.append((f"R{number:03}", RETURN, 100, f"D{number:03}", RETURN))
    company.sell(*sold)
    build_on(company, DAY)
    return company


def build_on(company, day):
    for feed in ("orders", "complaints"):
        load_feed(company.settings, feed, day)
    assert build_warehouse(company.settings, day).outcome == "published"


def test_a_list_is_drawn_once_decided_by_a_person_and_counted_by_assignment(
    silent_company, own_campaigns, warehouse, query
):
    company = silent_company
    own_campaigns(
        {"campaign_id": "spring"},
        {"campaign_id": "second", "starts_on": days_after(3), "window_days": 60},
        {"campaign_id": "much_later", "starts_on": days_after(4)},
        {"campaign_id": "over", "starts_on": days_after(-31)},
    )
    plans = read_plans(company.settings)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        drawn = decisions.propose(connection, plans["spring"])
        assert drawn is not None
        assert decisions.propose(connection, plans["spring"]) == drawn
        members = decisions.members_of(connection, drawn.decision_id)
    assert query("select count(*) from ops.campaign_members") == [(0,)]

    # the dearest first, cut at capacity; the control group is drawn from these
    keys = [member.candidate.customer_key for member in members]
    assert keys == [f"erp:C{number:03}" for number in range(99, 59, -1)]
    arms = [member.arm for member in members]
    outside = arms.count("outside")
    assert outside > 0
    assert arms.count("control") == round((40 - outside) / 4)
    assert all((member.arm == "outside") == (member.candidate.value_tier == "vip") for member in members)

    # nobody is on two lists
    forms = forms_to_answer(company.settings)
    assert len(forms) == 2
    assert forms[0]["decision_id"] == drawn.decision_id
    assert "erp:C099" in forms[0]["body"]
    assert "回家" in forms[0]["subject"]
    other = forms[1]["decision_id"]
    assert query("select count(*), count(distinct customer_key) from ops.campaign_proposals") == [(80, 80)]

    assert record_answer(drawn.decision_id, is_approved=True, by="ada", reason=None) == "approved"
    before = query("select * from ops.campaign_members order by customer_key")
    assert len(before) == 40
    assert record_answer(drawn.decision_id, is_approved=True, by="eve", reason=None) == "approved"
    assert record_answer(drawn.decision_id, is_approved=False, by="eve", reason="late") == "approved"
    assert query("select * from ops.campaign_members order by customer_key") == before
    assert query("select decided_by from ops.campaign_decisions where state = 'approved'") == [("ada",)]
    with (
        psycopg.connect(warehouse, autocommit=True) as connection,
        pytest.raises(WinbackError, match="approved already"),
    ):
        decisions.propose(connection, plans["spring"])
    assert record_answer(other, is_approved=True, by="ada", reason=None) == "approved"
    assert query("select count(*) from ops.campaign_proposals") == [(0,)]

    the_results_follow_the_assignment(company, query)
    agrees_with_numpy(query)

    said = CliRunner().invoke(cli.main, ["campaign", "results"])
    assert "spring: " in said.output
    assert "window ends on" in said.output


def the_results_follow_the_assignment(company, query):
    """Let 12 of the treated and 1 of the control group come back in time, and look at what is said of it."""
    by_arm = dict(
        query(
            "select arm, array_agg(customer_key order by customer_key) from ops.campaign_members"
            " where campaign_id = 'spring' group by arm"
        )
    )
    back = [*by_arm["treated"][:12], by_arm["control"][0]]
    in_time, late = (f"{days_after(days):%Y-%m-%d} 10:00" for days in (30, 31))
    company.sell(
        *((f"B{place}", in_time, 500, key.removeprefix("erp:"), in_time) for place, key in enumerate(back)),
        ("B99", late, 500, by_arm["control"][1].removeprefix("erp:"), late),
    )
    build_on(company, days_after(31))

    ((treated, treated_back, control, control_back, uplift, low, high, won),) = query(
        "select treated, treated_returned, control, control_returned, uplift, uplift_low, uplift_high,"
        " revenue_won from marts.campaign_results where campaign_id = 'spring' and is_complete"
    )
    assert (treated_back, control_back) == (12, 1)
    assert (treated, control) == (len(by_arm["treated"]), len(by_arm["control"]))
    expected = trial.uplift(treated, treated_back, control, control_back)
    assert [float(value) for value in (uplift, low, high)] == pytest.approx(
        [expected.estimate, expected.low, expected.high]
    )
    assert float(won) == pytest.approx(500 * (12 - treated / control))
    assert query(
        "select is_complete, treated_rate, is_too_small from marts.campaign_results"
        " where campaign_id = 'second'"
    ) == [(False, None, True)]

    the_review_says_the_same(query)

    # whoever is left alone by the unfinished campaign is let go, by whatever path
    left_alone = "select distinct decision from marts.winback_candidates where arm = 'control'"
    assert query(left_alone) == [("let_go",)]
    assert query("select count(*) from marts.winback_candidates where campaign_id = 'spring'") == [(0,)]


def the_review_says_the_same(query):
    """Hold the quarterly review's campaigns to the results, for who sees all members and for who does not."""
    day = days_after(30)
    compared = "treated, treated_returned, control, control_returned, uplift, margin_won, finding"
    (expected,) = query(f"select {compared} from marts.campaign_results where campaign_id = 'spring'")

    def read(scope):
        with connect(autocommit=True) as connection:
            reader = Recipient("head@example.com", "Head", "en", scope)
            report = load_report("quarterly_campaign_review")
            return read_rows(connection, report, reader, calendar_quarter(day), days_after(31)).blocks

    blocks = read(Scope("everything"))
    (ended,) = blocks["campaigns"]
    assert tuple(ended[name.strip()] for name in compared.split(",")) == expected
    assert ended["gain"] == ended["margin_won"] - ended["treated_cost"]
    assert [row["campaign_id"] for row in blocks["running"]] == ["second"]
    figures = {row["name"]: row["value"] for row in blocks["figures"]}
    assert figures["treated_rate"] == ended["treated_rate"]
    assert figures["campaign_gain"] == ended["gain"]
    segments = blocks["segments"]
    assert sum(row["treated_returned"] for row in segments) == ended["treated_returned"]
    assert sum(row["control"] for row in segments) == ended["control"]
    assert all(row["p_treated"] is not None and row["time_away"] for row in segments)
    assert read(Scope("business_line", "retail"))["campaigns"] == blocks["campaigns"]


def agrees_with_numpy(query):
    """Compare chances and gains of the marts with those that simulations rest on."""
    segments = query(
        "select evenings_returned, evenings, line_rate, prior_strength, assumed_uplift, control_returned,"
        " control, treated_returned, treated, p_untreated, p_treated from marts.winback_posteriors"
    )
    (
        hits,
        size,
        line,
        strength,
        assumed,
        control_hits,
        control,
        treated_hits,
        treated,
        untreated,
        posterior,
    ) = np.array(segments, float).T
    assert treated.sum() > 0
    prior = chances.leaning(hits, size, line, strength[0])
    assert chances.leaning(control_hits, control, prior, strength[0]) == pytest.approx(untreated)
    lifted = chances.treated_prior(prior, assumed[0])
    assert chances.leaning(treated_hits, treated, lifted, strength[0]) == pytest.approx(posterior)
    gains = query(
        "select p_treated, p_untreated, margin_12m, contact_cost, expected_gain from marts.winback_candidates"
    )
    p_treated, p_untreated, margin, cost, gain = np.array(gains, float).T
    assert len(gain)
    assert chances.expected_gain(p_treated, p_untreated, margin, cost[0]) == pytest.approx(gain)


def test_a_list_is_rejected_with_a_reason_or_expires_and_then_another_is_put_up(
    silent_company, own_campaigns, warehouse, query
):
    own_campaigns({"campaign_id": "spring", "value_tiers": "major ordinary"})
    settings = silent_company.settings
    (form,) = forms_to_answer(settings)
    (again,) = forms_to_answer(settings)
    assert again == form
    assert record_answer(form["decision_id"], is_approved=False, by=None, reason=None) == "expired"
    (fresh,) = forms_to_answer(settings)
    assert fresh["decision_id"] > form["decision_id"]
    assert (fresh["subject"], fresh["body"]) == (form["subject"], form["body"])

    # another list takes the place of the one that waits
    own_campaigns({"campaign_id": "spring", "capacity": 3})
    (smaller,) = forms_to_answer(settings)
    assert record_answer(fresh["decision_id"], is_approved=True, by="ada", reason=None) == "expired"
    assert record_answer(smaller["decision_id"], is_approved=False, by="ada", reason="too dear") == "rejected"
    assert forms_to_answer(settings) == []
    assert query("select count(*) from ops.campaign_members") == [(0,)]
    assert query("select state, decided_by, reason from ops.campaign_decisions order by decision_id") == [
        ("expired", None, "nobody answered in time"),
        ("expired", None, "a newer list took its place"),
        ("rejected", "ada", "too dear"),
    ]


def test_commands_say_how_campaigns_stand_and_what_is_missing(
    silent_company, own_campaigns, tmp_path, monkeypatch
):
    monkeypatch.setenv("WINBACK_CONFIG", str(tmp_path / "winback.yml"))

    def run(*arguments):
        return CliRunner().invoke(cli.main, ["campaign", *arguments])

    assert "no campaigns" in run("list").output
    assert "no campaign was carried out" in run("results").output
    own_campaigns({"campaign_id": "spring"}, {"campaign_id": "nobody", "value_tiers": "none"})
    assert "there is none among the 2" in run("propose", "sprung").stderr
    assert "no list waits" in run("approve", "spring").stderr
    assert "nobody whom it is for" in run("propose", "nobody").output
    assert "erp:C099" in run("propose", "spring").output
    assert run("approve", "spring", "--by", "ada").output == "spring: approved, 40 customers\n"
    assert "approved" in run("list").output
    assert "by ada" in run("list").output


def test_a_window_is_over_when_its_last_day_is(own_campaigns, company):
    own_campaigns({"campaign_id": "spring", "window_days": "", "control_share": ""})
    plan = read_plans(company.settings)["spring"]
    assert (plan.window_days, plan.control_share) == (90, Decimal("0.1"))
    lead = timedelta(days=3)
    start = plan.starts_on
    due = [plan.is_due(start + timedelta(days=days), lead) for days in (-4, -3, 0, 89, 90)]
    assert due == [False, True, True, True, False]
