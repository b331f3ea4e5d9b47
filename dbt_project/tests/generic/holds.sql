{# The condition is true in every row (neither false nor null). #}
{% test holds(model, condition, column_name=none) %}
select *
from {{ model }}
where ({{ condition }}) is not true
{% endtest %}
