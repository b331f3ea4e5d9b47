with customers as (
    select * from {{ ref('int_customers') }}
),

contacts as (
    select * from {{ ref('stg_customers') }}
),

final as (
    select
        customers.customer_key,
        contacts.name,
        contacts.phone,
        contacts.email,
        contacts.im_account,
        contacts.preferred_channel,
        contacts.gender,
        contacts.birthday,
        contacts.birthday_calendar
    from customers
    inner join contacts on customers.customer_key = contacts.customer_key
)

select * from final
