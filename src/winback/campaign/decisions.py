"""Lists of campaigns from the draw to the decision; every step is one transaction, and may be repeated."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from winback.campaign import trial
from winback.campaign.plan import Plan
from winback.campaign.trial import Candidate, Member
from winback.errors import WinbackError
from winback.publish import LIVE, read_version, reading_marts

State = Literal["proposed", "approved", "rejected", "expired"]

# Who is in an unfinished campaign, or on a list that waits, is nobody else's candidate.
_CANDIDATES = """
select
    candidates.customer_key,
    candidates.account_manager_key,
    candidates.value_tier,
    candidates.reason_class,
    candidates.time_away,
    candidates.p_treated,
    candidates.p_untreated,
    candidates.margin_12m as margin,
    candidates.expected_gain + candidates.contact_cost - %(contact_cost)s as expected_gain
from marts.winback_candidates as candidates
where
    candidates.business_line = %(business_line)s
    and candidates.decision_reason not in ('do_not_contact', 'contact_cap')
    and candidates.campaign_id is null
    and (%(stages)s::text[] = '{}' or candidates.stage = any(%(stages)s::text[]))
    and (%(value_tiers)s::text[] = '{}' or candidates.value_tier = any(%(value_tiers)s::text[]))
    and (%(reason_classes)s::text[] = '{}' or candidates.reason_class = any(%(reason_classes)s::text[]))
    and (%(times_away)s::text[] = '{}' or candidates.time_away = any(%(times_away)s::text[]))
    and not exists (
        select
        from ops.campaign_members as members
        where
            members.customer_key = candidates.customer_key
            and members.window_ends_on > %(as_of_date)s
    )
    and not exists (
        select
        from ops.campaign_proposals as waiting
        where
            waiting.customer_key = candidates.customer_key
            and waiting.campaign_id <> %(campaign_id)s
    )
"""
_MEMBER_COLUMNS = ", ".join(
    [
        "campaign_id",
        "arm",
        *(field.name for field in fields(Candidate)),
        "assigned_on",
        "starts_on",
        "window_ends_on",
    ]
)
_DECISION_COLUMNS = (
    "decision_id, campaign_id, list_digest, state, customers, expected_gain, cost, smallest_detectable"
)


@dataclass(frozen=True)
class Decision:
    """A list that was put to somebody and what became of it; money in the business currency."""

    decision_id: int
    campaign_id: str
    list_digest: str
    state: State
    customers: int
    expected_gain: Decimal
    cost: Decimal
    smallest_detectable: Decimal | None


def published_date(connection: psycopg.Connection[Any]) -> date:
    """Return the day that the marts are of.

    Raises:
        WinbackError: none were published yet.
    """
    version = read_version(connection, LIVE)
    if version is None:
        raise WinbackError(
            "There are no marts yet, so nobody to draw a list from.", "winback build --day YYYY-MM-DD"
        )
    return version.as_of_date


def propose(connection: psycopg.Connection[Any], plan: Plan) -> Decision | None:
    """Draw a campaign's list from the marts and put it up for a decision; None if nobody promises a gain.

    The same list is put up once; another one takes the place of the one that waits, which expires.

    Raises:
        WinbackError: a list of the campaign is approved already.
    """
    with reading_marts(connection), connection.transaction():
        _take_turns(connection)
        if _find(connection, plan.campaign_id, "approved"):
            raise WinbackError(
                f"campaign {plan.campaign_id}: a list is approved already, and stays as it is.",
                "see what it brought with: winback campaign results",
            )
        as_of_date = published_date(connection)
        candidates = _read_candidates(connection, plan, as_of_date)
        members = trial.draw(plan.campaign_id, candidates, plan.capacity, plan.control_share)
        waiting = _find(connection, plan.campaign_id, "proposed")
        if waiting and waiting.list_digest == trial.digest(members):
            return waiting
        if waiting:
            _close(connection, waiting, "expired", by=None, reason="a newer list took its place")
        return _put_up(connection, plan, members, as_of_date) if members else None


def approve(connection: psycopg.Connection[Any], decision_id: int, by: str | None) -> Decision:
    """Write a list's members with the decision, or neither; a second time changes nothing."""
    with connection.transaction():
        _take_turns(connection)
        decision = _read(connection, decision_id)
        if decision.state == "proposed":
            connection.execute(
                f"insert into ops.campaign_members ({_MEMBER_COLUMNS})"
                f" select {_MEMBER_COLUMNS} from ops.campaign_proposals where decision_id = %s",
                [decision_id],
            )
            _close(connection, decision, "approved", by=by, reason=None)
        return _read(connection, decision_id)


def decline(
    connection: psycopg.Connection[Any],
    decision_id: int,
    state: Literal["rejected", "expired"],
    *,
    by: str | None = None,
    reason: str | None = None,
) -> Decision:
    """Let a list go, since somebody rejected it or nobody answered in time; one that is decided stays so."""
    with connection.transaction():
        _take_turns(connection)
        decision = _read(connection, decision_id)
        if decision.state == "proposed":
            _close(connection, decision, state, by=by, reason=reason)
        return _read(connection, decision_id)


