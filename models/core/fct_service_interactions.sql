-- Grain: contact with customer service.
with interactions as (
    select * from {{ ref('stg_service__interactions') }}
),

final as (
    select
        interactions.store,
        interactions.interaction_id,
        {{ resolved_customer_key(['customer_id', 'email']) }} as customer_key,
        interactions.channel,
        interactions.topic,
        interactions.rating,
        interactions.opened_at,
        {{ local_date('interactions.opened_at') }} as opened_date,
        interactions.closed_at
    from interactions
    {{ resolved_customer_joins('interactions', ['customer_id', 'email']) }}
)

select * from final
