"""Order lines: what was sold on each order, at which price."""

from winback.check.rules import NoRepeats, Reference, RowRule, Severity, Suite

SUITE = Suite(
    feed="order_lines",
    amounts=("amount", "unit_price"),
    rules=(
        Reference(
            column="order_id",
            feed="orders",
            severity=Severity.REJECT,
            owner="sales operations",
            protects_en="A line of an unknown order belongs to no day and no customer, so it waits.",
            protects_zh="订单不存在的明细行不属于任何日期和客户，须等订单到达后再入库。",
        ),
        RowRule(
            name="order_has_a_customer",
            fails_when="'order_has_a_customer' = any(landed.found)",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="What walk-ins buy is in no customer's history and suggests nothing to offer them.",
            protects_zh="散客购买的商品不会进入任何客户的购买记录，也无法用于推荐。",
            finds=(
                "select landed.row_number from {landing} as landed"
                " inner join {raw_orders} as orders"
                " on orders.source_id = {source_id} and orders.order_id = landed.order_id"
                " where orders.customer_id is null"
            ),
            refers_to="orders",
            has_arrived=(
                "exists (select from {raw_orders} as orders where orders.source_id = waiting.source_id"
                " and orders.order_id = waiting.typed_values ->> 'order_id'"
                " and orders.customer_id is not null)"
            ),
        ),
        NoRepeats(
            name="line_is_not_repeated",
            columns=("order_id", "product_id", "quantity", "unit_price"),
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="The same product, quantity and price twice on one order may be keyed in twice.",
            protects_zh="同一订单里商品、数量、单价都相同的明细行，可能是重复录入。",
        ),
        RowRule(
            name="product_id_is_filled",
            fails_when="landed.product_id is null",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="A line without a product says nothing about what customers buy or complain of.",
            protects_zh="没有商品编号的明细行无法说明客户买了什么。",
        ),
        Reference(
            column="product_id",
            feed="products",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="A product without master data has no name, category or cost.",
            protects_zh="没有商品资料，就没有名称、品类和成本。",
        ),
        RowRule(
            name="quantity_is_not_zero",
            fails_when="landed.quantity = 0",
            severity=Severity.WARN,
            owner="sales operations",
            protects_en="A line of nothing is a correction or a slip, and counts as a purchase all the same.",
            protects_zh="数量为零的明细行是更正或误录，却仍会算作一次购买。",
        ),
        RowRule(
            name="unit_price_is_not_negative",
            fails_when="landed.unit_price < 0",
            severity=Severity.WARN,
            owner="finance",
            protects_en="Returns have a negative quantity; a negative price is a booking, not a sale.",
            protects_zh="退货应为负数量；负单价是账务调整，不是销售。",
        ),
        RowRule(
            name="amount_is_quantity_times_unit_price",
            fails_when=(
                "abs(landed.quantity * landed.unit_price - coalesce(landed.discount, 0) - landed.amount)"
                " > greatest({cent}, {line_amount} * abs(landed.amount))"
            ),
            severity=Severity.WARN,
            owner="finance",
            protects_en="An amount far from quantity × price − discount has one of the four wrong.",
            protects_zh="金额与“数量 × 单价 − 折扣”相差过大，四个数中必有一个有误。",
        ),
    ),
)
