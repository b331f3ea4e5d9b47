"""Campaigns: proposals, decisions and members."""

from winback.warehouse.migrations import run_script

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the tables that keep them."""
    run_script("0010_campaigns.sql")
