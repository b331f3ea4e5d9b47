{# A build goes on from the last one, or makes everything anew: src/winback/build.py decides, and says so in two vars.
   `base` is the build that the intermediate tables are of, `standby` the one whose marts the standby holds. Either is
   null where there is none to go on from. What a build finds changed is kept under its number: marts take turns, so
   theirs are the changes of two builds. #}
{% macro goes_on() -%}
    {{ return(var('base') is not none) }}
{%- endmacro %}

{% macro marts_go_on() -%}
    {{ return(var('standby') is not none) }}
{%- endmacro %}

{# dbt asks this of every incremental model and seed; a seed may gain a column with any release. #}
{% macro should_full_refresh() -%}
    {%- if model.resource_type == 'seed' -%}
        {{ return(true) }}
    {%- elif 'marts' in model.fqn -%}
        {{ return(not marts_go_on()) }}
    {%- else -%}
        {{ return(not goes_on()) }}
    {%- endif -%}
{%- endmacro %}

{# Whether a row of raw was written since the base had read it. #}
{% macro is_written_since_base(loaded_at='loaded_at') -%}
    {%- if goes_on() -%}
        {{ loaded_at }} > cast('{{ var("base")["read_until"] }}' as timestamptz)
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{# Whether a moment was still ahead of the base, which did not look at it then. #}
{% macro lay_ahead_of_base(moment) -%}
    {%- if goes_on() -%}
        {{ moment }} >= cast({{ base_date() }} + 1 as timestamp) at time zone '{{ var("business_time_zone") }}'
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{% macro day_lay_ahead_of_base(day) -%}
    {%- if goes_on() -%}
        {{ day }} > {{ base_date() }}
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{% macro base_date() -%}
    cast('{{ var("base")["as_of_date"] }}' as date)
{%- endmacro %}

{% macro standby_date() -%}
    cast('{{ var("standby")["as_of_date"] }}' as date)
{%- endmacro %}

{# A table of intermediate as the base left it; whatever replaces the table must come later, by a depends_on. #}
{% macro as_of_base(name) -%}
    {{ api.Relation.create(database=target.database, schema='intermediate', identifier=name) }}
{%- endmacro %}

{# Whether a row is of a customer that this build must work out anew. `until` is the day of the row, or the one on which
   it ends, null for a row without end: with it, whether this very row may be another. What hangs on silences may be from
   the one on that the change has touched; what is told of an evening only from the day of the change. #}
{% macro of_changed_customers(key='customer_key', until=none, since='silence_began_on') -%}
    {{ is_among('int_changed_customers', key, until, since) }}
{%- endmacro %}

{# The same for what hangs on the signals of months, in which customers of a line are held against each other. #}
{% macro of_restated_customers(key='customer_key', until=none, since='silence_began_on') -%}
    {{ is_among('int_restated_customers', key, until, since) }}
{%- endmacro %}

{# The same for what hangs on tiers, in which they are ranked. #}
{% macro of_retiered_customers(key='customer_key', until=none) -%}
    {{ is_among('int_retiered_customers', key, until, 'changed_on') }}
{%- endmacro %}

{% macro is_among(changed_customers, key, until, since) -%}
    {%- if goes_on() -%}
        {{ is_listed(changes_of(changed_customers, since, 'build_id = ' ~ var('build_id')), key, until) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{# A table that a model reads in several places: a build of everything reads it in each, as PostgreSQL would write all of
   its rows down first, and work in parallel no more. A build that goes on picks few rows, once. #}
{% macro as_picked() -%}
    as {{ '' if goes_on() else 'not materialized ' }}
{%- endmacro %}

{% macro changes_of(changed_customers, since, condition) -%}
    select
        customer_key as changed_key,
        {{ since }} as since
    from {{ ref(changed_customers) }}
    where {{ condition }}
{%- endmacro %}

{% macro is_listed(changes, key, until) -%}
    {{ key }} in (select changes.changed_key from ({{ changes }}) as changes)
    {%- if until %}
        and exists (
            select 1 from ({{ changes }}) as changes
            where
                changes.changed_key = {{ key }}
                and changes.since <= coalesce({{ until }}, 'infinity')
        )
    {%- endif %}
{%- endmacro %}

{# Changed customers, to be joined as `changed` with the days from which they are; others drop out. #}
{% macro with_changed_customers(key) -%}
    inner join {{ ref('int_changed_customers') }} as changed
        on
            {{ key }} = changed.customer_key
            and changed.build_id = {{ var('build_id') }}
{%- endmacro %}

{# Rows of a table that may be other, of the customers who have changed; joined, to be found by index. #}
{% macro from_changed_days(relation, day, since='silence_began_on') -%}
    select changed_rows.* from {{ relation }} as changed_rows
    {%- if goes_on() %}
    {{ with_changed_customers('changed_rows.customer_key') }}
    where changed_rows.{{ day }} >= changed.{{ since }}
    {%- endif %}
{%- endmacro %}

{# A month has ended since, of which all lines are known now; or one that was over is another in the customer's line. #}
{% macro of_changed_lines(business_line='business_line') -%}
    (
        {{ month_start(base_date() ~ ' + 1') }} < {{ month_start(as_of_date() ~ ' + 1') }}
        or {{ business_line }} in (
            select line_months.business_line from {{ ref('int_line_months') }} as line_months
            where line_months.is_changed
        )
    )
{%- endmacro %}

{% macro of_changed_orders(key='order_key') -%}
    {%- if goes_on() -%}
        {{ key }} in (select order_key from {{ ref('int_changed_orders') }} where build_id = {{ var('build_id') }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{# Whether a row of a mart is of a customer, or an order, that has changed since the build in the standby. #}
{% macro of_customers_changed_since_standby(key='customer_key', until=none) -%}
    {%- if marts_go_on() -%}
        {{ is_listed(changes_since_standby(), key, until) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro changes_since_standby() -%}
    {%- set not_in_standby = 'build_id > ' ~ var('standby')['build_id'] -%}
    {{ changes_of('int_restated_customers', 'changed_on', not_in_standby) }}
    union all
    {{ changes_of('int_retiered_customers', 'changed_on', not_in_standby) }}
{%- endmacro %}

{# These, to be joined as `changes` with the first day that has changed, null for a customer of whom nothing has. #}
{% macro with_changes_since_standby(key) -%}
    {%- if marts_go_on() %}
        left join (
            select
                changed_key,
                min(since) as since
            from ({{ changes_since_standby() }}) as all_changes
            group by 1
        ) as changes on {{ key }} = changes.changed_key
    {%- endif %}
{%- endmacro %}

{% macro of_orders_changed_since_standby(key='order_key') -%}
    {%- if marts_go_on() -%}
        {{ key }} in (
            select order_key from {{ ref('int_changed_orders') }} where build_id > {{ var('standby')['build_id'] }}
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{# A flag that lay ahead of the standby may have opened or closed meanwhile. #}
{% macro of_turned_customers(key='customer_key') -%}
    {%- if marts_go_on() -%}
        (
            {{ of_customers_changed_since_standby(key) }}
            or {{ key }} in (
                select customer_key from {{ ref('int_flags') }}
                where
                    (opened_on > {{ standby_date() }} and opened_on <= {{ as_of_date() }})
                    or (closed_on > {{ standby_date() }} and closed_on <= {{ as_of_date() }})
            )
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro of_lines_changed_since_standby(key='order_key') -%}
    {%- if marts_go_on() -%}
        (
            {{ of_orders_changed_since_standby(key) }}
            or {{ key }} in (select order_key from {{ ref('stg_changed_order_lines') }})
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{# Whether a period of a customer may differ from the standby's: one that it lacks or that was not over then, one that
   ends after the customer has changed, or any if the data of a line begin on another day. #}
{% macro of_changed_periods(ends_on) -%}
    {%- if marts_go_on() -%}
        ({{ is_new_period(ends_on) }} or changes.since <= {{ ends_on }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro is_new_period(ends_on) -%}
    {{ ends_on }} in (select new_periods.ends_on from {{ ref('int_periods') }} as new_periods where new_periods.is_new)
    or exists (
        select 1
        from {{ ref('int_data_begins') }} as begins
        left join {{ ref('int_data_begins') }} as begins_before
            on
                begins.business_line = begins_before.business_line
                and begins_before.build_id = {{ var('standby')['build_id'] }}
        where
            begins.build_id = {{ var('build_id') }}
            and (begins.data_begin_on, begins.first_day)
            is distinct from (begins_before.data_begin_on, begins_before.first_day)
    )
{%- endmacro %}

{# Restated customers, to be joined as `restated` with the day from which they are, null for all others. #}
{% macro with_restated_customers(key) -%}
    left join {{ ref('int_restated_customers') }} as restated
        on
            {{ key }} = restated.customer_key
            and restated.build_id = {{ var('build_id') }}
{%- endmacro %}

{# Whether a customer's figure of an evening may be another than in the base, or their line, or what it is ranked by. #}
{% macro is_ranked_anew(of) -%}
    (
        coalesce({{ of }}day >= restated.changed_on, false)
        or {{ is_other_evening(of ~ 'day') }}
        or {{ is_of_another_measure(of) }}
    )
{%- endmacro %}

{% macro is_of_another_measure(of='') -%}
    ({{ of }}business_line, {{ of }}day) in (
        select measures.business_line, measures.day from {{ ref('int_line_measures') }} as measures
        where measures.is_changed
    )
{%- endmacro %}

{# An evening that the base did not look at, or that is looked at no more. #}
{% macro is_other_evening(day='day') -%}
    {{ day }} not in (select day from {{ ref('int_evenings') }} where not is_new)
{%- endmacro %}

{% macro is_reranked(business_line='business_line', day='day') -%}
    {%- if goes_on() -%}
        ({{ business_line }}, {{ day }}) in (select business_line, day from {{ ref('int_reranked_evenings') }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro first_period(grain) -%}
    (select min(starts_on) from {{ ref('int_periods') }} where grain = '{{ grain }}')
{%- endmacro %}

{# The weeks kept are not all in a row: that of a year ago stands apart. #}
{% macro kept_weeks() -%}
    (select weeks.starts_on from {{ ref('int_periods') }} as weeks where weeks.grain = 'week')
{%- endmacro %}

{# Strategies: which rows of a table make way for those that its model selects, as a list of conditions. One by which rows
   are found by index stands alone. The meta of a model says until when a row of it lasts, where those that ended before a
   customer changed may stay. #}

{% macro lasts_until() -%}
    {{ return(config.get('meta', {}).get('lasts_until')) }}
{%- endmacro %}

{% macro replaced_by_order() -%}
    {{ return([of_changed_orders()]) }}
{%- endmacro %}

{% macro replaced_by_customer() -%}
    {{ return([of_changed_customers(until=lasts_until())]) }}
{%- endmacro %}

{% macro replaced_by_restated_customer() -%}
    {{ return([of_restated_customers(until=lasts_until())]) }}
{%- endmacro %}

{# What this build found changed goes below what the others found; what both copies of the marts have is dropped. #}
{% macro replaced_by_build() -%}
    {{ return(['build_id < ' ~ var('kept_from') ~ ' or build_id >= ' ~ var('build_id')]) }}
{%- endmacro %}

{% macro replaced_by_evening() -%}
    {{ return([of_restated_customers(until='day', since='changed_on'), is_other_evening()]) }}
{%- endmacro %}

{% macro replaced_by_retiered_evening() -%}
    {{ return(replaced_by_evening() + [of_retiered_customers(until='day')]) }}
{%- endmacro %}

{% macro replaced_by_reranked_evening() -%}
    {{ return([is_reranked(), is_other_evening()]) }}
{%- endmacro %}

{% macro replaced_by_tier() -%}
    {%- set is_moved -%}
        (customer_key, day) in (select moved.customer_key, moved.day from {{ ref('int_moved_tiers') }} as moved)
    {%- endset -%}
    {{ return([
        of_restated_customers(until='day', since='changed_on'),
        is_other_evening() ~ ' or ' ~ is_of_another_measure(),
        is_moved,
    ]) }}
{%- endmacro %}

{% macro replaced_by_month() -%}
    {{ return(replaced_periods(month_end('month'), 'month < ' ~ first_period('month'))) }}
{%- endmacro %}

{% macro replaced_by_quarter() -%}
    {{ return(replaced_periods(quarter_end('quarter'), 'quarter < ' ~ first_period('quarter'))) }}
{%- endmacro %}

{% macro replaced_by_week() -%}
    {{ return(replaced_periods('week_ends_on', 'week_starts_on not in ' ~ kept_weeks())) }}
{%- endmacro %}

{% macro replaced_periods(ends_on, is_gone) -%}
    {{ return([is_new_period(ends_on) ~ ' or ' ~ is_gone, of_customers_changed_since_standby(until=ends_on)]) }}
{%- endmacro %}

{% macro replaced_by_changed_customer() -%}
    {{ return([of_customers_changed_since_standby()]) }}
{%- endmacro %}

{% macro replaced_by_changed_order() -%}
    {{ return([of_orders_changed_since_standby()]) }}
{%- endmacro %}

{% macro replaced_by_turned_customer() -%}
    {{ return([of_turned_customers()]) }}
{%- endmacro %}

{% macro replaced_by_changed_line() -%}
    {{ return([of_lines_changed_since_standby()]) }}
{%- endmacro %}
