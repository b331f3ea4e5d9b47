"""Open what a user points at: files, folders and databases, as tables that DuckDB can be asked about."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from winback.errors import WinbackError
from winback.extract.conversions import quoted

SAMPLE_ROWS = 10_000


@dataclass(frozen=True)
class SystemProposal:
    """A system of `winback.yml`: a folder or a database."""

    name: str
    connector: str
    folder: Path | None = None
    url_without_password: str | None = None


@dataclass(frozen=True)
class SourceTable:
    """One table at hand: its columns with their types, and where DuckDB finds its rows.

    `rows` is the relation of all rows, or of a sample where `is_whole` is false; `sample` that of at most
    `SAMPLE_ROWS`. `reading` holds the keys of a source in `winback.yml` that say which rows and how they
    are read. `notes` are what a person should know about that, `doubts` what a person must decide.
    """

    name: str
    system: SystemProposal
    types: dict[str, str]
    rows: str
    sample: str
    is_whole: bool
    reading: dict[str, object]
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass
class SystemNames:
    """The systems so far: one per folder or database, each with a name of its own."""

    systems: dict[str, SystemProposal] = field(default_factory=dict)

    def system(self, place: str, wish: str, proposal: SystemProposal) -> SystemProposal:
        """Return the system of a place, named after `wish` when it is new."""
        if place not in self.systems:
            taken = {system.name for system in self.systems.values()}
            name, number = as_name(wish), 2
            while name in taken:
                name, number = f"{as_name(wish)}_{number}", number + 1
            self.systems[place] = replace(proposal, name=name)
        return self.systems[place]


def as_name(text: str) -> str:
    """Return a text as a name that `winback.yml` takes: lowercase ASCII, digits and underscores."""
    plain = unicodedata.normalize("NFKD", text).lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return name if re.match("[a-z]", name) else f"files_{name}".rstrip("_")


def open_sources(
    engine: duckdb.DuckDBPyConnection, folder: Path, sources: tuple[str, ...]
) -> Iterator[SourceTable]:
    """Yield every table of the given files, folders and database URLs.

    Raises:
        WinbackError: a source does not exist, cannot be read, or holds no table.
    """
    from winback.onboarding.databases import open_database  # noqa: PLC0415 -- drivers only where needed
    from winback.onboarding.files import open_folder  # noqa: PLC0415

    names = SystemNames()
    by_folder: dict[Path, list[Path]] = {}
    for source in sources:
        if "://" in source:
            yield from open_database(engine, source, names)
            continue
        path = Path(source).expanduser().resolve()
        if path.is_dir():
            by_folder.setdefault(path, []).extend(sorted(path.iterdir()))
        elif path.is_file():
            by_folder.setdefault(path.parent, []).append(path)
        else:
            raise WinbackError(
                f"{source}: no such file or folder, and no database URL.",
                "name a file, a folder, or a URL such as postgresql://user:password@host:5432/database",
            )
    for place, paths in by_folder.items():
        yield from open_folder(engine, folder, place, list(dict.fromkeys(paths)), names)


def view_of(engine: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Make a view of a relation and return its name."""
    return _create(engine, "view", f"select * from {relation}")


def sample_of(engine: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Keep a sample of a relation's rows as text, drawn from all of it, and return its table's name."""
    texts = f"select cast(columns(*) as varchar) from {relation}"
    return _create(
        engine, "table", f"select * from ({texts}) using sample reservoir({SAMPLE_ROWS} rows) repeatable (1)"
    )


def _create(engine: duckdb.DuckDBPyConnection, kind: str, query: str) -> str:
    row = engine.execute("select count(*) from duckdb_tables() union all select count(*) from duckdb_views()")
    name = f"{kind}_{sum(count for (count,) in row.fetchall())}"
    engine.execute(f"create {kind} {quoted(name)} as {query}")
    return name


def column_types(engine: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return a relation's columns with their types."""
    return {row[0]: row[1].lower() for row in engine.execute(f"describe select * from {relation}").fetchall()}
