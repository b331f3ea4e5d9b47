"""Who has a task when account managers come and go."""

from datetime import date

import pytest

from winback.tasks.owners import NOBODY, Manager, choose_owner

DAY = date(2026, 3, 8)
MANAGERS = {
    "there": Manager("head"),
    "leaves_today": Manager("head", DAY),
    "leaves_tomorrow": Manager("head", date(2026, 3, 9)),
    "head": Manager("director"),
    "gone_head": Manager("director", date(2026, 1, 1)),
    "under_gone_head": Manager("gone_head", date(2026, 1, 1)),
    "director": Manager(),
    "alone": Manager(None, date(2026, 1, 1)),
    "circle_a": Manager("circle_b", date(2026, 1, 1)),
    "circle_b": Manager("circle_a", date(2026, 1, 1)),
}


@pytest.mark.parametrize(
    ("wanted", "owner"),
    [
        (["there"], "there"),
        (["leaves_tomorrow"], "leaves_tomorrow"),
        (["leaves_today"], "head"),
        (["under_gone_head"], "director"),
        (["alone"], NOBODY),
        (["circle_a"], NOBODY),
        (["unknown"], NOBODY),
        ([NOBODY], NOBODY),
        ([None, "leaves_today"], "head"),
        (["there", "leaves_today"], "there"),
        (["alone", "leaves_today"], "head"),
        ([], NOBODY),
    ],
)
def test_whoever_is_there_or_their_nearest_superior(wanted: list[str | None], owner: str) -> None:
    assert choose_owner(MANAGERS, wanted, DAY) == owner
