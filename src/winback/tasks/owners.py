"""Who has a task: the customer's present account manager, else whoever that one reports to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

NOBODY = "-1"


@dataclass(frozen=True)
class Manager:
    """An account manager, as far as it matters who has a task."""

    reports_to: str | None = None
    left_on: date | None = None


def choose_owner(managers: Mapping[str, Manager], wanted: Iterable[str | None], day: date) -> str:
    """Return the first of the wanted who is there, else the nearest superior of the first who has one.

    Returns `-1` where nobody is left. A circle of superiors ends where it began.
    """
    candidates = [key for key in wanted if key is not None]
    for key in candidates:
        if is_there(managers, key, day):
            return key
    for key in candidates:
        asked: set[str] = set()
        superior: str | None = key
        while superior is not None and superior in managers and superior not in asked:
            asked.add(superior)
            superior = managers[superior].reports_to
            if superior is not None and is_there(managers, superior, day):
                return superior
    return NOBODY


def is_there(managers: Mapping[str, Manager], key: str, day: date) -> bool:
    """Tell whether an account manager is known and has not left by the end of a day."""
    if key == NOBODY or key not in managers:
        return False
    left_on = managers[key].left_on
    return left_on is None or left_on > day


def read_managers(connection: psycopg.Connection[Any]) -> dict[str, Manager]:
    """Read the account managers of whom the marts know more than a number."""
    rows = connection.execute(
        "select account_manager_key, reports_to_key, left_on from marts.dim_account_manager"
        " where account_manager_key in (select source_id || ':' || account_manager_id"
        " from raw.account_managers where deleted_on is null)"
    )
    return {key: Manager(reports_to, left_on) for key, reports_to, left_on in rows}
