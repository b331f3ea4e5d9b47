"""A campaign as a trial: the draw of its list and arms, what it can show, and what it has shown. All pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import sqrt
from statistics import fmean
from typing import Literal

from winback.model_vars import model_vars

Arm = Literal["treated", "control", "outside"]
_OUTSIDE_TIER = "vip"  # too dear to be left alone for a trial's sake


@dataclass(frozen=True)
class Candidate:
    """A customer whom a campaign may treat, and what that may bring; money in the business currency."""

    customer_key: str
    account_manager_key: str | None
    value_tier: str
    reason_class: str
    time_away: str
    p_treated: Decimal
    p_untreated: Decimal
    margin: Decimal
    expected_gain: Decimal


@dataclass(frozen=True)
class Member:
    """A candidate on the list, with the arm that the lot fell on."""

    candidate: Candidate
    arm: Arm


@dataclass(frozen=True)
class Uplift:
    """The difference of two shares with its interval; shares, not points."""

    estimate: float
    low: float
    high: float


def draw(
    campaign_id: str, candidates: Iterable[Candidate], capacity: int, control_share: Decimal
) -> tuple[Member, ...]:
    """Return a campaign's list, highest gain first: cut at its capacity, and only then drawn into arms.

    The lot is a hash of campaign and customer, so the same candidates always give the same list.
    """
    promising = [candidate for candidate in candidates if candidate.expected_gain > 0]
    listed = sorted(promising, key=lambda one: (-one.expected_gain, one.customer_key))[:capacity]
    in_trial = [one.customer_key for one in listed if one.value_tier != _OUTSIDE_TIER]
    left_alone = int((len(in_trial) * control_share).to_integral_value(ROUND_HALF_UP))
    control = set(sorted(in_trial, key=lambda key: _lot(campaign_id, key))[:left_alone])
    return tuple(Member(one, _arm(one, control)) for one in listed)


def _arm(candidate: Candidate, control: set[str]) -> Arm:
    if candidate.value_tier == _OUTSIDE_TIER:
        return "outside"
    return "control" if candidate.customer_key in control else "treated"


def _lot(campaign_id: str, customer_key: str) -> str:
    return hashlib.sha256(f"{campaign_id}\0{customer_key}".encode()).hexdigest()


def digest(members: Iterable[Member]) -> str:
    """Return what tells a list from every other: a hash of its members with all that is known of them."""
    said = hashlib.sha256()
    for member in sorted(members, key=lambda one: one.candidate.customer_key):
        said.update(repr((*map(str, astuple(member.candidate)), member.arm)).encode())
    return said.hexdigest()


def expected_uplift(members: Sequence[Member]) -> float | None:
    """Return by how much the chance of a return is expected to rise, on average of the two arms."""
    in_trial = [member.candidate for member in members if member.arm != "outside"]
    if not in_trial:
        return None
    return fmean(float(one.p_treated - one.p_untreated) for one in in_trial)


def base_rate(members: Sequence[Member]) -> float | None:
    """Return which share of the two arms is expected to come back by itself."""
    in_trial = [float(member.candidate.p_untreated) for member in members if member.arm != "outside"]
    return fmean(in_trial) if in_trial else None


def smallest_detectable(treated: int, control: int, base: float) -> float | None:
    """Return the smallest true uplift that four of five trials of this size show; None without an arm.

    `base` is the share that comes back untreated.
    """
    if not treated or not control:
        return None
    deviation = sqrt(base * (1 - base) * (1 / treated + 1 / control))
    return float(model_vars()["confidence_z"] + model_vars()["power_z"]) * deviation


def uplift(treated: int, treated_returned: int, control: int, control_returned: int) -> Uplift:
    """Return treated less control with Newcombe's 95 % interval, as `campaign_results` has it."""
    share, low, high = _wilson(treated, treated_returned)
    other, other_low, other_high = _wilson(control, control_returned)
    return Uplift(
        share - other,
        share - other - sqrt((share - low) ** 2 + (other_high - other) ** 2),
        share - other + sqrt((high - share) ** 2 + (other - other_low) ** 2),
    )


def _wilson(size: int, hits: int) -> tuple[float, float, float]:
    """Return a share with its interval by Wilson."""
    z = float(model_vars()["confidence_z"])
    share = hits / size
    middle = share + z * z / (2 * size)
    half = z * sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    return share, (middle - half) / (1 + z * z / size), (middle + half) / (1 + z * z / size)
