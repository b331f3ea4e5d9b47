with customers as (
    select * from {{ ref('dim_customer') }}
),

purchases as (
    select
        customers.business_line,
        lines.customer_key,
        lines.product_key,
        max(lines.ordered_on) as last_bought_on
    from {{ ref('fct_order_lines') }} as lines
    inner join customers on lines.customer_key = customers.customer_key
    where
        lines.order_class = 'sale'
        and lines.customer_key <> '-1'
        and lines.product_key <> '-1'
    group by 1, 2, 3
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
    group by 1
),

-- pairs are as many as the square of these
products as (
    select
        business_line,
        product_key,
        count(*) as buyers,
        row_number() over (partition by business_line order by count(*) desc, product_key) as place
    from recent
    group by 1, 2
    having count(*) >= {{ var('cross_sell_min_buyers') }}
),

baskets as (
    select
        recent.business_line,
        recent.customer_key,
        recent.product_key,
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
        bought.business_line,
        bought.product_key as because_product_key,
        also_bought.product_key,
        bought.buyers as because_buyers,
        also_bought.buyers,
        count(*) as support
    from baskets as bought
    inner join baskets as also_bought
        on
            bought.customer_key = also_bought.customer_key
            and bought.product_key <> also_bought.product_key
    group by 1, 2, 3, 4, 5
    having count(*) >= {{ var('cross_sell_min_support') }}
),

-- how much likelier somebody buys the one who has bought the other
lifted as (
    select
        pairs.business_line,
        pairs.because_product_key,
        pairs.product_key,
        pairs.support,
        1.0 * pairs.support * buyers.customers / (pairs.because_buyers * pairs.buyers) as lift
    from pairs
    inner join buyers on pairs.business_line = buyers.business_line
),

offers as (
    select
        *,
        row_number() over (
            partition by business_line, because_product_key order by lift desc, support desc, product_key
        ) as place
    from lifted
    where lift >= {{ var('cross_sell_min_lift') }}
),

-- the best reason for each product that they have never bought
candidates as (
    select distinct on (customers.customer_key, offers.product_key)
        customers.customer_key,
        offers.*
    from baskets
    inner join offers
        on
            baskets.business_line = offers.business_line
            and baskets.product_key = offers.because_product_key
    inner join customers on baskets.customer_key = customers.customer_key
    left join purchases as own
        on
            baskets.customer_key = own.customer_key
            and offers.product_key = own.product_key
    where
        offers.place <= {{ var('cross_sell_top') }}
        and own.customer_key is null
        and customers.stage not in ('closed', 'prospect', 'churned')
        and not customers.do_not_contact
    order by
        customers.customer_key,
        offers.product_key,
        offers.lift desc,
        offers.support desc,
        offers.because_product_key
),

ranked as (
    select
        customer_key,
        business_line,
        product_key,
        because_product_key,
        support,
        lift,
        row_number() over (partition by customer_key order by lift desc, support desc, product_key) as place
    from candidates
),

final as (
    select
        customer_key,
        cast(place as integer) as place,
        business_line,
        product_key,
        because_product_key,
        support,
        lift
    from ranked
    where place <= {{ var('cross_sell_top') }}
)

select * from final
