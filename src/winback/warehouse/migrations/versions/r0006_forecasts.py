"""Fits of the forecasts, kept between builds, and the forecasts that each build makes of them."""

from winback.warehouse.migrations import run_script

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table of fits and the table of forecasts."""
    run_script("0006_forecasts.sql")
