with interactions as (
    select * from {{ ref('base_service__interactions') }}
),

final as (
    select
        -- ids
        store,
        interaction_id,

        -- person
        customer_id,
        email,

        -- what it was about
        channel,
        topic,
        rating,

        -- times
        opened_at,
        closed_at
    from interactions
    where row_status = 'accepted'
)

select * from final
