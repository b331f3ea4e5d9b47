"""Read what the business has classed: the columns of dbt's seeds."""

import csv

from winback.paths import DBT_PROJECT


def seed_column(seed: str, column: str) -> tuple[str, ...]:
    """Return the values of a seed's column, in the order of its rows."""
    with (DBT_PROJECT / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as rows:
        return tuple(row[column].strip() for row in csv.DictReader(rows))
