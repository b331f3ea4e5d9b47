"""Complaints: what a row must satisfy to count as one, and to be traced to a customer."""

from winback.check.rules import AllowedCodes, RowRule, Severity, Suite

SUITE = Suite(
    feed="complaints",
    rules=(
        AllowedCodes(
            column="status",
            seed="complaint_statuses",
            seed_column="status",
            owner="customer service",
            protects_en="A complaint whose status nobody has classed could be open or closed.",
            protects_zh="未归类的投诉状态无法判断是否已结案。",
        ),
        RowRule(
            name="opened_at_is_not_in_the_future",
            fails_when="landed.opened_at > landed.checked_at + interval '1 day'",
            severity=Severity.REJECT,
            owner="customer service",
            protects_en="A complaint dated in the future has no age and no deadline.",
            protects_zh="日期在未来的投诉无法计算时长和时限。",
        ),
        RowRule(
            name="resolved_at_is_not_before_opened_at",
            fails_when="landed.resolved_at < landed.opened_at",
            severity=Severity.REJECT,
            owner="customer service",
            protects_en="A complaint resolved before it was opened makes handling look faster than it is.",
            protects_zh="结案早于受理会让处理时长看起来比实际更短。",
        ),
        RowRule(
            name="satisfaction_is_from_1_to_5",
            fails_when="landed.satisfaction not between 1 and 5",
            severity=Severity.REJECT,
            owner="customer service",
            protects_en="A score outside 1 to 5 is on another scale or mistyped.",
            protects_zh="不在 1 到 5 之间的满意度评分说明量表不同或录入有误。",
        ),
        RowRule(
            name="customer_id_is_filled",
            fails_when="landed.customer_id is null",
            severity=Severity.WARN,
            owner="customer service",
            protects_en="A complaint without a customer cannot warn of that customer leaving.",
            protects_zh="没有客户编号的投诉无法用于流失预警。",
        ),
    ),
)
