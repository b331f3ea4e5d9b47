{# Every signal that rules may watch. `value` is its value at the end of a day: an expression of that day (written
   <day>) and of `states`, the row of int_customer_states that holds then. `en` and `zh` are the evidence, written
   with <value> as well. A window counts back so many days, so an at-most rule on it waits until the first order is
   that old. A new signal that adds up a window is an entry here, one in `windows`, and a documented column of
   int_signals; any other needs its days in int_look_days and its column in int_customer_states as well. #}
{% macro signals() %}
    {% set two_windows = 180 %}
    {% set last_order = "'last order ' || states.last_order_on" %}
    {% set last_order_zh = "'最近一次下单 ' || states.last_order_on" %}
    {{ return({
        'days_since_last_order': {
            'value': '<day> - states.last_order_on',
            'en': last_order ~ " || ', ' || " ~ counted('<value>', 'day') ~ " || ' ago'",
            'zh': last_order_zh ~ " || '，距今 ' || <value> || ' 天'",
        },
        'orders_last_30d': {
            'value': 'states.orders_last_30d',
            'window_days': 30,
            'en': counted('<value>', 'order') ~ " || ' in the last 30 days'",
            'zh': "'近 30 天下单 ' || <value> || ' 次'",
        },
        'orders_last_30d_regulars': {
            'value': 'case when states.orders_30d_before >= ' ~ var('regulars_min_orders')
                ~ ' then states.orders_last_30d end',
            'window_days': 30,
            'en': counted('<value>', 'order') ~ " || ' in the last 30 days, '"
                ~ " || states.orders_30d_before || ' in the 30 days before'",
            'zh': "'近 30 天下单 ' || <value> || ' 次，此前 30 天 ' || states.orders_30d_before || ' 次'",
        },
        'orders_last_365d': {
            'value': 'states.orders_last_365d',
            'window_days': 365,
            'en': counted('<value>', 'order') ~ " || ' in the last 365 days'",
            'zh': "'近 365 天下单 ' || <value> || ' 次'",
        },
        'interval_ratio': {
            'value': 'case when <day> - states.last_order_on >= ' ~ var('interval_ratio_min_days')
                ~ ' then (<day> - states.last_order_on) / states.median_gap_days end',
            'en': last_order ~ " || ', ' || (<day> - states.last_order_on) || ' days ago, usual gap '"
                ~ " || " ~ counted(plain('states.median_gap_days'), 'day'),
            'zh': last_order_zh ~ " || '，距今 ' || (<day> - states.last_order_on) || ' 天，平时间隔约 '"
                ~ " || " ~ plain('states.median_gap_days') ~ " || ' 天'",
        },
        'months_declining': {
            'value': 'states.months_declining',
            'en': "'share of the line''s sales down ' || " ~ counted('<value>', 'month') ~ " || ' in a row'",
            'zh': "'占本业务线销售额的份额连续 ' || <value> || ' 个月下降'",
        },
        'months_below_minimum': {
            'value': month_number('<day> + 1') ~ ' - 1 - states.last_month_not_below',
            'en': counted('<value>', 'month') ~ " || ' in a row below the monthly minimum of '"
                ~ " || " ~ plain('states.monthly_minimum'),
            'zh': "'连续 ' || <value> || ' 个月低于每月最低额 ' || " ~ plain('states.monthly_minimum'),
        },
        'months_without_orders': {
            'value': 'greatest(' ~ month_number('<day> + 1') ~ ' - ' ~ month_number('states.last_order_on') ~ ' - 1, 0)',
            'en': last_order ~ " || ', then ' || " ~ counted('<value>', 'whole month') ~ " || ' without an order'",
            'zh': last_order_zh ~ " || '，此后连续 ' || <value> || ' 个整月没有下单'",
        },
        'seasonal_order_missed': {
            'value': 'case when states.seasonal_order_due_on is null then 0 else 1 end',
            'en': "'order expected by ' || states.seasonal_order_due_on || ', as in the two years before, has not come; '"
                ~ " || " ~ last_order,
            'zh': "'按往年规律应于 ' || states.seasonal_order_due_on || ' 前下单，至今未下；' || " ~ last_order_zh,
        },
        'amount_change_90d': {
            'value': 'case when states.revenue_90d_before > 0 and <day> - states.first_order_on >= '
                ~ two_windows ~ ' then states.revenue_last_90d / states.revenue_90d_before - 1 end',
            'age_days': two_windows,
            'en': "'net sales ' || " ~ plain('states.revenue_last_90d') ~ " || ' in the last 90 days, '"
                ~ " || " ~ plain('states.revenue_90d_before') ~ " || ' in the 90 days before'",
            'zh': "'近 90 天净销售额 ' || " ~ plain('states.revenue_last_90d') ~ " || '，此前 90 天 '"
                ~ " || " ~ plain('states.revenue_90d_before'),
        },
        'balance_change_3m': {
            'value': 'states.balance / states.balance_3m_before - 1',
            'en': "'balance ' || " ~ plain('states.balance') ~ " || ', three months before '"
                ~ " || " ~ plain('states.balance_3m_before'),
            'zh': "'余额 ' || " ~ plain('states.balance') ~ " || '，三个月前 ' || " ~ plain('states.balance_3m_before'),
        },
        'months_balance_below_minimum': {
            'value': 'states.months_balance_below_minimum',
            'en': "'balance ' || " ~ plain('states.balance') ~ " || ', ' || " ~ counted('<value>', 'month')
                ~ " || ' in a row below ' || " ~ plain('states.balance_minimum'),
            'zh': "'余额 ' || " ~ plain('states.balance') ~ " || '，连续 ' || <value> || ' 个月低于 '"
                ~ " || " ~ plain('states.balance_minimum'),
        },
        'open_complaint_days': {
            'value': '<day> - states.oldest_open_complaint_on',
            'en': "'complaint of ' || states.oldest_open_complaint_on || ' open for ' || " ~ counted('<value>', 'day'),
            'zh': "states.oldest_open_complaint_on || ' 的投诉已 ' || <value> || ' 天未解决'",
        },
        'complaints_last_90d': {
            'value': 'states.complaints_last_90d',
            'window_days': 90,
            'en': counted('<value>', 'complaint') ~ " || ' in the last 90 days'",
            'zh': "'近 90 天投诉 ' || <value> || ' 次'",
        },
        'last_satisfaction': {
            'value': 'states.last_satisfaction',
            'en': "'last satisfaction ' || " ~ plain('<value>') ~ " || ' of 5'",
            'zh': "'最近一次满意度 ' || " ~ plain('<value>') ~ " || ' 分（满分 5 分）'",
        },
        'account_manager_left_days': {
            'value': 'case when <day> >= states.account_manager_left_on then <day> - states.account_manager_left_on end',
            'en': "'the account manager left on ' || states.account_manager_left_on",
            'zh': "'客户经理已于 ' || states.account_manager_left_on || ' 离职'",
        },
    }) }}
{% endmacro %}

