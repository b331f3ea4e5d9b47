"""Files that have arrived: which of them make a batch, and which batches are due."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from winback.config import FeedSource, FileSystem
from winback.errors import WinbackError
from winback.extract import SourceFile
from winback.extract.files import DatedFile, content_hash, find_files

Group = dict[str, DatedFile]


@dataclass(frozen=True)
class _Loaded:
    """What is known of a batch of files: whether all are, and by which batch those that state a day.

    `changed` tells whether that batch changed rows that were there before; `replaced` is the batch of a file
    whose name has had another content since.
    """

    is_whole: bool
    by: int | None
    changed: bool
    replaced: int | None


def file_patterns(source: FeedSource) -> dict[str, str]:
    """Return a source's file patterns by the name that its query calls them."""
    assert source.files is not None
    return source.files if isinstance(source.files, dict) else {"rows": source.files}


def has_arrived(system: FileSystem, source: FeedSource, day: date) -> bool:
    """Tell whether each dated file of a business day is there; undated files are never waited for."""
    return all(
        any(file.day == day for file in find_files(system.folder, pattern))
        for pattern in file_patterns(source).values()
        if "%" in pattern
    )


def batches_of_files(found: dict[str, list[DatedFile]], day: date) -> list[Group]:
    """Return which files make a batch, oldest day first, up to a business day.

    A single pattern makes one batch per file. Files that a query joins make one batch per day on which each
    dated pattern has its file, with the latest of the undated ones beside them.
    """
    due = {
        table: [file for file in files if file.day is None or file.day <= day]
        for table, files in found.items()
    }
    for files in due.values():
        files.sort(key=lambda file: file.day or date.min)  # the order of names may be another
    if len(due) == 1:
        return [{table: file} for table, files in due.items() for file in files]
    if not all(due.values()):
        return []
    latest = {table: files[-1] for table, files in due.items()}
    by_day = {table: {file.day: file for file in files} for table, files in due.items() if files[-1].day}
    if not by_day:
        return [latest]
    common = sorted(set.intersection(*(set(days) for days in by_day.values())), key=str)
    return [latest | {table: days[day] for table, days in by_day.items()} for day in common]


def due_groups(
    connection: psycopg.Connection[Any],
    feed: str,
    source: FeedSource,
    found: dict[str, list[DatedFile]],
    day: date,
) -> Iterator[tuple[Group, int | None]]:
    """Yield the batches of files that are due, each with the batch that it repeats, if it repeats one.

    Due are new files. Once more, those of the days after a file that came late and changed or rejected rows:
    what they left as it was must not stay as the late file has it. And a file that is again what it was
    before its last load.

    Raises:
        WinbackError: a file that is not dated is not there.
    """
    if missing := [
        pattern for table, pattern in file_patterns(source).items() if not found[table] and "%" not in pattern
    ]:
        raise WinbackError(
            f"feeds.{feed} from {source.source}: no file matches {', '.join(missing)}.",
            "put the file into the folder of that system, or correct the name in winback.yml",
        )
    newest_change = 0
    for group in batches_of_files(found, date.max):
        loaded = _look_up(connection, feed, source.source, group)
        is_ahead = any(file.day is not None and file.day > day for file in group.values())
        if not loaded.is_whole and is_ahead:
            continue
        repeats = loaded.replaced
        if repeats is None and loaded.by is not None and loaded.by < newest_change:
            repeats = loaded.by
        if not loaded.is_whole or repeats is not None:
            yield group, repeats if loaded.is_whole else None
            loaded = _look_up(connection, feed, source.source, group)
        if loaded.by is not None and loaded.changed:
            newest_change = max(newest_change, loaded.by)


def _look_up(connection: psycopg.Connection[Any], feed: str, source_id: str, group: Group) -> _Loaded:
    """Ask which of a batch's files are known, by which batch.

    A file that is known by another name is the same file, but says nothing about the order of days.
    """
    files = {content_hash(file.path): file for file in group.values()}
    known = connection.execute(
        """
        select
            known.content_sha256, known.file, known.batch_id,
            batches.rows_updated + batches.rows_deleted + batches.rows_quarantined > 0,
            exists (
                select from ops.files as later
                where
                    (later.source_id, later.feed, later.file) = (known.source_id, known.feed, known.file)
                    and later.batch_id > known.batch_id
            )
        from ops.files as known
        inner join ops.batches on known.batch_id = batches.batch_id
        where known.source_id = %s and known.feed = %s and known.content_sha256 = any(%s)
        """,
        [source_id, feed, list(files)],
    ).fetchall()
    own = [
        (files[sha], batch, changed, is_replaced)
        for sha, name, batch, changed, is_replaced in known
        if files[sha].path.name == name
    ]
    dated = [(batch, changed) for file, batch, changed, _ in own if file.day is not None]
    return _Loaded(
        is_whole=len(known) == len(files),
        by=min((batch for batch, _ in dated), default=None),
        changed=any(changed for _, changed in dated),
        replaced=min((batch for _, batch, _, is_replaced in own if is_replaced), default=None),
    )


def first_delivery(
    connection: psycopg.Connection[Any], feed: str, source_id: str, files: tuple[SourceFile, ...]
) -> int | None:
    """Return the batch that first loaded files as they are now, since they last had another content."""
    row = connection.execute(
        """
        select min(batch_id) from ops.batches
        where
            feed = %(feed)s and source_id = %(source_id)s and file = %(names)s and status = 'committed'
            and batch_id > coalesce(
                (
                    select max(other.batch_id) from ops.files as other
                    where
                        other.feed = %(feed)s and other.source_id = %(source_id)s
                        and other.file = any(%(files)s) and other.content_sha256 <> all(%(contents)s)
                ),
                0
            )
        """,
        {
            "feed": feed,
            "source_id": source_id,
            "names": ", ".join(file.name for file in files),
            "files": [file.name for file in files],
            "contents": [file.content_sha256 for file in files],
        },
    ).fetchone()
    return row[0] if row else None


def check_unchanged(place: str, group: Group, files: tuple[SourceFile, ...]) -> None:
    """Refuse a file that was written while it was read: it would be known by what was not loaded.

    Raises:
        WinbackError: its content is no longer that of `files`.
    """
    for found, file in zip(group.values(), files, strict=True):
        if content_hash(found.path) != file.content_sha256:
            raise WinbackError(
                f"{place}: {file.name} changed while it was read; nothing of it was loaded.",
                "run the same load again once the file is complete",
            )
