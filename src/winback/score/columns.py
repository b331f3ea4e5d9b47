"""Move columns of numbers between PostgreSQL and numpy as they are, by COPY in binary.

Rows of numbers that are never null all have one length, so a million of them are one array of records.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

Columns = dict[str, NDArray[Any]]

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # signature, no flags, no extension
_TRAILER = b"\xff\xff"


def read_columns(
    connection: psycopg.Connection[Any],
    query: str,
    types: Mapping[str, str],
    parameters: Sequence[Any] | Mapping[str, Any],
) -> Columns:
    """Return the columns of a query, in its order; `types` are numpy's (i4, i8, f8), and no value is null."""
    statement = f"copy ({query}) to stdout (format binary)"
    with connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        data = b"".join(bytes(chunk) for chunk in copy)
    record = _record(types)
    body = len(data) - len(_HEADER) - len(_TRAILER)
    rows = np.frombuffer(data, record, count=body // record.itemsize, offset=len(_HEADER))
    assert rows.nbytes == body, "a value is null, or of another type"
    return {name: rows[name].astype(rows[name].dtype.newbyteorder("=")) for name in types}


def write_columns(
    connection: psycopg.Connection[Any], table: sql.Identifier, types: Mapping[str, str], columns: Columns
) -> None:
    """Append rows to a table, given as columns of one length."""
    record = _record(types)
    rows = np.empty(len(next(iter(columns.values()))), record)
    rows["fields"] = len(types)
    for name in types:
        rows[name] = columns[name]
        rows[f"{name} size"] = record[name].itemsize
    names = sql.SQL(", ").join(map(sql.Identifier, types))
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(table, names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEADER)
        copy.write(rows.tobytes())
        copy.write(_TRAILER)


def _record(types: Mapping[str, str]) -> np.dtype[Any]:
    """Return a row as COPY writes it: the number of fields, then each field behind its size."""
    fields = [("fields", ">i2")]
    for name, type_ in types.items():
        fields += [(f"{name} size", ">i4"), (name, f">{type_}")]
    return np.dtype(fields)
