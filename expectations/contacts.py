"""Contacts: who was called, when, and what came of it."""

from winback.check.rules import Reference, RowRule, Severity, Suite

SUITE = Suite(
    feed="contacts",
    categories=("channel", "outcome"),
    rules=(
        RowRule(
            name="contacted_at_is_not_in_the_future",
            fails_when="landed.contacted_at > landed.checked_at + {future}",
            severity=Severity.REJECT,
            owner="sales operations",
            protects_en="A call that is still to come must not count as made.",
            protects_zh="尚未发生的联系不应算作已联系。",
        ),
        Reference(
            column="customer_id",
            feed="customers",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="A call to an unknown customer cannot be credited with bringing anybody back.",
            protects_zh="联系的客户不存在，无法判断是否挽回成功。",
        ),
    ),
)
