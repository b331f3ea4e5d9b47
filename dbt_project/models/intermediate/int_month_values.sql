{{ config(materialized="view") }}

with customers as (
    select * from {{ ref('int_customers') }}
    where
        customer_key <> '-1'
        and first_order_on is not null
        and {{ watches('policy', ['months_declining', 'months_below_minimum']) }}
        {% if goes_on() %}
            and (
                {{ of_changed_customers() }}
                or {{ of_changed_lines() }}
            )
        {% endif %}
),

customer_days as (
    select customer_days.*
    from {{ ref('int_customer_days') }} as customer_days
    inner join customers on customer_days.customer_key = customers.customer_key
),

line_months as (
    select * from {{ ref('int_line_months') }}
),

rules as (
    select
        policy,
        cast(max(ceil(threshold)) as integer) as months
    from {{ ref('churn_rules') }}
    where
        signal = 'months_below_minimum'
        and enabled
    group by 1
),

monthly as (
    select
        customer_key,
        {{ month_start('day') }} as month,
        sum(revenue) as revenue
    from customer_days
    group by 1, 2
),

-- From the month after the first order until nothing can change any more: two months after the last day for the
-- decline, as 0 after 0 ends it, and as many as its rule counts for the minimum.
spans as (
    select
        customers.customer_key,
        customers.business_line,
        customers.monthly_minimum,
        {{ month_number('customers.first_order_on') }} as first_order_month,
        {{ month_number('customer_days.day') }} + greatest(2, rules.months + 1) as last_month
    from customers
    inner join customer_days
        on
            customers.customer_key = customer_days.customer_key
            and customer_days.next_day is null
    left join rules on customers.policy = rules.policy
),

months as (
    select
        spans.*,
        series.number as month_number,
        {{ month_of_number('series.number') }} as month
    from spans
    cross join lateral generate_series(spans.first_order_month + 1, spans.last_month) as series (number)
),

shared as (
    select
        months.*,
        coalesce(monthly.revenue, 0) as revenue,
        case
            when line_months.revenue > 0 then coalesce(monthly.revenue, 0) / line_months.revenue
        end as share_of_line
    from months
    left join monthly
        on
            months.customer_key = monthly.customer_key
            and months.month = monthly.month
    left join line_months
        on
            months.business_line = line_months.business_line
            and months.month = line_months.month
),

compared as (
    select
        *,
        coalesce(share_of_line < lag(share_of_line) over own_months, false) as is_declining
    from shared
    window own_months as (partition by customer_key order by month_number)
),

ended as (
    select
        *,
        max(case when not is_declining then month_number end) over to_date as last_month_not_declining,
        max(case when revenue >= monthly_minimum then month_number end) over to_date as last_month_at_minimum
    from compared
    window to_date as (partition by customer_key order by month_number rows unbounded preceding)
),

final as (
    select
        customer_key,
        {{ month_end('month') }} as day,
        -- a line's month is known when it is over
        case
            when {{ month_end('month') }} <= {{ as_of_date() }} then month_number - last_month_not_declining
        end as months_declining,
        case
            when monthly_minimum > 0 then coalesce(last_month_at_minimum, first_order_month)
        end as last_month_not_below
    from ended
)

select * from final
