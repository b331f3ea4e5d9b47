with order_lines as (
    select * from {{ ref('fct_order_lines') }}
    where batch_no is not null
),

complaints as (
    select * from {{ ref('int_complaints') }}
),

batches_of_complaints as (
    select
        complaint_key,
        product_key,
        batch_no
    from {{ ref('stg_complaints') }}
    where batch_no is not null
),

customers as (
    select
        customer_key,
        coalesce(lower(trim(kind)) = 'dealer', false) as is_dealer
    from {{ ref('int_customers') }}
),

versions as (
    select * from {{ ref('stg_customers_versions') }}
    where region_key <> '-1'
),

regions as (
    select
        region_key,
        region_path[1] as top_region_key
    from {{ ref('dim_region') }}
),

appearances as (
    select
        'order' as found_as,
        order_lines.order_key as document_key,
        order_lines.product_key,
        order_lines.batch_no,
        order_lines.customer_key,
        order_lines.ordered_on as day,
        customers.is_dealer,
        customers.is_dealer and order_lines.order_class = 'sale' as is_sale_to_dealer,
        order_lines.region_key as document_region_key
    from order_lines
    inner join customers on order_lines.customer_key = customers.customer_key

    union all

    select
        'complaint' as found_as,
        complaints.complaint_key as document_key,
        batches_of_complaints.product_key,
        batches_of_complaints.batch_no,
        complaints.customer_key,
        complaints.opened_on as day,
        customers.is_dealer,
        false as is_sale_to_dealer,
        coalesce(orders.region_key, '-1') as document_region_key
    from complaints
    inner join batches_of_complaints on complaints.complaint_key = batches_of_complaints.complaint_key
    inner join customers on complaints.customer_key = customers.customer_key
    left join {{ ref('fct_orders') }} as orders on complaints.order_key = orders.order_key
),

-- a dealer's goods belong where the dealer is; anybody else's turn up where the document says
placed as (
    select
        appearances.*,
        regions.top_region_key
    from appearances
    left join versions
        on
            appearances.customer_key = versions.customer_key
            and appearances.day >= versions.valid_from
            and (appearances.day < versions.valid_to or versions.valid_to is null)
    inner join regions
        on
            case
                when appearances.is_dealer or appearances.document_region_key = '-1'
                    then coalesce(versions.region_key, appearances.document_region_key)
                else appearances.document_region_key
            end = regions.region_key
    where regions.region_key <> '-1'
),

sold as (
    select
        product_key,
        batch_no,
        top_region_key,
        min(day) as first_sold_on,
        count(distinct customer_key) as dealers,
        min(customer_key) as dealer_key
    from placed
    where is_sale_to_dealer
    group by 1, 2, 3
),

-- the region of the first sale is the batch's home until a dealer of another one buys of it as well
homes as (
    select
        *,
        row_number() over regions_in_turn as place,
        lead(first_sold_on) over regions_in_turn as home_until
    from sold
    window regions_in_turn as (partition by product_key, batch_no order by first_sold_on, top_region_key)
),

final as (
    select
        placed.product_key,
        placed.batch_no,
        placed.top_region_key as found_in_region_key,
        placed.found_as,
        homes.top_region_key as sold_in_region_key,
        homes.first_sold_on,
        homes.dealers,
        case when homes.dealers = 1 then homes.dealer_key end as dealer_key,
        min(placed.day) as first_found_on,
        max(placed.day) as last_found_on,
        count(distinct placed.document_key) as documents,
        count(distinct nullif(placed.customer_key, '-1')) as customers
    from placed
    inner join homes
        on
            placed.product_key = homes.product_key
            and placed.batch_no = homes.batch_no
            and homes.place = 1
    where
        placed.top_region_key <> homes.top_region_key
        and placed.day >= homes.first_sold_on
        and (placed.day < homes.home_until or homes.home_until is null)
    group by 1, 2, 3, 4, 5, 6, 7, 8
)

select * from final
