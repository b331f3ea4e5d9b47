with balances as (
    select * from {{ source('raw', 'balances') }}
    where deleted_on is null
),

final as (
    select
        {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key,
        {{ month_start('month') }} as month,
        balance
    from balances
)

select * from final
