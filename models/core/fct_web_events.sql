{{ config(materialized='view') }}

-- Grain: event on the site or in the app. A view: the customer is looked up at every reading, so
-- that a late link moves past events. An event of somebody who allows no tracking, or on a device
-- of several people, has no customer.
with events as (
    select * from {{ ref('stg_web__events') }}
),

final as (
    {{ customers_of_web_events('events') }}
)

select * from final
