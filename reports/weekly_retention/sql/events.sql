-- What happened meanwhile, everywhere or where the scope has customers.
with final as (
    select
        events.name,
        events.started_on
    from marts.events
    where
        events.started_on <= %(ends_on)s
        and events.name is not null
        and (
            events.region_key is null
            or events.region_key = '-1'
            or exists (
                select
                from marts.dim_customer
                inner join scoped_customers on dim_customer.customer_key = scoped_customers.customer_key
                inner join marts.dim_region on dim_customer.region_key = dim_region.region_key
                where events.region_key = any(dim_region.region_path)
            )
        )
)

select * from final
order by started_on desc, name
limit %(rows_listed)s
