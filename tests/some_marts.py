"""Build some marts only, for tests that read no others: every node of dbt costs a test its time."""

from datetime import date

from winback.config import Settings
from winback.project import run_dbt


def build_marts(settings: Settings, day: date, *marts: str) -> None:
    """Build these marts and all that they are made of, without data tests, which whole builds run."""
    chosen = [f"+{mart}" for mart in marts]
    run_dbt(settings, day, "build", "--select", *chosen, "--exclude-resource-type", "test", "unit_test")
