"""Every row that cannot be meant is refused with its file and line, all of them at once."""

import pytest

from tests.unit.rules.rule_samples import LINES, RULE, as_csv
from winback.errors import WinbackError
from winback.rules.load import load_rules
from winback.rules.seeds import SHIPPED, read_seeds


def refused(lines=LINES):
    """Return the problems that loading names, one a line."""
    with pytest.raises(WinbackError) as raised:
        load_rules(lines)
    problems = raised.value.problem.splitlines()
    count = len(problems) - 1
    assert problems[0] == f"the rules: {count} problem{'s' if count > 1 else ''}."
    assert count
    return [line.strip() for line in problems[1:]]


def test_the_shipped_rules_fit_together_and_watch_signals_of_the_contract():
    rules = load_rules({line: line for line in ("restaurant", "retail", "retail_bank")})
    assert rules.warnings == ()
    assert rules.watched_signals({"a": "retail", "b": "retail", "c": "retail_bank"}) == {
        "retail": ["days_since_last_order", "interval_ratio"],
        "retail_bank": ["balance_change_3m", "months_balance_below_minimum"],
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"policy": "retial"}, "no such policy 'retial'; did you mean retail? allowed: restaurant,"),
        ({"signal": "day_since_order"}, "no such signal 'day_since_order'; did you mean days_since_last_or"),
        ({"comparator": "=>"}, "comparator '=>' is unknown; allowed: >=, <=, >, <, ="),
        ({"outcome": "at risk"}, "outcome 'at risk' is unknown; did you mean at_risk? allowed: watch, at_ri"),
        ({"action": "phone"}, "action 'phone' is unknown; allowed: call, review, win_back"),
        ({"valid_from": "2026-02-29"}, "valid_from '2026-02-29' is no day; write it like 2026-03-01"),
        ({"valid_from": "1/2/2026"}, "valid_from '1/2/2026' is no day"),
        ({"threshold": "30%"}, "threshold '30%' is no number"),
        ({"threshold": "nan"}, "threshold 'nan' is no number"),
        ({"threshold": "1,000"}, "threshold '1,000' is no number"),
        ({"enabled": "是"}, "enabled '是' is neither true nor false"),
        *(({name: " \u3000"}, f"{name} is empty") for name in RULE),
    ],
)
def test_a_cell_that_says_nothing_known_is_refused(company, change, said):
    file = company("churn_rules.csv", as_csv(RULE, RULE | {"rule_id": "other", "threshold": "50"} | change))
    (problem,) = refused()
    assert problem.startswith(f"{file}:3: {said}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"churn_days": "12.5"}, "churn_days '12.5' is no whole number"),
        ({"churn_days": "0"}, "churn_days is 0; it must be at least 1"),
        ({"new_days": "-1"}, "new_days is -1; it must be at least 1"),
        ({"new_days": ""}, "new_days is empty"),
        ({"balance_minimum": "-0.01"}, "balance_minimum is -0.01; it must be at least 0"),
        ({"margin_share": "1.01"}, "margin_share is 1.01; it must be at most 1"),
        ({"discount_rate": "0.009"}, "discount_rate is 0.009; it must be at least 0.01"),
    ],
)
def test_a_policy_counts_in_positive_days_and_amounts(company, change, said):
    policy = {"policy": "shop", "churn_days": "", "new_days": "1", "won_back_days": "1", "bridge_months": "1"}
    policy |= {"monthly_minimum": "", "balance_minimum": "0", "margin_share": "1", "discount_rate": "0.01"}
    file = company("policies.csv", as_csv(policy))
    assert load_rules(LINES).seeds["policies"][-1]["churn_days"] is None
    company("policies.csv", as_csv(policy | change))
    assert refused() == [f"{file}:2: {said}"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metric": "churn_quota"}, "no such metric 'churn_quota'; did you mean churn_rate?"),
        ({"metric": "month"}, "no such metric 'month'"),
        ({"business_line": "retial"}, "no such business_line 'retial'; allowed: shops, all"),
        ({"target": ""}, "target is empty"),
    ],
)
def test_a_target_is_for_a_figure_and_a_line_that_exist(company, change, said):
    target = {"business_line": "all", "metric": "churn_rate", "valid_from": "2026-01-01"}
    target |= {"target": "0.05", "source": "plan"}
    file = company("targets.csv", as_csv(target))
    assert len(load_rules(LINES).seeds["targets"]) == 1
    company("targets.csv", as_csv(target | change))
    (problem,) = refused()
    assert problem.startswith(f"{file}:2: {said}")


