-- Grain: interaction on a social network.
with interactions as (
    select * from {{ ref('stg_social__interactions') }}
),

final as (
    select
        interactions.store,
        interactions.event_id,
        {{ resolved_customer_key(['customer_id', 'email']) }} as customer_key,
        interactions.network,
        interactions.interaction_type,
        interactions.occurred_at,
        {{ local_date('interactions.occurred_at') }} as interaction_date
    from interactions
    {{ resolved_customer_joins('interactions', ['customer_id', 'email']) }}
)

select * from final
