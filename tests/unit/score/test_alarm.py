"""The complaint alarm: what it finds, what it leaves alone, at its edges."""

import numpy as np
import pytest

from bench.complaints import Setting, days_until_found, false_alarms, ours, plain
from winback.score.alarm import Limits, Series, count, due_orders, find_alarms, judge, q_values

LIMITS = Limits(windows=(7,), false_share=0.05, min_complaints=5)


def series(recent: float, *, before: float = 0.0, days: int = 70, sold: float = 1.0) -> Series:
    """Return one cause with so many complaints on its last day, and so many on each day of the reference."""
    complaints = np.zeros((1, days))
    complaints[0, :-7] = before
    complaints[0, -1] = recent
    exposure = np.ones((1, days))
    exposure[0, -7:] = sold
    return Series(complaints, exposure)


@pytest.mark.parametrize(("complaints", "is_alarm"), [(4, False), (5, True), (6, True)])
def test_fewer_complaints_than_the_minimum_are_no_alarm(complaints, is_alarm):
    # 5 in a week against 63 days with one of them every nine weeks or so
    quiet = series(complaints, before=1 / 63)
    assert list(find_alarms(quiet, LIMITS).is_alarm) == [is_alarm]


def test_a_likelier_window_alarms_where_the_least_likely_has_too_few_complaints():
    complaints = np.zeros((30, 372))
    complaints[:, 5:365:10] = 1.0
    complaints[0, -7:] = [0, 1, 1, 0, 0, 2, 2]
    found = find_alarms(Series(complaints, np.ones_like(complaints)), Limits((2, 7), 0.05, 5))
    assert found.window_days[0] == 7
    assert found.complaints[0] == 6
    assert found.is_alarm[0]


@pytest.mark.parametrize("at_once", [1, 3, 50])
def test_causes_that_are_counted_in_parts_are_judged_together(at_once):
    random = np.random.default_rng(5)
    exposure = random.poisson(8.0, (50, 100)).astype(float)
    complaints = random.poisson(0.4, (50, 100)).astype(float)
    complaints[7, -2:] = 9
    groups = np.arange(50) % 4
    limits = Limits((2, 7), 0.05, 5)
    whole = find_alarms(Series(complaints, exposure, groups), limits)
    assert whole.is_alarm.any()
    ends = range(0, 50, at_once)
    parts = [count(complaints[n : n + at_once], exposure[n : n + at_once], limits) for n in ends]
    for name, found in vars(judge(parts, groups, limits)).items():
        np.testing.assert_array_equal(found, getattr(whole, name))


def test_as_many_as_ever_are_no_alarm():
    found = find_alarms(series(7, before=1.0), LIMITS)
    assert found.expected == pytest.approx([7.0])
    assert found.p_value > 0.3
    assert not found.is_alarm


def test_without_orders_nothing_can_be_expected():
    found = find_alarms(series(50, before=1.0, sold=0.0), LIMITS)
    assert np.isnan(found.p_value).all()
    assert np.isnan(found.q_value).all()
    assert not found.is_alarm.any()


def test_a_cause_without_any_complaint_is_no_alarm():
    found = find_alarms(series(0), LIMITS)
    assert list(found.p_value) == [1.0]


def test_a_batch_is_held_against_the_others_of_its_product_and_not_against_its_own_past():
    complaints, exposure = np.ones((3, 70)), np.ones((3, 70))
    complaints[0] *= 4  # bad from the beginning, and no worse lately
    alone = find_alarms(Series(complaints, exposure), LIMITS)
    assert not alone.is_alarm.any()
    together = find_alarms(Series(complaints, exposure, np.array([0, 0, 1])), LIMITS)
    assert list(together.is_alarm) == [True, False, False]
    assert np.isnan(together.p_value[2])  # the only batch of its product


def test_complaints_about_older_orders_are_expected_when_sales_have_stopped():
    orders = np.zeros((1, 5))
    orders[0, 0] = 100.0
    due = due_orders(orders, np.array([0.5, 0.25, 0.25]))
    assert due == pytest.approx(np.array([[50.0, 25.0, 25.0, 0.0, 0.0]]))


def test_q_values_are_those_of_the_textbook():
    found = q_values(np.array([0.01, np.nan, 0.04, 0.03, 0.5]))
    assert found == pytest.approx([0.04, np.nan, 0.16 / 3, 0.16 / 3, 0.5], nan_ok=True)


def test_counts_that_always_vary_much_are_not_alarming():
    rng = np.random.default_rng(7)
    complaints = rng.poisson(rng.gamma(0.5, 4.0, (1, 372))).astype(float)  # 2 a day, by fits and starts
    complaints[0, -7:] = [0, 0, 0, 0, 0, 14, 14]
    exposure = np.ones_like(complaints)
    found = find_alarms(Series(complaints, exposure), LIMITS)
    assert found.dispersion > 3
    assert not found.is_alarm
    steady = complaints.copy()
    steady[0, :-7] = 2.0
    assert find_alarms(Series(steady, exposure), LIMITS).is_alarm


def test_a_tripled_rate_is_found_within_two_days():
    for is_new in (True, False):
        days = days_until_found(Setting(10.0, 1.0, is_batch_new=is_new), 8, ours, patience=3)
        assert (days <= 2).all()


def test_wolf_is_cried_less_than_by_dividing_the_counts():
    restless = Setting(1.0, 15.0)
    assert false_alarms(restless, 60, ours) <= 1.0
    assert false_alarms(restless, 60, plain) > 1.0
