{# What a customer is ranked by at the end of a day: margin or net revenue of the trailing twelve months. #}
{% macro ranked_figure(measures, evenings) -%}
    case
        when {{ measures }}.ranked_by = 'margin'
            then {{ evenings }}.revenue_12m - coalesce({{ evenings }}.cost_12m, 0)
        else {{ evenings }}.revenue_12m
    end
{%- endmacro %}

{# The tier of a figure, of arrays in which lowest figures rise. #}
{% macro tier_of(figure, cuts) -%}
    {{ cuts }}.tiers[width_bucket({{ figure }}, {{ cuts }}.lowest_figures)]
{%- endmacro %}

{# The tiers of key customers. #}
{% macro is_key_tier(tier) -%}
    {{ tier }} in ('vip', 'major')
{%- endmacro %}
