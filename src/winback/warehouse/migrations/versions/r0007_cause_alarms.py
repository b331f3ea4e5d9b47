"""Causes of complaints that draw more of them than chance explains."""

from winback.warehouse.migrations import run_script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the table that the scoring of causes fills."""
    run_script("0007_cause_alarms.sql")
