"""Simulate the complaint system: GB18030 CSV exports in a drop folder, one a day after a first large one.

Every export holds the complaints opened or changed on its day, as a ticket system would send them. A few
rows are wrong on purpose, so that the demo shows where they end.
"""

import csv
import os
import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from winback.demo import BAD_BATCH, FIRST_DAY, HISTORY_ENDS_ON, LAST_DAY, SEED, TIME_ZONE
from winback.demo.service import draw

ENCODING = "gb18030"
HEADER = (
    "投诉编号", "受理时间", "会员号", "小票号", "渠道", "类别", "严重程度", "首次响应时间", "结案时间",
    "状态", "满意度", "更新时间", "商品编号", "批号",
)  # fmt: skip
_COMPLAINTS_PER_RECEIPT = 0.012
_BAD_BATCH_COMPLAINTS = 0.12  # of the receipts with something of it
_QUALITY = "商品质量"
_RESOLVED_SHARE = 0.9
_ANSWERED_SURVEY_SHARE = 0.6
_CATEGORIES = ((_QUALITY, 40), ("服务态度", 22), ("价格与促销", 18), ("缺货", 14), ("退换货", 6))
_CHANNELS = (("电话", 45), ("门店", 25), ("微信", 30))
_SEVERITIES = (("一般", 80), ("严重", 20))
_SATISFACTION = ((1, 12), (2, 14), (3, 24), (4, 32), (5, 18))
_WRONG_ROWS = (
    ("X-0001", "昨天下午", "", "", "电话", "服务态度", "一般", "", "", "处理中", "", "", "", ""),
    (
        "X-0002", "2017/12/20 09:15", "", "", "微信", "缺货", "一般", "", "2017/12/21 10:00", "已结案", "9",
        "", "", "",
    ),
    ("", "2017/12/21 11:40", "", "", "门店", "商品质量", "严重", "", "", "处理中", "", "", "", ""),
    ("X-0004", "2017/12/22 16:05", "", "", "电话", "退换货", "一般", "", "", "转王经理", "", "", "", ""),
)  # fmt: skip


@dataclass(frozen=True)
class Complaint:
    """One simulated complaint and what will become of it."""

    number: str
    member_no: int
    receipt_no: int
    channel: str
    category: str
    severity: str
    opened_at: datetime
    responded_at: datetime
    resolved_at: datetime | None
    satisfaction: int | None
    product_no: str = ""
    batch_no: str = ""

    def changed_on(self, day: date) -> bool:
        """Tell whether a day's export mentions this complaint."""
        moments = (self.opened_at, self.responded_at, self.resolved_at)
        return any(moment is not None and moment.date() == day for moment in moments)

    def row(self, until: datetime) -> tuple[str, ...]:
        """Return the export's row as the ticket system knew it at a moment."""
        responded = self.responded_at if self.responded_at < until else None
        resolved = self.resolved_at if self.resolved_at and self.resolved_at < until else None
        changed = max(moment for moment in (self.opened_at, responded, resolved) if moment is not None)
        status = "已结案" if resolved else "处理中" if responded else "待处理"
        return (
            self.number, _stamp(self.opened_at), str(self.member_no), str(self.receipt_no), self.channel,
            self.category, self.severity, _stamp(responded), _stamp(resolved), status,
            str(self.satisfaction) if resolved and self.satisfaction else "", _stamp(changed),
            self.product_no, self.batch_no,
        )  # fmt: skip


