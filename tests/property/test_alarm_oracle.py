"""The alarm against a second computation: loops over whole numbers and Python's own mathematics."""

from math import exp, isnan, lgamma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from winback.score.alarm import Limits, Series, find_alarms

DAYS = 40


def beta(one: float, other: float) -> float:
    return lgamma(one) + lgamma(other) - lgamma(one + other)


def chance_of(hits: int, total: int, inside: float, outside: float) -> float:
    """Return the beta-binomial chance of exactly so many hits."""
    ways = lgamma(total + 1) - lgamma(hits + 1) - lgamma(total - hits + 1)
    return exp(ways + beta(hits + inside, total - hits + outside) - beta(inside, outside))


def cells(days: list[float], window: int) -> list[float]:
    whole = len(days) // window * window
    kept = days[len(days) - whole :]
    return [sum(kept[start : start + window]) for start in range(0, whole, window)]


def spread(seen, sold):
    """Return how far cells lie from what is expected at their common rate, and what chance alone would do."""
    counts, sales = [y for row in seen for y in row], [e for row in sold for e in row]
    rate = share(sum(counts), sum(sales))
    means = [rate * sale for sale in sales]
    return sum((count - mean) ** 2 for count, mean in zip(counts, means, strict=True)), sum(counts)


def share(part, whole):
    return part / whole if whole > 0 else 0.0


def judge(complaints, exposure, groups, limits):
    """Return, per cause, the window, the p-value and the alarm."""
    causes, longest = range(len(complaints)), max(limits.windows)
    tried = {cause: [] for cause in causes}
    for window in limits.windows:
        seen = [cells(list(row[:-longest]), window) for row in complaints]
        sold = [cells(list(row[:-longest]), window) for row in exposure]
        for cause in causes:
            others = (
                [cause]
                if groups is None
                else [other for other in causes if groups[other] == groups[cause] and other != cause]
            )
            number = len(seen[cause])
            apart = [spread([seen[other]], [sold[other]]) for other in causes]
            ratios = [
                share(*spread([seen[other] for other in others], [sold[other] for other in others])),
                share(sum(far for far, _ in apart), sum(chance for _, chance in apart)),
            ]
            excess = max(max(ratios) * number / (number - 1) - 1, 1e-4)
            here, here_sold = int(sum(complaints[cause][-window:])), sum(exposure[cause][-window:])
            there = int(sum(sum(seen[other]) for other in others))
            there_sold = sum(sum(sold[other]) for other in others)
            if here_sold <= 0 or there_sold <= 0:
                tried[cause].append((float("nan"), window, here))
                continue
            total = here + there
            p_value = 1.0
            if total:
                rate = total / (here_sold + there_sold)
                shape = (rate * here_sold / excess, rate * there_sold / excess)
                p_value = sum(chance_of(hits, total, *shape) for hits in range(here, total + 1))
            tried[cause].append((p_value, window, here))
    least = {}
    for cause, tests in tried.items():
        told = [test for test in tests if not isnan(test[0])] or tests
        least[cause] = min([test for test in told if test[2] >= limits.min_complaints] or told)
    p_values = {
        cause: min(1.0, test[0] * len(limits.windows)) for cause, test in least.items() if not isnan(test[0])
    }
    ranked = sorted(p_values.values())
    alarms = {}
    for cause, p_value in p_values.items():
        q_value = min(
            other * len(ranked) / (place + 1) for place, other in enumerate(ranked) if other >= p_value
        )
        alarms[cause] = q_value <= limits.false_share and least[cause][2] >= limits.min_complaints
    return [(least[cause][1], p_values.get(cause), alarms.get(cause, False)) for cause in causes]


@st.composite
def companies(draw):
    causes = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    exposure = rng.choice([0.0, 1.0, 3.0, 0.25], (causes, DAYS))
    exposure[:, :20] *= rng.integers(0, 2, (causes, 1))  # some are new
    rates = rng.gamma(draw(st.sampled_from([0.1, 1.0, 50.0])), 1.0, (causes, 1)) * rng.gamma(
        2.0, 0.5, (causes, DAYS)
    )
    rates[0, -draw(st.integers(1, 7)) :] *= draw(st.sampled_from([1.0, 5.0, 50.0]))
    groups = rng.integers(0, 2, causes) if draw(st.booleans()) else None
    return rng.poisson(rates * exposure).astype(float), exposure, groups


@given(companies(), st.sampled_from([(7,), (2, 7), (1, 3)]))
@settings(max_examples=60, deadline=None)
def test_the_alarm_agrees_with_plain_loops(company, windows):
    complaints, exposure, groups = company
    limits = Limits(windows, 0.05, 5)
    found = find_alarms(Series(complaints, exposure, groups), limits)
    wanted = judge(complaints, exposure, groups, limits)
    assert len(wanted) == len(found.p_value) > 0
    for place, (window, p_value, is_alarm) in enumerate(wanted):
        if p_value is None:
            assert isnan(found.p_value[place])
        else:
            assert found.p_value[place] == pytest.approx(p_value, rel=1e-6, abs=1e-8)
            if 1e-8 < p_value < 1:  # below, all windows are as unlikely
                assert found.window_days[place] == window
        assert found.is_alarm[place] == is_alarm
