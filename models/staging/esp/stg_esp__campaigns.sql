with campaigns as (
    select * from {{ ref('base_esp__campaigns') }}
),

final as (
    select
        -- ids
        store,
        campaign_id,
        parent_id,
        experiment_id,

        -- what it is
        campaign_name,
        campaign_type,
        channel,
        subject_line,
        preheader,
        utm_campaign,

        -- money
        cost_amount,

        -- times
        started_at,
        ended_at
    from campaigns
    where row_status = 'accepted'
)

select * from final
