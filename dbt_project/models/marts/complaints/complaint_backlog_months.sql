with complaints as (
    select * from {{ ref('fct_complaints') }}
    where is_open is not null
),

periods as (
    select * from {{ ref('int_periods') }}
    where grain = 'month'
),

customer_months as (
    select * from {{ ref('customer_months') }}
    where customer_key in (select complaints.customer_key from complaints)
),

regions as (
    select * from {{ ref('dim_region_rollup') }}
),

ages as (
    select
        *,
        lead(from_days) over (order by from_days) as until_days
    from {{ ref('backlog_ages') }}
),

-- one that is open again counts as open ever since it came: nobody tells when it was reopened
backlog as (
    select
        periods.starts_on as month,
        periods.period_ends_on,
        periods.is_complete,
        complaints.business_line,
        complaints.customer_key,
        periods.period_ends_on - complaints.opened_on as age_days
    from periods
    inner join complaints
        on
            periods.period_ends_on >= complaints.opened_on
            and (complaints.is_open or periods.period_ends_on < complaints.resolved_on)
),

final as (
    select
        backlog.month,
        backlog.period_ends_on,
        backlog.is_complete,
        case when grouping(backlog.business_line) = 1 then 'all' else backlog.business_line end as business_line,
        regions.ancestor_region_key as region_key,
        ages.age_class,
        ages.label_zh,
        ages.label_en,
        count(*) as complaints_open,
        max(backlog.age_days) as oldest_days
    from backlog
    inner join ages
        on
            backlog.age_days >= ages.from_days
            and (backlog.age_days < ages.until_days or ages.until_days is null)
    left join customer_months
        on
            backlog.customer_key = customer_months.customer_key
            and backlog.month = customer_months.month
    inner join regions on coalesce(customer_months.start_region_key, '-1') = regions.region_key
    group by
        backlog.month,
        backlog.period_ends_on,
        backlog.is_complete,
        regions.ancestor_region_key,
        ages.age_class,
        ages.label_zh,
        ages.label_en,
        rollup (backlog.business_line)
)

select * from final
