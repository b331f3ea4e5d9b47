{# The column names a signal that int_signals computes. #}
{% test is_a_signal(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} not in ('{{ signals() | join("', '") }}')
{% endtest %}
