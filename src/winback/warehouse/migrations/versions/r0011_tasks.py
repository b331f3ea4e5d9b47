"""Win-back tasks, and who has them."""

from winback.warehouse.migrations import run_script

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables of tasks and their owners."""
    run_script("0011_tasks.sql")
