with surveys as (
    select
        *,
        {{ month_start('asked_on') }} as month
    from {{ ref('fct_surveys') }}
    where
        customer_key <> '-1'
        and satisfaction is not null
),

complaints as (
    select distinct
        customer_key,
        {{ month_start('opened_on') }} as month
    from {{ ref('fct_complaints') }}
    where customer_key <> '-1'
),

regions as (
    select * from {{ ref('dim_region_rollup') }}
),

-- customers who are there at the month's end, as retention counts them
retention as (
    select * from {{ ref('retention_months_rollup') }}
    where value_tier = 'all'
),

asked as (
    select
        surveys.month,
        regions.ancestor_region_key as region_key,
        case
            when grouping(customer_months.business_line) = 1 then 'all' else customer_months.business_line
        end as business_line,
        count(*) as surveys,
        avg(surveys.satisfaction) as satisfaction,
        avg(surveys.perceived_to_expected) as perceived_to_expected,
        count(*) filter (where surveys.is_satisfied) as satisfied,
        count(*) filter (where surveys.is_dissatisfied) as dissatisfied
    from surveys
    inner join {{ ref('customer_months') }} as customer_months
        on
            surveys.customer_key = customer_months.customer_key
            and surveys.month = customer_months.month
    inner join regions on customer_months.start_region_key = regions.region_key
    group by surveys.month, regions.ancestor_region_key, rollup (customer_months.business_line)
),

complained as (
    select
        complaints.month,
        regions.ancestor_region_key as region_key,
        case
            when grouping(customer_months.business_line) = 1 then 'all' else customer_months.business_line
        end as business_line,
        count(*) as customers
    from complaints
    inner join {{ ref('customer_months') }} as customer_months
        on
            complaints.customer_key = customer_months.customer_key
            and complaints.month = customer_months.month
    inner join regions on customer_months.start_region_key = regions.region_key
    group by complaints.month, regions.ancestor_region_key, rollup (customer_months.business_line)
),

joined as (
    select
        asked.*,
        retention.period_ends_on,
        retention.is_complete,
        retention.customers_end as customers,
        coalesce(complained.customers, 0) as customers_who_complained
    from asked
    inner join retention
        on
            asked.month = retention.month
            and asked.region_key = retention.region_key
            and asked.business_line = retention.business_line
    left join complained
        on
            asked.month = complained.month
            and asked.region_key = complained.region_key
            and asked.business_line = complained.business_line
),

final as (
    select
        month,
        period_ends_on,
        is_complete,
        business_line,
        region_key,
        surveys,
        satisfaction,
        perceived_to_expected,
        satisfied,
        1.0 * satisfied / surveys as satisfied_share,
        dissatisfied,
        1.0 * dissatisfied / surveys as dissatisfied_share,
        customers,
        customers_who_complained,
        -- a month that is not over has not heard all complaints
        case
            when is_complete
                then greatest(1.0 * dissatisfied / surveys * customers - customers_who_complained, 0)
        end as silent_dissatisfied
    from joined
)

select * from final
