{% set dimensions = {
    'value_tier': 'members.start_value_tier',
    'region': 'members.start_region_key',
    'relationship_age': 'ages.band',
    'product_category': 'categories.category',
    'channel': 'trim(members.start_channel)',
    'account_manager': 'members.start_account_manager_key',
} %}
{% for name in var('attributes') %}
    {% do dimensions.update({name: "trim(customers.attributes ->> '" ~ name ~ "')"}) %}
{% endfor %}

with members as (
    select * from {{ ref('customer_months') }}
    where
        churn_base = 1
        and month >= {{ month_start(as_of_date() ~ ' + 1') }} - interval '{{ var("breakdown_months") }} months'
),

customers as (
    select * from {{ ref('stg_customers') }}
),

reasons as (
    select * from {{ ref('churn_reasons') }}
),

ages as (
    select
        *,
        lead(from_months) over (order by from_months) as until_months
    from {{ ref('relationship_ages') }}
),

-- of the last order, the category that most was spent on
categories as (
    select distinct on (order_lines.order_key)
        order_lines.order_key,
        products.category
    from {{ ref('stg_order_lines') }} as order_lines
    inner join {{ ref('stg_products') }} as products on order_lines.product_key = products.product_key
    where
        products.category is not null
        and order_lines.order_key in (select members.start_order_key from members)
    group by order_lines.order_key, products.category
    order by order_lines.order_key asc, sum(order_lines.amount) desc nulls last, products.category asc
),

described as (
    select
        members.month,
        members.business_line,
        members.churn_base,
        members.churn_members,
        members.lost_revenue,
        case when members.churn_members = 1 then nullif(reasons.reason_class, 'unknown') end as reason,
    {% for name, value in dimensions.items() -%}
        nullif(nullif({{ value }}, ''), '-1') as dimension_{{ loop.index }}{{ ',' if not loop.last }}
    {% endfor %}
    from members
    left join ages
        on
            {{ month_number('members.month') }} - {{ month_number('members.cohort_month') }} >= ages.from_months
            and (
                {{ month_number('members.month') }} - {{ month_number('members.cohort_month') }} < ages.until_months
                or ages.until_months is null
            )
    left join categories on members.start_order_key = categories.order_key
    left join customers on members.customer_key = customers.customer_key
    left join reasons
        on
            members.customer_key = reasons.customer_key
            and members.month = reasons.month
),

{% set traits = [] %}
{% for name in dimensions %}
    {% do traits.append('dimension_' ~ loop.index) %}
{% endfor %}
broken_down as (
    select
        month,
        business_line,
        case
            {% for name in dimensions %}
                when grouping(dimension_{{ loop.index }}) = 0 then '{{ name }}'
            {% endfor %}
            else 'reason'
        end as dimension,
        case
            {% for trait in traits %}
                when grouping({{ trait }}) = 0 then {{ trait }}
            {% endfor %}
            else reason
        end as trait,
        case when grouping(reason) = 1 then count(*) end as churn_base,
        sum(churn_members) as churn_members,
        sum(lost_revenue) as lost_revenue
    from described
    group by month, business_line, grouping sets ({{ (traits + ['reason']) | join(', ') }})
),

-- what no source tells is left out, and not shown as unknown
told as (
    select
        *,
        count(trait) over (partition by business_line, dimension) > 0 as is_told
    from broken_down
    -- only who has left has a reason
    where dimension <> 'reason' or churn_members > 0
),

final as (
    select
        told.month,
        told.business_line,
        told.dimension,
        coalesce(told.trait, '-1') as trait,
        coalesce(regions.name, account_managers.name, ages.label_zh, labels.label_zh, told.trait) as label_zh,
        coalesce(regions.name, account_managers.name, ages.label_en, labels.label_en, told.trait) as label_en,
        cast(told.churn_base as bigint) as churn_base,
        cast(told.churn_members as bigint) as churn_members,
        1.0 * told.churn_members / told.churn_base as churn_rate,
        told.lost_revenue
    from told
    left join {{ ref('dim_region') }} as regions
        on
            told.dimension = 'region'
            and told.trait = regions.region_key
    left join {{ ref('dim_account_manager') }} as account_managers
        on
            told.dimension = 'account_manager'
            and told.trait = account_managers.account_manager_key
    left join ages
        on
            told.dimension = 'relationship_age'
            and told.trait = ages.band
    left join {{ ref('trait_labels') }} as labels
        on
            told.dimension = labels.dimension
            and told.trait = labels.trait
    where told.is_told
)

select * from final