{# How old the first order must be before a signal, or an at-most rule on it, counts: signal: days. #}
{% macro first_order_ages() -%}
    {% set ages = {} %}
    {% for name, signal in signals().items() if signal['window_days'] or signal['age_days'] %}
        {% do ages.update({name: signal['window_days'] or signal['age_days']}) %}
    {% endfor %}
    {{ return(ages) }}
{%- endmacro %}

{# What signals add up over so many days, up to so many days ago, and for which of them. #}
{% macro windows() %}
    {{ return({
        'orders_last_30d': {
            'sum_of': 'orders', 'days': 30, 'ago': 0, 'for': ['orders_last_30d', 'orders_last_30d_regulars'],
        },
        'orders_30d_before': {'sum_of': 'orders', 'days': 30, 'ago': 30, 'for': ['orders_last_30d_regulars']},
        'orders_last_365d': {'sum_of': 'orders', 'days': 365, 'ago': 0, 'for': ['orders_last_365d']},
        'revenue_last_90d': {'sum_of': 'revenue', 'days': 90, 'ago': 0, 'for': ['amount_change_90d']},
        'revenue_90d_before': {'sum_of': 'revenue', 'days': 90, 'ago': 90, 'for': ['amount_change_90d']},
        'complaints_last_90d': {'sum_of': 'complaints', 'days': 90, 'ago': 0, 'for': ['complaints_last_90d']},
    }) }}
{% endmacro %}

{# A signal's value at the end of a day, from the row of int_customer_states that holds then. #}
{% macro signal_value(name, day) -%}
    {{ signals()[name]['value'] | replace('<day>', day) }}
{%- endmacro %}

{# The value of the signal that a row's rule watches. #}
{% macro watched_value(day) -%}
    case rules.signal
        {% for name in signals() %}
        when '{{ name }}' then cast({{ signal_value(name, day) }} as numeric)
        {% endfor %}
    end
{%- endmacro %}

{# The sentence that backs a flag, 'en' or 'zh'. #}
{% macro evidence(language, day) -%}
    case rules.signal
        {% for name, signal in signals().items() %}
        when '{{ name }}'
            then {{ signal[language] | replace('<value>', '(' ~ signal['value'] ~ ')') | replace('<day>', day) }}
        {% endfor %}
    end
{%- endmacro %}

{# An at-most rule on a window waits until the first order is as old as the window is long. #}
{% macro window_is_full(day) -%}
    case rules.signal
        {% for name, signal in signals().items() if 'window_days' in signal %}
        when '{{ name }}' then {{ day }} - states.first_order_on >= {{ signal['window_days'] }}
        {% endfor %}
        else true
    end
{%- endmacro %}

{# Whether a policy has a rule that watches one of these signals; what nobody watches is not worked out. #}
{% macro watches(policy, names) -%}
    {%- set policies = [] -%}
    {%- set watched_signals = var('watched_signals') if var('watched_signals') is mapping else {} -%}  {# a linter has no vars #}
    {%- for name, watched in watched_signals.items() if watched | select('in', names) | list -%}
        {%- do policies.append("'" ~ name ~ "'") -%}
    {%- endfor -%}
    {%- if policies %}{{ policy }} in ({{ policies | join(', ') }}){% else %}false{% endif -%}
{%- endmacro %}

{# An English count with its noun: 1 day, 2 days. #}
{% macro counted(number, noun) -%}
    {{ number }} || case when {{ number }} = 1 then ' {{ noun }}' else ' {{ noun }}s' end
{%- endmacro %}

{# A number without the zeros that end its fraction. #}
{% macro plain(number) -%}
    trim_scale(round(cast({{ number }} as numeric), 2))
{%- endmacro %}
