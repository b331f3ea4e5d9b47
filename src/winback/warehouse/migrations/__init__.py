"""Upgrades of the loader's tables, one revision per release that changes them; run by Alembic."""

from importlib import resources

from alembic import op


def run_script(file: str) -> None:
    """Run one of the SQL files beside the revisions, inside the upgrade's transaction."""
    script = resources.files("winback.warehouse.migrations.versions").joinpath(file).read_text("utf-8")
    # Straight to the driver: SQLAlchemy would take a colon in the script for a parameter.
    op.get_bind().exec_driver_sql(script.replace("%", "%%"))
