"""The Pareto/NBD: customers buy at random at a rate of their own, until, unseen, they leave for good.

Schmittlein, Morrison & Colombo 1987, "Counting Your Customers: Who Are They and What Will They Do Next?". A
customer's purchase rate is drawn from a gamma distribution (shape r, rate alpha in weeks), the rate of
leaving from another (shape s, rate beta in weeks). Formulas follow Fader & Hardie 2005, "A Note on Deriving
the Pareto/NBD Model and Related Expressions".

Their closed form of the likelihood (eq. 18 to 20) is a difference of two Gaussian hypergeometric functions,
in two branches for alpha above and below beta, and loses digits where both are nearly equal. What it stands
for is an integral over the moment of leaving, between the last purchase and the end of the data, of a
positive and smooth function. Taken numerically that needs neither branches nor differences, and the
derivatives by all four parameters are averages over the same points.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, expit, exprel, gammaln

from winback.score.forecast.histories import Floats, Histories
from winback.score.forecast.maximum import Maximum, climb, highest
from winback.score.forecast.quadrature import POINTS, WEIGHTS, shortened

_CHUNK = 1024  # histories at a time: what they need stays in the processor's cache
_SAMPLE = 500  # histories among which the start is chosen
# Starts: the shape of the leaving rates, and beta as a multiple of that shape and the mean age.
_STARTS = ((0.5, 0.5), (0.5, 5.0), (2.0, 1.0), (0.01, 1.0))
_FORGOTTEN = 60.0  # what comes after a discount of exp(-60) is worth nothing


@dataclass(frozen=True)
class ParetoNbd:
    """Shape and rate (in weeks) of the purchase rates, r and alpha, and of the leaving rates, s and beta."""

    r: float
    alpha: float
    s: float
    beta: float

    def p_alive(self, histories: Histories) -> Floats:
        """Return the probability that a customer with each history has not left at the end of the data.

        Fader & Hardie 2005, section "P(alive)", with the integral in place of its closed form.
        """
        return np.concatenate([np.empty(0), *(1 - part.p_left for part in _parts(self, histories))])

    def expected_orders(self, histories: Histories, weeks: float) -> Floats:
        """Return how many purchase days to expect in the coming weeks.

        Fader & Hardie 2005, section "Conditional Expectation", written so that s = 1 is no exception.
        """
        span = self.beta + histories.age
        log_growth = np.log1p(weeks / span)
        weeks_alive: Floats = span * log_growth * exprel((1 - self.s) * log_growth)
        return self._rate(histories) * weeks_alive * self.p_alive(histories)

    def discounted_orders(self, histories: Histories, discount: float) -> Floats:
        """Return how many purchase days to expect from now on for ever, discounted by a rate per week.

        DERT of Fader, Hardie & Lee 2005, "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis",
        which gives the integral over future time as a confluent hypergeometric function.
        """
        ages, place = np.unique(histories.age, return_inverse=True)
        span = (self.beta + ages)[:, np.newaxis]

        def fallen(log_growth: Floats) -> Floats:
            return (self.s - 1) * log_growth + discount * span * np.expm1(log_growth)

        length = shortened(
            np.log1p(_FORGOTTEN / (discount * span)),
            lambda end: (fallen(end), self.s - 1 + discount * span * np.exp(end)),
        )
        weeks_alive: Floats = (span * length * WEIGHTS * np.exp(-fallen(length * POINTS))).sum(axis=1)
        return self._rate(histories) * weeks_alive[place] * self.p_alive(histories)

    def _rate(self, histories: Histories) -> Floats:
        return (self.r + histories.frequency) / (self.alpha + histories.age)


def fit_pareto_nbd(histories: Histories, nbd: Maximum) -> Maximum:
    """Return the most likely (r, alpha, s, beta), beginning at the fit without dropout.

    The value is the log likelihood per customer.
    """
    mean_age = (histories.customers * histories.age).sum() / histories.population
    starts = [np.array([*nbd.parameters, shape, shape * mean_age * multiple]) for shape, multiple in _STARTS]
    sample = histories.thinned(_SAMPLE)
    best = highest(lambda log_parameters: log_likelihood(log_parameters, sample), starts)
    if len(sample) == len(histories):
        return best
    return climb(lambda log_parameters: log_likelihood(log_parameters, histories), best.parameters)


def log_likelihood(log_parameters: Floats, histories: Histories) -> tuple[float, Floats]:
    """Return the log likelihood per customer at log (r, alpha, s, beta), and its gradient (eq. 18)."""
    parameters = np.exp(log_parameters)
    r, alpha, s, beta = parameters
    shares = histories.customers / histories.population
    frequencies = np.arange(histories.frequency.max() + 1)  # gamma functions are dear: once for each
    log_gamma, its_slope = gammaln(r + frequencies) - gammaln(r), digamma(r + frequencies) - digamma(r)
    scale = r * np.log(alpha) + s * np.log(beta)
    value, gradient = 0.0, np.zeros(4)
    for rows, part in zip(_chunks(histories), _parts(ParetoNbd(*parameters), histories), strict=True):
        x, age, share = histories.frequency[rows], histories.age[rows], shares[rows]
        place = x.astype(np.intp)
        left, stayed = part.p_left, 1 - part.p_left
        # of the likelihood given the moment of leaving, averaged over that moment
        slopes = (
            its_slope[place] + np.log(alpha) - stayed * np.log(alpha + age) - left * part.log_alpha,
            r / alpha - (r + x) * (stayed / (alpha + age) + left * part.by_alpha),
            np.log(beta) - stayed * np.log(beta + age) + left * (1 / s - part.log_beta),
            s / beta - stayed * s / (beta + age) - left * (s + 1) * part.by_beta,
        )
        value += float((share * (log_gamma[place] + scale + part.log_density)).sum())
        gradient += [(share * slope).sum() for slope in slopes]
    return value, gradient * parameters


@dataclass(frozen=True)
class _Part:
    """Some histories under some parameters: log density, P(left), and means over the moment t of leaving.

    The means are those of log(alpha + t), log(beta + t), 1 / (alpha + t) and 1 / (beta + t), for who has
    left.
    """

    log_density: Floats  # the log likelihood without what hangs on the frequency alone
    p_left: Floats
    log_alpha: Floats
    log_beta: Floats
    by_alpha: Floats
    by_beta: Floats


def _chunks(histories: Histories) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, len(histories), _CHUNK)]


def _parts(model: ParetoNbd, histories: Histories) -> Iterator[_Part]:
    for rows in _chunks(histories):
        yield _part(model, histories.frequency[rows], histories.recency[rows], histories.age[rows])


@dataclass(frozen=True)
class _Moments:
    """Moments t of leaving: t plus the smaller of alpha and beta, t plus the larger, and their logarithms.

    The function over them is (alpha + t)^-(r + x) (beta + t)^-(s + 1), times dt by the logarithm of the
    first.
    """

    near_power: Floats
    far_power: Floats
    near: Floats
    far: Floats
    log_near: Floats
    log_far: Floats

    @property
    def height(self) -> Floats:
        """Return the logarithm of the function."""
        return (1 - self.near_power) * self.log_near - self.far_power * self.log_far

    @property
    def steepness(self) -> Floats:
        """Return how fast the height falls along `log_near`; further on it never falls less fast."""
        return self.near_power - 1 + self.far_power * self.near / self.far


def _moments(model: ParetoNbd, frequency: Floats, log_near: Floats) -> _Moments:
    by_alpha, by_beta = model.r + frequency, np.array(model.s + 1)
    near = np.exp(log_near)
    far = near + abs(model.alpha - model.beta)
    powers = (by_alpha, by_beta) if _is_alpha_near(model) else (by_beta, by_alpha)
    return _Moments(powers[0], powers[1], near, far, log_near, np.log(far))


def _is_alpha_near(model: ParetoNbd) -> bool:
    return model.alpha <= model.beta


def _part(model: ParetoNbd, frequency: Floats, recency: Floats, age: Floats) -> _Part:
    """Integrate over the moment of leaving, from the last purchase to the end of the data."""
    near = min(model.alpha, model.beta)
    begin = np.log(near + recency)
    top = _moments(model, frequency, begin).height

    def fall(length: Floats) -> tuple[Floats, Floats]:
        end = _moments(model, frequency, begin + length)
        return top - end.height, end.steepness

    length = shortened(np.log1p((age - recency) / (near + recency)), fall)
    # a row per point: what is done to all histories at once lies side by side
    points = _moments(model, frequency, begin + length * POINTS[:, np.newaxis])
    weights = WEIGHTS[:, np.newaxis] * np.exp(points.height - top)
    area = weights.sum(axis=0)
    stayed = -(model.r + frequency) * np.log(model.alpha + age) - model.s * np.log(model.beta + age)
    with np.errstate(divide="ignore"):  # who bought on the last day has had no time to leave
        odds_left = np.log(model.s) + np.log(length * area) + top - stayed
    logs = [(weights * values).sum(axis=0) / area for values in (points.log_near, points.log_far)]
    inverses = [(weights / values).sum(axis=0) / area for values in (points.near, points.far)]
    alpha_then_beta = slice(None, None, 1 if _is_alpha_near(model) else -1)
    return _Part(
        stayed + np.logaddexp(0.0, odds_left),
        expit(odds_left),
        *logs[alpha_then_beta],
        *inverses[alpha_then_beta],
    )
