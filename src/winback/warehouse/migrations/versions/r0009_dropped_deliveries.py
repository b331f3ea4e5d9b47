"""Mails that a person has let go."""

from winback.warehouse.migrations import run_script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Allow the state `dropped` in the ledger of mails."""
    run_script("0009_dropped_deliveries.sql")
