{{ config(live_table()) }}

-- Grain: cause of a message in a visit of a customer who may get behavioural triggers, while it is
-- not too late to write: a visit that left the products it looked at, or an engaged one. An order
-- since takes the cause away; a newer visit takes over from a browse that was left. Sensitive
-- products are not mentioned, and a browse of nothing else is no cause.
with rules as (
    select * from {{ live_trigger_rules() }} as live_rules
    where trigger_type in ('browse_abandoned', 'significant_session')
),

recipients as (
    select * from {{ ref('trigger_recipients') }}
    where may_be_profiled
),

thresholds as (
    select
        {{ trigger_threshold('browse_abandoned', 'product_views') }} as browse_views,
        {{ trigger_threshold('significant_session', 'product_views') }} as session_views,
        {{ trigger_threshold('significant_session', 'engaged_seconds') }} as session_seconds
    from {{ ref('trigger_thresholds') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

last_orders as (
    select
        customer_key,
        max(ordered_at) as last_ordered_at
    from {{ ref('fct_orders') }}
    where is_valid
    group by customer_key
),

views as (
    select * from {{ ref('fct_web_events') }}
    where event_type = 'product_view'
),

recent as (
    select
        sessions.*,
        {{ entity_key(
            ['sessions.store', 'sessions.visitor_type', 'sessions.visitor', 'sessions.session_id']
        ) }} as cause
    from {{ ref('fct_web_sessions') }} as sessions
    inner join recipients on sessions.customer_key = recipients.customer_key
    where sessions.ended_at > (select min(rules.since_at) from rules)
),

unordered as (
    select
        recent.*,
        row_number() over (
            partition by recent.customer_key
            order by
                recent.ended_at desc nulls last,
                recent.started_at desc nulls last,
                recent.cause desc nulls last
        ) as newest_rank
    from recent
    left join last_orders on recent.customer_key = last_orders.customer_key
    where
        recent.order_count = 0
        and coalesce(last_orders.last_ordered_at < recent.started_at, true)
),

matched as (
    select
        rules.trigger_type,
        unordered.*
    from unordered
    inner join rules on unordered.ended_at > rules.since_at
    cross join thresholds
    where
        (
            rules.trigger_type = 'browse_abandoned'
            and unordered.newest_rank = 1
            and unordered.cart_add_count = 0
            and unordered.checkout_count = 0
            and unordered.product_view_count >= thresholds.browse_views
        )
        or (
            rules.trigger_type = 'significant_session'
            and (
                unordered.product_view_count >= thresholds.session_views
                or unordered.engaged_seconds >= thresholds.session_seconds
            )
        )
),

viewed as (
    select
        matched.trigger_type,
        matched.cause,
        products.product_id,
        products.is_sensitive
    from matched
    inner join views
        on
            matched.customer_key = views.customer_key
            and matched.started_at <= views.occurred_at
            and matched.ended_at >= views.occurred_at
    inner join products on views.product_key = products.product_key
    group by matched.trigger_type, matched.cause, products.product_id, products.is_sensitive
    qualify
        row_number() over (
            partition by matched.trigger_type, matched.cause, products.is_sensitive
            order by max(views.occurred_at) desc nulls last, products.product_id desc nulls last
        ) <= 10
),

contents as (
    select
        trigger_type,
        cause,
        {{ json_list(json_string('product_id'), 'product_id') }} as product_ids
    from viewed
    where not is_sensitive
    group by trigger_type, cause
),

with_sensitive as (
    select distinct
        trigger_type,
        cause
    from viewed
    where is_sensitive
),

final as (
    select
        matched.trigger_type,
        cast(null as varchar) as segment_id,
        matched.customer_key,
        matched.cause,
        matched.ended_at as occurred_at,
        {{ json_text([
            ['product_view_count', 'matched.product_view_count', false],
            ['engaged_seconds', 'matched.engaged_seconds', false],
            ['product_ids', "coalesce(contents.product_ids, '[]')", false],
        ]) }} as context
    from matched
    left join contents
        on matched.trigger_type = contents.trigger_type and matched.cause = contents.cause
    left join with_sensitive
        on
            matched.trigger_type = with_sensitive.trigger_type
            and matched.cause = with_sensitive.cause
    where
        matched.trigger_type <> 'browse_abandoned'
        or contents.cause is not null
        or with_sensitive.cause is null
)

select * from final
