{{ config(materialized="view") }}

{% set lines = var('business_lines') %}

with final as (
    {% for line in lines %}
        select
            '{{ line }}' as business_line,
            '{{ lines[line] }}' as policy
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from final
