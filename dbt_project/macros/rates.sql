{# What retention is counted by: how a customer's period (a row of customer_months, _weeks or _quarters) adds to each
   column. Months have more than the other grains: what is worked out at their ends alone. #}
{% macro retention_counts(grain) %}
    {% set known = "customer_key <> '-1'" %}
    {% set counts = {
        'customers_registered': 'case when ' ~ known ~ ' then 1 else 0 end',
        'customers_active': 'case when orders > 0 and ' ~ known ~ ' then 1 else 0 end',
        'customers_zero_use': 'case when orders = 0 then customers_end else 0 end',
        'customers_start': 'customers_start',
        'customers_closed': 'customers_closed',
        'churn_base': 'churn_base',
        'customers_churned': 'customers_churned',
        'customers_new': 'customers_new',
        'customers_reactivated': 'customers_reactivated',
        'customers_end': 'customers_end',
        'churn_members': 'churn_members',
        'orders': 'orders',
        'customer_orders': 'case when ' ~ known ~ ' then orders else 0 end',
        'orders_promised': 'orders_promised',
        'orders_on_time': 'orders_on_time',
        'complaints': 'complaints',
    } %}
    {% if grain == 'month' %}
        {% do counts.update({
            'customers_12m': 'customers_12m',
            'customers_repeat_12m': 'customers_repeat_12m',
            'contact_base': 'contact_base',
            'customers_contacted': 'customers_contacted',
        }) %}
    {% endif %}
    {{ return(counts) }}
{% endmacro %}

{# The same for money; what is not defined is null. #}
{% macro retention_money(grain) %}
    {% set money = {
        'revenue': 'revenue',
        'customer_revenue': "case when customer_key <> '-1' then revenue else 0 end",
        'revenue_at_risk': 'revenue_at_risk',
        'lost_revenue': 'lost_revenue',
    } %}
    {% if grain == 'month' %}
        {% do money.update({'revenue_12m': 'revenue_12m', 'margin_12m': 'margin_12m'}) %}
        {% do money.update(bridge_money()) %}
    {% endif %}
    {{ return(money) }}
{% endmacro %}

{# The revenue bridge, from one month to the next. #}
{% macro bridge_money() %}
    {% set money = {'revenue_start': 'revenue_start'} %}
    {% for class in ['new', 'reactivated', 'expansion', 'contraction', 'lapsed'] %}
        {% do money.update({
            'revenue_' ~ class: "case when bridge_class = '" ~ class ~ "' then bridge_amount"
                ~ ' when bridge_class is not null then 0 end'
        }) %}
    {% endfor %}
    {% do money.update({'revenue_end': 'revenue_end'}) %}
    {{ return(money) }}
{% endmacro %}

{# What became of the revenue of a year ago, by where its customers stood then. #}
{% macro base_money() %}
    {{ return({
        'base_revenue': 'base_revenue',
        'base_revenue_kept': 'greatest(0, least(revenue_12m, base_revenue))',
        'base_revenue_now': 'revenue_12m',
        'established_revenue': 'case when is_established then base_revenue end',
        'established_revenue_kept': 'case when is_established then greatest(0, least(revenue_12m, base_revenue)) end',
        'established_revenue_now': 'case when is_established then revenue_12m end',
    }) }}
{% endmacro %}

{# All that adds up, whatever the rows are grouped by. #}
{% macro retention_columns(grain) %}
    {% set columns = retention_counts(grain) | list + retention_money(grain) | list %}
    {{ return(columns + base_money() | list if grain == 'month' else columns) }}
{% endmacro %}

{# Every rate divides two columns of its own row: sums are rolled up, rates never are. #}
{% macro retention_rates(grain) %}
    {% set rates = {
        'churn_rate': ('churn_members', 'churn_base'),
        'retention_rate': ('(churn_base - churn_members)', 'churn_base'),
        'average_order_value': ('customer_revenue', 'customer_orders'),
        'orders_per_active': ('customer_orders', 'customers_active'),
        'revenue_per_active': ('customer_revenue', 'customers_active'),
        'on_time_share': ('orders_on_time', 'orders_promised'),
    } %}
    {% if grain == 'month' %}
        {% do rates.update({
            'repeat_rate': ('customers_repeat_12m', 'customers_12m'),
            'contact_coverage': ('customers_contacted', 'contact_base'),
            'gross_revenue_retention': ('base_revenue_kept', 'base_revenue'),
            'net_revenue_retention': ('base_revenue_now', 'base_revenue'),
            'established_gross_retention': ('established_revenue_kept', 'established_revenue'),
            'established_net_retention': ('established_revenue_now', 'established_revenue'),
            'share_of_customers': ('customers_end', 'all_tiers_customers'),
            'share_of_revenue': ('revenue_12m', 'all_tiers_revenue_12m'),
            'share_of_margin': ('margin_12m', 'all_tiers_margin_12m'),
        }) %}
    {% endif %}
    {{ return(rates) }}
{% endmacro %}

{# Their columns: null in the running period and where there is nothing to divide by. #}
{% macro retention_rate_columns(grain) -%}
    {% for name, (part, whole) in retention_rates(grain).items() -%}
        case when is_complete then 1.0 * {{ part }} / nullif({{ whole }}, 0) end as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}

{# How customers' periods add up to rows by business line, and by region and value tier at the start. #}
{% macro retention_totals(periods, grain, period_columns) -%}
    select
        {{ period_columns | join(', ') }},
        business_line,
        start_region_key as region_key,
        start_value_tier as value_tier,
        {% for name, count in retention_counts(grain).items() -%}
            cast(sum({{ count }}) as bigint) as {{ name }},
        {% endfor -%}
        {% for name, money in retention_money(grain).items() -%}
            sum({{ money }}) as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ periods }}
    group by {{ period_columns | join(', ') }}, business_line, start_region_key, start_value_tier
{%- endmacro %}

{# What a tier is a share of: all tiers of the same month, line and region. #}
{% macro all_tiers() -%}
    {%- set tiers -%}
        filter (where value_tier <> 'all') over (partition by month, business_line, region_key)
    {%- endset -%}
    cast(sum(customers_end) {{ tiers }} as bigint) as all_tiers_customers,
    sum(revenue_12m) {{ tiers }} as all_tiers_revenue_12m,
    sum(margin_12m) {{ tiers }} as all_tiers_margin_12m
{%- endmacro %}
