"""The ledger of mails as a person reads it: what waits, since when, why, and what to do."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from winback.report.ledger import Delivery, State

_WHAT_TO_DO: dict[State, str] = {
    "unknown": "ask whether it arrived, then: winback deliveries settle REPORT PERIOD ADDRESS"
    " --as sent (or again)",
    "refused": "mend what is said there; the report's next run for the period tries only these. Or let it go:"
    " … settle … --as dropped",
    "pending": "has not left: run the report again for that period, its DAG or"
    " winback report send REPORT --as-of DAY --really",
    "sending": "is on its way now",
}


def as_lines(found: Sequence[Delivery], zone: ZoneInfo) -> list[str]:
    """Return the mails as a table, then what to do about each state that occurs."""
    if not found:
        return ["no mails wait"]
    rows = [
        (
            mail.state, mail.report, mail.period, mail.recipient,
            f"{mail.since.astimezone(zone):%Y-%m-%d %H:%M}", str(mail.attempts), mail.error or "",
        )
        for mail in found
    ]  # fmt: skip
    table = [("state", "report", "period", "recipient", "since", "tries", "why"), *rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
    states = {mail.state for mail in found}
    return [*lines, "", *(f"{state}: {todo}" for state, todo in _WHAT_TO_DO.items() if state in states)]
