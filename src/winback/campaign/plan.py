"""The campaigns of a company as its rules have them, with the policy's terms where they say nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from winback.config import Settings
from winback.errors import WinbackError
from winback.rules.load import load_rules
from winback.rules.read import Row


@dataclass(frozen=True)
class Plan:
    """One campaign: for whom, how many, at what cost; an empty filter lets everybody in."""

    campaign_id: str
    business_line: str
    names: Mapping[str, str]
    offers: Mapping[str, str]
    starts_on: date
    stages: tuple[str, ...]
    value_tiers: tuple[str, ...]
    reason_classes: tuple[str, ...]
    times_away: tuple[str, ...]
    capacity: int
    contact_cost: Decimal
    control_share: Decimal
    window_days: int

    def is_due(self, as_of_date: date, lead: timedelta) -> bool:
        """Tell whether its list may be drawn: it starts soon, or has started and is not over."""
        return self.starts_on - lead <= as_of_date < self.starts_on + timedelta(days=self.window_days)


def read_plans(settings: Settings) -> dict[str, Plan]:
    """Return the campaigns by number, the one that starts first before the others.

    Raises:
        WinbackError: some rules are refused, or a campaign's line has no terms of winning back.
    """
    lines = settings.business.lines
    seeds = load_rules(lines).seeds
    terms = {row["policy"]: row for row in seeds["winback_rules"]}
    plans = [_plan(row, terms.get(lines[row["business_line"]])) for row in seeds["campaigns"]]
    return {
        plan.campaign_id: plan for plan in sorted(plans, key=lambda one: (one.starts_on, one.campaign_id))
    }


def the_plan(plans: Mapping[str, Plan], campaign_id: str) -> Plan:
    """Return a campaign.

    Raises:
        WinbackError: there is none of that number.
    """
    if campaign_id not in plans:
        raise WinbackError(
            f"campaign {campaign_id}: there is none among the {len(plans)} of campaigns.csv.",
            "see them with: winback campaign list",
        )
    return plans[campaign_id]


def _plan(row: Row, terms: Row | None) -> Plan:
    if terms is None:
        raise WinbackError(
            f"{row.file}:{row.line}: campaign {row['campaign_id']} is for {row['business_line']},"
            " whose policy has no row in winback_rules.csv.",
            "add the row, then see what is in force: winback rules check",
        )
    share, window = row["control_share"], row["window_days"]
    return Plan(
        campaign_id=row["campaign_id"],
        business_line=row["business_line"],
        names={"zh": row["name_zh"], "en": row["name_en"]},
        offers={"zh": row["offer_zh"], "en": row["offer_en"]},
        starts_on=row["starts_on"],
        **{name: tuple((row[name] or "").split()) for name in _FILTERS},
        capacity=row["capacity"],
        contact_cost=row["contact_cost"],
        control_share=terms["control_share"] if share is None else share,
        window_days=terms["return_days"] if window is None else window,
    )


_FILTERS = ("stages", "value_tiers", "reason_classes", "times_away")
