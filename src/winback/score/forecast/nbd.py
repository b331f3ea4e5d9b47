"""The NBD: customers buy at random, each at a rate of their own, and nobody ever leaves.

It is the Pareto/NBD without dropout, which has to explain purchases clearly better than this. The rate of a
customer, in purchases a week, is drawn from a gamma distribution of shape r and rate alpha (Ehrenberg 1959,
"The Pattern of Consumer Purchases"; here with the time of each purchase, so that likelihoods compare: Fader &
Hardie 2005, "A Note on Deriving the Pareto/NBD Model and Related Expressions", for a customer alive
throughout).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from winback.score.forecast.histories import Floats, Histories
from winback.score.forecast.maximum import Maximum, highest

_START_SHAPES = (0.3, 3.0)


@dataclass(frozen=True)
class Nbd:
    """Shape r and rate alpha (in weeks) of the distribution of purchase rates."""

    r: float
    alpha: float

    def expected_orders(self, histories: Histories, weeks: float) -> Floats:
        """Return how many purchase days to expect in the coming weeks."""
        return self._rate(histories) * weeks

    def discounted_orders(self, histories: Histories, discount: float) -> Floats:
        """Return how many purchase days to expect from now on for ever, discounted by a rate per week."""
        return self._rate(histories) / discount

    def p_alive(self, histories: Histories) -> Floats:
        """Return 1 for each history: nobody leaves."""
        return np.ones(len(histories))

    def _rate(self, histories: Histories) -> Floats:
        return (self.r + histories.frequency) / (self.alpha + histories.age)


def fit_nbd(histories: Histories) -> Maximum:
    """Return the most likely (r, alpha); the value is the log likelihood per customer."""
    mean_rate = (histories.customers * histories.frequency).sum() / (
        histories.customers * histories.age
    ).sum()
    starts = [np.array([shape, shape / mean_rate]) for shape in _START_SHAPES]
    return highest(lambda log_parameters: log_likelihood(log_parameters, histories), starts)


def log_likelihood(log_parameters: Floats, histories: Histories) -> tuple[float, Floats]:
    """Return the log likelihood per customer at (log r, log alpha), and its gradient."""
    r, alpha = np.exp(log_parameters)
    x, age = histories.frequency, histories.age
    share = histories.customers / histories.population
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
    by_r = digamma(r + x) - digamma(r) + np.log(alpha) - np.log(alpha + age)
    by_alpha = r / alpha - (r + x) / (alpha + age)
    return float((share * value).sum()), np.array(
        [(share * by_r).sum() * r, (share * by_alpha).sum() * alpha]
    )
