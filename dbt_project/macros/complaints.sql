{# Whether a complaint says what became of it; a source none of whose complaints do is not taken to have open ones. #}
{% macro tells_handling() -%}
    nullif(trim(status), '') is not null or resolved_at is not null
{%- endmacro %}
