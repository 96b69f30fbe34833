with source as (
    select * from {{ landing('esp', 'esp_campaigns') }}
),

judged as (
    select
        *,
        {{ standardise('campaign_type', 'campaign_type') }} as clean_campaign_type,
        {{ standardise('channel', 'channel') }} as clean_channel,
        {{ reject_reason([
            ('campaign_id is null', 'campaign_id is missing'),
            ('cost_amount < 0', 'cost_amount is negative'),
            (is_absurd_amount('cost_amount'), 'cost_amount is absurd'),
            ('ended_at < started_at', 'campaign ends before it starts'),
        ]) }} as reject_reason,
        -- A campaign may be planned ahead: it is an entity, not an event.
        false as is_not_yet,
        false as is_withheld
    from source
),

ranked as (
    select
        *,
        {{ row_status(['store', 'campaign_id']) }} as row_status
    from judged
),

final as (
    select
        store,
        campaign_id,
        parent_id,
        campaign_name,
        coalesce(clean_campaign_type, 'campaign') as campaign_type,
        coalesce(clean_channel, 'email') as channel,
        subject_line,
        preheader,
        experiment_id,
        utm_campaign,
        cost_amount,
        started_at,
        ended_at,
        loaded_at,
        campaign_id as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('campaign_type is not null and clean_campaign_type is null', 'campaign_type'),
            ('channel is not null and clean_channel is null', 'channel'),
        ]) }} as unusable_columns
    from ranked
)

select * from final
