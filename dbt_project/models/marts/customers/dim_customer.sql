with customers as (
    select * from {{ ref('int_customers') }}
),

evenings as (
    select * from {{ ref('int_customer_evenings') }}
    where day = {{ as_of_date() }}
),

measures as (
    select * from {{ ref('int_line_measures') }}
    where day = {{ month_start(as_of_date() ~ ' + 1') }} - 1
),

buyers as (
    select * from {{ ref('int_buyers') }}
),

final as (
    select
        customers.customer_key,
        customers.source_id,
        customers.customer_id,
        customers.kind,
        customers.business_line,
        customers.policy,
        customers.region_key,
        customers.account_manager_key,
        customers.registered_on,
        customers.do_not_contact,
        evenings.first_order_on,
        evenings.last_order_on,
        {{ as_of_date() }} - evenings.last_order_on as days_since_last_order,
        case when evenings.customer_key is not null then coalesce(buyers.orders_12m, 0) end as orders_12m,
        evenings.revenue_12m,
        buyers.rfm_recency,
        buyers.rfm_frequency,
        buyers.rfm_money,
        buyers.segment,
        coalesce(evenings.tier, 'none') as tier,
        coalesce(measures.ranked_by, 'revenue') as ranked_by,
        {{ ranked_figure('measures', 'evenings') }} as figure_12m,
        coalesce(evenings.value_tier, 'none') as value_tier,
        {{ is_key_tier("coalesce(evenings.value_tier, 'none')") }} as is_key_customer,
        coalesce(evenings.value_12m, 0) as value_12m,
        evenings.stage,
        customers.closed_on
    from customers
    left join evenings on customers.customer_key = evenings.customer_key
    left join measures on customers.business_line = measures.business_line
    left join buyers on customers.customer_key = buyers.customer_key
)

select * from final
