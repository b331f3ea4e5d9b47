"""Who churns and comes back, again and again; who closes the account, for good or not; two policies."""

from tests.integration.rule_examples.example import Example

CLOSINGS = (
    Example(
        "closed while a flag is open",
        "restaurant",
        "2024-02-10",
        ("silent 2024-02-24 to 2024-03-10 at 14, account_closed",),
        "closed",
        closed="2024-03-10 bankrupt",
        stages={"2024-02": "at_risk"},
    ),
    Example("closed before any flag", "restaurant", "2024-03-01", (), "closed", closed="2024-03-10 moved"),
    Example(
        "closed on the day of an order",
        "restaurant",
        "2024-02-10 2024-03-10",
        ("silent 2024-02-24 to 2024-03-10 at 14, account_closed",),
        "closed",
        closed="2024-03-10 Deceased",
    ),
    Example(
        "ordered after closing",
        "restaurant",
        "2024-02-10 2024-03-15",
        (
            "silent 2024-02-24 to 2024-03-10 at 14, account_closed",
            "silent since 2024-03-29 at 14, now 16",
        ),
        "at_risk",
        closed="2024-03-10 破产",
    ),
    Example(
        "closed while churned, ordered later: nobody was won back",
        "restaurant",
        "2023-12-01 2024-03-25",
        (
            "silent 2023-12-15 to 2024-03-10 at 14, account_closed",
            "silent_long 2024-01-30 to 2024-03-10 at 60, account_closed",
        ),
        "active",
        closed="2024-03-10 bankrupt",
    ),
    Example(
        "closing tomorrow",
        "restaurant",
        "2024-03-17",
        ("silent since 2024-03-31 at 14",),
        "at_risk",
        closed="2024-04-01 bankrupt",
    ),
    Example("closed without an order", "restaurant", "", (), "closed", closed="2024-03-10 bankrupt"),
    Example("left without an order", "restaurant", "", (), "prospect", closed="2024-03-10 price"),
    Example("left for the price", "restaurant", "2024-03-20", (), "churned", closed="2024-03-25 price"),
    Example(
        "left for a reason that is not in the list",
        "restaurant",
        "2024-03-20",
        (),
        "churned",
        closed="2024-03-25 whatever",
    ),
    Example(
        "the rules go on for who has left",
        "restaurant",
        "2024-03-01",
        ("silent since 2024-03-15 at 14, now 30",),
        "churned",
        closed="2024-03-05 price",
    ),
    Example(
        "ordered after leaving",
        "restaurant",
        "2024-03-01 2024-03-20",
        ("silent 2024-03-15 to 2024-03-20 at 14, condition_ended",),
        "won_back",
        closed="2024-03-05 price",
    ),
)

COMEBACKS = (
    Example(
        "churned and back, again and again",
        "restaurant",
        "2023-01-10 2023-04-01 2023-07-01 2024-03-25",
        (
            "silent 2023-01-24 to 2023-04-01 at 14, condition_ended",
            "silent_long 2023-03-11 to 2023-04-01 at 60, condition_ended",
            "silent 2023-04-15 to 2023-07-01 at 14, condition_ended",
            "silent_long 2023-05-31 to 2023-07-01 at 60, condition_ended",
            "silent 2023-07-15 to 2024-03-25 at 14, condition_ended",
            "silent_long 2023-08-30 to 2024-03-25 at 60, condition_ended",
        ),
        "won_back",
        stages={
            "2023-01": "at_risk",
            "2023-02": "at_risk",
            "2023-03": "churned",
            "2023-04": "at_risk",
            "2023-05": "churned",
            "2023-06": "churned",
            "2023-07": "at_risk",
            "2023-08": "churned",
            "2024-02": "churned",
            "2024-03": "won_back",
        },
    ),
    Example(
        "the 90th day of being won back",
        "retail",
        "2023-06-01 2024-01-02 2024-03-01",
        (
            "silent 2023-08-30 to 2024-01-02 at 90, condition_ended",
            "silent_long 2023-11-28 to 2024-01-02 at 180, condition_ended",
        ),
        "won_back",
        stages={"2023-08": "at_risk", "2023-12": "churned", "2024-01": "won_back"},
    ),
    Example(
        "the day after",
        "retail",
        "2023-06-01 2024-01-01 2024-03-01",
        (
            "silent 2023-08-30 to 2024-01-01 at 90, condition_ended",
            "silent_long 2023-11-28 to 2024-01-01 at 180, condition_ended",
        ),
        "active",
    ),
    Example(
        "back and silent again: at risk comes before won back",
        "restaurant",
        "2023-12-01 2024-03-01",
        (
            "silent 2023-12-15 to 2024-03-01 at 14, condition_ended",
            "silent_long 2024-01-30 to 2024-03-01 at 60, condition_ended",
            "silent since 2024-03-15 at 14, now 30",
        ),
        "at_risk",
    ),
    Example(
        "an order on the 60th day of silence wins nobody back",
        "restaurant",
        "2024-01-20 2024-03-20",
        ("silent 2024-02-03 to 2024-03-20 at 14, condition_ended",),
        "active",
    ),
    Example(
        "an order on the day after does",
        "restaurant",
        "2024-01-19 2024-03-20",
        (
            "silent 2024-02-02 to 2024-03-20 at 14, condition_ended",
            "silent_long 2024-03-19 to 2024-03-20 at 60, condition_ended",
        ),
        "won_back",
    ),
)

TWO_POLICIES = (
    Example(
        "one past, as a restaurant sees it",
        "restaurant",
        "2024-02-15",
        ("silent since 2024-02-29 at 14, now 45",),
        "at_risk",
    ),
    Example("one past, as a shop sees it", "retail", "2024-02-15", (), "new"),
)

LIVES = (*CLOSINGS, *COMEBACKS, *TWO_POLICIES)
