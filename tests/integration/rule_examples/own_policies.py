"""Rules of the company's own, for what no shipped rule watches: other signals, comparators and versions."""

from tests.integration.rule_examples.example import Example, complaint, hotline

POLICIES = """
policy,churn_days,new_days,won_back_days,monthly_minimum,balance_minimum,margin_share,discount_rate
wholesale,180,30,90,50,,0.3,0.15
seasonal,180,30,90,,,0.3,0.15
visits,180,30,90,,,0.3,0.15
year,180,30,90,,,0.3,0.15
spending,180,30,90,,,0.3,0.15
service,180,30,90,,,0.3,0.15
quiet,180,30,90,,,0.3,0.15
compare,180,30,90,,,0.3,0.15
versions,180,30,90,,,0.3,0.15
"""
RULES = """
policy,rule_id,valid_from,signal,comparator,threshold,outcome,action,enabled,label_zh,label_en,source
wholesale,low,1900-01-01,months_below_minimum,>=,3,watch,review,true,月订货额偏低,Low months,default
seasonal,season,1900-01-01,seasonal_order_missed,=,1,watch,call,true,今年没有订货,Missed,default
visits,few,1900-01-01,orders_last_30d,<=,1,watch,call,true,光顾很少,Few visits,default
year,rare,1900-01-01,orders_last_365d,<,2,watch,call,true,一年很少光顾,Rare visits,default
spending,less,1900-01-01,amount_change_90d,<=,-0.5,at_risk,call,true,消费减半,Half as much,default
service,open,1900-01-01,open_complaint_days,>=,7,at_risk,call,true,投诉未解决,A complaint is open,default
service,complains,1900-01-01,complaints_last_90d,>=,2,watch,call,true,多次投诉,Complains again,default
service,unhappy,1900-01-01,last_satisfaction,<=,2,watch,call,true,不满意,Not satisfied,default
quiet,no_word,1900-01-01,complaints_last_90d,<=,0,watch,call,true,没有声音,No word,default
compare,later,1900-01-01,days_since_last_order,>,10,watch,call,true,已过十天,Later,default
compare,exactly,1900-01-01,days_since_last_order,=,10,watch,call,true,正好十天,Exactly,default
compare,fresh,1900-01-01,days_since_last_order,<,2,watch,call,true,刚刚下单,Fresh,default
versions,silent,1900-01-01,days_since_last_order,>=,10,at_risk,call,true,久未下单,Silent,default
versions,silent,2024-03-01,days_since_last_order,>=,20,at_risk,call,true,久未下单,Silent,default
versions,ended,1900-01-01,days_since_last_order,>=,5,watch,review,true,已停用,Ended,default
versions,ended,2024-02-10,days_since_last_order,>=,5,watch,review,false,已停用,Ended,default
versions,begun,2024-03-10,days_since_last_order,>=,15,watch,review,true,新规则,Begun,default
"""
COMPANY_SEEDS = {"policies.csv": POLICIES.lstrip(), "churn_rules.csv": RULES.lstrip()}

LOW_MONTHS = "2023-11-10=500 2023-12-10={0} 2024-01-10={0} 2024-02-10={0} 2024-03-10=500"

