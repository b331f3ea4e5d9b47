"""What the rules say together: names that exist, no contradiction, no gap between tiers."""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import combinations, pairwise

from winback.rules.problems import Problem, did_you_mean
from winback.rules.read import Row

_EVERYBODY = 100  # percent


def in_force(churn_rules: Iterable[Row], policy: str, day: date) -> list[Row]:
    """Return a policy's rules on a day: the latest version of each, unless it is disabled."""
    latest: dict[str, Row] = {}
    for row in sorted(churn_rules, key=lambda row: row["valid_from"]):
        if row["policy"] == policy and row["valid_from"] <= day:
            latest[row["rule_id"]] = row
    return [row for row in latest.values() if row["enabled"]]


def unknown_names(rows: Iterable[Row], column: str, known: Iterable[str]) -> Iterator[Problem]:
    """Refuse a row that names what there is not, such as a rule about no signal."""
    names = list(known)
    for row in rows:
        if column in row.cells and row[column] not in names:
            yield row.problem(f"no such {column} {row[column]!r}{did_you_mean(row[column], names)}")


def unknown_words(rows: Iterable[Row], column: str, known: Iterable[str]) -> Iterator[Problem]:
    """Refuse a row of which one of several words names what there is not."""
    names = list(known)
    for row in rows:
        for word in (row.cells.get(column) or "").split():
            if word not in names:
                yield row.problem(f"no such {column} {word!r}{did_you_mean(word, names)}")


def contradictions(churn_rules: Iterable[Row]) -> Iterator[Problem]:
    """Refuse two rules that are in force on one day and cannot both be meant."""
    rules = list(churn_rules)
    for policy, day in sorted({(row["policy"], row["valid_from"]) for row in rules}):
        for pair in combinations(in_force(rules, policy, day), 2):
            one, other = sorted(pair, key=lambda row: (row.is_company, row["valid_from"], row.line))
            if why := _contradiction(one, other):
                yield other.problem(f"contradicts {one['rule_id']} ({one.file}:{one.line}): {why}")


def _contradiction(one: Row, other: Row) -> str | None:
    """Return why two rules cannot both be meant; the first one is `there`."""
    if any(one[name] != other[name] for name in ("signal", "comparator")):
        return None
    if one["threshold"] == other["threshold"]:
        there, here = (f"{row['outcome']}, {row['action']}" for row in (one, other))
        return f"the same condition, but {there} there and {here} here" if there != here else None
    threshold = {row["outcome"]: row["threshold"] for row in (one, other)}
    if threshold.keys() != {"at_risk", "churned"}:
        return None
    churned, at_risk = threshold["churned"], threshold["at_risk"]
    comes_first = {">": churned < at_risk, "<": churned > at_risk}.get(one["comparator"][0], False)
    return f"churned at {churned} comes before at_risk at {at_risk}" if comes_first else None


def idle_removals(churn_rules: Iterable[Row]) -> Iterator[Problem]:
    """Refuse a company's disabled row that takes nothing out of force: its rule_id is misspelt.

    Rows that others replace are among the rows: a disabled one may stand for the shipped row with its key.
    """
    rules = list(churn_rules)
    replaced = {row.key for row in rules if not row.is_company}
    for row in rules:
        if row.is_company and not row["enabled"] and row.key not in replaced:
            earlier = {
                other["rule_id"]
                for other in rules
                if other["policy"] == row["policy"] and other["valid_from"] < row["valid_from"]
            }
            if row["rule_id"] not in earlier:
                guess = did_you_mean(row["rule_id"], sorted(earlier))
                yield row.problem(
                    f"takes nothing out of force: {row['policy']} has no earlier {row['rule_id']!r}{guess}"
                )


def no_first_band(bands: Iterable[Row]) -> Iterator[Problem]:
    """Refuse bands of days of which none begins with 0: whoever ordered just now would be in none."""
    whole = [row for row in bands if row.is_whole]
    first = min(whole, key=lambda row: row["from_days"], default=None)
    if first is not None and first["from_days"] > 0:
        yield first.problem(f"the first band begins with {first['from_days']} days; it must begin with 0")


def tier_gaps(tiers: Iterable[Row]) -> Iterator[Problem]:
    """Refuse tiers that do not share out all ranked customers, from the top down."""
    ranked = sorted(tiers, key=lambda row: row["rank_order"])
    order = ranked[0].seed.columns["tier"].allowed
    for above, row in pairwise(ranked):
        to_mend = max(row, above, key=lambda row: row.is_company)
        if above["rank_order"] == row["rank_order"]:
            yield to_mend.problem(f"{above['tier']} and {row['tier']} share rank_order {row['rank_order']}")
        elif order.index(above["tier"]) > order.index(row["tier"]):
            said = f"{row['tier']} stands below {above['tier']}; from the top: {', '.join(order)}"
            yield to_mend.problem(said)
        if above["upper_share"] >= row["upper_share"]:
            yield to_mend.problem(
                f"upper_share {row['upper_share']} of {row['tier']} is not above the {above['upper_share']}"
                f" of {above['tier']}, which stands before it"
            )
    if ranked[-1]["upper_share"] != _EVERYBODY:
        yield ranked[-1].problem(
            f"upper_share of the last tier is {ranked[-1]['upper_share']}; it must be {_EVERYBODY},"
            " or some customers have no tier"
        )


def unfit_care_rules(care_rules: Iterable[Row]) -> Iterator[Problem]:
    """Refuse a rule of care that lacks what its occasion needs, or has what another needs."""
    needed = {"festival": ("calendar", "month", "day"), "silence": ("days",)}
    for row in care_rules:
        for column in ("calendar", "month", "day", "days"):
            is_needed = column in needed.get(row["occasion"], ())
            if is_needed != (row[column] is not None):
                said = "is empty" if is_needed else f"is {row[column]}"
                needs = "needs one" if is_needed else "has none"
                yield row.problem(f"{column} {said}; a rule of occasion {row['occasion']} {needs}")
