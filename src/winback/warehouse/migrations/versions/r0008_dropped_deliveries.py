"""Mails that a person has let go."""

from winback.warehouse.migrations import run_script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Allow the state `dropped` in the ledger of mails."""
    run_script("0008_dropped_deliveries.sql")
