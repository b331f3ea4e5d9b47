with purchase_days as (
    select * from {{ ref('int_purchase_days') }}
    where {{ watches('policy', ['account_manager_left_days']) }}
),

versions as (
    select * from {{ ref('stg_customers_versions') }}
),

account_managers as (
    select * from {{ ref('stg_account_managers') }}
    where left_on is not null
),

final as (
    select
        purchase_days.customer_key,
        purchase_days.day as valid_from,
        purchase_days.next_order_on as valid_to,
        account_managers.left_on
    from purchase_days
    inner join versions
        on
            purchase_days.customer_key = versions.customer_key
            and purchase_days.day >= versions.valid_from
            and (purchase_days.day < versions.valid_to or versions.valid_to is null)
    inner join account_managers on versions.account_manager_key = account_managers.account_manager_key
)

select * from final
