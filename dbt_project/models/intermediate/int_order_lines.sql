{{ config(materialized="view") }}

with order_lines as (
    select * from {{ ref('stg_order_lines') }}
),

orders as (
    select * from {{ ref('int_orders') }}
    where order_class <> 'void'
),

final as (
    select
        order_lines.order_key,
        order_lines.line_no,
        order_lines.product_key,
        order_lines.batch_no,
        orders.customer_key,
        orders.region_key,
        orders.ordered_on,
        orders.order_class,
        case
            when orders.order_class = 'return' then -abs(order_lines.quantity)
            else order_lines.quantity
        end as quantity,
        order_lines.unit_price,
        order_lines.discount,
        case
            when orders.order_class = 'return' then -abs(order_lines.amount)
            else order_lines.amount
        end as amount
    from order_lines
    inner join orders on order_lines.order_key = orders.order_key
)

select * from final
