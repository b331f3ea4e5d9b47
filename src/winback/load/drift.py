"""Schema drift: a source's columns are not those of its last load. Reported by name, refused or accepted."""

from typing import Any

import psycopg

from winback.config import FeedSource, SchemaDrift
from winback.errors import WinbackError


def known_columns(connection: psycopg.Connection[Any], feed: str, source_id: str) -> dict[str, str]:
    """Return the columns, with types, that a source's last committed batch showed; none before the first."""
    rows = connection.execute(
        "select column_name, column_type from ops.source_columns where feed = %s and source_id = %s",
        [feed, source_id],
    )
    return {name: column_type for name, column_type in rows}


def check_drift(
    place: str, known: dict[str, str], found: dict[str, str], policy: SchemaDrift, source: FeedSource
) -> tuple[str, ...]:
    """Compare a source's columns with the known ones and return a note on every accepted difference.

    Only a mapped column can be refused for being gone or of another type: nothing else of it is read.

    Raises:
        WinbackError: a difference that the source's `drift` refuses.
    """
    if not known:
        return ()
    mapped = {mapping.column for mapping in source.columns.values()}
    gone = [name for name in known if name not in found]
    changed = [
        f"{name} ({known[name]} → {found[name]})"
        for name in known
        if name in found and known[name] != found[name] and name in mapped
    ]
    new = [name for name in found if name not in known]
    refused = [
        f"{what}: {', '.join(names)}"
        for what, names, decision in (
            ("columns gone", [name for name in gone if name in mapped], policy.column_gone),
            ("types changed", changed, policy.type_changed),
            ("new columns", new, policy.column_new),
        )
        if names and decision == "refuse"
    ]
    if refused:
        raise WinbackError(
            f"{place}: the source has changed since its last load; {'; '.join(refused)}. "
            "Nothing of this batch was loaded.",
            "correct the mapping in winback.yml, or accept it there under the source's `drift` "
            "(column_gone, type_changed, column_new: accept)",
        )
    notes = {"columns gone": gone, "types changed": changed, "new columns": new}
    return tuple(f"{what}: {', '.join(names)}" for what, names in notes.items() if names)
