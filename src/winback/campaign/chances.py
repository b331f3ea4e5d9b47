"""Chances of a return and gains as `winback_posteriors` and `winback_candidates` have them, for simulations.

The warehouse works them out in SQL; a test holds the two together. Arrays or single numbers.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def leaning(hits: Array, size: Array, towards: Array | float, strength: float) -> Array:
    """Return shares that lean towards another one as if it were known of so many customers more.

    The mean of a Beta posterior; with `towards` the mean of its prior, and `strength` the prior's weight.
    """
    return (hits + strength * towards) / (size + strength)


def treated_prior(untreated: Array, assumed_uplift: float) -> Array:
    """Return the chances of those who are treated, before any trial."""
    return np.minimum(untreated + assumed_uplift, 1.0)


def expected_gain(p_treated: Array, p_untreated: Array, margin: Array, contact_cost: float) -> Array:
    """Return what contacting each customer is expected to bring, in money."""
    return (p_treated - p_untreated) * margin - contact_cost
