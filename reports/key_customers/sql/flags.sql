-- What warned, newest first; closed_on is empty while it still does. The label is that of the rule as it is now.
with labels as (
    select distinct on (customer_flags.rule_id)
        customer_flags.rule_id,
        case %(language)s
            when 'zh' then customer_flags.label_zh
            else customer_flags.label_en
        end as label
    from marts.customer_flags
    inner join scoped_customers on customer_flags.customer_key = scoped_customers.customer_key
    order by customer_flags.rule_id, customer_flags.customer_key
),

final as (
    select
        history.customer_key,
        history.opened_on,
        history.closed_on,
        coalesce(labels.label, history.rule_id) as label,
        case %(language)s
            when 'zh' then history.evidence_zh
            else history.evidence_en
        end as evidence,
        row_number() over (partition by history.customer_key order by history.opened_on desc, history.rule_id) as place
    from marts.customer_flag_history as history
    inner join scoped_customers on history.customer_key = scoped_customers.customer_key
    left join labels on history.rule_id = labels.rule_id
    where
        history.customer_key = any(%(customer_keys)s)
        and history.opened_on <= %(ends_on)s
)

select * from final
where place <= %(rows_listed)s
order by customer_key, place
