"""What a build had read, and by which rules, so that the next one can go on from it."""

from winback.warehouse.migrations import run_script

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Extend the table of builds and index when orders were written; the next build is a full one."""
    run_script("0005_incremental_builds.sql")
