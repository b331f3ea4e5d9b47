with customer_months as (
    select * from {{ ref('customer_months') }}
    where customer_key <> '-1'
),

months as (
    select
        starts_on as month,
        is_complete
    from {{ ref('int_periods') }}
    where grain = 'month'
),

data_begins as (
    select * from {{ ref('int_data_begins') }}
    where build_id = {{ var('build_id') }}
),

beginnings as (
    select
        business_line,
        data_begin_on
    from data_begins

    union all

    select
        'all' as business_line,
        min(data_begin_on) as data_begin_on
    from data_begins
),

cells as (
    select
        case when grouping(business_line) = 1 then 'all' else business_line end as business_line,
        cohort_month,
        month,
        sum(case when orders > 0 then 1 else 0 end) as active,
        sum(revenue) as revenue
    from customer_months
    where cohort_month is not null
    group by cohort_month, month, rollup (business_line)
),

-- whoever is of a cohort ordered in its first month
cohorts as (
    select
        business_line,
        cohort_month,
        active as customers
    from cells
    where month = cohort_month
),

grid as (
    select
        cohorts.*,
        months.month,
        {{ month_number('months.month') }} - {{ month_number('cohorts.cohort_month') }} as month_number,
        months.is_complete,
        months.is_complete or months.month = cohorts.cohort_month as is_shown
    from cohorts
    inner join months on cohorts.cohort_month <= months.month
),

final as (
    select
        grid.cohort_month,
        grid.month_number,
        grid.business_line,
        grid.month,
        grid.is_complete,
        grid.cohort_month < {{ month_start('beginnings.data_begin_on') }}
        + interval '{{ var("left_truncated_months") }} months' as is_left_truncated,
        grid.customers,
        case when grid.is_shown then coalesce(cells.active, 0) end as active,
        case when grid.is_shown then 1.0 * coalesce(cells.active, 0) / grid.customers end as share_active,
        case when grid.is_shown then coalesce(cells.revenue, 0) end as revenue
    from grid
    inner join beginnings on grid.business_line = beginnings.business_line
    left join cells
        on
            grid.business_line = cells.business_line
            and grid.cohort_month = cells.cohort_month
            and grid.month = cells.month
)

select * from final
