"""Regions: the tree along which every figure rolls up."""

from winback.check.rules import Reference, RowRule, Severity, Suite

SUITE = Suite(
    feed="regions",
    rules=(
        RowRule(
            name="parent_region_is_another_region",
            fails_when="landed.parent_region_id = landed.region_id",
            severity=Severity.REJECT,
            owner="sales operations",
            protects_en="Nothing below a region that is its own parent would ever reach the top.",
            protects_zh="上级是自己的区域，其下属数据永远汇总不到顶层。",
        ),
        Reference(
            column="parent_region_id",
            feed="regions",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="A region below an unknown one is missing from what its managers see.",
            protects_zh="上级区域不存在，该区域的数据不会出现在上级经理的报告里。",
        ),
    ),
)
