select
    id('m', messages.message_no) as message_id,
    person_no as person_id,
    campaign_name(campaign_no) as campaign_id,
    variant,
    sent_at,
    delivered_at,
    -- Chance that the message brings about an order, given the person's true rates.
    coalesce(chance, 0) as caused_order_chance
from messages
left join message_chances using (message_no)
order by messages.message_no