def test_a_guess_rests_on_a_signal_that_exists_or_on_any_complaint(company):
    guess = {"evidence": "complaint", "name": "too cold", "reason_class": "disappointed"}
    guess |= {"sub_reason": "quality", "priority": "1"}
    file = company("inferred_reasons.csv", as_csv(guess))
    load_rules(LINES)
    company("inferred_reasons.csv", as_csv(guess | {"evidence": "signal"}))
    (problem,) = refused()
    assert problem.startswith(f"{file}:2: no such name 'too cold'")


def test_all_problems_of_all_files_are_named_at_once(company):
    rules = company("churn_rules.csv", as_csv(RULE | {"policy": "x", "threshold": "y"}))
    statuses = company("order_statuses.csv", "status,order_class\npaid,sold\n")
    assert [problem.split(" ")[0] for problem in refused({"shops": "z"})] == [
        f"{rules}:2:",
        f"{rules}:2:",
        f"{statuses}:2:",
        "winback.yml:",
    ]


def test_a_line_follows_a_policy_that_a_row_defines():
    (problem,) = refused({"shops": "retail", "bakeries": "resturant"})
    assert problem.startswith(
        "winback.yml: business.lines.bakeries: no such policy 'resturant'; did you mean resta"
    )


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("status", ["column order_class is missing"]),
        (
            "status,class",
            ["column order_class is missing", "no such column 'class'; did you mean order_class?"],
        ),
        ("status,order_class,status", ["column status comes twice"]),
        (
            "status;order_class",
            ["column order_class is missing", "column status is missing", "no such column"],
        ),
        ("", ["column order_class is missing", "column status is missing"]),
    ],
)
def test_a_header_that_is_not_the_seeds_is_refused_on_line_1(company, header, said):
    file = company("order_statuses.csv", f"{header}\npaid,sale\n" if header else "")
    problems = refused()
    assert len(problems) == len(said)
    for problem, start in zip(problems, said, strict=True):
        assert problem.startswith(f"{file}:1: {start}")


def test_a_row_of_another_length_and_broken_quotes_are_refused(company):
    file = company("order_statuses.csv", "status,order_class\npaid,sale,\n")
    assert refused() == [f"{file}:2: 3 cells, but the header has 2"]
    company("order_statuses.csv", 'status,order_class\n"paid,sale\n')
    assert refused() == [f"{file}: no valid CSV: unexpected end of data"]


def test_lines_are_the_files_own_also_after_cells_of_several_lines_and_blank_ones(company):
    file = company(
        "churn_rules.csv",
        as_csv(RULE | {"label_en": "two\nlines"})
        + "\n,,,,,,,,,,,\n"
        + as_csv(RULE | {"rule_id": "other", "enabled": "?"}).splitlines()[1],
    )
    text = file.read_text("utf-8").splitlines()
    (problem,) = refused()
    assert problem.startswith(f"{file}:{len(text)}: enabled")


def test_a_file_in_another_encoding_is_named_with_the_encoding(company):
    content = as_csv(
        *(RULE | {"rule_id": f"own{number}", "threshold": f"{number}"} for number in range(1, 4))
    )
    file = company("churn_rules.csv", content, "gb18030")
    assert refused() == [f"{file}:1: not UTF-8 but gb18030, it seems; save it as CSV in UTF-8"]
    company("churn_rules.csv", content, "utf-16")
    assert refused() == [f"{file}:1: not UTF-8 but utf-16, it seems; save it as CSV in UTF-8"]
    company("churn_rules.csv", content, "utf-8-sig")
    assert len(load_rules(LINES).seeds["churn_rules"]) > 3


