-- Rows and amounts agree from raw to the mart: whatever raw has up to the as-of date is in fct_orders, or it is void.
-- The amount of a return carries its sign in the mart only. A status that the seed does not list is found here too.
with delivered as (
    select
        count(*) as orders,
        coalesce(sum(abs(amount)), 0) as amount
    from {{ source('raw', 'orders') }}
    where deleted_on is null and {{ business_day('ordered_at') }} <= {{ as_of_date() }}
),

kept as (
    select amount from {{ ref('fct_orders') }}

    union all

    select amount from {{ ref('int_orders') }}
    where order_class = 'void'
),

counted as (
    select
        count(*) as orders,
        coalesce(sum(abs(amount)), 0) as amount
    from kept
)

select
    delivered.orders as orders_delivered,
    counted.orders as orders_counted,
    delivered.amount as amount_delivered,
    counted.amount as amount_counted
from delivered
cross join counted
where (delivered.orders, delivered.amount) <> (counted.orders, counted.amount)
