-- Who received which campaign. Nothing is known of deliveries, opens or clicks.
select
    'sent-' || campaign_id || '-' || household_id as event_id,
    campaign_id || '-' || household_id as message_id,
    cast(campaign_id as varchar) as campaign_id,
    cast(household_id as varchar) as customer_id,
    'email' as channel,
    'sent' as event_type,
    (start_date at time zone 'America/New_York') at time zone 'UTC' as occurred_at
from 'campaigns.parquet'
inner join 'campaign_descriptions.parquet' using (campaign_id)
order by campaign_id, household_id
