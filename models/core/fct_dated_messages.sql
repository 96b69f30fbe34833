{{ config(materialized='view') }}

-- Grain: e-mail to somebody with a customer id, as it was known on past days: a cutoff after
-- known_date may count it. See dim_dated_identifiers.
with messages as (
    select * from {{ ref('int_messages_followed') }}
),

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

identifiers as (
    select * from {{ ref('dim_dated_identifiers') }}
),

final as (
    select
        messages.store,
        messages.message_id,
        identifiers.dated_key,
        identifiers.customer_key,
        campaigns.campaign_key,
        {{ local_date('messages.sent_at') }} as sent_date,
        {{ local_date('messages.delivered_at') }} as delivered_date,
        {{ local_date('messages.likely_human_opened_at') }} as opened_date,
        {{ local_date('messages.clicked_at') }} as clicked_date,
        {{ local_date('identifiers.linked_at') }} as known_date
    from messages
    inner join identifiers
        on
            messages.store = identifiers.store
            and messages.identifier_type = identifiers.identifier_type
            and messages.identifier = identifiers.identifier
    left join campaigns
        on messages.store = campaigns.store and messages.campaign_id = campaigns.campaign_id
    where {{ message_channel('messages', 'campaigns') }} = 'email'
)

select * from final
