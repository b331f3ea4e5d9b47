"""Scores: what SQL cannot compute is computed here, in each build, between `intermediate` and the marts."""

from datetime import date
from typing import Any

import psycopg

from winback.config import Settings


def score_all(connection: psycopg.Connection[Any], settings: Settings, as_of_date: date) -> None:
    """Fill the tables of `scores` as of a day, from what `intermediate` knows."""
    # Scipy takes half a second to import: only whoever builds pays for it.
    from winback.score.causes import score_causes  # noqa: PLC0415
    from winback.score.forecast.score import score_forecasts  # noqa: PLC0415

    score_forecasts(connection, settings.forecasts, as_of_date)
    score_causes(connection, as_of_date)
