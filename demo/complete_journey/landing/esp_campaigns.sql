-- Campaigns were mailed on paper; each is taken as one e-mail at local midnight of its first day.
select
    cast(campaign_id as varchar) as campaign_id,
    'Campaign ' || campaign_id || ' (' || campaign_type || ')' as campaign_name,
    'campaign' as campaign_type,
    'email' as channel,
    (start_date at time zone 'America/New_York') at time zone 'UTC' as started_at,
    ((end_date + interval 1 day) at time zone 'America/New_York') at time zone 'UTC' as ended_at
from 'campaign_descriptions.parquet'
order by campaign_id
