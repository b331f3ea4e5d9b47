{# Every signal that rules may watch: a column of int_signals, and its evidence in both languages.
   A new signal is a column there, documented, and an entry here. #}
{% macro signals() %}
    {{ return({
        'days_since_last_order': {
            'en': "'last order ' || signals.last_order_on || ', '"
                ~ " || " ~ counted('signals.days_since_last_order', 'day') ~ " || ' ago'",
            'zh': "'最近一次下单 ' || signals.last_order_on"
                ~ " || '，距今 ' || signals.days_since_last_order || ' 天'",
        },
        'months_without_orders': {
            'en': "'last order ' || signals.last_order_on || ', then '"
                ~ " || " ~ counted('signals.months_without_orders', 'whole month') ~ " || ' without an order'",
            'zh': "'最近一次下单 ' || signals.last_order_on"
                ~ " || '，此后连续 ' || signals.months_without_orders || ' 个整月没有下单'",
        },
    }) }}
{% endmacro %}

{# The value of the signal that a row's rule watches. #}
{% macro signal_value() -%}
    case rules.signal
        {% for name in signals() %}
        when '{{ name }}' then signals.{{ name }}
        {% endfor %}
    end
{%- endmacro %}

{# The sentence that backs a flag, 'en' or 'zh'. #}
{% macro evidence(language) -%}
    case rules.signal
        {% for name, sentences in signals().items() %}
        when '{{ name }}' then {{ sentences[language] }}
        {% endfor %}
    end
{%- endmacro %}

{# An English count with its noun: 1 day, 2 days. #}
{% macro counted(number, noun) -%}
    {{ number }} || case when {{ number }} = 1 then ' {{ noun }}' else ' {{ noun }}s' end
{%- endmacro %}