def the_waiting(connection: psycopg.Connection[Any], campaign_id: str) -> Decision:
    """Return a campaign's list that waits for an answer.

    Raises:
        WinbackError: none does.
    """
    found = _find(connection, campaign_id, "proposed")
    if found is None:
        raise WinbackError(
            f"campaign {campaign_id}: no list waits for an answer.",
            f"put one up with: winback campaign propose {campaign_id}",
        )
    return found


def settled_campaigns(connection: psycopg.Connection[Any]) -> set[str]:
    """Return the campaigns of which a person approved or rejected a list: nobody is asked again by itself."""
    rows = connection.execute(
        "select distinct campaign_id from ops.campaign_decisions where state in ('approved', 'rejected')"
    )
    return {campaign_id for (campaign_id,) in rows}


def members_of(connection: psycopg.Connection[Any], decision_id: int) -> tuple[Member, ...]:
    """Return the members of a list that waits, highest gain first."""
    names = [field.name for field in fields(Candidate)]
    rows = connection.execute(
        f"select arm, {', '.join(names)} from ops.campaign_proposals where decision_id = %s"
        " order by expected_gain desc, customer_key",
        [decision_id],
    )
    return tuple(Member(Candidate(*row), arm) for arm, *row in rows)


def _take_turns(connection: psycopg.Connection[Any]) -> None:
    connection.execute("lock table ops.campaign_decisions in share row exclusive mode")


def _read_candidates(connection: psycopg.Connection[Any], plan: Plan, as_of_date: date) -> list[Candidate]:
    with connection.cursor(row_factory=class_row(Candidate)) as cursor:
        cursor.execute(
            _CANDIDATES,
            {
                "campaign_id": plan.campaign_id,
                "business_line": plan.business_line,
                "contact_cost": plan.contact_cost,
                "stages": list(plan.stages),
                "value_tiers": list(plan.value_tiers),
                "reason_classes": list(plan.reason_classes),
                "times_away": list(plan.times_away),
                "as_of_date": as_of_date,
            },
        )
        return cursor.fetchall()


def _put_up(
    connection: psycopg.Connection[Any], plan: Plan, members: Sequence[Member], as_of_date: date
) -> Decision:
    treated, control, outside = (
        sum(member.arm == arm for member in members) for arm in ("treated", "control", "outside")
    )
    base = trial.base_rate(members)
    row = connection.execute(
        "insert into ops.campaign_decisions (campaign_id, list_digest, customers, expected_gain, cost,"
        " expected_uplift, smallest_detectable) values (%s, %s, %s, %s, %s, %s, %s) returning decision_id",
        [
            plan.campaign_id,
            trial.digest(members),
            len(members),
            sum((one.candidate.expected_gain for one in members if one.arm != "control"), Decimal(0)),
            plan.contact_cost * (treated + outside),
            trial.expected_uplift(members),
            None if base is None else trial.smallest_detectable(treated, control, base),
        ],
    ).fetchone()
    assert row is not None
    days = plan.starts_on, as_of_date + timedelta(days=plan.window_days)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy ops.campaign_proposals (decision_id, {_MEMBER_COLUMNS}) from stdin") as copy,
    ):
        for member in members:
            known = astuple(member.candidate)
            copy.write_row((row[0], plan.campaign_id, member.arm, *known, as_of_date, *days))
    return _read(connection, row[0])


def _close(
    connection: psycopg.Connection[Any],
    decision: Decision,
    state: State,
    *,
    by: str | None,
    reason: str | None,
) -> None:
    connection.execute(
        "update ops.campaign_decisions set state = %s, decided_by = %s, decided_at = clock_timestamp(),"
        " reason = %s where decision_id = %s",
        [state, by, reason, decision.decision_id],
    )
    connection.execute("delete from ops.campaign_proposals where decision_id = %s", [decision.decision_id])


def _find(connection: psycopg.Connection[Any], campaign_id: str, state: State) -> Decision | None:
    with connection.cursor(row_factory=class_row(Decision)) as cursor:
        cursor.execute(
            f"select {_DECISION_COLUMNS} from ops.campaign_decisions where campaign_id = %s and state = %s",
            [campaign_id, state],
        )
        return cursor.fetchone()


def _read(connection: psycopg.Connection[Any], decision_id: int) -> Decision:
    with connection.cursor(row_factory=class_row(Decision)) as cursor:
        cursor.execute(
            f"select {_DECISION_COLUMNS} from ops.campaign_decisions where decision_id = %s", [decision_id]
        )
        found = cursor.fetchone()
    if found is None:
        raise WinbackError(
            f"decision {decision_id}: there is no such list.", "see them with: winback campaign list"
        )
    return found
