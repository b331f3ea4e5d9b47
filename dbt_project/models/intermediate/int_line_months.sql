with customer_days as (
    select * from {{ ref('int_customer_days') }}
),

-- walk-ins belong to the default line
customers as (
    select * from {{ ref('int_customers') }}
),

watched as (
    select distinct business_line
    from {{ ref('int_business_lines') }}
    where {{ watches('policy', ['months_declining']) }}
),

totals as (
    select
        customers.business_line,
        {{ month_start('customer_days.day') }} as month,
        sum(customer_days.revenue) as revenue
    from customer_days
    inner join customers on customer_days.customer_key = customers.customer_key
    inner join watched on customers.business_line = watched.business_line
    group by 1, 2
),

{# The months of a line are the measure of its customers: one that was over and is another now may change them all. #}
final as (
    {% if goes_on() %}
        select
            coalesce(totals.business_line, totals_before.business_line) as business_line,
            coalesce(totals.month, totals_before.month) as month,
            coalesce(totals.revenue, 0) as revenue,
            {{ month_end('coalesce(totals.month, totals_before.month)') }} <= {{ base_date() }}
            and coalesce(totals.revenue, 0) <> coalesce(totals_before.revenue, 0) as is_changed
        from totals
        full outer join {{ this }} as totals_before
            on
                totals.business_line = totals_before.business_line
                and totals.month = totals_before.month
    {% else %}
        select
            business_line,
            month,
            revenue,
            true as is_changed
        from totals
    {% endif %}
)

select * from final
