select
    campaign_name(campaign_no) as campaign_id,
    person_no as person_id,
    variant as variant_withheld,
    sent_at as would_have_been_sent_at,
    coalesce(chance, 0) as forgone_order_chance
from campaign_messages
left join message_chances using (message_no)
where is_holdout
order by campaign_no, person_no
