"""Validity-dated versions of master data, deleted rows, backfills, and what columns a source showed."""

from winback.warehouse.migrations import run_script

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Extend the tables; what was loaded before is valid from the beginning."""
    run_script("0002_versions_and_deletes.sql")
