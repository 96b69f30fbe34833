-- Tickets about refunds and cancellations, and ratings some days after an order.
with contacts as (
    select order_no, 1 as place, 'ticket' as channel, coalesce(reason, 'refund') as topic,
        null::decimal(9, 2) as rating, later(refunded_at, -86400 * 2) as opened_at, 2 as days_open
    from refunds where pick(3, 'ticket', order_no) > 0
    union all
    select order_no, 2, if(pick(2, 'calls', order_no) = 0, 'call', 'chat'), 'cancellation', null,
        cancelled_at, 0
    from placed_orders where cancelled_at < clock() and pick(2, 'asks', order_no) = 0
    union all
    select order_no, 3, 'survey', 'order',
        greatest(1, 5 - floor(4 * pow(u('rating', order_no), 2)))::decimal(9, 2),
        later(fulfilled_at, 86400 * 6), 0
    from placed_orders where pick(8, 'survey', order_no) = 0
),

rendered as (
    select
        id('t', order_no) || '-' || contacts.place as interaction_id,
        case when account_no is not null then id('c', account_no) end as customer_id,
        case when account_no is null then people.email end as email,
        channel,
        topic,
        rating,
        opened_at,
        case when days_open > 0 then later(opened_at, 86400 * days_open) end as closed_at,
        nightly(opened_at, hours_late('service', order_no)) as loaded_at
    from contacts
    inner join orders using (order_no)
    inner join people using (person_no)
    where opened_at < clock() and opened_at > ordered_at
)

select * from rendered
union all
select * from rendered where hash(interaction_id, 'twice') % 70 = 0
union all by name
select null as interaction_id, customer_id, email, opened_at, loaded_at
from rendered where hash(interaction_id, 'bad') % 1500 = 0
order by loaded_at, interaction_id
