"""The tables of the first release."""

from winback.warehouse.migrations import run_script

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them; a warehouse of the first release has them already and keeps them."""
    run_script("0001_first_release.sql")
