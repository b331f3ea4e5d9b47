{{ config(materialized="view") }}

{% set lines = var('business_lines') %}

with lines as (
    {% for line in lines %}
        select
            '{{ line }}' as business_line,
            '{{ lines[line] }}' as policy
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

policies as (
    select * from {{ ref('policies') }}
),

final as (
    select
        lines.business_line,
        lines.policy,
        policies.margin_share,
        policies.discount_rate
    from lines
    inner join policies on lines.policy = policies.policy
)

select * from final
