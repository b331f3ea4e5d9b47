"""Scores: what SQL cannot compute is computed here, in each build, between `intermediate` and the marts."""

from datetime import date
from typing import Any

import psycopg


def score_all(connection: psycopg.Connection[Any], as_of_date: date) -> None:
    """Fill the tables of `scores` as of a day, from what `intermediate` knows."""
