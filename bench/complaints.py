"""Simulate the complaint alarm: how soon it finds a bad batch, and how often it cries wolf.

    .venv/bin/python bench/complaints.py [--runs 400] [--days 1000] [--json]

One hundred batches of ten products are tested on every day, each day's complaints drawn from a Poisson or,
where they vary more than that, a negative binomial distribution. Two alarms are compared on the same draws:
ours, and the plain one, which divides the counts of the last seven days by the dispersion and asks the
binomial distribution. Exit code 1 when a bar of ours is missed.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from winback.score import alarm
from winback.score.causes import read_limits

BATCHES, PRODUCTS = 100, 10
HISTORY = 365
TRIPLED = 3.0
MOST_FALSE = 1.0  # per 1,000 batches and days
LEAST_FOUND, WITHIN_DAYS, BUSY = 0.95, 2, 10.0
PATIENCE = 60  # days after which an alarm that has not come is given up
GROUPS = np.arange(BATCHES) % PRODUCTS
LIMITS = read_limits()

Alarm = Callable[[alarm.Series], NDArray[np.bool_]]
Array = alarm.Array


@dataclass(frozen=True)
class Setting:
    """What is simulated: complaints that are expected per batch and day, and their dispersion."""

    rate: float
    dispersion: float
    is_batch_new: bool = True


def ours(series: alarm.Series) -> NDArray[np.bool_]:
    """Return the alarms of the project."""
    return alarm.find_alarms(series, LIMITS).is_alarm


def plain(series: alarm.Series) -> NDArray[np.bool_]:
    """Return the alarms of the scaled binomial test of the longest window."""
    longest = max(LIMITS.windows)
    complaints = series.complaints[:, -longest:].sum(axis=1)
    exposure = series.exposure[:, -longest:].sum(axis=1)
    counts = alarm.count(series.complaints, series.exposure, replace(LIMITS, windows=(longest,)))[0]
    reference = alarm.reference_of(counts.past, counts.cells, series.groups)
    share = exposure / (exposure + reference.exposure)
    counts = np.maximum(complaints / reference.dispersion, 1e-9)
    p_value = betainc(counts, reference.complaints / reference.dispersion + 1, share)
    is_enough = complaints >= LIMITS.min_complaints
    return is_enough & (alarm.q_values(p_value) <= LIMITS.false_share)


def false_alarms(setting: Setting, days: int, alarms: Alarm, seed: int = 1) -> float:
    """Return how many alarms there are per 1,000 batches and days when nothing is wrong."""
    length = HISTORY + max(LIMITS.windows)
    complaints = _draw(np.random.default_rng(seed), setting, np.ones((BATCHES, length + days)))
    exposure = np.ones_like(complaints)
    found = sum(alarms(_until(complaints, exposure, day + length, length)).sum() for day in range(days))
    return float(found) * 1000 / (BATCHES * days)


def days_until_found(
    setting: Setting, runs: int, alarms: Alarm, seed: int = 1, patience: int = PATIENCE
) -> Array:
    """Return, per run, on which day of tripled complaints the batch is flagged first; inf if never."""
    rng = np.random.default_rng(seed)
    length = HISTORY + max(LIMITS.windows)
    found = np.full(runs, np.inf)
    for run in range(runs):
        exposure = np.ones((BATCHES, length + patience))
        exposure[0, :length] = 0.0 if setting.is_batch_new else 1.0
        rates = exposure.copy()
        rates[0, length:] *= TRIPLED
        complaints = _draw(rng, setting, rates)
        for day in range(1, patience + 1):
            if alarms(_until(complaints, exposure, length + day, length))[0]:
                found[run] = day
                break
    return found


def _draw(rng: np.random.Generator, setting: Setting, exposure: Array) -> Array:
    mean = exposure * setting.rate
    if setting.dispersion == 1:
        return rng.poisson(mean).astype(float)
    excess = setting.dispersion - 1
    # A Poisson count whose mean is drawn from a gamma distribution.
    return rng.poisson(rng.gamma(np.maximum(mean / excess, 1e-12)) * excess * (mean > 0)).astype(float)


def _until(complaints: Array, exposure: Array, day: int, length: int) -> alarm.Series:
    return alarm.Series(complaints[:, day - length : day], exposure[:, day - length : day], GROUPS)


@dataclass(frozen=True)
class Found:
    """How soon a tripled rate is found; `share_in_time` is that within two days."""

    setting: Setting
    alarm: str
    share_in_time: float
    median_days: float
    days_95: float


@dataclass(frozen=True)
class False_:
    """How often it is cried wolf, per 1,000 batches and days."""

    setting: Setting
    alarm: str
    per_1000: float


def measure_found(setting: Setting, runs: int, name: str, alarms: Alarm) -> Found:
    """Measure how soon an alarm comes."""
    days = days_until_found(setting, runs, alarms)
    median, most = np.quantile(days, [0.5, 0.95], method="higher")
    return Found(setting, name, float((days <= WITHIN_DAYS).mean()), float(median), float(most))


def main() -> int:
    """Print both tables, and return 1 when a bar is missed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--runs", type=int, default=400)
    options.add_argument("--days", type=int, default=1000)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    both = (("ours", ours), ("plain", plain))
    wolves = [
        False_(setting, name, false_alarms(setting, given.days, alarms))
        for setting in (Setting(rate, dispersion) for dispersion in (1, 5, 15) for rate in (0.1, 1, 10))
        for name, alarms in both
    ]
    finds = [
        measure_found(replace(setting, is_batch_new=is_new), given.runs, name, alarms)
        for setting in (Setting(rate, dispersion) for dispersion in (1, 5) for rate in (0.5, 1, 2, 5, 10, 20))
        for is_new in (True, False)
        for name, alarms in both
    ]
    if given.json:
        print(json.dumps({"false": [asdict(row) for row in wolves], "found": [asdict(row) for row in finds]}))
    else:
        print("dispersion  per day  alarm  false alarms per 1,000 batches and days")
        for wolf in wolves:
            at = wolf.setting
            print(f"{at.dispersion:10g}  {at.rate:7g}  {wolf.alarm:5}  {wolf.per_1000:.2f}")
        print("dispersion  per day  batch    alarm  within two days  median days  95 % within")
        for find in finds:
            at = find.setting
            print(
                f"{at.dispersion:10g}  {at.rate:7g}  {'new' if at.is_batch_new else 'running':7}"
                f"  {find.alarm:5}  {find.share_in_time:15.1%}  {find.median_days:11g}  {find.days_95:11g}"
            )
    missed = any(wolf.per_1000 > MOST_FALSE for wolf in wolves if wolf.alarm == "ours") or any(
        find.share_in_time < LEAST_FOUND
        for find in finds
        if find.alarm == "ours" and find.setting.rate >= BUSY and find.setting.dispersion == 1
    )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
