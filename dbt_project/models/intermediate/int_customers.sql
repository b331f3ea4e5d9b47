{{ config(
    materialized="incremental",
    incremental_strategy="by_customer",
    indexes=[{"columns": ["customer_key"]}],
) }}

with customers as (
    select * from {{ ref('stg_customers') }}
),

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

orders as (
    {{ from_changed_days(ref('int_orders'), 'ordered_on', since='changed_on') }}
),

complaints as (
    {{ from_changed_days(ref('int_complaints'), 'opened_on', since='changed_on') }}
),

business_lines as (
    select * from {{ ref('int_business_lines') }}
),

policies as (
    select * from {{ ref('policies') }}
),

appearances as (
    select
        coalesce(survivors.survivor_key, customers.customer_key) as customer_key,
        customers.registered_on as appeared_on,
        null as active_on,
        null as first_order_on,
        customers.do_not_contact
    from customers
    left join survivors on customers.customer_key = survivors.customer_key
    where {{ of_changed_customers('coalesce(survivors.survivor_key, customers.customer_key)') }}

    union all

    select
        customer_key,
        min(ordered_on) as appeared_on,
        min(case when order_class <> 'void' then ordered_on end) as active_on,
        min(case when order_class = 'sale' then ordered_on end) as first_order_on,
        false as do_not_contact
    from orders
    group by 1

    union all

    select
        customer_key,
        opened_on as appeared_on,
        opened_on as active_on,
        null as first_order_on,
        false as do_not_contact
    from complaints

    {% if goes_on() %}
        union all

        -- how they began stands, if that was before anything has changed
        select
            customers_before.customer_key,
            customers_before.first_seen_on as appeared_on,
            case
                when customers_before.first_active_on < changed.changed_on then customers_before.first_active_on
            end as active_on,
            case
                when customers_before.first_order_on < changed.changed_on then customers_before.first_order_on
            end as first_order_on,
            false as do_not_contact
        from {{ this }} as customers_before
        {{ with_changed_customers('customers_before.customer_key') }}
        where customers_before.first_seen_on < changed.changed_on
    {% endif %}

    union all

    -- the unknown member: walk-ins
    select
        '-1' as customer_key,
        null as appeared_on,
        null as active_on,
        null as first_order_on,
        false as do_not_contact
    where {{ of_changed_customers("'-1'") }}
),

members as (
    select
        customer_key,
        least(min(appeared_on), {{ as_of_date() }}) as first_seen_on,
        min(active_on) as first_active_on,
        min(first_order_on) as first_order_on,
        -- whoever asked under an old number not to be contacted still means it
        bool_or(do_not_contact) as do_not_contact
    from appearances
    group by 1
),

final as (
    select
        members.customer_key,
        {{ source_of_key('members.customer_key') }} as source_id,
        {{ id_of_key('members.customer_key') }} as customer_id,
        customers.kind,
        coalesce(customers.business_line, '{{ var("default_business_line") }}') as business_line,
        business_lines.policy,
        coalesce(customers.region_key, '-1') as region_key,
        coalesce(customers.account_manager_key, '-1') as account_manager_key,
        customers.registered_on,
        members.do_not_contact,
        members.first_seen_on,
        members.first_active_on,
        members.first_order_on,
        customers.closed_on,
        customers.closing_class,
        coalesce(customers.monthly_minimum, policies.monthly_minimum) as monthly_minimum,
        coalesce(customers.balance_minimum, policies.balance_minimum) as balance_minimum
    from members
    left join customers on members.customer_key = customers.customer_key
    left join business_lines
        on coalesce(customers.business_line, '{{ var("default_business_line") }}') = business_lines.business_line
    left join policies on business_lines.policy = policies.policy
)

select * from final
