{# The totals of these columns are the totals of another model's columns, in the same order; `rows` picks some here. #}
{% test adds_up_to(model, columns, other, other_columns, rows='true') %}
with here as (
    select {% for column in columns %}coalesce(sum({{ column }}), 0) as total_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ model }}
    where {{ rows }}
),

there as (
    select {% for column in other_columns %}coalesce(sum({{ column }}), 0) as total_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ other }}
)

select * from here
except
select * from there
{% endtest %}
