"""RFM scores and segments: how the buyers of one line stand among each other."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Any

from tests.property.oracle_customers import Row


@dataclass(frozen=True)
class Buyer:
    """What someone with an order in the trailing 12 months, not closed in any way, did in them."""

    key: str
    last_order_on: date
    orders: int
    revenue: Decimal


def standing_among(buyers: list[Buyer]) -> dict[str, Row]:
    """Return the scores and the segment of each buyer of a line."""
    days = sorted(buyer.last_order_on for buyer in buyers)
    orders = sorted(buyer.orders for buyer in buyers)
    revenues = sorted(buyer.revenue for buyer in buyers)
    usual_orders, usual_revenue = median(orders), median(revenues)
    return {
        buyer.key: {
            "rfm_recency": score(days, buyer.last_order_on),
            "rfm_frequency": score(orders, buyer.orders),
            "rfm_money": score(revenues, buyer.revenue),
            "segment": (
                f"{'high' if buyer.revenue > usual_revenue else 'low'}_spend_"
                f"{'high' if buyer.orders > usual_orders else 'low'}_frequency"
            ),
        }
        for buyer in buyers
    }


def score(ascending: list[Any], own: Any) -> int:
    strictly_worse = bisect_left(ascending, own)
    return 1 + 5 * strictly_worse // len(ascending)
