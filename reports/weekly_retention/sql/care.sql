-- Whom to greet, call or tell something in the days to come: the next day first, the dearest first.
with final as (
    select
        care_calendar.customer_key,
        care_calendar.due_on,
        dim_customer_contact.name,
        dim_customer_contact.phone,
        dim_customer.customer_id,
        care_calendar.value_tier,
        case %(language)s
            when 'zh' then care_calendar.label_zh
            else care_calendar.label_en
        end as reason,
        dim_product.name as product,
        dim_account_manager.name as account_manager,
        count(*) over () as occasions,
        row_number() over (
            order by
                care_calendar.due_on,
                dim_customer.value_12m desc,
                care_calendar.customer_key,
                care_calendar.rule_id,
                care_calendar.product_key
        ) as place
    from marts.care_calendar
    inner join scoped_customers on care_calendar.customer_key = scoped_customers.customer_key
    inner join marts.dim_customer on care_calendar.customer_key = dim_customer.customer_key
    left join marts.dim_customer_contact on care_calendar.customer_key = dim_customer_contact.customer_key
    left join marts.dim_account_manager on dim_customer.account_manager_key = dim_account_manager.account_manager_key
    left join marts.dim_product
        on
            care_calendar.product_key = dim_product.product_key
            and dim_product.product_key <> '-1'
    where care_calendar.due_on <= %(as_of_date)s::date + %(care_days_listed)s
)

select * from final
order by place
limit %(rows_attached)s
