with account_managers as (
    select * from {{ source('raw', 'account_managers') }}
    where deleted_on is null
),

final as (
    select
        {{ source_key('source_id', 'account_manager_id') }} as account_manager_key,
        account_manager_id,
        name,
        email,
        {{ source_key('source_id', 'region_id') }} as region_key,
        {{ source_key('source_id', 'reports_to') }} as reports_to_key,
        left_on
    from account_managers
)

select * from final
