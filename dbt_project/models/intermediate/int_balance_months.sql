with balances as (
    select * from {{ ref('stg_balances') }}
    where balance is not null
),

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

customers as (
    select * from {{ ref('int_customers') }}
    where {{ watches('policy', ['balance_change_3m', 'months_balance_below_minimum']) }}
),

monthly as (
    select
        coalesce(survivors.survivor_key, balances.source_customer_key) as customer_key,
        balances.month,
        {{ month_number('balances.month') }} as month_number,
        sum(balances.balance) as balance
    from balances
    left join survivors on balances.source_customer_key = survivors.customer_key
    where {{ month_end('balances.month') }} <= {{ as_of_date() }}
    group by 1, 2, 3
),

compared as (
    select
        monthly.*,
        customers.balance_minimum,
        monthly.balance < customers.balance_minimum as is_below,
        -- months in a row have the same number less their place
        monthly.month_number - row_number() over own_months as unbroken
    from monthly
    inner join customers on monthly.customer_key = customers.customer_key
    window own_months as (partition by monthly.customer_key order by monthly.month_number)
),

ended as (
    select
        *,
        min(month_number) over to_date as first_month_number,
        max(case when not is_below then month_number end) over to_date as last_month_not_below
    from compared
    window to_date as (partition by customer_key, unbroken order by month_number rows unbounded preceding)
),

final as (
    select
        ended.customer_key,
        {{ month_end('ended.month') }} as valid_from,
        -- a balance speaks for its month until the next month is over
        {{ month_end(month_of_number('ended.month_number + 1')) }} as valid_to,
        ended.balance,
        case when earlier.balance > 0 then earlier.balance end as balance_3m_before,
        ended.balance_minimum,
        case
            when ended.balance_minimum is not null
                then ended.month_number - coalesce(ended.last_month_not_below, ended.first_month_number - 1)
        end as months_balance_below_minimum
    from ended
    left join monthly as earlier
        on
            ended.customer_key = earlier.customer_key
            and ended.month_number - 3 = earlier.month_number
)

select * from final
