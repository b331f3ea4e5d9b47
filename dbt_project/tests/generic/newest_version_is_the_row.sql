{# The newest version of every key says what its row in another table says, and neither is without the other. #}
{% test newest_version_is_the_row(model, rows, key, columns) %}
{% set compared = (['source_id', key] + columns) | join(', ') %}
with versions as (
    select
        {{ compared }},
        row_number() over (partition by source_id, {{ key }} order by valid_from desc) as place
    from {{ model }}
),

newest as (
    select {{ compared }} from versions where place = 1
),

stored as (
    select {{ compared }} from {{ rows }}
)

(select * from newest except select * from stored)
union all
(select * from stored except select * from newest)
{% endtest %}
