"""Numbers of tasks as their addressee gets them: signed, so that nobody can answer for somebody else."""

import base64
import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from winback import paths, warehouse
from winback.errors import WinbackError
from winback.machine import locked, write_private

VARIABLE = "WINBACK_TASKS_SECRET"
_LEAST_CHARACTERS = 16
_SIGNED = 10  # letters and digits of five bits each
_NUMBER = re.compile(rf"(T\d{{6}}-[0-9A-F]{{10}})-([A-Z2-7]{{{_SIGNED}}})")


def secret() -> bytes:
    """Return the secret that numbers are signed with; beside the embedded server lies one of its own.

    Raises:
        WinbackError: a warehouse elsewhere may have several machines, and the environment has no secret for
            them, or a short one.
    """
    found = os.environ.get(VARIABLE, "")
    if not found and warehouse.is_embedded():
        return _kept(paths.state_dir() / "tasks_secret").encode()
    if len(found) < _LEAST_CHARACTERS:
        raise WinbackError(
            f"{VARIABLE}: {'too short' if found else 'not set'}; the numbers of tasks cannot be signed.",
            f"set it to {_LEAST_CHARACTERS} or more characters, the same wherever Winback runs"
            " (openssl rand -base64 32); another one makes the workbooks that are out worthless",
        )
    return found.encode()


def _kept(file: Path) -> str:
    with locked(file.with_suffix(".lock")):
        if not file.exists():
            write_private(file, secrets.token_urlsafe(32))
        return file.read_text()


def signed(task_id: str, owner: str, key: bytes) -> str:
    """Return the number that a task's owner gets."""
    return f"{task_id}-{_signature(task_id, owner, key)}"


def with_numbers(rows: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return rows of tasks with the number that each task's owner gets; no rows need no secret."""
    key = secret() if rows else b""
    return tuple(
        {**row, "task_number": signed(row["task_id"], row["account_manager_key"], key)} for row in rows
    )


def task_of(number: str) -> tuple[str, str] | None:
    """Return the task and the signature in a number, as typed in either width or case; None in no number."""
    match = _NUMBER.fullmatch(unicodedata.normalize("NFKC", number).strip().upper())
    return (match[1], match[2]) if match else None


def is_signed_for(task_id: str, signature: str, owner: str, key: bytes) -> bool:
    """Tell whether a signature was made for this owner of the task."""
    return hmac.compare_digest(signature, _signature(task_id, owner, key))


def _signature(task_id: str, owner: str, key: bytes) -> str:
    digest = hmac.new(key, f"{task_id}\n{owner}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:_SIGNED]
