{# How models become tables and views. dbt's own ways take six to nine statements a model, as they keep the old table
   readable until the very end; here nobody reads a schema before it is published, only one build writes, and a model
   is one statement: a small company's build takes half the time. A table is made beside the one that it replaces,
   which its model may read; it gets its statistics at once, as the next model joins it. #}
{% materialization table, adapter='postgres' %}
    {{ return(done(made_anew(sql))) }}
{% endmaterialization %}

{% materialization view, adapter='postgres' %}
    {% set statements -%}
        {{ without_old() }}
        {{ create_view_as(this, sql) }}
        {{ described('view', this) }}
    {%- endset %}
    {{ return(done(statements, 'view')) }}
{% endmaterialization %}

{# The rows that a model selects take the place of those that its strategy names: macros/incremental.sql. Columns stand
   in the table's order, as a model that is written otherwise makes everything anew. #}
{% materialization incremental, adapter='postgres' %}
    {% if load_cached_relation(this) is none or should_full_refresh() %}
        {{ return(done(made_anew(sql))) }}
    {% endif %}
    {% set fresh = make_temp_relation(this) %}
    {% set statements -%}
        {{ indexed() }}
        {{ create_table_as(true, fresh, sql) }}
        {%- for rows in context['replaced_' ~ config.get('incremental_strategy')]() %}
        delete from {{ this }} where {{ rows }};
        {%- endfor %}
        insert into {{ this }} select * from {{ fresh }};
        drop table {{ fresh }};
        analyze {{ this }};
    {%- endset %}
    {{ return(done(statements)) }}
{% endmaterialization %}

{# A build of everything reads whole tables; only one that goes on looks rows up, so the first such build makes the
   indexes that a model's config names. #}
{% macro indexed() -%}
    {%- for index in config.get('indexes', []) %}
        create index if not exists {{ this.identifier }}__{{ index['columns'] | join('__') }}
        on {{ this }} ({{ index['columns'] | join(', ') }});
    {%- endfor %}
{%- endmacro %}

{% macro made_anew(sql) -%}
    {%- set fresh = make_intermediate_relation(this) -%}
    {{ create_table_as(false, fresh, sql) }}
    {{ without_old() }}
    alter table {{ fresh }} rename to {{ adapter.quote(this.identifier) }};
    {{ described('table', this) }}
    analyze {{ this }};
{%- endmacro %}

{% macro without_old() -%}
    {%- set old = load_cached_relation(this) -%}
    {%- if old is not none -%}
        drop {{ old.type }} if exists {{ old }} cascade;
    {%- endif -%}
{%- endmacro %}

{# Statistics are taken of a quarter of the rows that PostgreSQL would sample: plans are the same, and looking at wide
   tables took an eighth of a build. Rows come cheaper from another process than PostgreSQL supposes: it would leave a
   core idle while a build waits for one model. A model of wide rows may say that its joins must not sort them
   (`joins_hash`). #}
{% macro done(statements, type='table') %}
    {% call statement('main') %}
        set local default_statistics_target = 25;
        set local parallel_tuple_cost = 0.01;
        {%- if config.get('meta', {}).get('joins_hash') %}
        set local enable_mergejoin = off;
        {%- endif %}
        {{ statements }}
    {% endcall %}
    {% do adapter.commit() %}
    {{ return({'relations': [this.incorporate(type=type)]}) }}
{% endmacro %}

{# What the descriptions in the YAML say, as comments that BI tools show. #}
{% macro described(kind, relation) -%}
    {%- if model.description -%}
        comment on {{ kind }} {{ relation }} is {{ postgres_escape_comment(model.description) }};
    {%- endif -%}
    {%- for column in model.columns.values() if column.description %}
        comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ postgres_escape_comment(column.description) }};
    {%- endfor %}
{%- endmacro %}

{# dbt's seeds: it would ask for the columns first, twice. #}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) %}
    {% call statement() %}
        {{ described(relation.type, relation) }}
    {% endcall %}
{% endmacro %}

{# A table under contract is made of its rows at once and gets its constraints afterwards: checking row by row while
   they go in takes longer, and PostgreSQL would not read in parallel. #}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- set contract = config.get('contract') -%}
    {%- set is_checked = contract and contract.enforced -%}
    {%- if is_checked -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}
    create {{ 'temporary' if temporary }} table {{ relation }} as (
        {%- if is_checked %}
        select {{ model['columns'].values() | map(attribute='name') | join(', ') }} from ({{ sql }}) as rows
        {%- else %}
        {{ sql }}
        {%- endif %}
    );
    {%- if is_checked and not temporary %}
    alter table {{ relation }}
        {%- set constraints = [] -%}
        {%- for column in model['columns'].values() -%}
            {%- for constraint in column['constraints'] -%}
                {%- if constraint['type'] == 'not_null' -%}
                    {%- do constraints.append('alter column ' ~ column['name'] ~ ' set not null') -%}
                {%- elif constraint['type'] == 'primary_key' -%}
                    {%- do constraints.append('add primary key (' ~ column['name'] ~ ')') -%}
                {%- else -%}
                    {{ exceptions.raise_compiler_error('a constraint of ' ~ column['name'] ~ ' is of another type') }}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for constraint in model['constraints'] -%}
            {%- if constraint['type'] == 'primary_key' -%}
                {%- do constraints.append('add primary key (' ~ constraint['columns'] | join(', ') ~ ')') -%}
            {%- elif constraint['type'] == 'check' -%}
                {%- set is_true = '((' ~ constraint['expression'] ~ ') is true)' -%}
                {%- do constraints.append('add constraint ' ~ constraint['name'] ~ ' check ' ~ is_true) -%}
            {%- else -%}
                {{ exceptions.raise_compiler_error('a constraint of the table is of another type') }}
            {%- endif -%}
        {%- endfor %}
        {{ constraints | join(', ') }};
    {%- endif %}
{%- endmacro %}

{# No rows, of columns of these types; for a model that has nothing to say. #}
{% macro no_rows() -%}
    select
        {% for column, type in kwargs.items() -%}
            cast(null as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {% endfor -%}
    where false
{%- endmacro %}
