-- Orders some of whose lines, deleted ones too, the build in the standby has not seen as they are now.
with order_lines as (
    select * from {{ source('raw', 'order_lines') }}
    where
        {% if marts_go_on() %}
            loaded_at > cast('{{ var("standby")["read_until"] }}' as timestamptz)
        {% else %}
            false
        {% endif %}
),

final as (
    select distinct {{ source_key('source_id', 'order_id') }} as order_key
    from order_lines
)

select * from final
