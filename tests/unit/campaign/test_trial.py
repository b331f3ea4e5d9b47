"""The draw and what trials can show, at their edges."""

from dataclasses import replace
from decimal import Decimal

import pytest

from winback.campaign import trial
from winback.campaign.trial import Candidate

TENTH = Decimal("0.1")


def candidate(number, gain=None, tier="ordinary"):
    return Candidate(
        customer_key=f"erp:{number:04}",
        account_manager_key=None,
        value_tier=tier,
        reason_class="unknown",
        time_away="under_1_year",
        p_treated=Decimal("0.15"),
        p_untreated=TENTH,
        margin=Decimal(1000),
        expected_gain=Decimal(number if gain is None else gain),
    )


def arms(members):
    return {member.candidate.customer_key: member.arm for member in members}


def test_the_list_is_cut_by_gain_before_the_control_group_is_drawn_from_it():
    drawn = trial.draw("spring", [candidate(number) for number in range(1, 101)], 40, Decimal("0.25"))
    keys = [member.candidate.customer_key for member in drawn]
    assert keys == [f"erp:{number:04}" for number in range(100, 60, -1)]
    assert [member.arm for member in drawn].count("control") == 10


def test_nobody_without_a_gain_is_listed_and_equals_stand_by_number():
    drawn = trial.draw(
        "spring", [candidate(3, 5), candidate(2, 0), candidate(1, 5), candidate(4, -1)], 9, TENTH
    )
    assert [member.candidate.customer_key for member in drawn] == ["erp:0001", "erp:0003"]
    assert trial.draw("spring", [candidate(2, 0)], 9, TENTH) == ()


def test_vip_customers_are_in_neither_arm_but_take_up_room():
    listed = [candidate(number, tier="vip" if number > 90 else "major") for number in range(1, 101)]
    drawn = trial.draw("spring", listed, 30, Decimal("0.5"))
    assert [member.arm for member in drawn[:10]] == ["outside"] * 10
    assert [member.arm for member in drawn].count("control") == 10
    assert all(member.arm != "outside" for member in drawn[10:])


@pytest.mark.parametrize(("listed", "left_alone"), [(4, 0), (5, 1), (14, 1), (15, 2)])
def test_the_control_group_is_the_share_rounded_half_up(listed, left_alone):
    drawn = trial.draw("spring", [candidate(number) for number in range(1, listed + 1)], 99, TENTH)
    assert [member.arm for member in drawn].count("control") == left_alone


def test_the_lot_is_the_campaigns_own_and_the_same_whatever_the_order():
    listed = [candidate(number) for number in range(1, 101)]
    one = trial.draw("spring", listed, 100, TENTH)
    assert trial.draw("spring", reversed(listed), 100, TENTH) == one
    assert arms(trial.draw("autumn", listed, 100, TENTH)) != arms(one)


def test_a_digest_tells_lists_apart_by_anything_that_is_in_them():
    one = trial.draw("spring", [candidate(1), candidate(2)], 9, TENTH)
    assert trial.digest(reversed(one)) == trial.digest(one)
    dearer = replace(one[0].candidate, margin=Decimal(1001))
    assert trial.digest([replace(one[0], candidate=dearer), one[1]]) != trial.digest(one)
    assert trial.digest([replace(one[0], arm="control"), one[1]]) != trial.digest(one)


def test_what_a_campaign_can_show_is_that_of_the_definitions():
    assert trial.smallest_detectable(450, 50, 0.1) == pytest.approx(0.125, abs=0.0005)
    assert trial.smallest_detectable(4500, 500, 0.1) == pytest.approx(0.040, abs=0.0005)
    assert trial.smallest_detectable(10, 0, 0.1) is None
    assert trial.smallest_detectable(0, 10, 0.1) is None


def test_expectations_are_those_of_the_two_arms():
    vip = candidate(3, tier="vip")
    drawn = trial.draw("spring", [candidate(1), replace(vip, p_treated=Decimal("0.9"))], 9, TENTH)
    assert trial.expected_uplift(drawn) == pytest.approx(0.05)
    assert trial.base_rate(drawn) == pytest.approx(0.1)
    only_vip = trial.draw("spring", [vip], 9, TENTH)
    assert trial.expected_uplift(only_vip) is None
    assert trial.base_rate(only_vip) is None


def test_the_interval_is_newcombes():
    """His example (1998, table II, method 10): 56 of 70 against 48 of 80."""
    found = trial.uplift(70, 56, 80, 48)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=0.00005)
    none = trial.uplift(10, 0, 10, 0)
    assert none.low < 0 == none.estimate < none.high
