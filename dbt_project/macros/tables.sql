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
