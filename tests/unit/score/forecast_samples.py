"""Customers with known parameters, and those of CDNOW as published."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from winback.score.forecast.histories import Histories, collapse

DAYS = 730


def drawn(customers: int, *, leaving: float = 0.6, seed: int = 5) -> Histories:
    """Draw customers from a Pareto/NBD (r .55, alpha 10.6, s as given, beta 11.7); at s 0 nobody leaves."""
    random = np.random.default_rng(seed)
    age_days = random.integers(0, DAYS, customers)
    rate = random.gamma(0.55, 1 / 10.6, customers)
    life = age_days / 7
    if leaving:
        life = np.minimum(random.exponential(1, customers) / random.gamma(leaving, 1 / 11.7, customers), life)
    frequency = random.poisson(rate * life)
    last = life * random.random(customers) ** (1 / np.maximum(frequency, 1))
    recency_days = np.where(frequency > 0, np.minimum(np.ceil(last * 7), age_days), 0).astype(np.int64)
    return collapse(frequency, recency_days, age_days)[0]


def one(frequency: float, recency: float, age: float) -> Histories:
    """Return the history of one customer, in weeks."""
    return Histories(*(np.array([float(value)]) for value in (frequency, recency, age, 1)))


@dataclass(frozen=True)
class Cdnow:
    """The CDNOW sample at 1997-09-30, one entry per customer, and the purchase days of 39 weeks after it."""

    frequency: Any
    recency_days: Any
    age_days: Any
    mean_spend: Any
    later: Any


def cdnow(file: Path) -> Cdnow:
    """Read the sample: customer, number, day as 19970101, discs, amount; one purchase a day."""
    end = date(1997, 9, 30)
    spends: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for line in file.read_text("ascii").splitlines():
        _, customer, day, _, amount = line.split()
        spends[customer][date.fromisoformat(day)] += float(amount)
    rows = []
    for days in spends.values():
        known = sorted(day for day in days if day <= end)
        repeats = known[1:]
        rows.append(
            (
                len(repeats),
                (known[-1] - known[0]).days,
                (end - known[0]).days,
                sum(days[day] for day in repeats) / max(len(repeats), 1),
                sum(day > end for day in days),
            )
        )
    columns = np.array(rows)
    return Cdnow(*columns[:, :3].astype(np.int64).T, columns[:, 3], columns[:, 4].astype(np.int64))