MINIMUMS = (
    Example(
        "the policy's minimum",
        "wholesale",
        LOW_MONTHS.format(49),
        ("low 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
    ),
    Example("on the policy's minimum", "wholesale", LOW_MONTHS.format(50), (), "active"),
    Example(
        "a minimum of one's own goes before it",
        "wholesale",
        LOW_MONTHS.format(49),
        (),
        "active",
        attributes={"monthly_minimum": 40},
    ),
    Example(
        "what is no number is no minimum",
        "wholesale",
        LOW_MONTHS.format(49),
        ("low 2024-02-29 to 2024-03-31 at 3, condition_ended",),
        "active",
        attributes={"monthly_minimum": "forty"},
    ),
)

TWO_JANUARIES = "2022-01-10 2023-01-20"
ELEVEN_MONTHS = " ".join(f"2022-{month:02}-10" for month in range(1, 11)) + " 2023-01-10"

SEASONS = (
    Example("ordered on the due day", "seasonal", f"{TWO_JANUARIES} 2024-01-27"),
    Example("ordered on the day after", "seasonal", f"{TWO_JANUARIES} 2024-01-28"),
    Example(
        "ordered two days after",
        "seasonal",
        f"{TWO_JANUARIES} 2024-01-29",
        ("season 2024-01-28 to 2024-01-29 at 1, condition_ended",),
    ),
    Example("ordered 7 days before the month", "seasonal", f"{TWO_JANUARIES} 2023-12-25"),
    Example(
        "ordered 8 days before the month",
        "seasonal",
        f"{TWO_JANUARIES} 2023-12-24",
        ("season since 2024-01-28 at 1",),
    ),
    Example(
        "a leap day is due on 28 February, and the season ends with April",
        "seasonal",
        "2020-02-29 2021-02-10",
        ("season 2022-03-08 to 2022-05-01 at 1, condition_ended",),
    ),
    Example(
        "a February after two years without a leap day",
        "seasonal",
        "2022-02-28 2023-02-28",
        ("season since 2024-03-07 at 1",),
    ),
    Example(
        "a December, looked at until the end of February",
        "seasonal",
        "2020-12-05 2021-12-05",
        ("season 2022-12-13 to 2023-03-01 at 1, condition_ended",),
    ),
    Example("one year before is not enough", "seasonal", "2023-01-20"),
    Example("nor are two years apart", "seasonal", "2021-01-10 2023-01-10"),
    Example(
        "orders in 11 of 24 months",
        "seasonal",
        ELEVEN_MONTHS,
        ("season since 2024-01-18 at 1",),
    ),
    Example("orders in 12 of 24 months are no season", "seasonal", f"{ELEVEN_MONTHS} 2023-05-10"),
    Example(
        "the first order of the month tells when it is due",
        "seasonal",
        "2022-01-05 2022-01-25 2023-01-03",
        ("season since 2024-01-13 at 1",),
    ),
    Example(
        "one order for two seasons, 7 days before the second",
        "seasonal",
        "2022-01-10 2022-03-05 2023-01-10 2023-03-05 2024-02-23",
        ("season 2024-01-18 to 2024-02-23 at 1, condition_ended",),
    ),
    Example(
        "8 days before, the second is missed as well",
        "seasonal",
        "2022-01-10 2022-03-05 2023-01-10 2023-03-05 2024-02-22",
        ("season 2024-01-18 to 2024-02-22 at 1, condition_ended", "season since 2024-03-13 at 1"),
    ),
    Example("a return is no order of the season", "seasonal", "2022-01-10 2023-01-20=-5"),
)

VISITS = (
    Example("29 days after the first order", "visits", "2024-03-02"),
    Example(
        "30 days after the first order",
        "visits",
        "2024-03-01",
        ("few since 2024-03-31 at 0",),
        says={"few": ("0 orders in the last 30 days", "近 30 天下单 0 次")},
    ),
    Example("31 days after the first order", "visits", "2024-02-29", ("few since 2024-03-30 at 0",)),
    Example(
        "1 order, 2 orders, 1 and 2 again",
        "visits",
        "2024-01-15 2024-02-10 2024-03-02 2024-03-31",
        (
            "few 2024-02-14 to 2024-03-02 at 1, condition_ended",
            "few 2024-03-11 to 2024-03-31 at 1, condition_ended",
        ),
    ),
    Example(
        "30 days ago is outside",
        "visits",
        "2024-01-15 2024-02-10 2024-03-01 2024-03-31",
        ("few 2024-02-14 to 2024-03-01 at 1, condition_ended", "few since 2024-03-11 at 1"),
        says={"few": ("1 order in the last 30 days", "近 30 天下单 1 次")},
    ),
    Example(
        "two orders of one day count",
        "visits",
        "2024-02-01 2024-03-20=-5 2024-03-31T10:00 2024-03-31T11:00",
        ("few 2024-03-02 to 2024-03-31 at 0, condition_ended",),
    ),
    Example("364 days after the first order", "year", "2023-04-02"),
    Example(
        "365 days after the first order, over a leap day",
        "year",
        "2023-04-01",
        ("rare since 2024-03-31 at 0",),
        says={"rare": ("0 orders in the last 365 days", "近 365 天下单 0 次")},
    ),
    Example("366 days after the first order", "year", "2023-03-31", ("rare since 2024-03-30 at 0",)),
    Example("below 2", "year", "2022-05-01 2023-06-01", ("rare since 2023-05-01 at 0, now 1",)),
    Example(
        "on 2, which is not below",
        "year",
        "2022-05-01 2023-04-30 2023-05-15 2024-03-01",
        ("rare 2023-05-01 to 2023-05-15 at 1, condition_ended",),
    ),
)

SPENDING = (
    Example("49 % less", "spending", "2023-10-03=1 2023-12-01=100 2024-02-01=51", (), "active"),
    Example(
        "50 % less",
        "spending",
        "2023-10-03=1 2023-12-01=100 2024-02-01=50",
        ("less since 2024-03-31 at -0.5",),
        "at_risk",
        says={
            "less": (
                "net sales 50 in the last 90 days, 100 in the 90 days before",
                "近 90 天净销售额 50，此前 90 天 100",
            )
        },
    ),
    Example(
        "51 % less",
        "spending",
        "2023-10-03=1 2023-12-01=100 2024-02-01=49",
        ("less since 2024-03-31 at -0.51",),
        "at_risk",
    ),
    Example("179 days after the first order", "spending", "2023-10-04=100 2024-02-01=10", (), "active"),
    Example("nothing in the earlier 90 days", "spending", "2023-09-01=100 2024-02-01=10"),
    Example(
        "all of the earlier 90 days came back",
        "spending",
        "2023-10-01=5 2023-12-01=100 2023-12-05=-100 2024-02-01=10",
    ),
    Example(
        "a return counts on its day",
        "spending",
        "2023-10-03=1 2023-12-01=100 2024-02-01=60 2024-03-01=-10",
        ("less since 2024-03-31 at -0.5",),
        "at_risk",
    ),
    Example(
        "the first day of the last 90 and the last day of the 90 before",
        "spending",
        "2023-10-03=1 2024-01-01=100 2024-01-02=50",
        ("less since 2024-03-31 at -0.5",),
        "at_risk",
    ),
    Example(
        "over the year's end",
        "spending",
        "2023-06-01=10 2023-09-01=100 2023-12-20=40 2024-02-01=80",
        ("less 2023-11-30 to 2024-02-01 at -1, condition_ended",),
        "active",
    ),
)

BOUGHT = "2024-01-05"

SERVICE = (
    Example("a complaint open for 6 days", "service", BOUGHT, (), complaints=(complaint("2024-03-25"),)),
    Example(
        "a complaint open for 7 days",
        "service",
        BOUGHT,
        ("open since 2024-03-31 at 7",),
        "at_risk",
        complaints=(complaint("2024-03-24"),),
        says={"open": ("complaint of 2024-03-24 open for 7 days", "2024-03-24 的投诉已 7 天未解决")},
    ),
    Example(
        "a complaint open for 8 days",
        "service",
        BOUGHT,
        ("open since 2024-03-30 at 7, now 8",),
        complaints=(complaint("2024-03-23"),),
    ),
    Example(
        "a complaint of half past midnight",
        "service",
        BOUGHT,
        (),
        complaints=(complaint("2024-03-25T00:30"),),
    ),
    Example(
        "resolved on the 9th day",
        "service",
        BOUGHT,
        ("open 2024-03-08 to 2024-03-10 at 7, condition_ended",),
        complaints=(complaint("2024-03-01", "2024-03-10"),),
    ),
    Example(
        "resolved on the 7th day", "service", BOUGHT, (), complaints=(complaint("2024-03-01", "2024-03-08"),)
    ),
    Example(
        "a status that says open goes before the day of resolution",
        "service",
        BOUGHT,
        ("open since 2024-03-08 at 7, now 30",),
        complaints=(complaint("2024-03-01", "2024-03-05", status="reopened"),),
    ),
    Example(
        "closed, nobody says when",
        "service",
        BOUGHT,
        (),
        complaints=(complaint("2024-03-01", status="closed"),),
    ),
    Example(
        "resolved after the last evening",
        "service",
        BOUGHT,
        ("open since 2024-03-08 at 7, now 30",),
        complaints=(complaint("2024-03-01", "2024-04-02"),),
    ),
    Example("nothing known of what became of it", "service", BOUGHT, (), complaints=(hotline("2024-03-01"),)),
    Example(
        "a complaint before the first order",
        "service",
        BOUGHT,
        ("open since 2024-01-05 at 35, now 121",),
        complaints=(complaint("2023-12-01"),),
    ),
    Example(
        "the oldest open complaint counts",
        "service",
        BOUGHT,
        (
            "open 2024-02-27 to 2024-03-15 at 7, condition_ended",
            "complains since 2024-03-10 at 2",
            "open since 2024-03-17 at 7, now 21",
        ),
        complaints=(complaint("2024-02-20", "2024-03-15"), complaint("2024-03-10")),
    ),
    Example("1 complaint in 90 days", "service", BOUGHT, (), complaints=(hotline("2024-03-01"),)),
    Example(
        "2 complaints in 90 days",
        "service",
        BOUGHT,
        ("complains since 2024-03-20 at 2",),
        "active",
        complaints=(hotline("2024-01-02"), hotline("2024-03-20")),
        says={"complains": ("2 complaints in the last 90 days", "近 90 天投诉 2 次")},
    ),
    Example(
        "3 complaints in 90 days",
        "service",
        BOUGHT,
        ("complains since 2024-03-20 at 2, now 3",),
        complaints=(hotline("2024-01-10"), hotline("2024-03-20"), hotline("2024-03-21")),
    ),
    Example(
        "90 days ago is outside",
        "service",
        BOUGHT,
        ("complains 2024-03-20 to 2024-03-31 at 2, condition_ended",),
        complaints=(hotline("2024-01-01"), hotline("2024-03-20")),
    ),
    Example(
        "satisfaction of 3", "service", BOUGHT, (), complaints=(complaint("2024-03-09", "2024-03-10", 3),)
    ),
    Example(
        "satisfaction of 2",
        "service",
        BOUGHT,
        ("unhappy since 2024-03-10 at 2",),
        "active",
        complaints=(complaint("2024-03-09", "2024-03-10", 2),),
        says={"unhappy": ("last satisfaction 2 of 5", "最近一次满意度 2 分（满分 5 分）")},
    ),
    Example(
        "satisfaction of 1",
        "service",
        BOUGHT,
        ("unhappy since 2024-03-10 at 1",),
        complaints=(complaint("2024-03-09", "2024-03-10", 1),),
    ),
    Example(
        "a better answer after the next complaint",
        "service",
        BOUGHT,
        (
            "unhappy 2024-03-10 to 2024-03-20 at 1, condition_ended",
            "complains since 2024-03-19 at 2",
        ),
        complaints=(complaint("2024-03-09", "2024-03-10", 1), complaint("2024-03-19", "2024-03-20", 5)),
    ),
    Example(
        "a survey of 2 of 5", "service", BOUGHT, ("unhappy since 2024-03-12 at 2",), surveys="2024-03-12=2/5"
    ),
    Example(
        "a survey of 4 of 10",
        "service",
        BOUGHT,
        ("unhappy since 2024-03-12 at 2",),
        surveys="2024-03-12=4/10",
    ),
    Example("a survey of 5 of 10", "service", BOUGHT, (), surveys="2024-03-12=5/10"),
    Example(
        "an answer after a complaint goes before any survey",
        "service",
        BOUGHT,
        (),
        complaints=(complaint("2024-02-28", "2024-03-01", 5),),
        surveys="2024-03-20=1",
    ),
    Example(
        "an answer before the first order",
        "service",
        BOUGHT,
        ("unhappy since 2024-01-05 at 1",),
        surveys="2023-12-20=1",
    ),
    Example("no word for 89 days", "quiet", "2024-01-02"),
    Example("no word for 90 days", "quiet", "2024-01-01", ("no_word since 2024-03-31 at 0",)),
    Example("no word for 91 days", "quiet", "2023-12-31", ("no_word since 2024-03-30 at 0",)),
    Example(
        "a word",
        "quiet",
        "2023-10-01",
        ("no_word 2023-12-30 to 2024-02-01 at 0, condition_ended",),
        complaints=(hotline("2024-02-01"),),
    ),
)

COMPARATORS = (
    Example("9 days", "compare", "2024-03-22", ("fresh 2024-03-22 to 2024-03-24 at 0, condition_ended",)),
    Example(
        "10 days",
        "compare",
        "2024-03-21",
        ("fresh 2024-03-21 to 2024-03-23 at 0, condition_ended", "exactly since 2024-03-31 at 10"),
    ),
    Example(
        "11 days",
        "compare",
        "2024-03-20",
        (
            "fresh 2024-03-20 to 2024-03-22 at 0, condition_ended",
            "exactly 2024-03-30 to 2024-03-31 at 10, condition_ended",
            "later since 2024-03-31 at 11",
        ),
        says={"later": ("last order 2024-03-20, 11 days ago", "最近一次下单 2024-03-20，距今 11 天")},
    ),
    Example(
        "0 days",
        "compare",
        "2024-03-31",
        ("fresh since 2024-03-31 at 0",),
        says={"fresh": ("last order 2024-03-31, 0 days ago", "最近一次下单 2024-03-31，距今 0 天")},
    ),
    Example(
        "1 day, and the same the day before",
        "compare",
        "2024-03-29 2024-03-30",
        ("fresh since 2024-03-29 at 0, now 1",),
        says={"fresh": ("last order 2024-03-30, 1 day ago", "最近一次下单 2024-03-30，距今 1 天")},
    ),
)

VERSIONS = (
    Example(
        "a day before the change it would have been raised a day after it",
        "versions",
        "2024-02-20",
        ("begun since 2024-03-10 at 19, now 40", "silent since 2024-03-11 at 20, now 40"),
        "at_risk",
    ),
    Example(
        "raised a day before the threshold changes",
        "versions",
        "2024-02-19",
        (
            "silent 2024-02-29 to 2024-03-01 at 10, rule_changed",
            "silent since 2024-03-10 at 20, now 41",
            "begun since 2024-03-10 at 20, now 41",
        ),
        "at_risk",
    ),
    Example(
        "raised by both versions of the rule",
        "versions",
        "2024-02-05",
        (
            "silent 2024-02-15 to 2024-03-01 at 10, rule_changed",
            "silent since 2024-03-01 at 25, now 55",
            "begun since 2024-03-10 at 34, now 55",
        ),
        "at_risk",
    ),
    Example(
        "raised a day before the rule ends",
        "versions",
        "2024-02-04",
        (
            "ended 2024-02-09 to 2024-02-10 at 5, rule_changed",
            "silent 2024-02-14 to 2024-03-01 at 10, rule_changed",
            "silent since 2024-03-01 at 26, now 56",
            "begun since 2024-03-10 at 35, now 56",
        ),
        "at_risk",
    ),
    Example(
        "ordered on the day of the change",
        "versions",
        "2024-02-15 2024-03-01",
        (
            "silent 2024-02-25 to 2024-03-01 at 10, rule_changed",
            "begun since 2024-03-16 at 15, now 30",
            "silent since 2024-03-21 at 20, now 30",
        ),
        "at_risk",
    ),
    Example(
        "closed on the day of the change",
        "versions",
        "2024-02-15",
        ("silent 2024-02-25 to 2024-03-01 at 10, account_closed",),
        "closed",
        closed="2024-03-01 bankrupt",
    ),
)

OWN = (*MINIMUMS, *SEASONS, *VISITS, *SPENDING, *SERVICE, *COMPARATORS, *VERSIONS)
