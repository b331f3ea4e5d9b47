"""The integral is the published closed form, its derivatives are its own, and no parameter breaks it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1, hyperu, logsumexp

from tests.unit.score.forecast_samples import drawn, one
from winback.score.forecast.maximum import LOG_BOUND
from winback.score.forecast.pareto_nbd import ParetoNbd, log_likelihood

USUAL = [
    (0.55, 10.6, 0.61, 11.7),  # alpha below beta
    (0.55, 11.7, 0.61, 10.6),  # and above
    (2.0, 5.0, 2.0, 5.0),  # and equal
    (0.1, 0.5, 3.0, 200.0),
    (4.0, 60.0, 0.05, 1.0),
    (1.0, 10.0, 1.0, 10.0),
]
HISTORIES = [(0, 0, 38.86), (2, 30.43, 38.86), (26, 30.86, 31), (7, 5.0, 100), (1, 0.14, 0.14), (0, 0, 0)]


def closed_form(model: ParetoNbd, x: float, recency: float, age: float) -> float:
    """Return the log likelihood by Fader & Hardie 2005, eq. 18 to 20, in both branches."""
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    near, far, power = (beta, alpha, s + 1) if alpha >= beta else (alpha, beta, r + x)

    def part(time: float) -> float:
        ratio = (far - near) / (far + time)
        both = r + s + x
        return float(np.log(hyp2f1(both, power, both + 1, ratio)) - both * np.log(far + time))

    stays = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
    scale = np.log(s / (r + s + x))
    leaves = [scale + part(recency), scale + part(age)]
    total = logsumexp([stays, *leaves], b=[1, 1, -1])
    return float(gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + total)


@pytest.mark.parametrize("parameters", USUAL)
@pytest.mark.parametrize("history", HISTORIES)
def test_the_likelihood_is_the_published_one(parameters, history):
    found, _ = log_likelihood(np.log(parameters), one(*history))
    assert found == pytest.approx(closed_form(ParetoNbd(*parameters), *history), abs=1e-9)


@pytest.mark.parametrize("parameters", USUAL)
def test_the_gradient_is_that_of_the_likelihood(parameters):
    histories = drawn(300)
    log_parameters, step = np.log(parameters), 1e-5
    _, gradient = log_likelihood(log_parameters, histories)
    for place in range(4):
        aside = step * np.eye(4)[place]
        above, below = (log_likelihood(log_parameters + sign * aside, histories)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx((above - below) / (2 * step), abs=1e-8)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-LOG_BOUND, LOG_BOUND), min_size=4, max_size=4),
    st.integers(0, 2_000),
    st.floats(0, 1),
    st.floats(0, 1_000),
)
def test_nothing_breaks_anywhere_within_the_bounds(log_parameters, frequency, share, age):
    history = one(frequency, share * age if frequency else 0, age)
    value, gradient = log_likelihood(np.array(log_parameters), history)
    model = ParetoNbd(*np.exp(log_parameters))
    alive, expected = model.p_alive(history)[0], model.expected_orders(history, 52)[0]
    assert np.isfinite([value, *gradient, expected, model.discounted_orders(history, 0.003)[0]]).all()
    assert 0 <= alive <= 1
    assert 0 <= expected <= (model.r + frequency) / (model.alpha + age) * 52 * (1 + 1e-9)


def test_who_bought_on_the_last_day_has_not_left():
    assert ParetoNbd(0.55, 10.6, 0.61, 11.7).p_alive(one(3, 20, 20)) == 1


@pytest.mark.parametrize("s", [0.5, 1 - 1e-9, 1.0, 1 + 1e-9, 3.0])
def test_expected_orders_add_up_the_rate_of_who_is_still_there(s):
    model, history = ParetoNbd(0.55, 10.6, s, 11.7), one(2, 30.43, 38.86)
    still_there, _ = quad(lambda week: ((11.7 + 38.86) / (11.7 + 38.86 + week)) ** s, 0, 52)
    by_hand = model.p_alive(history) * 2.55 / (10.6 + 38.86) * still_there
    assert model.expected_orders(history, 52) == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize("parameters", USUAL)
def test_discounted_orders_are_the_published_confluent_form(parameters):
    model, history, discount = ParetoNbd(*parameters), one(2, 30.43, 38.86), 0.0027
    _, _, s, beta = parameters
    weeks = (beta + 38.86) * hyperu(1, 2 - s, discount * (beta + 38.86))
    by_hand = model.p_alive(history) * (model.r + 2) / (model.alpha + 38.86) * weeks
    assert model.discounted_orders(history, discount) == pytest.approx(by_hand, rel=1e-6)


def test_without_a_horizon_the_discount_alone_ends_what_is_expected():
    model, history = ParetoNbd(0.55, 10.6, 0.61, 11.7), one(2, 30.43, 38.86)
    weeks = np.arange(10_001)
    expected = [model.expected_orders(history, week)[0] for week in weeks]
    discounted = (np.diff(expected) * np.exp(-0.0027 * (weeks[:-1] + 0.5))).sum()
    assert model.discounted_orders(history, 0.0027)[0] == pytest.approx(discounted, rel=1e-5)
