with members as (
    select * from {{ source('campaigns', 'campaign_members') }}
    where assigned_on <= {{ as_of_date() }}
),

campaigns as (
    select * from {{ ref('campaigns') }}
),

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

customer_days as (
    select * from {{ ref('int_customer_days') }}
    where
        customer_key in (
            select coalesce(survivors.survivor_key, members.customer_key)
            from members
            left join survivors on members.customer_key = survivors.customer_key
        )
),

-- who turns out to be somebody in the control group is left alone as well
merged as (
    select distinct on (members.campaign_id, coalesce(survivors.survivor_key, members.customer_key))
        members.*,
        coalesce(survivors.survivor_key, members.customer_key) as survivor_key
    from members
    left join survivors on members.customer_key = survivors.customer_key
    order by
        members.campaign_id asc,
        coalesce(survivors.survivor_key, members.customer_key) asc,
        members.arm = 'control' desc,
        members.customer_key asc
),

windows as (
    select
        merged.campaign_id,
        merged.survivor_key as customer_key,
        campaigns.business_line,
        merged.arm,
        merged.value_tier,
        merged.reason_class,
        merged.time_away,
        merged.assigned_on,
        merged.window_ends_on
    from merged
    inner join campaigns on merged.campaign_id = campaigns.campaign_id
),

final as (
    select
        windows.campaign_id,
        windows.customer_key,
        windows.business_line,
        windows.arm,
        windows.value_tier,
        windows.reason_class,
        windows.time_away,
        windows.assigned_on,
        windows.window_ends_on,
        windows.window_ends_on <= {{ as_of_date() }} as is_complete,
        case
            when windows.window_ends_on <= {{ as_of_date() }} then coalesce(sum(customer_days.orders), 0) > 0
        end as has_returned,
        case
            when windows.window_ends_on <= {{ as_of_date() }} then coalesce(sum(customer_days.revenue), 0)
        end as revenue
    from windows
    left join customer_days
        on
            windows.customer_key = customer_days.customer_key
            and windows.assigned_on < customer_days.day
            and windows.window_ends_on >= customer_days.day
    group by
        windows.campaign_id,
        windows.customer_key,
        windows.business_line,
        windows.arm,
        windows.value_tier,
        windows.reason_class,
        windows.time_away,
        windows.assigned_on,
        windows.window_ends_on
)

select * from final
