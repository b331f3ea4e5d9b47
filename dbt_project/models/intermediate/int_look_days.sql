{{ config(
    materialized="incremental",
    incremental_strategy="by_restated_customer",
    indexes=[{"columns": ["customer_key"]}],
    meta={"lasts_until": "day"},
) }}

{# Each list names the days on which a signal, as a rule sees it, may change its value or cross the threshold. What is
   ahead is worked out as if nothing more happened, so that a day that passes changes nothing here. #}
with purchase_days {{ as_picked() }}(
    select * from {{ ref('int_purchase_days') }}
    where {{ of_restated_customers() }}
),

customer_days {{ as_picked() }}(
    select * from {{ ref('int_customer_days') }}
    where {{ of_restated_customers() }}
),

customers {{ as_picked() }}(
    select * from {{ ref('int_customers') }}
    where {{ of_restated_customers() }}
),

complaints as (
    select * from {{ ref('int_complaints') }}
    where {{ of_restated_customers() }}
),

-- a whole-number signal passes a threshold where it reaches it, or one later
steps {{ as_picked() }}(
    select
        churn_rules.policy,
        churn_rules.signal,
        churn_rules.threshold,
        cast(step.size as integer) as size
    from {{ ref('churn_rules') }} as churn_rules
    cross join
        lateral (
            values
            (ceil(churn_rules.threshold)), (floor(churn_rules.threshold) + 1)
        ) as step (size)
    where
        churn_rules.enabled
        and step.size >= 0
),

first_and_last_orders as (
    select
        customer_key,
        first_order_on as day
    from customers

    union all

    select
        customer_key,
        day
    from purchase_days
    where next_order_on is null
),

-- a silence, and the order that ends it
silences as (
    select
        purchase_days.customer_key,
        purchase_days.next_order_on,
        case steps.signal
            when 'days_since_last_order' then purchase_days.day + steps.size
            when 'months_without_orders' then {{ month_end(month_of_number(
                month_number('purchase_days.day') ~ ' + steps.size'
            )) }}
        end as day
    from purchase_days
    inner join steps on purchase_days.policy = steps.policy
    where
        steps.signal in ('days_since_last_order', 'months_without_orders')
        and {{ of_restated_customers('purchase_days.customer_key', until='purchase_days.next_order_on') }}

    union all

    select
        purchase_days.customer_key,
        purchase_days.next_order_on,
        purchase_days.day + greatest(
            {{ var('interval_ratio_min_days') }},
            step.days
        ) as day
    from purchase_days
    inner join steps on purchase_days.policy = steps.policy
    cross join
        lateral (
            values
            (cast(ceil(steps.threshold * purchase_days.median_gap_days) as integer)),
            (cast(floor(steps.threshold * purchase_days.median_gap_days) as integer) + 1),
            (0)
        ) as step (days)
    where
        steps.signal = 'interval_ratio'
        and purchase_days.median_gap_days is not null
        and {{ of_restated_customers('purchase_days.customer_key', until='purchase_days.next_order_on') }}
),

-- most orders follow sooner: these drop out before there are two rows of each
silences_and_ends as (
    select
        silences.customer_key,
        looks.day
    from silences
    cross join lateral (values (silences.day), (silences.next_order_on)) as looks (day)
    where
        (silences.day < silences.next_order_on or silences.next_order_on is null)
        and looks.day is not null
),

-- a day enters a window, and leaves it
in_windows as (
    {% for window in windows().values() %}
        select
            customer_days.customer_key,
            customer_days.day + edge.days as day
        from customer_days
        inner join customers on customer_days.customer_key = customers.customer_key
        cross join lateral unnest(array[{{ window['ago'] }}, {{ window['ago'] + window['days'] }}]) as edge (days)
        where
            customer_days.{{ window['sum_of'] }} <> 0
            and {{ watches('customers.policy', window['for']) }}
            and {{ of_restated_customers(
                'customer_days.customer_key', until="customer_days.day + " ~ (window['ago'] + window['days'])
            ) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- the first order is old enough for a signal, or for a rule on it
ages as (
    {% for name, days in first_order_ages().items() %}
        select
            customer_key,
            first_order_on + {{ days }} as day
        from customers
        where {{ watches('policy', [name]) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

months as (
    select
        customer_key,
        day
    from {{ ref('int_month_signals') }}
    where {{ of_restated_customers() }}

    union all

    select
        customer_key,
        valid_from as day
    from {{ ref('int_balance_months') }}

    union all

    select
        customer_key,
        valid_to as day
    from {{ ref('int_balance_months') }}
),

seasons as (
    select
        seasons.customer_key,
        looks.day
    from {{ ref('int_seasonal_orders') }} as seasons
    cross join lateral (values (seasons.valid_from), (seasons.valid_to)) as looks (day)
),

complaint_days as (
    select
        complaints.customer_key,
        looks.day
    from complaints
    inner join customers on complaints.customer_key = customers.customer_key
    left join steps
        on
            customers.policy = steps.policy
            and steps.signal = 'open_complaint_days'
    cross join
        lateral (
            values
            (complaints.opened_on), (complaints.opened_on + steps.size), (complaints.resolved_on)
        ) as looks (day)
    where {{ watches('customers.policy', ['open_complaint_days']) }}
),

satisfaction as (
    select
        satisfaction.customer_key,
        satisfaction.valid_from as day
    from {{ ref('int_satisfaction') }} as satisfaction
    inner join customers on satisfaction.customer_key = customers.customer_key
    where {{ watches('customers.policy', ['last_satisfaction']) }}
),

account_managers_left as (
    select
        managers.customer_key,
        looks.day
    from {{ ref('int_account_managers_left') }} as managers
    inner join customers on managers.customer_key = customers.customer_key
    inner join steps
        on
            customers.policy = steps.policy
            and steps.signal = 'account_manager_left_days'
    cross join
        lateral (
            values
            (greatest(managers.left_on, managers.valid_from)), (managers.left_on + steps.size), (managers.valid_to)
        ) as looks (day)
    where
        looks.day >= managers.valid_from
        and (looks.day <= managers.valid_to or managers.valid_to is null)
),

closings as (
    select
        customer_key,
        closed_on as day
    from customers
    where closing_class = 'natural'

    union all

    select
        customers.customer_key,
        min(purchase_days.day) as day
    from customers
    inner join purchase_days
        on
            customers.customer_key = purchase_days.customer_key
            and customers.closed_on < purchase_days.day
    where customers.closing_class = 'natural'
    group by 1
),

rule_versions as (
    select
        customers.customer_key,
        churn_rules.valid_from as day
    from {{ ref('churn_rules') }} as churn_rules
    inner join customers on churn_rules.policy = customers.policy
),

looks as (
    {% for days in [
        'first_and_last_orders', 'silences_and_ends', 'in_windows', 'ages', 'months', 'seasons', 'complaint_days',
        'satisfaction', 'account_managers_left', 'closings', 'rule_versions',
    ] %}
        select
            customer_key,
            day
        from {{ days }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select distinct
        looks.customer_key,
        looks.day
    from looks
    inner join customers
        on
            looks.customer_key = customers.customer_key
            and looks.day >= customers.first_order_on
    where
        looks.customer_key <> '-1'
        and {{ of_restated_customers('looks.customer_key', until='looks.day') }}
)

select * from final
