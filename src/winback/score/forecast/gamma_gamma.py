"""The Gamma-Gamma: what a customer spends on a purchase day, given the mean of those seen so far.

Fader & Hardie 2013, "The Gamma-Gamma Model of Monetary Value". The spend of a day is drawn from a gamma
distribution of shape p, whose rate is the customer's own, drawn from another (shape q, rate gamma in money).
So a mean of few days is pulled towards everybody's. The spend is taken not to hang on how often a customer
comes.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import digamma, gammaln

from winback.score.forecast.histories import Floats
from winback.score.forecast.maximum import Maximum, highest

_STARTS = ((2.0, 3.0), (10.0, 3.0), (2.0, 30.0))  # p and q


@dataclass(frozen=True)
class GammaGamma:
    """Shapes p and q; gamma is in the currency of the spends."""

    p: float
    q: float
    gamma: float

    def expected_spend(self, frequency: Floats, mean_spend: Floats) -> Floats:
        """Return the spend to expect on a coming purchase day (eq. 5); q must be above 1.

        `mean_spend` is of the `frequency` repeat purchase days; without any it does not count.
        """
        return self.p * (self.gamma + frequency * mean_spend) / (self.p * frequency + self.q - 1)


def fit_gamma_gamma(frequency: Floats, mean_spend: Floats) -> Maximum:
    """Return the most likely (p, q, gamma), from customers with repeat purchase days and a spend above 0.

    The value is the log likelihood per customer.
    """
    unit = float(mean_spend.mean())  # so that the currency does not matter to the bounds
    spends = _sums(frequency, mean_spend / unit)
    found = highest(
        lambda log_parameters: _log_likelihood(log_parameters, spends),
        [np.array([p, q, (q - 1) / p]) for p, q in _STARTS],
    )
    return replace(
        found, parameters=found.parameters * (1.0, 1.0, unit), value=found.value - float(np.log(unit))
    )


@dataclass(frozen=True)
class _Sums:
    """The data, and means that do not hang on the parameters; gamma functions go by frequency."""

    frequency: Floats
    total: Floats  # what each customer spent on the repeat purchase days
    frequencies: Floats  # the distinct ones, and the share of the customers with each
    shares: Floats
    log_spend: float
    weighted_log_total: float


def _sums(frequency: Floats, mean_spend: Floats) -> _Sums:
    frequencies, counts = np.unique(frequency, return_counts=True)
    total = frequency * mean_spend
    return _Sums(
        frequency,
        total,
        frequencies,
        counts / len(frequency),
        float(np.log(mean_spend).mean()),
        float((frequency * np.log(total)).mean()),
    )


def _log_likelihood(log_parameters: Floats, sums: _Sums) -> tuple[float, Floats]:
    """Return the log likelihood per customer at log (p, q, gamma), and its gradient (eq. 1a)."""
    p, q, gamma = np.exp(log_parameters)
    x, shares = sums.frequencies, sums.shares
    days = p * x
    raised = gamma + sums.total
    log_raised, inverse = np.log(raised), 1 / raised
    mean_log, weighted_log = float(log_raised.mean()), float((sums.frequency * log_raised).mean())
    value = float((shares * (gammaln(days + q) - gammaln(days))).sum()) - gammaln(q) + q * np.log(gamma)
    value += p * (sums.weighted_log_total - weighted_log) - sums.log_spend - q * mean_log
    by_p = float((shares * x * (digamma(days + q) - digamma(days))).sum())
    by_p += sums.weighted_log_total - weighted_log
    by_q = float((shares * digamma(days + q)).sum()) - digamma(q) + np.log(gamma) - mean_log
    by_gamma = q / gamma - p * float((sums.frequency * inverse).mean()) - q * float(inverse.mean())
    return float(value), np.array([by_p * p, by_q * q, by_gamma * gamma])
