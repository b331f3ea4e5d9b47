with customers as (
    select * from {{ ref('dim_customer') }}
),

purchases as (
    select
        customers.business_line,
        order_lines.customer_key,
        order_lines.product_key,
        customers.stage not in ('closed', 'prospect', 'churned') and not customers.do_not_contact as is_approachable,
        max(order_lines.ordered_on) as last_bought_on
    from {{ ref('fct_order_lines') }} as order_lines
    inner join customers on order_lines.customer_key = customers.customer_key
    where
        order_lines.order_class = 'sale'
        and order_lines.customer_key <> '-1'
        and order_lines.product_key <> '-1'
    group by
        customers.business_line,
        order_lines.customer_key,
        order_lines.product_key,
        customers.stage,
        customers.do_not_contact
),

recent as (
    select * from purchases
    where last_bought_on >= {{ trailing_start(as_of_date()) }}
),

buyers as (
    select
        business_line,
        count(distinct customer_key) as customers
    from recent
    group by business_line
),

-- pairs are as many as the square of these
products as (
    select
        business_line,
        product_key,
        count(*) as buyers,
        row_number() over (partition by business_line order by count(*) desc, product_key asc) as place
    from recent
    group by business_line, product_key
    having count(*) >= {{ var('cross_sell_min_buyers') }}
),

baskets as (
    select
        recent.business_line,
        recent.customer_key,
        recent.product_key,
        recent.is_approachable,
        products.buyers
    from recent
    inner join products
        on
            recent.business_line = products.business_line
            and recent.product_key = products.product_key
    where products.place <= {{ var('cross_sell_max_products') }}
),

pairs as (
    select
        first_basket.business_line,
        first_basket.product_key as because_product_key,
        second_basket.product_key,
        first_basket.buyers as because_buyers,
        second_basket.buyers,
        count(*) as buyers_of_both
    from baskets as first_basket
    inner join baskets as second_basket
        on
            first_basket.customer_key = second_basket.customer_key
            and first_basket.product_key <> second_basket.product_key
    group by
        first_basket.business_line,
        first_basket.product_key,
        second_basket.product_key,
        first_basket.buyers,
        second_basket.buyers
    having count(*) >= {{ var('cross_sell_min_support') }}
),

-- what is no longer sold may be a reason, but is not offered
discontinued as (
    select product_key from {{ ref('dim_product') }}
    where discontinued_on <= {{ as_of_date() }}
),

-- how much likelier somebody buys the one who has bought the other
lifted as (
    select
        pairs.business_line,
        pairs.because_product_key,
        pairs.product_key,
        pairs.buyers_of_both,
        1.0 * pairs.buyers_of_both * buyers.customers / (pairs.because_buyers * pairs.buyers) as lift
    from pairs
    inner join buyers on pairs.business_line = buyers.business_line
    where pairs.product_key not in (select discontinued.product_key from discontinued)
),

offers as (
    select
        *,
        row_number() over (
            partition by business_line, because_product_key order by lift desc, buyers_of_both desc, product_key asc
        ) as place
    from lifted
    where lift >= {{ var('cross_sell_min_lift') }}
),

-- the best reason for each product that they have never bought
candidates as (
    select distinct on (baskets.customer_key, offers.product_key)
        baskets.customer_key,
        offers.*
    from baskets
    inner join offers
        on
            baskets.business_line = offers.business_line
            and baskets.product_key = offers.because_product_key
    left join purchases as own
        on
            baskets.customer_key = own.customer_key
            and offers.product_key = own.product_key
    where
        offers.place <= {{ var('cross_sell_top') }}
        and own.customer_key is null
        and baskets.is_approachable
    order by
        baskets.customer_key asc,
        offers.product_key asc,
        offers.lift desc,
        offers.buyers_of_both desc,
        offers.because_product_key asc
),

ranked as (
    select
        customer_key,
        business_line,
        product_key,
        because_product_key,
        buyers_of_both,
        lift,
        row_number() over (partition by customer_key order by lift desc, buyers_of_both desc, product_key asc) as place
    from candidates
),

final as (
    select
        customer_key,
        cast(place as integer) as place,
        business_line,
        product_key,
        because_product_key,
        buyers_of_both,
        lift
    from ranked
    where place <= {{ var('cross_sell_top') }}
)

select * from final
