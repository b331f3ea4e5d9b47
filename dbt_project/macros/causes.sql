{# The first day of orders whose complaints may fall into the 12 months before the days under test. #}
{% macro first_cause_day() -%}
    cast(
        {{ as_of_date() }} - {{ var('alarm_windows') | max }} + 1 - interval '{{ var("trailing_months") }} months' as date
    ) - {{ var('complaint_delay_days') }}
{%- endmacro %}

{# Whether an order came by the day that was promised; one that is overdue and still not there is late. #}
{% macro punctuality(promised_on, delivered_on) -%}
    case
        when least({{ delivered_on }}, {{ as_of_date() }}) > {{ promised_on }} then 'late'
        when {{ delivered_on }} <= {{ as_of_date() }} then 'on_time'
    end
{%- endmacro %}

{# What a row may be put down to, one row each; for a lateral join. #}
{% macro causes_of(product_key, batch_no, region_key, channel, punctuality) -%}
    (
        values
        {% if product_key %}
        ('product', {{ product_key }}, {{ product_key }}, null),
        ('batch', {{ product_key }} || ':' || {{ batch_no }}, {{ product_key }}, {{ batch_no }}),
        {% endif %}
        ('region', {{ region_key }}, null, null),
        ('channel', nullif(trim({{ channel }}), ''), null, null),
        ('delivery', {{ punctuality }}, null, null)
    )
{%- endmacro %}
