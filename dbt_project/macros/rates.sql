{# Of those whom a period could lose, the share that has churned by its end; null where there is nobody to lose. #}
{% macro churn_rate() -%}
    1.0 * churn_members / nullif(churn_base, 0)
{%- endmacro %}
