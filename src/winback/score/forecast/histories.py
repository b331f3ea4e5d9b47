"""What the forecasts know of customers: how often, how lately, for how long."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Histories:
    """Distinct purchase histories, and how many customers have each; all four arrays have one length.

    A purchase day is a day with an order. `frequency` counts those after the first, `recency` is the time
    from the first to the last, `age` the time from the first to the end of the data, both in weeks.
    """

    frequency: Floats
    recency: Floats
    age: Floats
    customers: Floats

    @classmethod
    def of_days(
        cls, frequency: Integers, recency_days: Integers, age_days: Integers, customers: Integers
    ) -> "Histories":
        """Return histories whose times are given in days."""
        return cls(
            frequency.astype(np.float64),
            recency_days / DAYS_PER_WEEK,
            age_days / DAYS_PER_WEEK,
            customers.astype(np.float64),
        )

    def __len__(self) -> int:
        return len(self.frequency)

    @property
    def population(self) -> float:
        """Return the number of customers."""
        return float(self.customers.sum())

    @property
    def repeat_share(self) -> float:
        """Return the share of customers who came back after their first purchase day; 0 without customers."""
        return float(self.customers[self.frequency > 0].sum()) / max(self.population, 1.0)

    def thinned(self, length: int) -> "Histories":
        """Return about so many of the histories, evenly spread, or all if there are fewer."""
        every = slice(None, None, -(-len(self) // length) or None)
        return Histories(self.frequency[every], self.recency[every], self.age[every], self.customers[every])


def collapse(frequency: Integers, recency_days: Integers, age_days: Integers) -> tuple[Histories, Integers]:
    """Return the distinct histories among customers, in order, and the place of each customer's own."""
    days = int(age_days.max(initial=0)) + 1
    # one number sorts far faster than three
    key = (frequency.astype(np.int64) * days + recency_days) * days + age_days
    distinct, place, customers = np.unique(key, return_inverse=True, return_counts=True)
    rest, age = np.divmod(distinct, days)
    repeats, recency = np.divmod(rest, days)
    return Histories.of_days(repeats, recency, age, customers), place
