"""Decide what a business line's purchases allow one to forecast, and by which model."""

from dataclasses import dataclass

import numpy as np

from winback.config import Forecasts
from winback.score.forecast.gamma_gamma import GammaGamma, fit_gamma_gamma
from winback.score.forecast.histories import DAYS_PER_WEEK, Floats, Histories, Integers
from winback.score.forecast.holdout import auc
from winback.score.forecast.maximum import Maximum
from winback.score.forecast.nbd import Nbd, fit_nbd
from winback.score.forecast.pareto_nbd import ParetoNbd, fit_pareto_nbd


class Degenerate(Exception):
    """Purchases that allow no fit; the text says why, with counts and without values of rows."""


@dataclass(frozen=True)
class Purchases:
    """How a line's customers purchase: most likely parameters with dropout and without."""

    pareto_nbd: Maximum
    nbd: Maximum
    customers: float
    min_likelihood_ratio: float  # beyond which dropout is more than chance

    @property
    def likelihood_ratio(self) -> float:
        """Return twice the gain in log likelihood by dropout; below 0 only by what the search left over."""
        return max(0.0, 2 * self.customers * (self.pareto_nbd.value - self.nbd.value))

    @property
    def has_dropout(self) -> bool:
        """Tell whether purchases are explained better by customers leaving than by chance."""
        return self.likelihood_ratio > self.min_likelihood_ratio

    @property
    def dropout_identified(self) -> bool:
        """Tell whether the data also say how customers leave: no parameter was stopped by a bound."""
        return self.has_dropout and not self.pareto_nbd.is_at_bound

    @property
    def model(self) -> ParetoNbd | Nbd:
        """Return the model to forecast with: where dropout explains nothing, the one without it."""
        return ParetoNbd(*self.pareto_nbd.parameters) if self.has_dropout else Nbd(*self.nbd.parameters)


@dataclass(frozen=True)
class Comparison:
    """How well the model, and days since the last order, told who came again in days held back."""

    model_auc: float
    recency_auc: float


def fit_purchases(histories: Histories, settings: Forecasts) -> Purchases:
    """Return the most likely models.

    Raises:
        Degenerate: too few customers came back, too few differ, or the likelihood has no summit.
    """
    if histories.repeat_share < settings.min_repeat_share:
        raise Degenerate(
            f"{histories.repeat_share:.1%} of {histories.population:,.0f} customers came back,"
            f" which is less than {settings.min_repeat_share:.1%}"
        )
    parameters = 4
    if len(histories) <= parameters:
        raise Degenerate(
            f"{histories.population:,.0f} customers have {len(histories)} different histories,"
            f" not enough for {parameters} parameters"
        )
    nbd = fit_nbd(histories)
    found = Purchases(
        fit_pareto_nbd(histories, nbd), nbd, histories.population, settings.min_likelihood_ratio
    )
    if not (found.nbd.has_converged and found.pareto_nbd.has_converged):
        raise Degenerate("the search for the most likely parameters has not ended")
    return found


def fit_spend(frequency: Integers, mean_spend: Floats) -> tuple[GammaGamma, float]:
    """Return the most likely spend model, and its log likelihood.

    Raises:
        Degenerate: too few customers with a spend differ, or spends scatter so widely that they have no mean.
    """
    has_spend = (frequency > 0) & (mean_spend > 0)
    frequency, mean_spend = frequency[has_spend], mean_spend[has_spend]
    parameters = 3
    if len(np.unique(mean_spend)) <= parameters:
        raise Degenerate(
            f"{len(frequency):,} customers came back and spent, and hardly differ in what they spent"
        )
    found = fit_gamma_gamma(frequency.astype(np.float64), mean_spend)
    model = GammaGamma(*found.parameters)
    if not found.has_converged:
        raise Degenerate("the search for the most likely spend parameters has not ended")
    if model.q <= 1:
        raise Degenerate(f"what customers spend scatters so widely that it has no mean (q is {model.q:.2f})")
    return model, found.value * len(frequency)


def compare(histories: Histories, place: Integers, came: Integers, settings: Forecasts) -> Comparison:
    """Fit on what was known before the `holdout` was held back, and rank customers by it.

    `place` is that of each customer's history, `came` is 1 for who came in the days held back, else 0.

    Raises:
        Degenerate: there is no fit, or nobody or everybody came.
    """
    model = fit_purchases(histories, settings).model
    by_model = auc(model.expected_orders(histories, settings.holdout.days / DAYS_PER_WEEK)[place], came)
    # in days again, as equal silences in weeks may differ by their last bit
    days_silent = np.rint((histories.age - histories.recency) * DAYS_PER_WEEK)
    by_recency = auc(-days_silent[place], came)
    if by_model is None or by_recency is None:
        raise Degenerate("nobody came in the days held back, or everybody")
    return Comparison(by_model, by_recency)
