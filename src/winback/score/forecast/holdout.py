"""How well a ranking of customers tells, on days held back from a fit, who came again."""

import numpy as np
from scipy.stats import rankdata

from winback.score.forecast.histories import Floats


def auc(score: Floats, came: Floats, stayed_away: Floats) -> float | None:
    """Return how often, of one customer who came and one who did not, the first has the higher score.

    Customers are given in groups of one score each: how many of a group came, and how many did not. Equal scores
    count half (Mann & Whitney 1947; Hanley & McNeil 1982). None if all came, or nobody did.
    """
    place = rankdata(score, method="dense") - 1
    came, stayed_away = (np.bincount(place, weights=counts) for counts in (came, stayed_away))
    pairs = came.sum() * stayed_away.sum()
    below = np.cumsum(stayed_away) - stayed_away
    return float((came * (below + stayed_away / 2)).sum() / pairs) if pairs else None