@pytest.mark.parametrize("name", ["churn_rule.csv", "churn_rules.xlsx", "churn_rules.CSV", "old"])
def test_a_file_that_no_seed_is_called_like_is_refused(company, name):
    file = company(name, "")
    (problem,) = refused()
    assert problem.startswith(f"{file}: no rules are called so; ")
    assert "churn_rules.csv" in problem


def test_a_folder_that_is_named_must_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv("WINBACK_COMPANY_RULES", str(tmp_path / "rules"))
    assert refused() == [f"{tmp_path / 'rules'}: no such folder, but WINBACK_COMPANY_RULES names it"]


def test_a_key_comes_once_in_a_file_however_it_is_written(company):
    file = company("order_statuses.csv", "status,order_class\nPaid,sale\nbilled,sale\n paid ,void\n")
    assert refused() == [f"{file}:4: the same status as line 2"]
    file.unlink()
    file = company("churn_rules.csv", as_csv(RULE, RULE | {"valid_from": "2026/1/1", "threshold": "50"}))
    assert refused() == [f"{file}:3: the same policy, rule_id, valid_from as line 2"]


SHIPPED_LINES = (SHIPPED / "churn_rules.csv").read_text("utf-8").splitlines()


def shipped_place(start):
    """Return the place of the shipped rule whose row begins so."""
    (number,) = [number for number, line in enumerate(SHIPPED_LINES, 1) if line.startswith(f"{start},")]
    return f"seeds/churn_rules.csv:{number}"


def test_one_condition_has_one_outcome_and_one_action(company):
    same = RULE | {"threshold": "180.0", "outcome": "churned", "action": "win_back"}
    file = company("churn_rules.csv", as_csv(same))
    load_rules(LINES)
    company("churn_rules.csv", as_csv(same | {"action": "call"}))
    assert refused() == [
        f"{file}:2: contradicts silent_long ({shipped_place('retail,silent_long')}):"
        " the same condition, but churned, win_back there and churned, call here"
    ]


def test_two_rules_contradict_each_other_only_while_both_are_in_force(company):
    file = company("churn_rules.csv", as_csv(RULE, RULE | {"rule_id": "own2", "action": "review"}))
    (problem,) = refused()
    assert problem.startswith(f"{file}:3: contradicts own ({file}:2): the same condition")
    other = RULE | {"rule_id": "own2", "action": "review", "valid_from": "2027-01-01"}
    company("churn_rules.csv", as_csv(RULE, other))
    assert len(refused()) == 1
    company("churn_rules.csv", as_csv(RULE, other, RULE | {"valid_from": "2027-01-01", "threshold": "46"}))
    load_rules(LINES)
    company(
        "churn_rules.csv", as_csv(RULE, RULE | {"rule_id": "own2", "action": "review", "enabled": "false"})
    )
    (problem,) = refused()
    assert "takes nothing out of force" in problem


@pytest.mark.parametrize(
    ("comparator", "at_risk", "churned", "is_refused"),
    [
        (">=", "30", "29", True),
        (">=", "30", "31", False),
        (">", "30", "29", True),
        ("<=", "-0.3", "-0.2", True),
        ("<=", "-0.3", "-0.4", False),
        ("<", "3", "4", True),
        ("=", "3", "2", False),
    ],
)
def test_nobody_is_churned_before_being_at_risk_by_the_same_signal(
    company, comparator, at_risk, churned, is_refused
):
    watched = RULE | {"signal": "orders_last_365d", "comparator": comparator}
    file = company(
        "churn_rules.csv",
        as_csv(
            watched | {"outcome": "at_risk", "threshold": at_risk},
            watched | {"outcome": "churned", "threshold": churned, "rule_id": "lost"},
        ),
    )
    if not is_refused:
        load_rules(LINES)
        return
    said = f"churned at {churned} comes before at_risk at {at_risk}"
    assert refused() == [f"{file}:3: contradicts own ({file}:2): {said}"]


