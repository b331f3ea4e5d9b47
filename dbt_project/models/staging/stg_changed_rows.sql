{# Rows of the feeds beside orders, deleted ones too, that the build before has not seen as they are now; and the first
   day that they say anything about, null where they may say something about any day. #}
with complaints as (
    select * from {{ source('raw', 'complaints') }}
    where
        {{ is_written_since_base() }}
        or {{ lay_ahead_of_base('greatest(opened_at, first_response_at, resolved_at)') }}
),

surveys as (
    select * from {{ source('raw', 'surveys') }}
    where {{ is_written_since_base() }} or {{ lay_ahead_of_base('asked_at') }}
),

balances as (
    select * from {{ source('raw', 'balances') }}
    where {{ is_written_since_base() }} or {{ day_lay_ahead_of_base(month_end('month')) }}
),

order_lines as (
    select distinct
        source_id,
        order_id
    from {{ source('raw', 'order_lines') }}
    where {{ is_written_since_base() }}
),

customers as (
    select * from {{ source('raw', 'customers') }}
    where {{ is_written_since_base() }}
),

account_managers as (
    select * from {{ source('raw', 'account_managers') }}
    where {{ is_written_since_base() }}
),

final as (
    select
        'complaints' as feed,
        {{ source_key('source_id', 'complaint_id') }} as row_key,
        {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key,
        {{ business_day('least(opened_at, resolved_at)') }} as changed_on
    from complaints

    union all

    select
        'surveys' as feed,
        {{ source_key('source_id', 'survey_id') }} as row_key,
        {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key,
        {{ business_day('asked_at') }} as changed_on
    from surveys

    union all

    select
        'balances' as feed,
        null as row_key,
        {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key,
        null as changed_on
    from balances

    union all

    -- by their orders
    select
        'order_lines' as feed,
        {{ source_key('source_id', 'order_id') }} as row_key,
        null as source_customer_key,
        null as changed_on
    from order_lines

    union all

    select
        'customers' as feed,
        {{ source_key('source_id', 'customer_id') }} as row_key,
        {{ source_key('source_id', 'customer_id') }} as source_customer_key,
        null as changed_on
    from customers

    union all

    select
        'account_managers' as feed,
        {{ source_key('source_id', 'account_manager_id') }} as row_key,
        null as source_customer_key,
        null as changed_on
    from account_managers
)

select * from final
