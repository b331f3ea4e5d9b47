"""Campaigns: their members, and the decisions on them."""

from winback.warehouse.migrations import run_script

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the tables of campaigns."""
    run_script("0010_campaigns.sql")
