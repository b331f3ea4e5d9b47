"""How the forecasts of each business line stand, as text."""

from collections.abc import Iterator
from typing import Any

import psycopg

from winback.score.forecast.notes import Fit, fits_in_use, last_attempts


def overview(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """Yield, line by line, the fit in use and what it found, and the last attempt if that was refused."""
    in_use, last = fits_in_use(connection), last_attempts(connection)
    if not last:
        yield "no business line was fitted yet: the next build does it"
    for name, attempt in last.items():
        fit = in_use.get(name)
        yield f"{name}: {_in_use(fit) if fit else 'no forecasts'}"
        if fit:
            yield from _found(fit)
        if attempt.status == "refused":
            yield f"  refused on {attempt.as_of_date}: {attempt.reason}"


def _in_use(fit: Fit) -> str:
    return (
        f"fit {fit.fit_id} of {fit.as_of_date}, data from {fit.data_begin_on},"
        f" {fit.customers:,} customers, {fit.repeat_share:.1%} came back"
    )


def _found(fit: Fit) -> Iterator[str]:
    named = {"r": fit.r, "alpha": fit.alpha, "s": fit.s, "beta": fit.beta}
    if fit.model == "nbd":
        named = {"r": fit.nbd_r, "alpha": fit.nbd_alpha}
    dropout = "identified" if fit.dropout_identified else "not identified"
    yield f"  {fit.model}: {_values(named)}; likelihood ratio {fit.likelihood_ratio:.1f}, dropout {dropout}"
    if fit.spend_p is not None:
        yield f"  spend: {_values({'p': fit.spend_p, 'q': fit.spend_q, 'gamma': fit.spend_gamma})}"
    if fit.model_auc is not None:
        ranks = "the model" if fit.beats_recency else "recency"
        yield (
            f"  who came in the last {fit.holdout_days} days: AUC {fit.model_auc:.3f} by the model,"
            f" {fit.recency_auc:.3f} by recency; {ranks} ranks"
        )
    if fit.reason:
        yield f"  {fit.reason}"


def _values(named: dict[str, float | None]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in named.items())
