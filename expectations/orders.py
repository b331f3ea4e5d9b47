"""Orders: what a row must satisfy to count as revenue, a visit or a return."""

from winback.check.rules import AllowedCodes, RowRule, Severity, Suite

SUITE = Suite(
    feed="orders",
    rules=(
        AllowedCodes(
            column="status",
            seed="order_statuses",
            seed_column="status",
            owner="sales operations",
            protects_en="An order status that nobody has classed could be a sale or a cancellation.",
            protects_zh="未归类的订单状态无法判断是成交还是取消。",
        ),
        RowRule(
            name="ordered_at_is_not_in_the_future",
            fails_when="landed.ordered_at > landed.checked_at + interval '1 day'",
            severity=Severity.REJECT,
            owner="sales operations",
            protects_en="An order dated in the future would make a lost customer look loyal.",
            protects_zh="日期在未来的订单会让已流失的客户看起来仍然活跃。",
        ),
        RowRule(
            name="delivered_at_is_not_before_ordered_at",
            fails_when="landed.delivered_at < landed.ordered_at",
            severity=Severity.WARN,
            owner="logistics",
            protects_en="A delivery before its order distorts the on-time share.",
            protects_zh="送达早于下单会扭曲准时率。",
        ),
        RowRule(
            name="customer_id_is_filled",
            fails_when="landed.customer_id is null",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="A walk-in counts as revenue, never as a customer: too many hide who is leaving.",
            protects_zh="散客订单只计收入、不计客户；散客过多会掩盖流失。",
        ),
    ),
)
