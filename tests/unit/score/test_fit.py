"""Known parameters come back, and what allows no forecast is refused with a reason."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.score.forecast_samples import drawn
from winback.config import Forecasts
from winback.score.forecast.fit import Degenerate, compare, fit_purchases, fit_spend
from winback.score.forecast.histories import Histories, collapse
from winback.score.forecast.holdout import auc
from winback.score.forecast.nbd import Nbd
from winback.score.forecast.pareto_nbd import ParetoNbd

SETTINGS = Forecasts()


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def histories(*rows: tuple[int, int, int]) -> Histories:
    return collapse(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)[0]


def test_known_parameters_come_back():
    found = fit_purchases(drawn(40_000), SETTINGS)
    assert isinstance(found.model, ParetoNbd)
    assert found.dropout_identified
    assert found.pareto_nbd.parameters == pytest.approx([0.55, 10.6, 0.6, 11.7], rel=0.12)
    r, alpha, s, beta = found.pareto_nbd.parameters
    assert r / alpha == pytest.approx(0.55 / 10.6, rel=0.02)
    assert s / beta == pytest.approx(0.6 / 11.7, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_where_nobody_leaves_dropout_is_not_identified_and_not_used(seed):
    found = fit_purchases(drawn(3_000, leaving=0, seed=seed), SETTINGS)
    assert found.likelihood_ratio < 9.21
    assert not found.dropout_identified
    assert isinstance(found.model, Nbd)
    assert [found.model.r, found.model.alpha] == pytest.approx([0.55, 10.6], rel=0.15)


def test_dropout_at_a_bound_explains_purchases_and_identifies_nothing():
    # who does not buy weekly never does again: how long they stayed cannot be told from no time at all
    rows = [(0, 0, age) for age in range(100, 400)] + [(age // 7, age, age) for age in range(100, 400)]
    found = fit_purchases(histories(*rows), SETTINGS)
    assert found.has_dropout
    assert found.pareto_nbd.is_at_bound
    assert not found.dropout_identified
    assert isinstance(found.model, ParetoNbd)


def test_the_same_customers_in_another_order_give_the_same_fit_to_the_last_bit():
    rows = np.array([(2, 30, 60), (0, 0, 90), (5, 80, 81), (1, 3, 100), (0, 0, 10), (3, 7, 70)] * 50)
    first, second = (fit_purchases(collapse(*order.T)[0], SETTINGS) for order in (rows, rows[::-1]))
    assert first.pareto_nbd.parameters.tobytes() == second.pareto_nbd.parameters.tobytes()


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (histories(), "0.0% of 0 customers came back"),
        (histories((0, 0, 30)), "0.0% of 1 customers came back"),
        (histories(*[(0, 0, age) for age in range(500)]), "0.0% of 500 customers came back"),
        (histories(*[(0, 0, 0)] * 50), "0.0% of 50 customers came back"),
        (histories(*[(0, 0, 9)] * 96, *[(n, n, 9) for n in (1, 2, 3, 4)]), "4.0% of 100 customers"),
        (histories((3, 20, 30)), "1 customers have 1 different histories"),
        (histories(*[(3, 20, 30)] * 200), "200 customers have 1 different histories"),
        (histories(*[(n, n, 9) for n in (1, 2, 3, 4)]), "4 customers have 4 different histories"),
    ],
)
def test_degenerate_purchases_are_refused_with_a_reason(found, why):
    with pytest.raises(Degenerate, match=why):
        fit_purchases(found, SETTINGS)


@pytest.mark.parametrize(("share", "others"), [(0.05, 95), (0.02, 245)])
def test_the_least_share_who_repeat_is_enough_and_with_one_customer_more_it_is_not(share, others):
    came_back = [(n, 3 * n + 1, 200) for n in range(1, 6)]
    settings = Forecasts(min_repeat_share=share)
    fit_purchases(histories(*came_back, *[(0, 0, 10 + n) for n in range(others)]), settings)
    with pytest.raises(Degenerate, match=f"which is less than {share:.1%}"):
        fit_purchases(histories(*came_back, *[(0, 0, 10 + n) for n in range(others + 1)]), settings)


def test_how_much_better_dropout_must_explain_purchases_is_configured():
    found = fit_purchases(drawn(3_000), SETTINGS)
    ratio = found.likelihood_ratio
    assert ratio > 9.21
    assert replace(found, min_likelihood_ratio=ratio - 0.01).dropout_identified
    stricter = fit_purchases(drawn(3_000), Forecasts(min_likelihood_ratio=ratio + 0.01))
    assert not stricter.dropout_identified
    assert isinstance(stricter.model, Nbd)


@pytest.mark.parametrize("frequency", [2, 40])
def test_customers_who_hardly_differ_make_no_noise(frequency):
    found = fit_purchases(histories(*[(frequency, 300 + n % 7, 310 + n % 11) for n in range(300)]), SETTINGS)
    everybody = found.model.expected_orders(histories((frequency, 303, 312)), 52)
    assert everybody == pytest.approx(frequency / 312 * 7 * 52, rel=0.6)


def test_known_spends_come_back():
    random = np.random.default_rng(3)
    frequency = random.integers(0, 6, 20_000)
    own = random.gamma(3.74, 1 / 15.4, 20_000)
    total = random.gamma(6.25 * np.maximum(frequency, 1), 1 / own)
    model, _ = fit_spend(frequency, total / np.maximum(frequency, 1))
    assert [model.p, model.q, model.gamma] == pytest.approx([6.25, 3.74, 15.4], rel=0.15)
    cents, _ = fit_spend(frequency, 100 * total / np.maximum(frequency, 1))
    assert [cents.p, cents.q, cents.gamma / 100] == pytest.approx([model.p, model.q, model.gamma], rel=1e-3)


def test_an_expected_spend_lies_between_the_own_and_everybodys():
    model, _ = fit_spend(np.array([1, 2, 3, 4, 5, 6] * 20), np.linspace(5, 50, 120))
    everybody = model.expected_spend(np.array([0.0]), np.array([0.0]))[0]
    once, often = model.expected_spend(np.array([1.0, 50.0]), np.array([100.0, 100.0]))
    assert everybody == pytest.approx(model.p * model.gamma / (model.q - 1))
    assert everybody < once < often < 100


@pytest.mark.parametrize(
    ("mean_spend", "why"),
    [
        (np.full(40, 10.0), "40 customers came back and spent, and hardly differ"),
        (np.zeros(40), "0 customers came back and spent"),
        (np.exp(np.linspace(-6, 6, 40)), "so widely that it has no mean"),
    ],
)
def test_degenerate_spends_are_refused_with_a_reason(mean_spend, why):
    with pytest.raises(Degenerate, match=why):
        fit_spend(np.arange(40) % 3 + 1, mean_spend)


def test_a_ranking_is_judged_by_pairs_and_equals_count_half():
    assert auc(np.array([3.0, 2.0, 1.0]), np.array([1, 0, 0])) == 1
    assert auc(np.array([3.0, 2.0, 1.0]), np.array([0, 0, 1])) == 0
    assert auc(np.array([2.0, 2.0, 1.0]), np.array([1, 0, 0])) == 0.75
    assert auc(np.array([1.0, 2.0]), np.array([1, 1])) is None
    assert auc(np.array([1.0, 2.0]), np.array([0, 0])) is None


def test_a_comparison_needs_somebody_who_came_and_somebody_who_did_not():
    found = drawn(500)
    place = np.arange(len(found))
    with pytest.raises(Degenerate, match="nobody came in the days held back"):
        compare(found, place, np.zeros(len(found), np.int64), SETTINGS)
    some = compare(found, place, (found.frequency > 0).astype(np.int64), SETTINGS)
    assert 0.5 < some.model_auc <= 1
