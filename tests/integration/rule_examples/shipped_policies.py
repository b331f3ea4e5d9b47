"""Every shipped rule one below, exactly on and one above its threshold, and at the edges of its signal.

As of 31 March 2024: 29 February was a day, and three months are just complete.
"""

from tests.integration.rule_examples.example import Example, complaint

RESTAURANT = (
    Example("13 days of silence", "restaurant", "2024-03-18", (), "new"),
    Example(
        "14 days of silence",
        "restaurant",
        "2024-03-17",
        ("silent since 2024-03-31 at 14",),
        "at_risk",
        says={"silent": ("last order 2024-03-17, 14 days ago", "最近一次下单 2024-03-17，距今 14 天")},
    ),
    Example(
        "15 days of silence",
        "restaurant",
        "2024-03-16",
        ("silent since 2024-03-30 at 14, now 15",),
        "at_risk",
    ),
    Example(
        "59 days of silence",
        "restaurant",
        "2024-02-01",
        ("silent since 2024-02-15 at 14, now 59",),
        "at_risk",
    ),
    Example(
        "60 days of silence",
        "restaurant",
        "2024-01-31",
        ("silent since 2024-02-14 at 14, now 60", "silent_long since 2024-03-31 at 60"),
        "churned",
    ),
    Example(
        "61 days of silence",
        "restaurant",
        "2024-01-30",
        ("silent since 2024-02-13 at 14, now 61", "silent_long since 2024-03-30 at 60, now 61"),
        "churned",
    ),
    Example(
        "of gaps of 13, 14 and 15 days only the last one raises a flag, for an evening",
        "restaurant",
        "2024-01-01 2024-01-14 2024-01-28 2024-02-12 2024-02-25 2024-03-09 2024-03-22",
        ("silent 2024-02-11 to 2024-02-12 at 14, condition_ended",),
        "active",
    ),
    Example(
        "two weeks end on the leap day",
        "restaurant",
        "2024-02-15 2024-03-05 2024-03-18",
        ("silent 2024-02-29 to 2024-03-05 at 14, condition_ended",),
        "active",
    ),
    Example(
        "two weeks end a day later where there is no leap day",
        "restaurant",
        "2023-02-15 2023-03-05 2024-03-18",
        (
            "silent 2023-03-01 to 2023-03-05 at 14, condition_ended",
            "silent 2023-03-19 to 2024-03-18 at 14, condition_ended",
            "silent_long 2023-05-04 to 2024-03-18 at 60, condition_ended",
        ),
        "won_back",
    ),
    Example(
        "two weeks end with the first day of a year",
        "restaurant",
        "2023-12-18 2024-01-02 2024-01-15 2024-01-28 2024-02-10 2024-02-23 2024-03-07 2024-03-20",
        ("silent 2024-01-01 to 2024-01-02 at 14, condition_ended",),
        "active",
    ),
    Example(
        "a return ends no silence",
        "restaurant",
        "2024-03-01 2024-03-10=-5",
        ("silent since 2024-03-15 at 14, now 30",),
        "at_risk",
    ),
    Example("whose rows are all returns has not ordered", "restaurant", "2024-03-10=-5", (), "prospect"),
    Example(
        "an order of nothing is an order, and day 30 after the first is not new",
        "restaurant",
        "2024-03-01 2024-03-18=0",
        ("silent 2024-03-15 to 2024-03-18 at 14, condition_ended",),
        "active",
    ),
    Example(
        "a cancelled order is none",
        "restaurant",
        "2024-03-17",
        ("silent since 2024-03-31 at 14",),
        "at_risk",
        cancelled="2024-03-20",
    ),
    Example(
        "an order taken back after 7 days is none",
        "restaurant",
        "2024-03-17",
        ("silent since 2024-03-31 at 14",),
        "at_risk",
        taken_back={"2024-03-20": "2024-03-27"},
    ),
    Example(
        "an order taken back after 8 days is one",
        "restaurant",
        "2024-03-17",
        (),
        "new",
        taken_back={"2024-03-20": "2024-03-28"},
    ),
    Example(
        "half past midnight in Shanghai is not the day before", "restaurant", "2024-03-18T00:30", (), "new"
    ),
    Example(
        "half past eleven in the evening is that day",
        "restaurant",
        "2024-03-17T23:30",
        ("silent since 2024-03-31 at 14",),
        "at_risk",
    ),
    Example(
        "half past midnight after the last evening is not yet known",
        "restaurant",
        "2024-03-17 2024-04-01T00:30",
        ("silent since 2024-03-31 at 14",),
        "at_risk",
    ),
    Example("a customer without orders", "restaurant", "", (), "prospect"),
    Example(
        "who complains before ordering",
        "restaurant",
        "",
        (),
        "prospect",
        complaints=(complaint("2024-03-01"),),
    ),
    Example(
        "a regular with 4 visits in 30 days",
        "restaurant",
        "2024-02-05 2024-02-12 2024-02-19 2024-02-26 2024-03-04 2024-03-11 2024-03-18 2024-03-25",
        (),
        "active",
    ),
    Example(
        "a regular with 3 visits in 30 days",
        "restaurant",
        "2024-02-05 2024-02-12 2024-02-19 2024-02-26 2024-03-04 2024-03-11 2024-03-24",
        ("fewer_visits since 2024-03-27 at 3",),
        "active",
        says={
            "fewer_visits": (
                "3 orders in the last 30 days, 4 in the 30 days before",
                "近 30 天下单 3 次，此前 30 天 4 次",
            )
        },
    ),
    Example(
        "a regular with 2 visits in 30 days",
        "restaurant",
        "2024-02-05 2024-02-12 2024-02-19 2024-02-26 2024-03-10 2024-03-23",
        ("fewer_visits since 2024-03-27 at 2",),
        "active",
    ),
    Example(
        "who came 3 times in the 30 days before is no regular",
        "restaurant",
        "2024-02-05 2024-02-18 2024-02-26 2024-03-10 2024-03-23",
        (),
        "active",
    ),
    Example(
        "a regular who comes a fourth time again",
        "restaurant",
        "2024-02-05 2024-02-12 2024-02-19 2024-02-26 2024-03-10 2024-03-23 2024-03-28 2024-03-29",
        ("fewer_visits 2024-03-27 to 2024-03-29 at 2, condition_ended",),
        "active",
    ),
    Example(
        "a regular since a single day waits for 30 days",
        "restaurant",
        "2024-03-01T10:00 2024-03-01T11:00 2024-03-01T12:00 2024-03-01T13:00",
        ("silent since 2024-03-15 at 14, now 30", "fewer_visits since 2024-03-31 at 0"),
        "at_risk",
    ),
    Example(
        "a regular is one for 30 days",
        "restaurant",
        "2023-06-01T10:00 2023-06-01T11:00 2023-06-01T12:00 2023-06-01T13:00",
        (
            "silent since 2023-06-15 at 14, now 304",
            "fewer_visits 2023-07-01 to 2023-07-31 at 0, condition_ended",
            "silent_long since 2023-07-31 at 60, now 304",
        ),
        "churned",
    ),
)

