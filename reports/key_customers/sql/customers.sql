-- Who they are and how they stand, in the order of the report that names them.
with reasons as (
    select distinct on (churn_reasons.customer_key) churn_reasons.*
    from marts.churn_reasons
    inner join scoped_customers on churn_reasons.customer_key = scoped_customers.customer_key
    where churn_reasons.customer_key = any(%(customer_keys)s)
    order by churn_reasons.customer_key, churn_reasons.month desc
),

final as (
    select
        dim_customer.customer_key,
        dim_customer.customer_id,
        dim_customer_contact.name,
        dim_customer_contact.phone,
        dim_region.name as region,
        dim_account_manager.name as account_manager,
        dim_customer.stage,
        dim_customer.value_tier,
        dim_customer.value_12m,
        dim_customer.revenue_12m,
        dim_customer.orders_12m,
        dim_customer.first_order_on,
        dim_customer.last_order_on,
        dim_customer.days_since_last_order,
        dim_customer.do_not_contact is true as is_not_to_be_called,
        reasons.reason_class,
        reasons.is_inferred
    from marts.dim_customer
    inner join scoped_customers on dim_customer.customer_key = scoped_customers.customer_key
    left join marts.dim_customer_contact on dim_customer.customer_key = dim_customer_contact.customer_key
    left join marts.dim_region
        on dim_customer.region_key = dim_region.region_key
        and dim_customer.region_key <> '-1'
    left join marts.dim_account_manager on dim_customer.account_manager_key = dim_account_manager.account_manager_key
    left join reasons on dim_customer.customer_key = reasons.customer_key
    where dim_customer.customer_key = any(%(customer_keys)s)
)

select * from final
order by array_position(%(customer_keys)s, customer_key)
