"""What checks found, what became of rows in quarantine, batches that were stopped, and incidents."""

from winback.warehouse.migrations import run_script

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Extend the tables; rows that wait in quarantine go on waiting."""
    run_script("0003_checks_and_quarantine.sql")
