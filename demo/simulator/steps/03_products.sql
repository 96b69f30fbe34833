-- Twelve categories of equally many goods, eight brands in each, and a few things that are no
-- goods.
create table categories as
select
    cast(row_number() over () - 1 as integer) as category_no,
    category,
    subcategories
from (
    values
    ('Coffee', ['Beans', 'Ground', 'Capsules']),
    ('Tea', ['Black', 'Green', 'Herbal']),
    ('Kitchen', ['Pots', 'Knives', 'Storage']),
    ('Bath', ['Towels', 'Mats', 'Soap']),
    ('Bedding', ['Sheets', 'Pillows', 'Blankets']),
    ('Lighting', ['Lamps', 'Candles', 'Bulbs']),
    ('Garden', ['Tools', 'Seeds', 'Pots']),
    ('Toys', ['Wooden', 'Puzzles', 'Soft']),
    ('Books', ['Cooking', 'Fiction', 'Travel']),
    ('Stationery', ['Pens', 'Paper', 'Cards']),
    ('Outdoor', ['Bags', 'Bottles', 'Tents']),
    ('Intimate health', ['Care', 'Tests', 'Comfort'])
) as rows (category, subcategories);

create table products as
with goods as (
    select
        cast(product_no as integer) as product_no,
        category,
        subcategories[1 + pick(3, 'subcategory', product_no)] as subcategory
    from range(getvariable('categories') * getvariable('products_per_category')) as n (product_no)
    inner join categories
        on categories.category_no = product_no // getvariable('products_per_category')
)

select
    product_no,
    id('p', product_no) as product_id,
    category || ' ' || subcategory || ' ' || product_no as product_name,
    'goods' as product_type,
    category,
    subcategory,
    ['Alder', 'Birch', 'Cedar', 'Elm', 'Fir', 'Hazel', 'Larch', 'Maple'][1 + product_no % 8]
    || ' & Co' as brand,
    cast(first_price(product_no) as decimal(18, 2)) as first_price
from goods
union all by name
select
    1000000 + n as product_no,
    product_id,
    product_name,
    product_type,
    first_price
from (
    values
    (1, 'gift-25', 'Gift card 25', 'gift_card', 25.00),
    (2, 'gift-50', 'Gift card 50', 'gift_card', 50.00),
    (3, 'wrap', 'Gift wrapping', 'service', 4.50),
    (4, 'express', 'Express handling', 'fee', 6.00)
) as rows (n, product_id, product_name, product_type, first_price)
order by product_no;

create table prices as
select
    product_no,
    cast(period as integer) as period,
    case
        when product_type = 'goods' then cast(price_in(product_no, period) as decimal(18, 2))
        else first_price
    end as price
from products cross join range(1 + (getvariable('days') + 180) // 180) as periods (period)
order by product_no, period;

-- What a euro costs on the price tag, and on the market where its walk begins.
create table currencies as
select *
from (
    values
    (0, 'EUR', 1.00, 1.0), (1, 'GBP', 0.90, 1.15), (2, 'CHF', 1.05, 1.04), (3, 'USD', 1.10, 0.92),
    (4, 'SEK', 11.00, 0.088)
) as rows (currency_no, currency, tag_factor, base_rate);
