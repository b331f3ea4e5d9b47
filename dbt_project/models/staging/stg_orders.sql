with orders as (
    select
        *,
        coalesce(nullif(lower(trim(status)), ''), '(blank)') as status_word,
        nullif(lower(trim(document_type)), '') as document_word,
        {{ counted_document_type('source_id') }} as counted_document_type
    from {{ source('raw', 'orders') }}
    where deleted_on is null
),

statuses as (
    select * from {{ ref('order_statuses') }}
),

classified as (
    select
        orders.*,
        case
            when statuses.order_class is null then null
            -- an order and its invoice are one sale: only one type of document counts, besides returns
            when orders.document_word not in (orders.counted_document_type, 'return') then 'void'
            when statuses.order_class = 'void' then 'void'
            when statuses.order_class = 'return' or orders.document_word = 'return' or orders.amount < 0 then 'return'
            else 'sale'
        end as order_class
    from orders
    left join statuses on orders.status_word = statuses.status
),

final as (
    select
        {{ source_key('source_id', 'order_id') }} as order_key,
        source_id,
        order_id,
        {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key,
        {{ source_key('source_id', 'region_id') }} as region_key,
        store_id,
        channel,
        ordered_at,
        {{ business_day('ordered_at') }} as ordered_on,
        order_class,
        case when order_class = 'return' then -abs(amount) else amount end as amount,
        document_type,
        status,
        -- a promise is kept by the day: many systems store one without an hour
        {{ business_day('delivered_at') }} <= {{ business_day('promised_at') }} as is_on_time,
        reverses_order_id,
        source_id || ':' || nullif(reverses_order_id, '') as reverses_order_key,
        currency
    from classified
)

select * from final
