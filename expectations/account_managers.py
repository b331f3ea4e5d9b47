"""Account managers: who looks after which customers, and who receives the reports."""

from winback.check.rules import Reference, RowRule, Severity, Suite

SUITE = Suite(
    feed="account_managers",
    rules=(
        RowRule(
            name="email_looks_like_an_address",
            fails_when=r"landed.email !~ '^[^@\s]+@[^@\s]+[.][^@\s]+$'",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="An account manager without a working address receives no report.",
            protects_zh="邮箱地址有误的客户经理收不到报告。",
        ),
        RowRule(
            name="reports_to_somebody_else",
            fails_when="landed.reports_to = landed.account_manager_id",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="Whoever reports to themselves has no superior who is told of an alert.",
            protects_zh="上级是自己的客户经理，预警无法通知到其上级。",
        ),
        Reference(
            column="reports_to",
            feed="account_managers",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="An unknown superior is told of no alert.",
            protects_zh="上级不存在，预警无人接收。",
        ),
        Reference(
            column="region_id",
            feed="regions",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="An account manager of an unknown region is missing from that region's report.",
            protects_zh="所属区域不存在的客户经理不会出现在区域报告里。",
        ),
    ),
)
