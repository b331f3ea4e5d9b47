"""The figures of reports as they were sent."""

from winback.warehouse.migrations import run_script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table that keeps them."""
    run_script("0008_report_figures.sql")
