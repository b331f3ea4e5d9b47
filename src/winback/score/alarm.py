"""Tell a bad batch from bad luck: which of many causes draw more complaints than they used to.

A cause is a product, a batch, a region or a channel. Its complaints of the last days are held against a
reference, each with its exposure: the orders whose complaints are due by then (`due_orders`). Given how many
complaints there are in all, the share that falls into the last days is beta-binomial where counts vary more
than by chance alone, and binomial where they do not (`docs/decisions.md` says why the counts are not simply
divided by the dispersion). Pure functions of arrays: one row per cause, one column per day, the oldest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

Array = NDArray[np.float64]

# A beta-binomial this close to the binomial cannot be told from it, and is still computed without loss.
_SMALLEST_EXCESS = 1e-4


@dataclass(frozen=True)
class Limits:
    """When an excess is an alarm: the windows that are tested, in days, and what is asked of them."""

    windows: tuple[int, ...]
    false_share: float
    min_complaints: int


@dataclass(frozen=True)
class Series:
    """Daily counts of causes; causes of one group (the batches of a product) are held against each other.

    Without groups a cause is held against its own past.
    """

    complaints: Array
    exposure: Array
    groups: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Findings:
    """What the test says of every cause, by the window that is least likely by chance.

    Windows with too few complaints for an alarm only count where no other has more.

    `p_value` is null (nan) without exposure in the window or in the reference, and takes into account that
    several windows were tried; `q_value` that many causes were.
    """

    window_days: NDArray[np.int64]
    complaints: Array
    expected: Array
    dispersion: Array
    p_value: Array
    q_value: Array
    is_alarm: NDArray[np.bool_]


@dataclass(frozen=True)
class Reference:
    """Complaints and exposure before the days under test, and how much more than chance they vary."""

    complaints: Array
    exposure: Array
    dispersion: Array


@dataclass(frozen=True)
class Counts:
    """All that the test of one window knows of causes, whose days may be forgotten then."""

    complaints: Array
    exposure: Array
    past: "Moments"
    cells: int


def find_alarms(series: Series, limits: Limits) -> Findings:
    """Test the last days of every cause; those before the longest window are the reference."""
    return judge([count(series.complaints, series.exposure, limits)], series.groups, limits)


def count(complaints: Array, exposure: Array, limits: Limits) -> list[Counts]:
    """Add up the days of some causes for each window."""
    longest = max(limits.windows)
    return [
        Counts(
            complaints[:, -window:].sum(axis=1),
            exposure[:, -window:].sum(axis=1),
            *_past(complaints[:, :-longest], exposure[:, :-longest], window),
        )
        for window in limits.windows
    ]


def judge(parts: Sequence[list[Counts]], groups: NDArray[np.int64] | None, limits: Limits) -> Findings:
    """Test causes that were counted in one or more parts; groups are of all of them, one after the other."""
    tested = []
    for of_window in zip(*parts, strict=True):
        complaints = np.concatenate([part.complaints for part in of_window])
        exposure = np.concatenate([part.exposure for part in of_window])
        past = Moments(
            *map(np.concatenate, zip(*(vars(part.past).values() for part in of_window), strict=True))
        )
        reference = reference_of(past, of_window[0].cells, groups)
        expected = exposure * _ratio(reference.complaints, reference.exposure)
        p_value = excess_p_value(complaints, exposure, reference)
        tested.append((complaints, expected, reference.dispersion, p_value))
    complaints, expected, dispersion, p_values = (np.stack(column) for column in zip(*tested, strict=True))
    least = _least_likely(p_values, complaints >= limits.min_complaints)
    causes = np.arange(least.size)
    p_value = np.minimum(1.0, p_values[least, causes] * len(limits.windows))
    q_value = q_values(p_value)
    return Findings(
        window_days=np.array(limits.windows)[least],
        complaints=complaints[least, causes],
        expected=expected[least, causes],
        dispersion=dispersion[least, causes],
        p_value=p_value,
        q_value=q_value,
        is_alarm=(q_value <= limits.false_share) & (complaints[least, causes] >= limits.min_complaints),
    )


def _least_likely(p_values: Array, is_enough: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the window of every cause that chance explains least, of those with enough complaints if any."""
    is_told = ~np.isnan(p_values)
    eligible = np.where((is_told & is_enough).any(axis=0), is_told & is_enough, is_told)
    least: NDArray[np.int64] = np.where(eligible, p_values, np.inf).argmin(axis=0)
    return least


