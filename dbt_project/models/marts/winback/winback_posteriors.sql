with silences as (
    select * from {{ ref('int_silences') }}
),

members as (
    select * from {{ ref('int_campaign_members') }}
    where
        is_complete
        and arm in ('treated', 'control')
),

business_lines as (
    select * from {{ ref('int_business_lines') }}
),

winback_rules as (
    select * from {{ ref('winback_rules') }}
),

times_away as (
    select * from {{ ref('times_away') }}
),

history as (
    select
        business_line,
        value_tier,
        reason_class,
        time_away,
        count(has_returned) as evenings,
        count(*) filter (where has_returned) as evenings_returned
    from silences
    group by business_line, value_tier, reason_class, time_away
),

-- what is not known of a line counts as assumed, with the weight of prior_strength evenings
line_rates as (
    select
        business_lines.business_line,
        winback_rules.prior_strength,
        winback_rules.assumed_uplift,
        winback_rules.source,
        (coalesce(sum(history.evenings_returned), 0) + winback_rules.prior_strength * winback_rules.assumed_return)
        / (coalesce(sum(history.evenings), 0) + winback_rules.prior_strength) as line_rate
    from business_lines
    inner join winback_rules on business_lines.policy = winback_rules.policy
    left join history on business_lines.business_line = history.business_line
    group by
        business_lines.business_line,
        winback_rules.prior_strength,
        winback_rules.assumed_uplift,
        winback_rules.source,
        winback_rules.assumed_return
),

evidence as (
    select
        business_line,
        value_tier,
        reason_class,
        time_away,
        count(*) filter (where arm = 'control') as control,
        count(*) filter (where arm = 'control' and has_returned) as control_returned,
        count(*) filter (where arm = 'treated') as treated,
        count(*) filter (where arm = 'treated' and has_returned) as treated_returned
    from members
    group by business_line, value_tier, reason_class, time_away
),

-- and what is not known of a segment as in its line, with the same weight
known as (
    select
        line_rates.business_line,
        coalesce(history.value_tier, evidence.value_tier) as value_tier,
        coalesce(history.reason_class, evidence.reason_class) as reason_class,
        coalesce(history.time_away, evidence.time_away) as time_away,
        coalesce(history.evenings, 0) as evenings,
        coalesce(history.evenings_returned, 0) as evenings_returned,
        line_rates.line_rate,
        line_rates.prior_strength,
        line_rates.assumed_uplift,
        line_rates.source,
        coalesce(evidence.control, 0) as control,
        coalesce(evidence.control_returned, 0) as control_returned,
        coalesce(evidence.treated, 0) as treated,
        coalesce(evidence.treated_returned, 0) as treated_returned,
        (coalesce(history.evenings_returned, 0) + line_rates.prior_strength * line_rates.line_rate)
        / (coalesce(history.evenings, 0) + line_rates.prior_strength) as prior_untreated
    from history
    full outer join evidence
        on
            history.business_line = evidence.business_line
            and history.value_tier = evidence.value_tier
            and history.reason_class = evidence.reason_class
            and history.time_away = evidence.time_away
    inner join line_rates on coalesce(history.business_line, evidence.business_line) = line_rates.business_line
),

assumed as (
    select
        *,
        least(prior_untreated + assumed_uplift, 1) as prior_treated
    from known
),

final as (
    select
        assumed.business_line,
        assumed.value_tier,
        assumed.reason_class,
        assumed.time_away,
        times_away.label_zh as time_away_zh,
        times_away.label_en as time_away_en,
        assumed.evenings,
        assumed.evenings_returned,
        assumed.line_rate,
        assumed.prior_strength,
        assumed.prior_untreated,
        assumed.prior_treated,
        assumed.assumed_uplift,
        assumed.source as assumption_source,
        assumed.control,
        assumed.control_returned,
        assumed.treated,
        assumed.treated_returned,
        (assumed.prior_strength * assumed.prior_untreated + assumed.control_returned)
        / (assumed.prior_strength + assumed.control) as p_untreated,
        (assumed.prior_strength * assumed.prior_treated + assumed.treated_returned)
        / (assumed.prior_strength + assumed.treated) as p_treated
    from assumed
    left join times_away on assumed.time_away = times_away.time_away
)

select * from final
