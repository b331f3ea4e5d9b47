"""How well a ranking of customers tells, on days held back from a fit, who came again."""

import numpy as np

from winback.score.forecast.histories import Floats, Integers


def auc(score: Floats, came: Integers) -> float | None:
    """Return how often, of a customer who came (1) and one who did not (0), the first has the higher score.

    Equal scores count half (Mann & Whitney 1947; Hanley & McNeil 1982). None if nobody came, or everybody.
    """
    _, place = np.unique(score, return_inverse=True)
    coming, staying = np.bincount(place, weights=came), np.bincount(place, weights=1 - came)
    if not (coming.any() and staying.any()):
        return None
    below = np.cumsum(staying) - staying
    return float((coming * (below + staying / 2)).sum() / (coming.sum() * staying.sum()))
