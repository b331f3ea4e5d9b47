"""The published figures of CDNOW come out (Fader, Hardie & Lee 2005), those of the Gamma-Gamma as well."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.unit.score.forecast_samples import Cdnow, cdnow, one
from winback.config import Forecasts
from winback.score.forecast.fit import Purchases, compare, fit_purchases, fit_spend
from winback.score.forecast.histories import Histories, collapse
from winback.score.forecast.holdout import auc
from winback.score.forecast.pareto_nbd import ParetoNbd

WEEKS_HELD_BACK = 39


@pytest.fixture(scope="module")
def customers(test_data: Path) -> Cdnow:
    return cdnow(test_data / "CDNOW_sample.txt")


@pytest.fixture(scope="module")
def collapsed(customers: Cdnow) -> tuple[Histories, np.ndarray]:
    return collapse(customers.frequency, customers.recency_days, customers.age_days)


@pytest.fixture(scope="module")
def purchases(collapsed) -> Purchases:
    return fit_purchases(collapsed[0], Forecasts())


@pytest.fixture(scope="module")
def expected(collapsed, purchases) -> np.ndarray:
    histories, place = collapsed
    return purchases.model.expected_orders(histories, WEEKS_HELD_BACK)[place]


def test_the_sample_is_the_published_one(customers, collapsed):
    assert len(customers.frequency) == 2_357
    assert customers.later.sum() == 1_882
    assert collapsed[0].population == 2_357


def test_parameters_to_three_digits_and_log_likelihood_to_a_tenth(purchases):
    assert purchases.pareto_nbd.parameters == pytest.approx([0.5533, 10.578, 0.6062, 11.669], rel=5e-4)
    assert purchases.pareto_nbd.value * 2_357 == pytest.approx(-9_594.98, abs=0.05)
    assert purchases.has_dropout
    assert purchases.dropout_identified


def test_held_back_purchases_total_correlation_and_error(customers, expected):
    assert expected.sum() == pytest.approx(1_665.5, rel=5e-4)
    assert np.corrcoef(expected, customers.later)[0, 1] == pytest.approx(0.630, abs=5e-4)
    assert np.sqrt(((expected - customers.later) ** 2).mean()) == pytest.approx(1.603, abs=5e-4)


def test_the_worked_customer_to_three_digits(purchases):
    loyal = one(26, 30.86, 31)
    assert purchases.model.p_alive(loyal) == pytest.approx(0.9979, abs=5e-5)
    assert purchases.model.expected_orders(loyal, 52) == pytest.approx(25.46, abs=5e-3)


def test_the_model_ranks_who_came_again_better_than_recency(customers, collapsed):
    came = (customers.later > 0).astype(np.int64)
    found = compare(*collapsed, came, Forecasts(holdout=timedelta(weeks=WEEKS_HELD_BACK)))
    assert found.model_auc == pytest.approx(0.779, abs=5e-4)
    assert found.recency_auc == pytest.approx(0.771, abs=5e-4)
    assert auc(customers.recency_days - customers.age_days, came) == found.recency_auc


def test_spends(customers):
    model, log_likelihood = fit_spend(customers.frequency, customers.mean_spend)
    assert [model.p, model.q, model.gamma] == pytest.approx([6.25, 3.74, 15.44], abs=5e-3)
    assert log_likelihood == pytest.approx(-4_055.92, abs=0.05)


def test_a_model_with_a_wrong_parameter_would_be_noticed(collapsed, customers):
    histories, place = collapsed
    wrong = ParetoNbd(0.5533, 10.578, 0.6062, 12.5).expected_orders(histories, WEEKS_HELD_BACK)[place]
    assert wrong.sum() != pytest.approx(1_665.5, rel=5e-4)
