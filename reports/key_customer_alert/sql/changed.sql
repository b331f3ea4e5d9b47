-- Key customers who became at risk or churned on the day, dearest first: those whose stage a flag of that day explains
-- and none before it.
with flags as (
    select
        customer_flags.*,
        case %(language)s
            when 'zh' then customer_flags.label_zh
            else customer_flags.label_en
        end as label,
        case %(language)s
            when 'zh' then customer_flags.evidence_zh
            else customer_flags.evidence_en
        end as evidence
    from marts.customer_flags
    inner join scoped_customers on customer_flags.customer_key = scoped_customers.customer_key
),

changed as (
    select
        dim_customer.customer_key,
        min(flags.opened_on) as changed_on,
        (array_agg(flags.label order by flags.opened_on, flags.rule_id))[1] as reason,
        (array_agg(flags.evidence order by flags.opened_on, flags.rule_id))[1] as evidence
    from marts.dim_customer
    inner join flags
        on dim_customer.customer_key = flags.customer_key
        and dim_customer.stage = flags.outcome
    where
        dim_customer.stage in ('at_risk', 'churned')
        and dim_customer.is_key_customer
    group by 1
),

final as (
    select
        dim_customer.customer_key,
        dim_customer_contact.name,
        dim_customer_contact.phone,
        dim_customer.customer_id,
        dim_customer.stage,
        dim_customer.value_tier,
        dim_customer.value_12m,
        dim_customer.do_not_contact is true as is_not_to_be_called,
        dim_account_manager.name as account_manager,
        true as has_page,
        changed.reason,
        changed.evidence,
        count(*) over () as customers,
        sum(dim_customer.value_12m) over () as value
    from changed
    inner join marts.dim_customer on changed.customer_key = dim_customer.customer_key
    left join marts.dim_customer_contact on changed.customer_key = dim_customer_contact.customer_key
    left join marts.dim_account_manager on dim_customer.account_manager_key = dim_account_manager.account_manager_key
    where changed.changed_on between %(starts_on)s and %(ends_on)s
)

select * from final
order by value_12m desc, customer_key
limit %(rows_attached)s
