with rules as (
    select * from {{ ref('care_rules') }}
    where enabled
),

days as (
    select * from {{ ref('lunar_days') }}
    where day > {{ as_of_date() }} and day <= {{ as_of_date() }} + {{ var('care_days') }}
),

-- whoever has left is greeted, too; but nobody who asked not to be, and no account that has ended naturally
customers as (
    select * from {{ ref('dim_customer') }}
    where
        customer_key <> '-1'
        and stage <> 'closed'
        and not do_not_contact
),

birthdays as (
    select
        'birthday' as occasion,
        null as rule_id,
        contacts.customer_key,
        days.day,
        '-1' as product_key
    from {{ ref('dim_customer_contact') }} as contacts
    inner join days
        on
            {{ falls_on(
                'days', 'coalesce(lower(contacts.birthday_calendar), \'solar\')',
                'extract(month from contacts.birthday)', 'extract(day from contacts.birthday)'
            ) }}
),

festivals as (
    select
        rules.occasion,
        rules.rule_id,
        customers.customer_key,
        days.day,
        '-1' as product_key
    from rules
    inner join days on {{ falls_on('days', 'rules.calendar', 'rules.month', 'rules.day') }}
    inner join customers on rules.policy = customers.policy
    where rules.occasion = 'festival'
),

anniversaries as (
    select
        'anniversary' as occasion,
        null as rule_id,
        customers.customer_key,
        days.day,
        '-1' as product_key
    from customers
    inner join days
        on
            {{ falls_on(
                'days', '\'solar\'',
                'extract(month from customers.first_order_on)', 'extract(day from customers.first_order_on)'
            ) }}
),

silences as (
    select
        rules.occasion,
        rules.rule_id,
        customers.customer_key,
        days.day,
        '-1' as product_key
    from rules
    inner join customers on rules.policy = customers.policy
    inner join days on customers.last_order_on + rules.days = days.day
    where rules.occasion = 'silence'
),

launches as (
    select distinct
        'product_news' as occasion,
        null as rule_id,
        order_lines.customer_key,
        days.day,
        launched.product_key
    from {{ ref('dim_product') }} as launched
    inner join days on launched.launched_on = days.day
    inner join {{ ref('dim_product') }} as bought on launched.category = bought.category
    inner join {{ ref('fct_order_lines') }} as order_lines
        on
            bought.product_key = order_lines.product_key
            and order_lines.order_class = 'sale'
            and order_lines.ordered_on >= {{ trailing_start(as_of_date()) }}
),

occasions as (
    {% for kind in ['birthdays', 'festivals', 'anniversaries', 'silences', 'launches'] %}
        select * from {{ kind }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select
        customers.customer_key,
        rules.rule_id,
        occasions.product_key,
        occasions.day as due_on,
        rules.occasion,
        customers.business_line,
        customers.account_manager_key,
        customers.stage,
        customers.value_tier,
        rules.label_zh,
        rules.label_en,
        rules.source
    from occasions
    inner join customers on occasions.customer_key = customers.customer_key
    inner join rules
        on
            customers.policy = rules.policy
            and occasions.occasion = rules.occasion
            and (occasions.rule_id = rules.rule_id or occasions.rule_id is null)
    where rules.audience = 'everybody' or customers.is_key_customer
)

select * from final
