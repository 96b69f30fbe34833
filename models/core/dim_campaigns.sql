-- Grain: campaign or flow message.
with campaigns as (
    select * from {{ ref('stg_esp__campaigns') }}
),

final as (
    select
        {{ entity_key(['store', 'campaign_id']) }} as campaign_key,
        store,
        campaign_id,
        parent_id,
        experiment_id,
        campaign_name,
        campaign_type,
        channel,
        subject_line,
        preheader,
        utm_campaign,
        {{ money('cost_amount') }} as cost_amount,
        started_at,
        ended_at
    from campaigns
)

select * from final
