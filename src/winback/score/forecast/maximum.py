"""Find the parameters under which data are most likely."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from winback.score.forecast.histories import Floats

# Parameters are sought on a log scale within these bounds. Beyond them a likelihood is flat: a gamma
# distribution of such a shape is a single point, or has nearly all of its mass at zero.
LOG_BOUND = 12.0
_AT_BOUND = 0.01  # closer than this to a bound on the log scale, the bound has decided
_LEVEL = (
    1e-5  # a gradient of the mean log likelihood below this is level: what is left to gain cannot be seen
)

Objective = Callable[[Floats], tuple[float, Floats]]
"""Log parameters to the log likelihood per customer, and its gradient by them."""


@dataclass(frozen=True)
class Maximum:
    """Where an objective is highest; `parameters` are on their own scale, and may be held by a bound."""

    parameters: Floats
    value: float
    has_converged: bool
    is_at_bound: bool


def climb(objective: Objective, start: Floats) -> Maximum:
    """Return the maximum that is reached from some parameters (on their own scale)."""

    def falling(log_parameters: Floats) -> tuple[float, Floats]:
        value, gradient = objective(log_parameters)
        return -value, -gradient

    found = minimize(
        falling,
        np.clip(np.log(start), -LOG_BOUND, LOG_BOUND),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-LOG_BOUND, LOG_BOUND)] * len(start),
        options={"maxiter": 1000, "maxfun": 1000, "ftol": 1e-15, "gtol": 1e-8, "maxcor": 20},
    )
    log_parameters = np.asarray(found.x, dtype=np.float64)
    value, gradient = objective(log_parameters)
    pushes_outwards = (np.abs(log_parameters) >= LOG_BOUND) & (gradient * log_parameters > 0)
    steepness = np.abs(np.where(pushes_outwards, 0.0, gradient)).max()
    return Maximum(
        np.exp(log_parameters),
        value,
        has_converged=bool(np.isfinite(value) and steepness < _LEVEL),
        is_at_bound=bool(np.abs(log_parameters).max() > LOG_BOUND - _AT_BOUND),
    )


def highest(objective: Objective, starts: Iterable[Floats]) -> Maximum:
    """Return the highest of the maxima that are reached from several starts."""
    return max((climb(objective, start) for start in starts), key=lambda maximum: maximum.value)
