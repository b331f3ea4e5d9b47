"""Surveys: how satisfied customers say they are."""

from winback.check.rules import Reference, RowRule, Severity, Suite

SUITE = Suite(
    feed="surveys",
    rules=(
        RowRule(
            name="asked_at_is_not_in_the_future",
            fails_when="landed.asked_at > landed.checked_at + {future}",
            severity=Severity.REJECT,
            owner="customer service",
            protects_en="An answer dated in the future would hide how satisfied the customer is now.",
            protects_zh="日期在未来的调查会掩盖客户当前的满意度。",
        ),
        RowRule(
            name="scale_max_is_positive",
            fails_when="landed.scale_max <= 0",
            severity=Severity.REJECT,
            owner="customer service",
            protects_en="A score cannot be compared on a scale that ends at zero or below.",
            protects_zh="满分不大于零的量表无法换算评分。",
        ),
        RowRule(
            name="score_is_on_its_scale",
            fails_when="landed.score < 0 or landed.score > landed.scale_max",
            severity=Severity.REJECT,
            owner="customer service",
            protects_en="A score beyond its scale is on another scale or mistyped.",
            protects_zh="超出量表范围的评分说明量表不同或录入有误。",
        ),
        RowRule(
            name="expected_score_is_on_its_scale",
            fails_when="landed.expected_score < 0 or landed.expected_score > landed.scale_max",
            severity=Severity.REJECT,
            owner="customer service",
            protects_en="An expectation beyond the scale makes every answer look disappointed.",
            protects_zh="期望分超出量表范围，会让每份答卷都显得不满意。",
        ),
        Reference(
            column="customer_id",
            feed="customers",
            severity=Severity.WARN,
            owner="customer service",
            protects_en="The answer of an unknown customer warns of nobody leaving.",
            protects_zh="客户不存在的调查结果无法用于流失预警。",
        ),
    ),
)
