-- Every customer whom raw names is in dim_customer, or goes on as one who is; and the mart invents nobody.
with named as (
    select {{ source_key('source_id', 'customer_id') }} as source_customer_key
    from {{ source('raw', 'customers') }}
    where deleted_on is null

    union

    select {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key
    from {{ source('raw', 'orders') }}
    where deleted_on is null and {{ business_day('ordered_at') }} <= {{ as_of_date() }}

    union

    select {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key
    from {{ source('raw', 'complaints') }}
    where deleted_on is null and {{ business_day('opened_at') }} <= {{ as_of_date() }}

    union

    select '-1' as source_customer_key
),

delivered as (
    select distinct coalesce(survivors.survivor_key, named.source_customer_key) as customer_key
    from named
    left join {{ ref('int_customers__survivors') }} as survivors on named.source_customer_key = survivors.customer_key
),

counted as (
    select customer_key from {{ ref('dim_customer') }}
)

(select customer_key from delivered except select customer_key from counted)
union all
(select customer_key from counted except select customer_key from delivered)
