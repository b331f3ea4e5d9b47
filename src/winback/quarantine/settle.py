"""Let rows in quarantine go: they stay in the table, and never wait or come back again."""

from collections.abc import Collection
from typing import Any

import psycopg
from psycopg import sql

from winback.errors import WinbackError
from winback.load.replay import settling


def discard(connection: psycopg.Connection[Any], feed: str, ids: Collection[int], because: str) -> int:
    """Settle rows that wait as discarded, with a reason, and return how many.

    Raises:
        WinbackError: some of them do not wait; none is discarded then.
    """
    wanted = set(ids)
    with settling(connection, feed), connection.transaction():
        settled = connection.execute(
            sql.SQL(
                "update {} set state = 'discarded', settled_at = clock_timestamp(), settled_because = %s"
                " where quarantine_id = any(%s) and state = 'open'"
            ).format(sql.Identifier("quarantine", feed)),
            [because, list(wanted)],
        ).rowcount
        if settled < len(wanted):
            raise WinbackError(
                f"{feed}: {len(wanted) - settled} of {len(wanted)} rows do not wait in quarantine; "
                "nothing was discarded.",
                f"winback quarantine list {feed}",
            )
    return settled