def test_a_row_that_takes_nothing_out_of_force_is_refused(company):
    off = RULE | {"rule_id": "silnt", "enabled": "false"}
    file = company("churn_rules.csv", as_csv(off))
    (problem,) = refused()
    assert problem.startswith(
        f"{file}:2: takes nothing out of force: retail has no earlier 'silnt'; did you mean silent?"
    )
    for rule_id, valid_from in ("silent", "2026-01-01"), ("silent", "1900-01-01"):
        company("churn_rules.csv", as_csv(off | {"rule_id": rule_id, "valid_from": valid_from}))
        load_rules(LINES)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            ["small,4,99"],
            "2: upper_share of the last tier is 99; it must be 100, or some customers have no tier",
        ),
        (
            ["major,2,50"],
            "2: upper_share 50 of ordinary is not above the 50 of major, which stands before it",
        ),
        (["vip,2,1"], "2: vip and major share rank_order 2"),
        (["vip,2,20", "major,1,1"], "2: vip stands below major; from the top: vip, major, ordinary, small"),
        (["gold,5,100"], "2: tier 'gold' is unknown; allowed: vip, major, ordinary, small"),
        (["vip,1,101"], "2: upper_share is 101; it must be at most 100"),
    ],
)
def test_tiers_leave_no_gap_and_stand_in_order(company, rows, said):
    file = company("tier_rules.csv", "\n".join(["tier,rank_order,upper_share", *rows]))
    assert refused() == [f"{file}:{said}"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("festival,lunar,8,,,", "day is empty; a rule of occasion festival needs one"),
        ("silence,,,,,", "days is empty; a rule of occasion silence needs one"),
        ("birthday,,,,3,", "days is 3; a rule of occasion birthday has none"),
        ("silence,lunar,,,14,", "calendar is lunar; a rule of occasion silence has none"),
    ],
)
def test_a_rule_of_care_has_what_its_occasion_needs_and_nothing_else(company, row, said):
    header = "policy,rule_id,occasion,calendar,month,day,days,audience,enabled,label_zh,label_en,source"
    file = company("care_rules.csv", f"{header}\nretail,mine,{row}everybody,true,问候,Greet,default\n")
    assert refused() == [f"{file}:2: {said}"]


def test_a_row_of_any_table_names_a_policy_that_there_is(company):
    marks = "policy,mark,privilege_zh,privilege_en,source\nretial,10,赠品,A gift,default\n"
    file = company("spend_marks.csv", marks)
    (problem,) = refused()
    assert problem.startswith(f"{file}:2: no such policy 'retial'; did you mean retail?")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"business_line": "retial"}, "no such business_line 'retial'"),
        ({"value_tiers": "vip mayor"}, "value_tiers 'mayor' is unknown; did you mean major?"),
        ({"times_away": "under_1_year for_ever"}, "no such times_away 'for_ever'"),
        ({"capacity": "0"}, "capacity is 0; it must be at least 1"),
        ({"control_share": "0.91"}, "control_share is 0.91; it must be at most 0.9"),
    ],
)
def test_a_campaign_is_for_customers_that_there_are(company, change, said):
    campaign = {name: "" for name in read_seeds()["campaigns"].columns}
    campaign |= {"campaign_id": "spring", "business_line": "shops", "name_zh": "春", "name_en": "Spring"}
    campaign |= {"offer_zh": "九折", "offer_en": "Less", "starts_on": "2026-03-04", "capacity": "1"}
    campaign |= {"contact_cost": "0", "value_tiers": " vip  major ", "control_share": "0.9"}
    file = company("campaigns.csv", as_csv(campaign))
    (row,) = load_rules(LINES).seeds["campaigns"]
    assert row["value_tiers"] == "vip major"
    company("campaigns.csv", as_csv(campaign | change))
    (problem,) = refused()
    assert problem.startswith(f"{file}:2: {said}")


def test_bands_of_time_away_begin_with_nothing(company):
    band = {"time_away": "under_1_month", "from_days": "1", "label_zh": "短", "label_en": "short"}
    file = company("times_away.csv", as_csv(band))
    assert refused() == [f"{file}:2: the first band begins with 1 days; it must begin with 0"]
