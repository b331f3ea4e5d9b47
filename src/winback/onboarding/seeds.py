"""Read what the business has classed: the columns of its rules."""

from winback.rules.load import load_seed


def seed_column(seed: str, column: str) -> tuple[str, ...]:
    """Return the values of a seed's column, a company's own rows included, in the order of its rows."""
    return tuple(row[column] for row in load_seed(seed))
