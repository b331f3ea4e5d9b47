"""How well a ranking of customers tells, on days held back from a fit, who came again."""

from scipy.stats import rankdata

from winback.score.forecast.histories import Floats, Integers


def auc(score: Floats, came: Integers) -> float | None:
    """Return how often, of a customer who came (1) and one who did not (0), the first has the higher score.

    Equal scores count half (Mann & Whitney 1947; Hanley & McNeil 1982). None if nobody came, or everybody.
    """
    coming = float(came.sum())
    pairs = coming * (len(came) - coming)
    if not pairs:
        return None
    wins = float((rankdata(score) * came).sum()) - coming * (coming + 1) / 2
    return wins / pairs
