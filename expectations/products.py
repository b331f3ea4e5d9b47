"""Products: what is sold, in which category, at which cost."""

from winback.check.rules import RowRule, Severity, Suite

SUITE = Suite(
    feed="products",
    amounts=("unit_cost",),
    categories=("brand", "category"),
    rules=(
        RowRule(
            name="unit_cost_is_not_negative",
            fails_when="landed.unit_cost < 0",
            severity=Severity.WARN,
            owner="finance",
            protects_en="A negative cost makes a margin larger than the sale.",
            protects_zh="成本为负会使毛利超过销售额。",
        ),
        RowRule(
            name="discontinued_on_is_not_before_launched_on",
            fails_when="landed.discontinued_on < landed.launched_on",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="A product discontinued before its launch has one of the two days wrong.",
            protects_zh="停售早于上市，两个日期中必有一个有误。",
        ),
    ),
)
