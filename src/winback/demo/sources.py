"""Fill the demo company's systems: an ERP database, a drop folder, and a folder that its CRM tool reads."""

from pathlib import Path

from winback import paths
from winback.config import FileSystem, Settings, load_settings
from winback.connections import connection_url
from winback.demo.complaints import write_exports
from winback.demo.erp import fill_erp
from winback.demo.sales import open_receipts
from winback.errors import WinbackError


def demo_settings() -> Settings:
    """Read `winback.yml` and insist that it describes the demo company.

    Raises:
        WinbackError: it describes another one, or is not valid.
    """
    settings = load_settings()
    if "erp" not in settings.systems or not isinstance(settings.systems.get("complaint_desk"), FileSystem):
        raise WinbackError(
            f"{paths.config_file()} does not describe the demo company.",
            "run the demo with the shipped winback.yml; for your own company, use: make up",
        )
    return settings


def folders_for_lists(settings: Settings) -> list[Path]:
    """Return the folders that lists for other tools leave to as CSV."""
    folders = {paths.ROOT / export.to.csv for export in settings.exports.values() if export.to.csv}
    return sorted(folders)


def fill_sources(settings: Settings, erp_url: str | None = None) -> str:
    """Put the real sales and the simulated complaints where the demo expects them; say what was done.

    `erp_url` is the ERP to fill, by default the connection `demo_erp`. What is there already stays.
    """
    receipts = open_receipts()
    filled = fill_erp(erp_url or connection_url("demo_erp"), receipts)
    desk = settings.systems["complaint_desk"]
    assert isinstance(desk, FileSystem)
    written = write_exports(paths.ROOT / desk.folder, receipts)
    for folder in folders_for_lists(settings):
        folder.mkdir(parents=True, exist_ok=True)
    if not filled and not written:
        return "the demo's ERP and complaint folder are filled already"
    return f"155,848 real receipts in the ERP, {written} simulated complaint exports in {desk.folder}"
