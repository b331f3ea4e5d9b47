"""Balances: what customers hold at the end of each month, in banks, prepaid cards and telecom."""

from winback.check.rules import Reference, RowRule, Severity, Suite

SUITE = Suite(
    feed="balances",
    amounts=("balance",),
    rules=(
        RowRule(
            name="month_is_not_in_the_future",
            fails_when="landed.month > landed.checked_at + {future}",
            severity=Severity.REJECT,
            owner="finance",
            protects_en="A balance dated in the future would hide how it falls now.",
            protects_zh="日期在未来的余额会掩盖当前的下降。",
        ),
        RowRule(
            name="balance_is_filled",
            fails_when="landed.balance is null and not coalesce(landed.unread ? 'balance', false)",
            severity=Severity.WARN,
            owner="finance",
            protects_en="A month without its balance cannot show whether the customer withdraws.",
            protects_zh="缺少余额的月份无法判断客户是否在转走资金。",
        ),
        Reference(
            column="customer_id",
            feed="customers",
            severity=Severity.WARN,
            owner="finance",
            protects_en="The balance of an unknown customer warns of nobody leaving.",
            protects_zh="客户不存在的余额无法用于流失预警。",
        ),
    ),
)
