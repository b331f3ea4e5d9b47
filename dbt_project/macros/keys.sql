{# The one text key of an entity; a reference that is null (or blank) points at the unknown member. #}
{% macro source_key(source_id, id) -%}
    coalesce({{ source_id }} || ':' || nullif({{ id }}, ''), '-1')
{%- endmacro %}

{% macro source_of_key(key) -%}
    case when {{ key }} <> '-1' then split_part({{ key }}, ':', 1) end
{%- endmacro %}

{% macro id_of_key(key) -%}
    case when {{ key }} <> '-1' then substring({{ key }} from position(':' in {{ key }}) + 1) end
{%- endmacro %}

{# A number among a row's further attributes; null where there is none or it is no number. #}
{% macro number_of(attributes, name) -%}
    case
        when {{ attributes }} ->> '{{ name }}' ~ '^\s*[0-9]+([.][0-9]+)?\s*$'
            then cast({{ attributes }} ->> '{{ name }}' as numeric)
    end
{%- endmacro %}
