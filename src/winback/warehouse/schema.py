"""The tables that Python writes: raw, quarantine, ops and scores. The marts are dbt's."""

from typing import Any

import psycopg

from winback import warehouse

# The newest revision in `migrations/versions`: a warehouse that has it costs one query.
NEWEST_REVISION = "0012"
VERSIONED_FEEDS = ("customers", "account_managers")


def ensure_schema(connection: psycopg.Connection[Any]) -> None:
    """Create the loader's tables, or upgrade those of an earlier release in place."""
    if _revision(connection) == NEWEST_REVISION:
        return
    # Half a second to import: only where there is something to do.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "winback.warehouse:migrations")
    engine = create_engine("postgresql+psycopg://", creator=warehouse.connect, poolclass=NullPool)
    with engine.connect() as own:
        config.attributes["connection"] = own
        command.upgrade(config, "head")


def _revision(connection: psycopg.Connection[Any]) -> str | None:
    with connection.transaction():
        found = connection.execute("select to_regclass('ops.alembic_version')").fetchone()
        if found is None or found[0] is None:
            return None
        row = connection.execute("select version_num from ops.alembic_version").fetchone()
    return str(row[0]) if row else None
