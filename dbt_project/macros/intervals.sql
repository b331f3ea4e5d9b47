{# What happened to so many of one group, as a multiple of another's; null where either has none to compare. #}
{% macro risk_ratio(hits, size, other_hits, other_size) -%}
    1.0 * {{ hits }} * {{ other_size }} / nullif({{ size }} * {{ other_hits }}, 0)
{%- endmacro %}

{# Standard error of its logarithm (Katz); null where a group has no hit. #}
{% macro log_risk_ratio_error(hits, size, other_hits, other_size) -%}
    sqrt(
        greatest(1.0 / nullif({{ hits }}, 0) - 1.0 / nullif({{ size }}, 0), 0)
        + greatest(1.0 / nullif({{ other_hits }}, 0) - 1.0 / nullif({{ other_size }}, 0), 0)
    )
{%- endmacro %}

{# The bounds of Wilson's interval for a share of a group. #}
{% macro wilson_bound(share, size, sign) -%}
    (
        {{ share }} + {{ z_squared() }} / (2 * {{ size }})
        {{ sign }} {{ var('confidence_z') }} * sqrt(
            {{ share }} * (1 - {{ share }}) / {{ size }} + {{ z_squared() }} / (4.0 * {{ size }} * {{ size }})
        )
    ) / (1 + {{ z_squared() }} / {{ size }})
{%- endmacro %}

{% macro z_squared() -%}
    power({{ var('confidence_z') }}, 2)
{%- endmacro %}

{# Newcombe's bounds of the difference of two shares, from the bounds of each. #}
{% macro newcombe_low(share, low, other_share, other_high) -%}
    {{ share }} - {{ other_share }} - sqrt(power({{ share }} - {{ low }}, 2) + power({{ other_high }} - {{ other_share }}, 2))
{%- endmacro %}

{% macro newcombe_high(share, high, other_share, other_low) -%}
    {{ share }} - {{ other_share }} + sqrt(power({{ high }} - {{ share }}, 2) + power({{ other_share }} - {{ other_low }}, 2))
{%- endmacro %}
