"""Which lists leave, and what became of the last of each."""

from typing import Any

import psycopg

from winback.config import Settings

_LAST = """
select distinct on (export) export, as_of_date, state, rows, updated_at, error
from ops.exports
order by export, as_of_date desc
"""


def overview(connection: psycopg.Connection[Any], settings: Settings) -> list[str]:
    """Return the lines of `winback export list`."""
    last = {row[0]: row[1:] for row in connection.execute(_LAST).fetchall()}
    lines = []
    for name, export in sorted(settings.exports.items()):
        lines.append(f"{name}: {export.list} to {export.to}; {', '.join(export.columns)}")
        if name in last:
            day, state, rows, since, error = last[name]
            at = since.astimezone(settings.zone)
            lines.append(
                f"  {day}: {rows} rows {state} {at:%Y-%m-%d %H:%M}" + (f": {error}" if error else "")
            )
    return lines or ["No exports: name some under exports in winback.yml."]