def write_exports(folder: Path, receipts: duckdb.DuckDBPyConnection) -> int:
    """Write all exports that are missing and return how many; the same seed gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    days = [HISTORY_ENDS_ON + timedelta(days=n) for n in range((LAST_DAY - HISTORY_ENDS_ON).days + 1)]
    missing = [day for day in days if not _export(folder, day).exists()]
    if not missing:
        return 0
    complaints = _simulate(receipts)
    for day in missing:
        until = datetime.combine(day + timedelta(days=1), time.min)
        is_history = day == HISTORY_ENDS_ON
        rows = [
            complaint.row(until)
            for complaint in complaints
            if (complaint.opened_at < until if is_history else complaint.changed_on(day))
        ]
        _write(_export(folder, day), [*rows, *(_WRONG_ROWS if is_history else ())])
    return len(missing)


def _export(folder: Path, day: date) -> Path:
    return folder / f"投诉_{day:%Y%m%d}.csv"


def _write(path: Path, rows: list[tuple[str, ...]]) -> None:
    """Write beside, then rename: nobody ever sees half an export."""
    beside = path.with_suffix(".part")
    with beside.open("w", encoding=ENCODING, newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    os.replace(beside, path)


def _simulate(receipts: duckdb.DuckDBPyConnection) -> list[Complaint]:
    """Let one receipt in about eighty draw a complaint, and many of those with something of the bad batch.

    A complaint about quality names a product of its receipt, and the batch of a fresh one.
    """
    chance, aside = random.Random(SEED), random.Random(SEED + 1)
    bought: dict[int, list[tuple[str, str]]] = {}
    for receipt_no, product_no, batch_no in receipts.execute(
        "select receipt_no, product_no, coalesce(batch_no, '') from lines order by receipt_no, line_no"
    ).fetchall():
        bought.setdefault(receipt_no, []).append((product_no, batch_no))
    complaints = []
    sales = receipts.execute("select receipt_no, member_no, sold_at from receipts order by receipt_no")
    for receipt_no, member_no, sold_at in sales.fetchall():
        if chance.random() < _COMPLAINTS_PER_RECEIPT:
            complaint = _complaint(chance, receipt_no, member_no, sold_at)
            if complaint.category == _QUALITY:
                product_no, batch_no = aside.choice(bought[receipt_no])
                complaint = replace(complaint, product_no=product_no, batch_no=batch_no)
            complaints.append(complaint)
        of_bad = [pair for pair in bought[receipt_no] if pair[1] == BAD_BATCH]
        if of_bad and aside.random() < _BAD_BATCH_COMPLAINTS:
            product_no, batch_no = of_bad[0]
            complaint = _complaint(aside, receipt_no, member_no, sold_at)
            complaints.append(replace(complaint, category=_QUALITY, product_no=product_no, batch_no=batch_no))
    kept = [complaint for complaint in complaints if FIRST_DAY <= complaint.opened_at.date() <= LAST_DAY]
    kept.sort(key=lambda complaint: complaint.opened_at)
    return [replace(complaint, number=f"TS{number:06d}") for number, complaint in enumerate(kept, start=1)]


def _complaint(chance: random.Random, receipt_no: int, member_no: int, sold_at: datetime) -> Complaint:
    zone = ZoneInfo(TIME_ZONE)
    sold = sold_at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None, second=0)
    opened = sold + timedelta(minutes=round(chance.expovariate(1 / (26 * 60))))
    responded = opened + timedelta(minutes=5 + round(chance.lognormvariate(4.6, 1.1)))
    is_resolved = chance.random() < _RESOLVED_SHARE
    resolved = responded + timedelta(minutes=10 + round(chance.lognormvariate(7.2, 1.0)))
    return Complaint(
        number="",
        member_no=member_no,
        receipt_no=receipt_no,
        channel=draw(chance, _CHANNELS),
        category=draw(chance, _CATEGORIES),
        severity=draw(chance, _SEVERITIES),
        opened_at=opened,
        responded_at=responded,
        resolved_at=resolved if is_resolved else None,
        satisfaction=draw(chance, _SATISFACTION) if chance.random() < _ANSWERED_SURVEY_SHARE else None,
    )


def _stamp(moment: datetime | None) -> str:
    return f"{moment.year}/{moment.month}/{moment.day} {moment:%H:%M}" if moment else ""
