"""Integrate many functions at once whose logarithm bends downwards only, each over an interval of its own."""

from collections.abc import Callable

import numpy as np

from winback.score.forecast.histories import Floats

# Points between 0 and 1, and their weights. Over the functions of the Pareto/NBD so many leave an error in
# the logarithm below 1e-5 anywhere within the bounds of its parameters, and below 1e-11 where fits usually
# lie.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(20)
POINTS, WEIGHTS = (_POINTS + 1) / 2, _WEIGHTS / 2
_FALL = 40.0  # a function that has fallen by this on the log scale has nothing left to add
_STEPS = 6


def shortened(length: Floats, fall: Callable[[Floats], tuple[Floats, Floats]]) -> Floats:
    """Return the lengths of the intervals without what lies beyond a fall to nothing.

    `fall` gives, so far from the beginnings, by how much the logarithms have fallen and how steeply.
    Newton's steps come from the right and cannot overshoot, as the falls bend one way.
    """
    for _ in range(_STEPS):
        fallen, steepness = fall(length)
        too_far = np.maximum(fallen - _FALL, 0.0)
        if not too_far.any():
            break
        length = length - too_far / np.where(too_far > 0, steepness, 1.0)
    return length
