with account_managers as (
    select * from {{ ref('stg_account_managers') }}
),

referenced as (
    select account_manager_key from {{ ref('stg_customers_versions') }}
    union
    select reports_to_key from account_managers
    union
    -- the unknown member
    select '-1' as account_manager_key
),

-- a manager whom somebody refers to but no source describes still has a row, under their own number
final as (
    select
        account_manager_key,
        account_manager_id,
        name,
        email,
        region_key,
        reports_to_key,
        left_on
    from account_managers

    union all

    select
        referenced.account_manager_key,
        {{ id_of_key('referenced.account_manager_key') }} as account_manager_id,
        {{ id_of_key('referenced.account_manager_key') }} as name,
        null as email,
        '-1' as region_key,
        case when referenced.account_manager_key <> '-1' then '-1' end as reports_to_key,
        null as left_on
    from referenced
    left join account_managers on referenced.account_manager_key = account_managers.account_manager_key
    where account_managers.account_manager_key is null
)

select * from final
