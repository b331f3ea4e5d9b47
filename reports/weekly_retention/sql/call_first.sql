-- The customers to call first, dearest first: at risk now, or lost lately, and open to a call. The mail shows the
-- first of them, and `listed_value` is theirs; the workbook has all that come out here. Who is a task of the reader's
-- is on the sheet of tasks instead, and a trial's two arms are left to it.
with candidates as (
    select dim_customer.*
    from marts.dim_customer
    inner join scoped_customers on dim_customer.customer_key = scoped_customers.customer_key
    where
        dim_customer.value_12m > 0
        and dim_customer.do_not_contact is distinct from true
        and dim_customer.customer_key not in (select own_tasks.customer_key from own_tasks)
        and dim_customer.customer_key not in (select in_trial.customer_key from in_trial)
        and (dim_customer.closed_on is null or dim_customer.closed_on < dim_customer.last_order_on)
        and (
            dim_customer.stage = 'at_risk'
            or (
                dim_customer.stage = 'churned'
                and exists (
                    select
                    from marts.customer_weeks
                    where
                        customer_weeks.customer_key = dim_customer.customer_key
                        and customer_weeks.customers_churned = 1
                        and customer_weeks.week_ends_on > %(ends_on)s::date - 7 * %(recently_churned_weeks)s
                )
            )
        )
),

listed as (
    select
        candidates.*,
        count(*) over () as candidates,
        row_number() over (order by candidates.value_12m desc, candidates.customer_key) as place
    from candidates
    order by candidates.value_12m desc, candidates.customer_key
    limit %(rows_attached)s
),

-- of several flags on one signal, the one that explains the stage
reasons as (
    select distinct on (listed.customer_key, customer_flags.signal)
        listed.customer_key,
        case
            when customer_flags.outcome = listed.stage then 1
            when customer_flags.outcome = 'at_risk' then 2
            else 3
        end as place,
        customer_flags.rule_id,
        case %(language)s
            when 'zh' then customer_flags.label_zh
            else customer_flags.label_en
        end as label,
        case %(language)s
            when 'zh' then customer_flags.evidence_zh
            else customer_flags.evidence_en
        end as evidence
    from listed
    inner join marts.customer_flags on listed.customer_key = customer_flags.customer_key
    order by 1, customer_flags.signal, 2, 3
),

reasons_per_customer as (
    select
        reasons.customer_key,
        (array_agg(reasons.label order by reasons.place, reasons.rule_id))[1] as reason,
        (array_agg(reasons.evidence order by reasons.place, reasons.rule_id))[1] as evidence,
        (array_agg(reasons.label order by reasons.place, reasons.rule_id))[2:] as other_reasons
    from reasons
    group by 1
),

open_complaints as (
    select
        fct_complaints.customer_key,
        count(*) as open_complaints
    from marts.fct_complaints
    where fct_complaints.is_open
    group by 1
),

final as (
    select
        listed.customer_key,
        listed.is_key_customer as has_page,
        dim_customer_contact.name,
        dim_customer_contact.phone,
        dim_region.name as region,
        dim_account_manager.name as account_manager,
        listed.customer_id,
        listed.stage,
        listed.value_tier,
        listed.value_12m,
        listed.last_order_on,
        reasons_per_customer.reason,
        reasons_per_customer.evidence,
        reasons_per_customer.other_reasons,
        coalesce(open_complaints.open_complaints, 0) as open_complaints,
        listed.candidates,
        sum(listed.value_12m) filter (where listed.place <= %(rows_listed)s) over () as listed_value,
        listed.place
    from listed
    left join marts.dim_customer_contact on listed.customer_key = dim_customer_contact.customer_key
    left join marts.dim_region
        on listed.region_key = dim_region.region_key
        and listed.region_key <> '-1'
    left join marts.dim_account_manager on listed.account_manager_key = dim_account_manager.account_manager_key
    left join reasons_per_customer on listed.customer_key = reasons_per_customer.customer_key
    left join open_complaints on listed.customer_key = open_complaints.customer_key
)

select * from final
order by place
