with customers as (
    select * from {{ ref('dim_customer') }}
    where stage not in ('closed', 'prospect')
),

histories as (
    select
        *,
        last_order_on - first_order_on as recency_days,
        {{ as_of_date() }} - first_order_on as age_days
    from {{ ref('int_purchase_histories') }}
),

business_lines as (
    select * from {{ ref('int_business_lines') }}
),

forecasts as (
    select * from {{ source('forecast_scores', 'forecasts') }}
),

-- only those that forecast
fits as (
    select fits.*
    from {{ source('forecast_fits', 'forecast_fits') }} as fits
    where fits.fit_id in (select forecasts.fit_id from forecasts)
),

-- the spend to expect on a purchase day is null where the fit has no spend model (src/winback/score/forecast)
expected as (
    select
        customers.customer_key,
        customers.business_line,
        histories.last_order_on,
        business_lines.margin_share,
        forecasts.expected_orders_12m,
        case when fits.dropout_identified then forecasts.p_alive end as p_alive,
        case when fits.dropout_identified then forecasts.discounted_orders end as discounted_orders,
        fits.spend_p * (fits.spend_gamma + histories.frequency * coalesce(histories.mean_spend, 0))
        / (fits.spend_p * histories.frequency + fits.spend_q - 1) as spend_per_order,
        case when fits.beats_recency then 'model' else 'recency' end as risk_ranked_by,
        fits.fit_id,
        fits.as_of_date as fitted_on
    from customers
    inner join histories on customers.customer_key = histories.customer_key
    inner join business_lines on customers.business_line = business_lines.business_line
    left join fits on customers.business_line = fits.business_line
    left join forecasts
        on
            fits.fit_id = forecasts.fit_id
            and histories.frequency = forecasts.frequency
            and histories.recency_days = forecasts.recency_days
            and histories.age_days = forecasts.age_days
),

final as (
    select
        customer_key,
        business_line,
        expected_orders_12m,
        expected_orders_12m * spend_per_order as expected_revenue_12m,
        expected_orders_12m * spend_per_order * margin_share as expected_margin_12m,
        discounted_orders * spend_per_order * margin_share as clv,
        p_alive,
        cast(
            rank() over (
                partition by business_line
                order by case when risk_ranked_by = 'model' then expected_orders_12m end, last_order_on
            ) as integer
        ) as risk_rank,
        risk_ranked_by,
        fit_id,
        fitted_on
    from expected
)

select * from final