def due_orders(orders: Array, delays: Array) -> Array:
    """Spread orders over the days on which complaints about them come in.

    Args:
        orders: per cause and day.
        delays: the share of complaints that come so many days after the order, from day 0 on.
    """
    days = orders.shape[1]
    lags = np.arange(days)[None, :] - np.arange(days)[:, None]
    is_due = (lags >= 0) & (lags < delays.size)
    return orders @ np.where(is_due, delays[np.clip(lags, 0, delays.size - 1)], 0.0)


def excess_p_value(complaints: Array, exposure: Array, reference: Reference) -> Array:
    """Return how likely so many complaints, or more, are by chance; nan where nothing can be expected."""
    total = complaints + reference.complaints
    is_testable = (exposure > 0) & (reference.exposure > 0)
    rate = np.where(is_testable, _ratio(total, exposure + reference.exposure), 1.0)
    excess = np.maximum(reference.dispersion - 1.0, _SMALLEST_EXCESS)
    inside = np.where(is_testable & (total > 0), rate * exposure / excess, 1.0)
    outside = np.where(is_testable & (total > 0), rate * reference.exposure / excess, 1.0)
    # The chance of fewer complaints, summed over 0 to one less than there are, all causes in one go.
    counts = complaints.astype(np.int64)
    cause = np.repeat(np.arange(counts.size), counts)
    fewer = np.arange(cause.size) - np.repeat(np.cumsum(counts) - counts, counts)
    alpha, beta, n = inside[cause], outside[cause], total[cause]
    log_chance = (
        gammaln(n + 1) - gammaln(fewer + 1) - gammaln(n - fewer + 1)
        + betaln(fewer + alpha, n - fewer + beta) - betaln(alpha, beta)
    )  # fmt: skip
    below = np.bincount(cause, np.exp(log_chance), minlength=counts.size)
    return np.where(is_testable, np.clip(1.0 - below, 0.0, 1.0), np.nan)


def q_values(p_values: Array) -> Array:
    """Return Benjamini and Hochberg's q-value of every p-value; nan is no test, and stays nan."""
    q_value = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    descending = tested[np.argsort(-p_values[tested], kind="stable")]
    rank = np.arange(descending.size, 0, -1)
    q_value[descending] = np.minimum.accumulate(
        np.minimum(1.0, p_values[descending] * descending.size / rank)
    )
    return q_value


def reference_of(own: "Moments", cells: int, groups: NDArray[np.int64] | None) -> Reference:
    """Return what causes are held against: their own past, or that of the others of their group.

    How much cells vary, as a multiple of what chance alone does, is the larger of two figures: of the
    reference around its rate, and of all causes around their own, as a year of one cause alone says little.
    """
    reference = own if groups is None else own.of_others(groups)
    of_all = _ratio(own.spread().sum(), own.complaints.sum())
    of_reference = _ratio(reference.spread(), reference.complaints)
    dispersion = np.maximum(of_reference, of_all) * cells / max(cells - 1, 1)
    return Reference(reference.complaints, reference.exposure, np.maximum(1.0, dispersion))


@dataclass(frozen=True)
class Moments:
    """Sums over cells, from which follows how far complaints lie from those expected at any rate."""

    complaints: Array
    exposure: Array
    complaints_squared: Array
    products: Array
    exposure_squared: Array

    def of_others(self, groups: NDArray[np.int64]) -> "Moments":
        """Return the sums of the other causes of the same group."""
        return Moments(*(np.bincount(groups, own)[groups] - own for own in vars(self).values()))

    def spread(self) -> Array:
        """Return the squared distances from what is expected at the common rate."""
        rate = _ratio(self.complaints, self.exposure)
        return self.complaints_squared - 2 * rate * self.products + rate**2 * self.exposure_squared


def _past(complaints: Array, exposure: Array, window: int) -> tuple[Moments, int]:
    """Add up days before those under test, in cells as long as the window; return the number of cells too."""
    complaints, exposure = _cells(complaints, window), _cells(exposure, window)
    moments = Moments(
        complaints.sum(axis=1),
        exposure.sum(axis=1),
        (complaints**2).sum(axis=1),
        (complaints * exposure).sum(axis=1),
        (exposure**2).sum(axis=1),
    )
    return moments, complaints.shape[1]


def _cells(daily: Array, window: int) -> Array:
    """Add days up to cells of the window's length, counted back from the newest."""
    kept = daily[:, daily.shape[1] % window :]
    cells: Array = kept.reshape(kept.shape[0], -1, window).sum(axis=2)
    return cells


def _ratio(part: Any, whole: Any) -> Array:
    """Divide; 0 where there is nothing to divide by."""
    divisor = np.asarray(whole, dtype=float)
    ratio: Array = np.divide(part, divisor, out=np.zeros_like(divisor), where=divisor > 0)
    return ratio
