"""Lists that left for other tools, and what became of them."""

from winback.warehouse.migrations import run_script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the ledger of exports and its batches."""
    run_script("0012_exports.sql")
