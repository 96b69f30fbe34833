-- Grain: event on the site in which a product was looked at or put in the cart, as far back as any
-- rule asks: a table, since a shop has years of events and more than one reader of the last weeks.
-- A day more than asked, by UTC: days are those of the shop's clock.
with evidence as (
    select max(days) as days from {{ ref('preference_evidence') }}
    where evidence in ('product_view', 'cart_add')
),

thresholds as (
    select cast({{ threshold('viewed_not_bought', 'days') }} as integer) as days
    from {{ ref('segment_thresholds') }}
),

windows as (
    select greatest(coalesce(evidence.days, 0), coalesce(thresholds.days, 0)) as days
    from evidence
    cross join thresholds
),

events as (
    select events.*
    from {{ ref('stg_web__events') }} as events
    cross join windows
    where
        events.event_type in ('product_view', 'add_to_cart')
        and events.product_id is not null
        and events.occurred_at
        >= cast({{ as_of_date() }} - cast(windows.days + 1 as integer) as timestamp)
),

final as (
    select
        store,
        event_id,
        customer_key,
        product_key,
        event_type,
        occurred_at,
        event_date
    from ({{ customers_of_web_events('events') }}) as looked_up
)

select * from final