AUTO_SERVICE = (
    Example("182 days of silence", "auto_service", "2023-10-01", (), "active"),
    Example("183 days", "auto_service", "2023-09-30", ("silent since 2024-03-31 at 183",), "at_risk"),
    Example(
        "184 days", "auto_service", "2023-09-29", ("silent since 2024-03-30 at 183, now 184",), "at_risk"
    ),
    Example(
        "364 days", "auto_service", "2023-04-02", ("silent since 2023-10-02 at 183, now 364",), "at_risk"
    ),
    Example(
        "365 days",
        "auto_service",
        "2023-04-01",
        ("silent since 2023-10-01 at 183, now 365", "silent_long since 2024-03-31 at 365"),
        "churned",
    ),
    Example(
        "366 days, a year with a leap day",
        "auto_service",
        "2023-03-31",
        ("silent since 2023-09-30 at 183, now 366", "silent_long since 2024-03-30 at 365, now 366"),
        "churned",
    ),
    Example(
        "once a year is just often enough",
        "auto_service",
        "2022-02-28 2023-02-28 2024-02-28",
        (
            "silent 2022-08-30 to 2023-02-28 at 183, condition_ended",
            "silent 2023-08-30 to 2024-02-28 at 183, condition_ended",
        ),
        "active",
    ),
    Example(
        "once a year is not often enough where the year has a leap day",
        "auto_service",
        "2023-03-01 2024-03-01",
        (
            "silent 2023-08-31 to 2024-03-01 at 183, condition_ended",
            "silent_long 2024-02-29 to 2024-03-01 at 365, condition_ended",
        ),
        "won_back",
    ),
    Example("new on the 180th day", "auto_service", "2023-10-04", (), "new"),
    Example("not new on the 181st day", "auto_service", "2023-10-03", (), "active"),
)

