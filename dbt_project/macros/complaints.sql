{# Whether a complaint says what became of it; a source none of whose complaints do is not taken to have open ones. #}
{% macro tells_handling() -%}
    nullif(trim(status), '') is not null or resolved_at is not null
{%- endmacro %}

{# The figures of satisfaction_months that a target may be for. #}
{% macro survey_figures() -%}
    {{ return(['satisfaction', 'perceived_to_expected', 'satisfied_share', 'dissatisfied_share', 'silent_dissatisfied']) }}
{%- endmacro %}
