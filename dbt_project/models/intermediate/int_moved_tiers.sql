-- Rows of the last build's tiers of which nothing but the tier is another, as somebody else's figure is.
{% if goes_on() %}
    with cuts as (
        select * from {{ ref('int_tier_cuts') }}
        where {{ is_reranked() }}
    ),

    tiers_before as (
        select * from {{ as_of_base('int_tiers') }}
    ),

    compared as (
        select
            tiers_before.customer_key,
            tiers_before.day,
            tiers_before.business_line,
            tiers_before.figure_12m,
            tiers_before.tier as tier_before,
            {{ tier_of('tiers_before.figure_12m', 'cuts') }} as tier
        from tiers_before
        inner join cuts
            on
                tiers_before.business_line = cuts.business_line
                and tiers_before.day = cuts.day
        {{ with_restated_customers('tiers_before.customer_key') }}
        where not {{ is_ranked_anew('tiers_before.') }}
    ),

    final as (
        select
            customer_key,
            day,
            business_line,
            figure_12m,
            tier
        from compared
        where tier <> tier_before
    )
{% else %}
    with final as (
        {{ no_rows(customer_key='text', day='date', business_line='text', figure_12m='numeric', tier='text') }}
    )
{% endif %}

select * from final
