"""Simulate win-back campaigns: does the interval cover the truth, and do decisions beat calling by habit.

    .venv/bin/python bench/campaigns.py [--campaigns 1000] [--companies 100] [--json]

Campaigns of several sizes are drawn and counted with a known effect. Companies of 50,000 silent customers, of
whom the truth is known, learn from their history and some campaigns, and then call as many customers as they
can: those of the highest expected gain, any in random order, or those who spent most. Exit code 1 when a bar
is missed.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from winback.campaign import chances, trial
from winback.campaign.trial import Candidate
from winback.rules.load import load_seed

COVERED = (0.935, 0.965)
LEAST_BETTER = 0.9
CUSTOMERS, CAPACITY = 50_000, 2_000
CAMPAIGNS_BEFORE, LISTED = (0, 1, 3), 5_000
ELSEWHERE = 0.5  # of the customers, those whom a campaign does not meet
EVENINGS_PER_CUSTOMER = 4
REASONS, TIMES = 5, 5
TIERS = ("vip", "major", "ordinary", "small")
TIER_SHARES, TIER_MARGINS = (0.01, 0.19, 0.30, 0.50), (3_000, 800, 250, 80)
TERMS = next(row for row in load_seed("winback_rules") if row["policy"] == "retail")
STRENGTH = float(TERMS["prior_strength"])
COST = float(TERMS["contact_cost"])

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """A campaign to simulate: customers on its list, share that returns untreated, true uplift."""

    customers: int
    base: float
    uplift: float


SETTINGS = (
    Setting(500, 0.1, 0.05),
    Setting(2_000, 0.1, 0.05),
    Setting(5_000, 0.1, 0.0),
    Setting(5_000, 0.05, 0.02),
)


def coverage(setting: Setting, campaigns: int, seed: int = 1) -> float:
    """Return in which share of campaigns the interval holds the true uplift."""
    rng = np.random.default_rng(seed)
    listed = [_candidate(number, 1.0) for number in range(setting.customers)]
    covered = 0
    for campaign in range(campaigns):
        members = trial.draw(str(campaign), listed, setting.customers, Decimal(TERMS["control_share"]))
        treated = sum(member.arm == "treated" for member in members)
        control = len(members) - treated
        found = trial.uplift(
            treated,
            int(rng.binomial(treated, setting.base + setting.uplift)),
            control,
            int(rng.binomial(control, setting.base)),
        )
        covered += found.low <= setting.uplift <= found.high
    return covered / campaigns


@dataclass(frozen=True)
class Company:
    """Silent customers with their segment and margin, and the truth about segments."""

    segment: Integers
    tier: Integers
    margin: Floats
    untreated: Floats
    uplift: Floats

    def true_profit(self, called: Integers) -> float:
        """Return what calling these customers is worth on average, less its cost."""
        return float((self.uplift[self.segment[called]] * self.margin[called] - COST).sum())


def found_company(rng: np.random.Generator) -> Company:
    """Draw a company: chances and uplifts differ by segment, margins by tier and customer."""
    tier = rng.choice(len(TIERS), CUSTOMERS, p=TIER_SHARES)
    segment = (tier * REASONS + rng.integers(REASONS, size=CUSTOMERS)) * TIMES + rng.integers(
        TIMES, size=CUSTOMERS
    )
    segments = len(TIERS) * REASONS * TIMES
    return Company(
        segment=segment,
        tier=tier,
        margin=np.asarray(TIER_MARGINS)[tier] * rng.lognormal(0, 0.4, CUSTOMERS),
        untreated=rng.beta(4, 36, segments),
        # most campaigns help a little, a few much, and some customers are only annoyed
        uplift=np.clip(rng.normal(0.04, 0.04, segments), -0.03, 0.2),
    )


def profits(rng: np.random.Generator, campaigns: int) -> dict[str, float]:
    """Return the profit of one company by each way of choosing whom to call."""
    company = found_company(rng)
    p_treated, p_untreated = _learned(rng, company, campaigns)
    gain = chances.expected_gain(
        p_treated[company.segment], p_untreated[company.segment], company.margin, COST
    )
    ours = np.argsort(-gain)[:CAPACITY]
    return {
        "expected gain": company.true_profit(ours[gain[ours] > 0]),
        "random order": company.true_profit(rng.permutation(CUSTOMERS)[:CAPACITY]),
        "the biggest": company.true_profit(np.argsort(-company.margin)[:CAPACITY]),
    }


def _learned(rng: np.random.Generator, company: Company, campaigns: int) -> tuple[Floats, Floats]:
    """Return the chances that a company knows of after its history and some campaigns."""
    segments = len(company.untreated)
    evenings = EVENINGS_PER_CUSTOMER * np.bincount(company.segment, minlength=segments)
    returned = rng.binomial(evenings, company.untreated)
    line = chances.leaning(returned.sum(), evenings.sum(), float(TERMS["assumed_return"]), STRENGTH)
    prior = chances.leaning(returned, evenings, line, STRENGTH)
    lifted = chances.treated_prior(prior, float(TERMS["assumed_uplift"]))
    counts = np.zeros((2, segments))
    hits = np.zeros((2, segments))
    for campaign in range(campaigns):
        p_treated, p_untreated = (
            chances.leaning(hits[arm], counts[arm], (lifted, prior)[arm], STRENGTH) for arm in (0, 1)
        )
        gain = chances.expected_gain(
            p_treated[company.segment], p_untreated[company.segment], company.margin, COST
        )
        gain[rng.random(CUSTOMERS) < ELSEWHERE] = 0
        best = np.argsort(-gain)[:LISTED]
        listed = [_candidate(int(one), float(gain[one]), TIERS[company.tier[one]]) for one in best]
        for member in trial.draw(str(campaign), listed, LISTED, Decimal(TERMS["control_share"])):
            if member.arm == "outside":
                continue
            segment = company.segment[int(member.candidate.customer_key)]
            arm = int(member.arm == "control")
            chance = company.untreated[segment] + (0 if arm else company.uplift[segment])
            counts[arm, segment] += 1
            hits[arm, segment] += rng.random() < chance
    p_treated, p_untreated = (
        chances.leaning(hits[arm], counts[arm], (lifted, prior)[arm], STRENGTH) for arm in (0, 1)
    )
    return p_treated, p_untreated


def _candidate(number: int, gain: float, tier: str = "ordinary") -> Candidate:
    return Candidate(str(number), None, tier, "", "", Decimal(0), Decimal(0), Decimal(0), Decimal(gain))


def main() -> int:
    """Simulate, print, and tell by the exit code whether all bars are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--campaigns", type=int, default=1_000)
    parser.add_argument("--companies", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    covered = [{**asdict(setting), "covered": coverage(setting, options.campaigns)} for setting in SETTINGS]
    decided = []
    for campaigns in CAMPAIGNS_BEFORE:
        runs = [profits(np.random.default_rng(seed), campaigns) for seed in range(options.companies)]
        ours = np.array([run["expected gain"] for run in runs])
        decided.append(
            {
                "campaigns before": campaigns,
                **{name: float(np.mean([run[name] for run in runs])) for name in runs[0]},
                "beats random order": float(np.mean(ours > [run["random order"] for run in runs])),
                "beats the biggest": float(np.mean(ours > [run["the biggest"] for run in runs])),
            }
        )
    if options.json:
        print(json.dumps({"coverage": covered, "decisions": decided}, indent=2))
    else:
        for row in (*covered, *decided):
            print(", ".join(f"{name} {value:,.3f}" for name, value in row.items()))
    last = decided[-1]
    is_met = all(COVERED[0] <= row["covered"] <= COVERED[1] for row in covered) and (
        min(last["beats random order"], last["beats the biggest"]) >= LEAST_BETTER
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
