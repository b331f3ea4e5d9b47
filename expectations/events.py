"""Events: recalls, price changes and promotions that explain what happened around them."""

from winback.check.rules import Reference, RowRule, Severity, Suite

SUITE = Suite(
    feed="events",
    rules=(
        RowRule(
            name="ended_on_is_not_before_started_on",
            fails_when="landed.ended_on < landed.started_on",
            severity=Severity.REJECT,
            owner="marketing",
            protects_en="An event that ended before it began has no days to compare with others.",
            protects_zh="结束早于开始的事件没有可供对比的时段。",
        ),
        Reference(
            column="product_id",
            feed="products",
            severity=Severity.WARN,
            owner="marketing",
            protects_en="An event about an unknown product explains nobody's sales.",
            protects_zh="商品不存在的事件无法解释任何销售变化。",
        ),
        Reference(
            column="region_id",
            feed="regions",
            severity=Severity.WARN,
            owner="marketing",
            protects_en="An event in an unknown region is drawn on no region's chart.",
            protects_zh="区域不存在的事件不会标注在任何区域的图表上。",
        ),
    ),
)
