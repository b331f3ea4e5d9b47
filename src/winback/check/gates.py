"""Whether a whole batch is odd: what it measures against what its source usually sends.

Everything is decided from plain values here; Great Expectations holds the measures to the limits. What is
usual is a median, and how far from it is odd is told in median absolute deviations, so one odd day in the
past moves neither.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import fmean, median

from winback.check.history import History
from winback.check.measures import (
    OTHER,
    QUARANTINED_SHARE,
    VOLUME,
    Delivery,
    Measures,
    mix_name,
    null_share_name,
    typical_name,
)
from winback.check.rules import Severity
from winback.config_checks import BatchChecks, BatchSeverity, Usual
from winback.holidays import DayKind, Holidays

FRESHNESS = "freshness"
# Scales a median absolute deviation to a standard deviation.
MAD_TO_DEVIATION = 1.4826
# The stability index takes logarithms, so a share of nothing counts as this.
LEAST_SHARE = 0.0001


@dataclass(frozen=True)
class Gate:
    """One check of a whole batch; its name is the column of the measures that its limits are for.

    `usual` is the median of as many values as `history` says, and `basis` says of what. Without limits
    nothing is judged, a cold start, and `basis` says why.
    """

    name: str
    column: str | None
    severity: Severity
    observed: float | None
    protects_en: str
    protects_zh: str
    owner: str = "data engineering"
    usual: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    history: int = 0
    basis: str = ""

    @property
    def is_cold(self) -> bool:
        """Tell whether there is nothing to judge by."""
        return self.minimum is None and self.maximum is None


def batch_gates(
    checks: BatchChecks, measures: Measures, history: History, holidays: Holidays
) -> tuple[Gate, ...]:
    """Return the gates of a batch, all but those that are switched off."""
    return (
        *_freshness(checks, measures, history, holidays),
        *_volume(checks, measures, history, holidays),
        *_quarantined_share(checks, measures),
        *_null_shares(checks, measures, history),
        *_typical_amounts(checks, measures, history),
        *_mixes(checks, measures, history),
    )


def explain(gates: Iterable[Gate]) -> list[str]:
    """Say of each gate, in one line, what was measured, what is usual and what would be allowed."""
    return [f"{gate.name}: {_measured(gate)}, {_allowed(gate)}" for gate in gates]


def _measured(gate: Gate) -> str:
    says = {
        VOLUME: "{} rows",
        FRESHNESS: "{} working days since the newest row",
        QUARANTINED_SHARE: "{} rejected",
    }
    default = "{} empty" if gate.name == null_share_name(str(gate.column)) else "{}"
    measured = says.get(gate.name, default).format(_number(gate, gate.observed))
    if gate.usual is None:
        return f"{measured} ({gate.basis})"
    return f"{measured}, usual {_number(gate, gate.usual)} (median of {gate.history} {gate.basis})"


def _allowed(gate: Gate) -> str:
    limits = ((gate.minimum, "at least"), (gate.maximum, "at most"))
    return ", ".join(f"{word} {_number(gate, limit)}" for limit, word in limits if limit is not None)


def _number(gate: Gate, value: float | None) -> str:
    if gate.name in (VOLUME, FRESHNESS):
        return f"{value:,.0f}"
    is_share = gate.name in (QUARANTINED_SHARE, null_share_name(str(gate.column)))
    return f"{value:.1%}" if is_share else f"{value:,.2f}"


def _freshness(
    checks: BatchChecks, measures: Measures, history: History, holidays: Holidays
) -> Iterator[Gate]:
    severity, event = _severity(checks.freshness.severity), measures.delivery.feed.event_column
    if severity is None or event is None or not measures.delivery.has_moments:
        return  # events with a day only, such as recalls, come when they come
    newest = max((day for day in (measures.newest, history.newest) if day is not None), default=None)
    gate = Gate(
        FRESHNESS,
        event,
        severity,
        None if newest is None else float(holidays.workdays_after(newest, measures.delivery.day)),
        "Days whose data have not come would look like customers who stay away.",
        "数据没有按时到齐，缺数据的日子会被误看成客户没有来。",
    )
    if newest is None:
        yield replace(gate, basis="no row has come yet")
    else:
        yield replace(gate, maximum=float(checks.freshness.at_most_days), basis=f"of {newest}")


def _volume(checks: BatchChecks, measures: Measures, history: History, holidays: Holidays) -> Iterator[Gate]:
    """Compare the number of rows; too few and too many have severities of their own.

    A day that usually has fewer than `usual.rows` rows cannot have too few, and for too many it counts as a
    day of that number. Where more are usual, none at all is always too few.
    """
    delivery, volume, usual = measures.delivery, checks.volume, checks.usual
    few, many = _severity(volume.too_few), _severity(volume.too_many)
    either = few or many
    if either is None:
        return
    gate = Gate(
        VOLUME,
        None,
        either,
        float(measures.volume),
        "Far too few rows look like lost customers, far too many like sales that were never made.",
        "数据明显偏少会被误判为客户流失，明显偏多则会虚增销售。",
    )
    if delivery.is_daily and holidays.kind(delivery.day) is DayKind.HOLIDAY:
        yield replace(gate, basis="a public holiday is compared with no other day")
        return
    past, basis = _comparable(history, delivery, holidays, usual)
    if len(past) < usual.at_least:
        yield _too_little_known(gate, past, basis, usual)
        return
    middle = median(past)
    base = max(middle, usual.rows)
    # Counts vary by about their square root even where nothing else does.
    width = max(volume.deviations * max(_deviation(past), math.sqrt(base)), volume.change * base)
    yield replace(
        gate,
        severity=(few if measures.volume < middle else many) or either,
        usual=middle,
        minimum=max(math.ceil(base - width), 1) if few and middle >= usual.rows else None,
        maximum=math.floor(base + width) if many else None,
        history=len(past),
        basis=basis,
    )


def _comparable(
    history: History, delivery: Delivery, holidays: Holidays, usual: Usual
) -> tuple[list[float], str]:
    """Return the volumes that a delivery is compared with, and what they are of.

    A day is compared with the same weekday. A make-up workday falls on a weekend, but people work, so it is
    compared with every workday.
    """
    if not delivery.is_daily:
        return list(history.volumes.values())[: usual.batches], "batches"
    day, kind = delivery.day, holidays.kind(delivery.day)
    is_make_up = kind is DayKind.MAKE_UP_WORKDAY
    wanted = DayKind.WORKDAY if is_make_up else kind
    past = [
        rows
        for other, rows in history.volumes.items()
        if day - timedelta(weeks=usual.weeks) <= other < day
        and (is_make_up or other.weekday() == day.weekday())
        and holidays.kind(other) is wanted
    ]
    return past, "workdays" if is_make_up else f"{day:%A}s"


def _quarantined_share(checks: BatchChecks, measures: Measures) -> Iterator[Gate]:
    severity = _severity(checks.quarantined_share.severity)
    if severity is None:
        return
    gate = Gate(
        QUARANTINED_SHARE,
        None,
        severity,
        measures.quarantined_share,
        "Where many rows are rejected the source has changed, and what is left gives no fair picture.",
        "大量记录被拒收，多半是来源系统有变，剩下的数据不足以反映全貌。",
        basis=f"of {measures.rows_in:,} rows",
    )
    is_small = measures.rows_in < checks.usual.rows
    yield gate if is_small else replace(gate, maximum=checks.quarantined_share.at_most)


def _null_shares(checks: BatchChecks, measures: Measures, history: History) -> Iterator[Gate]:
    severity, limits = _severity(checks.null_share.severity), checks.null_share
    if severity is None:
        return
    for column, share in measures.null_shares.items():
        gate = Gate(
            null_share_name(column),
            column,
            severity,
            share,
            f"Where {column} is suddenly missing, figures and calls that need it go wrong.",
            f"{column} 突然大量为空，依赖它的指标和客户联系都会出错。",
        )
        past = history.values.get(gate.name, ())
        if share is None or len(past) < checks.usual.at_least:
            yield _too_little_known(gate, past, "batches", checks.usual)
            continue
        middle = median(past)
        # By chance alone a share varies by this much in so many rows.
        chance = math.sqrt(middle * (1 - middle) / measures.rows)
        rise = max(limits.deviations * max(_deviation(past), chance), limits.change)
        yield replace(gate, usual=middle, maximum=middle + rise, history=len(past), basis="batches")


def _typical_amounts(checks: BatchChecks, measures: Measures, history: History) -> Iterator[Gate]:
    severity, limits = _severity(checks.amount.severity), checks.amount
    if severity is None:
        return
    for column, amount in measures.typical.items():
        gate = Gate(
            typical_name(column),
            column,
            severity,
            amount,
            f"A jump of the typical {column} points at another currency, unit or tax.",
            f"{column} 的典型值突变，多半是币种、单位或含税口径变了。",
        )
        past = history.values.get(gate.name, ())
        if amount is None or len(past) < checks.usual.at_least:
            yield _too_little_known(gate, past, "batches", checks.usual)
            continue
        middle = median(past)
        times = max(math.exp(limits.deviations * _deviation(map(math.log, past))), limits.factor)
        yield replace(
            gate,
            usual=middle,
            minimum=middle / times,
            maximum=middle * times,
            history=len(past),
            basis="batches",
        )


def _mixes(checks: BatchChecks, measures: Measures, history: History) -> Iterator[Gate]:
    severity = _severity(checks.categories.severity)
    if severity is None:
        return
    for column, shares in measures.mixes.items():
        gate = Gate(
            mix_name(column),
            column,
            severity,
            None,
            f"A shift of {column} points at a part that is missing, or at codes that were renamed.",
            f"{column} 的构成突变，多半是漏传了一部分数据，或代码改了名。",
        )
        past = history.mixes.get(gate.name, ())
        if not shares or len(past) < checks.usual.at_least:
            yield _too_little_known(gate, past, "batches", checks.usual)
            continue
        index, cells = stability_index(shares, past)
        yield replace(
            gate,
            observed=index,
            # By chance alone the index is about this in so many rows.
            maximum=checks.categories.at_most + (cells - 1) / measures.rows,
            history=len(past),
            basis=f"against the mean of {len(past)} batches",
        )


def stability_index(shares: Mapping[str, float], past: Sequence[Mapping[str, float]]) -> tuple[float, int]:
    """Return the population stability index of shares against the mean of past ones, and the number of cells.

    Of a mix of many values only the most frequent were kept; those that were not kept every time are counted
    together.
    """
    is_cut = any(OTHER in mix for mix in past)
    cells = set.intersection(*map(set, past)) - {OTHER} if is_cut else set(shares).union(*past)
    pairs = [(shares.get(cell, 0.0), fmean(mix.get(cell, 0.0) for mix in past)) for cell in sorted(cells)]
    if is_cut:
        pairs.append((1 - sum(now for now, _ in pairs), 1 - sum(usual for _, usual in pairs)))
    index = 0.0
    for pair in pairs:
        now, usual = (max(share, LEAST_SHARE) for share in pair)
        index += (now - usual) * math.log(now / usual)
    return index, len(pairs)


def _too_little_known(gate: Gate, past: Sequence[object], basis: str, usual: Usual) -> Gate:
    """Return a gate that judges nothing: there are too few to compare with, or too few rows."""
    if len(past) < usual.at_least:
        return replace(gate, history=len(past), basis=f"{len(past)} {basis} known, {usual.at_least} needed")
    return replace(gate, history=len(past), basis="too few rows to tell")


def _deviation(values: Iterable[float]) -> float:
    """Return the median absolute deviation, scaled to a standard deviation."""
    known = list(values)
    middle = median(known)
    return MAD_TO_DEVIATION * median(abs(value - middle) for value in known)


def _severity(name: BatchSeverity) -> Severity | None:
    return None if name == "off" else Severity(name)
