"""Exchange rates: what one unit of a currency is worth on a day."""

from winback.check.rules import RowRule, Severity, Suite

SUITE = Suite(
    feed="exchange_rates",
    rules=(
        RowRule(
            name="currency_is_a_code",
            fails_when="landed.currency !~ '^[A-Z]{{3}}$'",
            severity=Severity.REJECT,
            owner="finance",
            protects_en="A rate is found by the three letters of its currency, as in USD.",
            protects_zh="汇率按三个字母的币种代码查找，例如 USD。",
        ),
        RowRule(
            name="rate_is_filled",
            fails_when="landed.rate is null and not coalesce(landed.unread ? 'rate', false)",
            severity=Severity.REJECT,
            owner="finance",
            protects_en="A day without its rate would turn amounts into nothing.",
            protects_zh="缺少汇率会让当天的金额变成空值。",
        ),
        RowRule(
            name="rate_is_positive",
            fails_when="landed.rate <= 0",
            severity=Severity.REJECT,
            owner="finance",
            protects_en="A rate of zero or below would make revenue vanish or turn negative.",
            protects_zh="汇率不大于零会让收入归零或变负。",
        ),
        RowRule(
            name="day_is_not_in_the_future",
            fails_when="landed.day > landed.checked_at + {future}",
            severity=Severity.WARN,
            owner="finance",
            protects_en="Tomorrow's rate is not known yet.",
            protects_zh="未来日期的汇率尚不可知。",
        ),
    ),
)
