with members as (
    select * from {{ ref('int_campaign_members') }}
),

final as (
    select
        campaign_id,
        customer_key,
        business_line,
        arm,
        value_tier,
        reason_class,
        time_away,
        assigned_on,
        window_ends_on,
        is_complete,
        has_returned,
        revenue
    from members
)

select * from final
