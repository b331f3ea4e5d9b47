"""When a build's marts went live, why a build failed, and builds that were taken back."""

from winback.warehouse.migrations import run_script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Extend the table of builds; the published marts stay as they are."""
    run_script("0004_two_copies_of_the_marts.sql")