SILENT_DEALERS = (
    Example("89 days of silence", "distribution", "2024-01-02", (), "new"),
    Example("90 days", "distribution", "2024-01-01", ("silent since 2024-03-31 at 90",), "at_risk"),
    Example("91 days", "distribution", "2023-12-31", ("silent since 2024-03-30 at 90, now 91",), "at_risk"),
    Example("179 days", "distribution", "2023-10-04", ("silent since 2024-01-02 at 90, now 179",), "at_risk"),
    Example(
        "180 days",
        "distribution",
        "2023-10-03",
        ("silent since 2024-01-01 at 90, now 180", "silent_long since 2024-03-31 at 180"),
        "churned",
    ),
    Example(
        "181 days",
        "distribution",
        "2023-10-02",
        ("silent since 2023-12-31 at 90, now 181", "silent_long since 2024-03-30 at 180, now 181"),
        "churned",
    ),
)

STEADY_LINE = "2023-11-15=900 2023-12-15=910 2024-01-15=920 2024-02-15=930 2024-03-15=930"
FIRST = "2023-10-15=500 2023-11-15=100"  # the month of the first order, and the one to begin with

DECLINING_DEALERS = (
    Example(
        "2 months of a smaller share",
        "distribution",
        f"{FIRST} 2023-12-15=90 2024-01-15=80 2024-02-15=80 2024-03-15=80",
        (),
        "active",
        others="2023-11-15=900 2023-12-15=910 2024-01-15=920 2024-02-15=920 2024-03-15=920",
    ),
    Example(
        "3 months of a smaller share, then the same again",
        "distribution",
        f"{FIRST} 2023-12-15=90 2024-01-15=80 2024-02-15=70 2024-03-15=70",
        ("declining 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
        others=STEADY_LINE,
    ),
    Example(
        "4 months of a smaller share",
        "distribution",
        f"{FIRST} 2023-12-15=90 2024-01-15=80 2024-02-15=70 2024-03-15=60",
        ("declining since 2024-02-29 at 3, now 4",),
        "at_risk",
        others=STEADY_LINE,
        says={
            "declining": (
                "share of the line's sales down 4 months in a row",
                "占本业务线销售额的份额连续 4 个月下降",
            )
        },
    ),
    Example(
        "the month of the first order does not take part",
        "distribution",
        "2023-11-15=500 2023-12-15=100 2024-01-15=90 2024-02-15=80 2024-03-15=80",
        (),
        "active",
        others="2023-12-15=900 2024-01-15=910 2024-02-15=920 2024-03-15=920",
    ),
    Example(
        "a season that the whole line shares",
        "distribution",
        f"{FIRST} 2023-12-15=50 2024-01-15=20 2024-02-15=10 2024-03-15=10",
        (),
        "active",
        others="2023-11-15=900 2023-12-15=450 2024-01-15=180 2024-02-15=90 2024-03-15=90",
    ),
    Example(
        "a share that falls while the amount grows",
        "distribution",
        f"{FIRST} 2023-12-15=110 2024-01-15=120 2024-02-15=130 2024-03-15=140",
        ("declining 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
        others="2023-11-15=900 2023-12-15=1890 2024-01-15=2880 2024-02-15=3870 2024-03-15=3360",
    ),
    Example(
        "nothing after nothing is no decline",
        "distribution",
        f"{FIRST} 2023-12-15=80 2024-01-15=50",
        ("declining 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
        others="2023-11-15=900 2023-12-15=900 2024-01-15=900 2024-02-15=900 2024-03-15=900",
    ),
    Example(
        "a month in which the line has no revenue ends the run",
        "distribution",
        f"{FIRST} 2023-12-15=90 2024-01-15=80 2024-02-15=70 2024-03-15=60",
        (),
        "active",
        others="2023-11-15=900 2023-12-15=910 2024-01-15=20 2024-01-16=-100 2024-02-15=930 2024-03-15=940",
    ),
    Example(
        "nor has a month a share in which the line loses money",
        "distribution",
        f"{FIRST} 2023-12-15=90 2024-01-15=80 2024-02-15=70 2024-03-15=60",
        (),
        "active",
        others="2023-11-15=900 2023-12-15=910 2024-01-15=920 2024-02-15=20 2024-02-16=-200 2024-03-15=940",
    ),
    Example(
        "a return makes the share smaller",
        "distribution",
        f"{FIRST} 2023-12-15=90 2024-01-15=80 2024-02-15=80 2024-02-20=-1 2024-03-15=80",
        ("declining 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
        others="2023-11-15=900 2023-12-15=910 2024-01-15=920 2024-02-15=920 2024-03-15=920",
    ),
)

# in the default line, to which orders without a customer belong
WALK_INS = Example(
    "a share that falls because walk-ins buy more",
    "distribution",
    f"{FIRST} 2023-12-15=100 2024-01-15=100 2024-02-15=100 2024-03-15=100",
    ("declining 2024-02-29 to 2024-03-31 at 3, condition_ended",),
    "active",
    walk_ins="2023-11-15=900 2023-12-15=1900 2024-01-15=3900 2024-02-15=9900 2024-03-15=900",
)

MINIMUM = {"monthly_minimum": 100}

DEALERS_BELOW_MINIMUM = (
    Example(
        "2 months below the minimum, and one on it",
        "distribution",
        "2023-11-10=500 2023-12-10=99 2024-01-10=99 2024-02-10=100 2024-03-10=99",
        (),
        "active",
        attributes=MINIMUM,
    ),
    Example(
        "3 months below the minimum, and one on it",
        "distribution",
        "2023-11-10=500 2023-12-10=99.99 2024-01-10=99.99 2024-02-10=99.99 2024-03-10=100",
        ("below_minimum 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
        attributes=MINIMUM,
    ),
    Example(
        "4 months below the minimum",
        "distribution",
        "2023-11-10=500 2023-12-10=99.99 2024-01-10=99.99 2024-02-10=99.99 2024-03-10=99.99",
        ("below_minimum since 2024-02-29 at 3, now 4",),
        "at_risk",
        attributes=MINIMUM,
        says={
            "below_minimum": (
                "4 months in a row below the monthly minimum of 100",
                "连续 4 个月低于每月最低额 100",
            )
        },
    ),
    Example(
        "3 months after that of the first order",
        "distribution",
        "2023-12-20=10 2024-01-10=99 2024-02-10=99 2024-03-10=99",
        ("below_minimum since 2024-03-31 at 3",),
        "at_risk",
        attributes=MINIMUM,
    ),
    Example(
        "2 months after that of the first order",
        "distribution",
        "2024-01-20=10 2024-02-10=99 2024-03-10=99",
        (),
        "new",
        attributes=MINIMUM,
    ),
    Example(
        "months without an order are below the minimum",
        "distribution",
        "2023-11-10=500",
        ("silent since 2024-02-08 at 90, now 142", "below_minimum since 2024-02-29 at 3, now 4"),
        "at_risk",
        attributes=MINIMUM,
    ),
    Example(
        "a return takes a month below the minimum",
        "distribution",
        "2023-11-10=500 2023-12-10=100 2023-12-20=-0.01 2024-01-10=99 2024-02-10=99 2024-03-10=100",
        ("below_minimum 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
        attributes=MINIMUM,
    ),
    Example(
        "without a minimum nobody is below it",
        "distribution",
        "2023-11-10=500",
        ("silent since 2024-02-08 at 90, now 142",),
        "at_risk",
    ),
    Example(
        "nothing is not below a minimum of nothing",
        "distribution",
        "2023-06-10=500",
        (
            "silent since 2023-09-08 at 90, now 295",
            "silent_long since 2023-12-07 at 180, now 295",
            "manager_left since 2024-03-01 at 0, now 30",
        ),
        "churned",
        attributes={"monthly_minimum": "0"},
        managers={"": "2024-03-01"},
    ),
)

OTHER_DEALERS = (
    Example(
        "the order of every January has not come by the 27th",
        "distribution",
        "2022-01-10 2023-01-20",
        (
            "silent 2022-04-10 to 2023-01-20 at 90, condition_ended",
            "silent_long 2022-07-09 to 2023-01-20 at 180, condition_ended",
            "silent since 2023-04-20 at 90, now 436",
            "silent_long since 2023-07-19 at 180, now 436",
            "yearly_order_missed since 2024-01-28 at 1",
        ),
        "churned",
        says={
            "yearly_order_missed": (
                "order expected by 2024-01-27, as in the two years before, has not come; "
                "last order 2023-01-20",
                "按往年规律应于 2024-01-27 前下单，至今未下；最近一次下单 2023-01-20",
            )
        },
    ),
    Example(
        "the manager leaves tomorrow", "distribution", "2024-02-10", (), "new", managers={"": "2024-04-01"}
    ),
    Example(
        "the manager leaves today",
        "distribution",
        "2024-02-10",
        ("manager_left since 2024-03-31 at 0",),
        "new",
        managers={"": "2024-03-31"},
        says={"manager_left": ("the account manager left on 2024-03-31", "客户经理已于 2024-03-31 离职")},
    ),
    Example(
        "the manager left yesterday",
        "distribution",
        "2024-02-10",
        ("manager_left since 2024-03-30 at 0, now 1",),
        "new",
        managers={"": "2024-03-30"},
    ),
    Example(
        "the manager of the last order left after handing over",
        "distribution",
        "2024-02-10",
        ("manager_left since 2024-03-01 at 0, now 30",),
        "new",
        managers={"": "2024-03-01", "2024-02-20": ""},
    ),
    Example(
        "an order with the next manager",
        "distribution",
        "2024-02-10 2024-03-10",
        ("manager_left 2024-03-01 to 2024-03-10 at 0, condition_ended",),
        "new",
        managers={"": "2024-03-01", "2024-02-20": ""},
    ),
    Example(
        "an order on the day of handing over",
        "distribution",
        "2024-02-10",
        (),
        "new",
        managers={"": "2024-02-01", "2024-02-10": ""},
    ),
    Example(
        "an order although the manager had left",
        "distribution",
        "2024-02-10",
        ("manager_left since 2024-02-10 at 9, now 59",),
        "new",
        managers={"": "2024-02-01"},
    ),
)

TELECOM = (
    Example("used on the first of the month", "telecom", "2024-03-01", (), "active"),
    Example("new on the 30th day", "telecom", "2024-03-02", (), "new"),
    Example(
        "1 whole month after the leap day",
        "telecom",
        "2024-02-29",
        ("unused since 2024-03-31 at 1",),
        "at_risk",
        says={
            "unused": (
                "last order 2024-02-29, then 1 whole month without an order",
                "最近一次下单 2024-02-29，此后连续 1 个整月没有下单",
            )
        },
    ),
    Example("2 whole months", "telecom", "2024-01-01", ("unused since 2024-02-29 at 1, now 2",), "at_risk"),
    Example(
        "3 whole months after the last day of a year",
        "telecom",
        "2023-12-31",
        ("unused since 2024-01-31 at 1, now 3", "unused_long since 2024-03-31 at 3"),
        "churned",
    ),
    Example(
        "4 whole months",
        "telecom",
        "2023-11-30",
        ("unused since 2023-12-31 at 1, now 4", "unused_long since 2024-02-29 at 3, now 4"),
        "churned",
        stages={"2024-01": "at_risk", "2024-02": "churned"},
    ),
    Example("half past midnight on the first of the month", "telecom", "2024-03-01T00:30", (), "active"),
    Example("a minute before", "telecom", "2024-02-29T23:59", ("unused since 2024-03-31 at 1",), "at_risk"),
    Example(
        "a whole month, then used again",
        "telecom",
        "2023-12-31 2024-02-10 2024-03-10",
        ("unused 2024-01-31 to 2024-02-10 at 1, condition_ended",),
        "active",
    ),
    Example(
        "a return is no use",
        "telecom",
        "2024-02-29 2024-03-15=-1",
        ("unused since 2024-03-31 at 1",),
        "at_risk",
    ),
    Example(
        "2 months of a smaller share",
        "telecom",
        f"{FIRST} 2023-12-15=90 2024-01-15=80 2024-02-15=80 2024-03-15=80",
        (),
        "active",
        others="2023-11-15=900 2023-12-15=910 2024-01-15=920 2024-02-15=920 2024-03-15=920",
    ),
    Example(
        "3 months of a smaller share, then the same again",
        "telecom",
        f"{FIRST} 2023-12-15=90 2024-01-15=80 2024-02-15=70 2024-03-15=70",
        ("declining 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
        others=STEADY_LINE,
    ),
    Example(
        "4 months of a smaller share",
        "telecom",
        f"{FIRST} 2023-12-15=90 2024-01-15=80 2024-02-15=70 2024-03-15=60",
        ("declining since 2024-02-29 at 3, now 4",),
        "at_risk",
        others=STEADY_LINE,
    ),
)

RETAIL = (
    Example("89 days of silence", "retail", "2024-01-02", (), "new"),
    Example("90 days", "retail", "2024-01-01", ("silent since 2024-03-31 at 90",), "at_risk"),
    Example("91 days", "retail", "2023-12-31", ("silent since 2024-03-30 at 90, now 91",), "at_risk"),
    Example("179 days", "retail", "2023-10-04", ("silent since 2024-01-02 at 90, now 179",), "at_risk"),
    Example(
        "180 days",
        "retail",
        "2023-10-03",
        ("silent since 2024-01-01 at 90, now 180", "silent_long since 2024-03-31 at 180"),
        "churned",
    ),
    Example(
        "181 days",
        "retail",
        "2023-10-02",
        ("silent since 2023-12-31 at 90, now 181", "silent_long since 2024-03-30 at 180, now 181"),
        "churned",
    ),
    Example(
        "42 days after purchases every 10 days",
        "retail",
        "2023-12-30 2024-01-09 2024-01-19 2024-01-29 2024-02-08 2024-02-18",
        (),
        "active",
    ),
    Example(
        "43 days after purchases every 10 days",
        "retail",
        "2023-12-29 2024-01-08 2024-01-18 2024-01-28 2024-02-07 2024-02-17",
        ("unusual_gap since 2024-03-31 at 4.3",),
        "active",
        says={
            "unusual_gap": (
                "last order 2024-02-17, 43 days ago, usual gap 10 days",
                "最近一次下单 2024-02-17，距今 43 天，平时间隔约 10 天",
            )
        },
    ),
    Example(
        "44 days after purchases every 10 days",
        "retail",
        "2023-12-28 2024-01-07 2024-01-17 2024-01-27 2024-02-06 2024-02-16",
        ("unusual_gap since 2024-03-30 at 4.3, now 4.4",),
        "active",
    ),
    Example(
        "four gaps tell nothing",
        "retail",
        "2024-01-08 2024-01-18 2024-01-28 2024-02-07 2024-02-17",
        (),
        "new",
    ),
    Example(
        "nor do four gaps and two purchases on one day",
        "retail",
        "2024-01-08T10:00 2024-01-08T18:00 2024-01-18 2024-01-28 2024-02-07 2024-02-17 2024-02-20=-5",
        (),
        "new",
    ),
    Example(
        "gaps of 7 and 8 days, as many of either",
        "retail",
        "2024-01-13 2024-01-20 2024-01-27 2024-02-03 2024-02-11 2024-02-19 2024-02-27",
        ("unusual_gap since 2024-03-31 at 4.4",),
        "new",
        says={
            "unusual_gap": (
                "last order 2024-02-27, 33 days ago, usual gap 7.5 days",
                "最近一次下单 2024-02-27，距今 33 天，平时间隔约 7.5 天",
            )
        },
    ),
    Example(
        "29 days are no silence yet",
        "retail",
        "2024-02-06 2024-02-11 2024-02-16 2024-02-21 2024-02-26 2024-03-02",
        (),
        "new",
    ),
    Example(
        "30 days are",
        "retail",
        "2024-02-05 2024-02-10 2024-02-15 2024-02-20 2024-02-25 2024-03-01",
        ("unusual_gap since 2024-03-31 at 6",),
        "new",
    ),
    Example(
        "a long gap is a gap like the others",
        "retail",
        "2023-09-01 2023-09-11 2023-09-21 2023-10-01 2023-10-11 2023-10-21 2024-01-05",
        (
            "unusual_gap 2023-12-03 to 2024-01-05 at 4.3, condition_ended",
            "unusual_gap since 2024-02-17 at 4.3, now 8.6",
        ),
        "active",
    ),
)

RETAIL_BANK = (
    Example("29 % less", "retail_bank", "2023-11-01", (), "active", balances="2023-12=100000 2024-03=71000"),
    Example(
        "30 % less",
        "retail_bank",
        "2023-11-01",
        ("balance_falling since 2024-03-31 at -0.3",),
        "at_risk",
        balances="2023-12=100000 2024-03=70000",
        says={
            "balance_falling": (
                "balance 70000, three months before 100000",
                "余额 70000，三个月前 100000",
            )
        },
    ),
    Example(
        "31 % less",
        "retail_bank",
        "2023-11-01",
        ("balance_falling since 2024-03-31 at -0.31",),
        "at_risk",
        balances="2023-12=100000 2024-03=69000",
    ),
    Example(
        "less at the end of February, not of March",
        "retail_bank",
        "2023-11-01",
        ("balance_falling 2024-02-29 to 2024-03-31 at -0.4, condition_ended",),
        "active",
        balances="2023-11=100000 2023-12=100000 2024-02=60000 2024-03=90000",
    ),
    Example(
        "less at the end of January, over the year's end, and no balance of February",
        "retail_bank",
        "2023-11-01",
        ("balance_falling 2024-01-31 to 2024-02-29 at -0.3, condition_ended",),
        "active",
        balances="2023-10=100000 2024-01=70000",
    ),
    Example("no balance of three months before", "retail_bank", "2023-11-01", (), balances="2024-03=10000"),
    Example(
        "nothing three months before", "retail_bank", "2023-11-01", (), balances="2023-12=0 2024-03=5000"
    ),
    Example(
        "a month that is not over",
        "retail_bank",
        "2023-11-01",
        (),
        "active",
        balances="2024-01=100000 2024-04=10",
    ),
    Example(
        "2 months below the minimum, and one on it",
        "retail_bank",
        "2023-11-01",
        (),
        "active",
        balances="2024-01=1000 2024-02=999 2024-03=999",
    ),
    Example(
        "3 months below the minimum",
        "retail_bank",
        "2023-11-01",
        ("below_minimum since 2024-03-31 at 3",),
        "churned",
        balances="2024-01=999.99 2024-02=0 2024-03=999.99",
        says={
            "below_minimum": (
                "balance 999.99, 3 months in a row below 1000",
                "余额 999.99，连续 3 个月低于 1000",
            )
        },
    ),
    Example(
        "4 months below the minimum",
        "retail_bank",
        "2023-11-01",
        ("below_minimum since 2024-02-29 at 3, now 4",),
        "churned",
        balances="2023-12=900 2024-01=900 2024-02=900 2024-03=900",
        stages={"2024-01": "active", "2024-02": "churned"},
    ),
    Example(
        "3 months below the minimum, and one on it",
        "retail_bank",
        "2023-11-01",
        ("below_minimum 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
        balances="2023-12=900 2024-01=900 2024-02=900 2024-03=1000",
    ),
    Example(
        "a month without a balance ends the row",
        "retail_bank",
        "2023-11-01",
        (),
        "active",
        balances="2023-12=900 2024-02=900 2024-03=900",
    ),
    Example(
        "a lower minimum of one's own",
        "retail_bank",
        "2023-11-01",
        (),
        "active",
        balances="2024-01=900 2024-02=900 2024-03=900",
        attributes={"balance_minimum": "500"},
    ),
    Example(
        "a higher minimum of one's own",
        "retail_bank",
        "2023-11-01",
        ("below_minimum since 2024-03-31 at 3",),
        "churned",
        balances="2024-01=1999 2024-02=1999 2024-03=1999",
        attributes={"balance_minimum": 2000},
    ),
    Example(
        "months before the first order count, and the rule runs from that day",
        "retail_bank",
        "2024-03-20",
        ("below_minimum since 2024-03-20 at 3, now 4",),
        "churned",
        balances="2023-12=900 2024-01=900 2024-02=900 2024-03=900",
    ),
    Example(
        "a balance without an order",
        "retail_bank",
        "",
        (),
        "prospect",
        balances="2024-01=900 2024-02=900 2024-03=900",
    ),
)

SHIPPED = (
    *(*RESTAURANT, *AUTO_SERVICE, *SILENT_DEALERS, *DECLINING_DEALERS, *DEALERS_BELOW_MINIMUM),
    *(*OTHER_DEALERS, *TELECOM, *RETAIL, *RETAIL_BANK),
)
