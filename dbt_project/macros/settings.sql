{# The document type that counts as an order in a source: one of order, delivery, invoice. #}
{% macro counted_document_type(source_id) -%}
    {% set document_types = var('document_types') -%}
    case
        {% for source in document_types %}
        when {{ source_id }} = '{{ source }}' then '{{ document_types[source] }}'
        {% endfor %}
        when true then 'order'
    end
{%- endmacro %}
