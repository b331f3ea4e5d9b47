with customers as (
    select * from {{ source('raw', 'customers') }}
    where deleted_on is null
),

closed_reasons as (
    select * from {{ ref('closed_reasons') }}
),

final as (
    select
        {{ source_key('customers.source_id', 'customers.customer_id') }} as customer_key,
        customers.kind,
        coalesce(nullif(customers.business_line, ''), '{{ var("default_business_line") }}') as business_line,
        {{ source_key('customers.source_id', 'customers.region_id') }} as region_key,
        {{ source_key('customers.source_id', 'customers.account_manager_id') }} as account_manager_key,
        customers.registered_on,
        coalesce(customers.do_not_contact, false) as do_not_contact,
        -- some systems let a number that was never merged point at itself
        customers.source_id || ':' || nullif(nullif(customers.merged_into, ''), customers.customer_id)
            as merged_into_key,
        customers.closed_on,
        case
            when customers.closed_on is not null then coalesce(closed_reasons.closing_class, 'other')
        end as closing_class,
        lower(trim(customers.closed_reason)) as closed_reason,
        customers.attributes,
        {{ number_of('customers.attributes', 'monthly_minimum') }} as monthly_minimum,
        {{ number_of('customers.attributes', 'balance_minimum') }} as balance_minimum,
        customers.name,
        customers.phone,
        customers.email,
        customers.im_account,
        customers.preferred_channel,
        customers.gender,
        customers.birthday,
        customers.birthday_calendar
    from customers
    left join closed_reasons on lower(trim(customers.closed_reason)) = closed_reasons.reason
)

select * from final
