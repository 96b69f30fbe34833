with interactions as (
    select * from {{ ref('base_social__interactions') }}
),

final as (
    select
        -- ids
        store,
        event_id,

        -- person
        customer_id,
        email,

        -- what happened
        network,
        interaction_type,

        -- times
        occurred_at
    from interactions
    where row_status = 'accepted'
)

select * from final
