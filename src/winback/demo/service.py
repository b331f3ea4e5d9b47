"""Simulate what people did around the real sales: calls by advisers, surveys, and a few events."""

import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import duckdb

from winback.demo import BAD_BATCH, BAD_PRODUCT, FIRST_DAY, LAST_DAY, RECALLED_ON, SEED

Row = tuple[Any, ...]

# event, from, to, name, product, batch
EVENTS: tuple[Row, ...] = (
    ("E1", "2017-09-04", None, "鲜肉提价 / Meat price rise", "MEAT", None),
    ("E2", "2017-11-16", "2017-11-23", "感恩节促销 / Thanksgiving promotion", None, None),
    ("E3", RECALLED_ON, None, f"召回 / Recall {BAD_BATCH}", BAD_PRODUCT, BAD_BATCH),
)
_FIRST_CALLS = FIRST_DAY.replace(month=3)
_KEY_SHARE = 0.2
_KEY_CALLED, _OTHERS_CALLED = 0.5, 0.12  # of customers, each month
_SILENT_DAYS = 45
_REASON_TOLD = 0.6
_REASONS = (("搬迁", 10), ("竞争对手", 25), ("价格太高", 25), ("质量", 15), ("服务", 15), ("不再需要", 10))
_CALL_CHANNELS = (("电话", 70), ("微信", 30))
_SURVEYED = 0.008  # of receipts
_SCORES = ((1, 5), (2, 9), (3, 18), (4, 40), (5, 28))
_EXPECTED = ((3, 20), (4, 55), (5, 25))


def calls(receipts: duckdb.DuckDBPyConnection, members: list[Row]) -> Iterator[Row]:
    """Let advisers call their customers, those who spend most more often; the silent may say why.

    Yields rows of `crm.calls`; members come as rows of `crm.members`.
    """
    chance = random.Random(SEED + 2)
    spenders = receipts.execute(
        "select member_no, max(sold_at) from receipts group by 1 order by sum(net_amount) desc, 1"
    ).fetchall()
    last_sold = dict(spenders)
    key = {member for member, _ in spenders[: round(_KEY_SHARE * len(spenders))]}
    months = [_FIRST_CALLS.replace(month=month) for month in range(_FIRST_CALLS.month, LAST_DAY.month + 1)]
    number = 0
    for month in months:
        for member, *_, adviser, refuses in members:
            if refuses or chance.random() >= (_KEY_CALLED if member in key else _OTHERS_CALLED):
                continue
            number += 1
            day = month + timedelta(days=chance.randrange(28))
            called_at = datetime.combine(day, time(14)) + timedelta(minutes=chance.randrange(480))
            is_silent = called_at - last_sold[member] > timedelta(days=_SILENT_DAYS)
            tells = is_silent and chance.random() < _REASON_TOLD
            yield (
                number,
                member,
                adviser,
                called_at,
                draw(chance, _CALL_CHANNELS),
                (draw(chance, _REASONS) if tells else None),
            )


def surveys(receipts: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    """Ask after some receipts how it was, and how it was expected to be; yield rows of `crm.surveys`."""
    chance = random.Random(SEED + 3)
    number = 0
    for member, sold_at in receipts.execute(
        "select member_no, sold_at from receipts order by receipt_no"
    ).fetchall():
        asked_at = sold_at + timedelta(days=3)
        if chance.random() < _SURVEYED and asked_at.date() <= LAST_DAY:
            number += 1
            yield number, member, asked_at, draw(chance, _SCORES), draw(chance, _EXPECTED)


def draw(chance: random.Random, weighted: tuple[tuple[Any, int], ...]) -> Any:
    """Draw one of several values by their weights."""
    return chance.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]
