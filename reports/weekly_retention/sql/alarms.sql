-- Causes that draw more complaints than chance explains, where the scope's own customers complain of them; counted are
-- the scope's. An order's channel is its complaint's cause, not the channel of the complaint.
with scoped_complaints as (
    select
        fct_complaints.opened_on,
        cause.*
    from marts.fct_complaints
    inner join scoped_customers on fct_complaints.customer_key = scoped_customers.customer_key
    left join marts.fct_orders on fct_complaints.order_key = fct_orders.order_key
    cross join lateral (
        values
        ('product', fct_complaints.product_key),
        ('batch', fct_complaints.product_key || ':' || fct_complaints.batch_no),
        ('region', fct_complaints.region_key),
        ('channel', fct_orders.channel)
    ) as cause (kind, cause_key)
),

final as (
    select
        complaint_causes.kind,
        case complaint_causes.kind
            when 'region' then dim_region.name
            when 'channel' then complaint_causes.channel
            else dim_product.name
        end as name,
        complaint_causes.cause_key,
        complaint_causes.batch_no,
        complaint_causes.window_days,
        count(*) as complaints
    from marts.complaint_causes
    inner join scoped_complaints
        on complaint_causes.kind = scoped_complaints.kind
        and complaint_causes.cause_key = scoped_complaints.cause_key
        and scoped_complaints.opened_on > %(as_of_date)s::date - complaint_causes.window_days
    left join marts.dim_region on complaint_causes.region_key = dim_region.region_key
    left join marts.dim_product on complaint_causes.product_key = dim_product.product_key
    where complaint_causes.is_alarm
    group by 1, 2, 3, 4, 5
)

select * from final
order by complaints desc, kind, cause_key
limit %(rows_listed)s
