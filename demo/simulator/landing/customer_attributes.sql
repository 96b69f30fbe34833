-- The loyalty tier of whoever has ordered, and the home store of some.
with attributes as (
    select
        account_no,
        'loyalty_tier' as attribute_name,
        if(place = 0, 'bronze', if(place < 4, 'silver', 'gold')) as attribute_value,
        ordered_at as updated_at
    from orders
    where account_no is not null and place in (0, 1, 4)
    union all
    select
        account_no,
        'home_store' as attribute_name,
        ['Harbour', 'Station', 'Market', 'Hill'][1 + pick(4, 'home store', account_no)]
            as attribute_value,
        created_at as updated_at
    from accounts where pick(10, 'has home store', account_no) < 3
),

rendered as (
    select
        id('c', account_no) as customer_id,
        attribute_name,
        attribute_value,
        updated_at,
        nightly(updated_at, 0) as loaded_at
    from attributes
)

select * from rendered
union all by name
select customer_id, null as attribute_name, attribute_value, updated_at, loaded_at
from rendered where hash(customer_id, attribute_value, 'bad') % 3000 = 0
order by loaded_at, customer_id, attribute_name, attribute_value
