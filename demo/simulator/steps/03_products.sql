-- Twelve categories of equally many goods, eight brands in each, and a few things that are no goods.
create table categories as
select
    cast(row_number() over () - 1 as integer) as category_no,
    category,
    subcategories,
    typical_price
from (
    values
    ('Coffee', ['Beans', 'Ground', 'Capsules'], 14),
    ('Tea', ['Black', 'Green', 'Herbal'], 11),
    ('Kitchen', ['Pots', 'Knives', 'Storage'], 34),
    ('Bath', ['Towels', 'Mats', 'Soap'], 22),
    ('Bedding', ['Sheets', 'Pillows', 'Blankets'], 49),
    ('Lighting', ['Lamps', 'Candles', 'Bulbs'], 39),
    ('Garden', ['Tools', 'Seeds', 'Pots'], 27),
    ('Toys', ['Wooden', 'Puzzles', 'Soft'], 24),
    ('Books', ['Cooking', 'Fiction', 'Travel'], 17),
    ('Stationery', ['Pens', 'Paper', 'Cards'], 9),
    ('Outdoor', ['Bags', 'Bottles', 'Tents'], 59),
    ('Intimate health', ['Care', 'Tests', 'Comfort'], 19)
) as rows (category, subcategories, typical_price);

create table products as
select
    product_no,
    id('p', product_no) as product_id,
    categories.category || ' ' || subcategory || ' ' || product_no as product_name,
    'goods' as product_type,
    categories.category,
    subcategory,
    ['Alder', 'Birch', 'Cedar', 'Elm', 'Fir', 'Hazel', 'Larch', 'Maple'][product_no
        % getvariable('products_per_category') % 8 + 1] || ' & Co' as brand,
    cast(
        floor(categories.typical_price * exp(0.45 * (
            u('price', product_no, 1) + u('price', product_no, 2) + u('price', product_no, 3) - 1.5
        ) * 2)) + 0.9 as decimal(18, 2)
    ) as first_price
from (
    select
        cast(product_no as integer) as product_no,
        categories.subcategories[1 + pick(3, 'subcategory', product_no)] as subcategory,
        category_no
    from range(getvariable('categories') * getvariable('products_per_category')) as n (product_no)
    inner join categories
        on categories.category_no = product_no // getvariable('products_per_category')
) as goods
inner join categories using (category_no)
union all
select
    1000000 + cast(row_number() over () as integer) as product_no,
    product_id,
    product_name,
    product_type,
    null as category,
    null as subcategory,
    null as brand,
    first_price
from (
    values
    ('gift-25', 'Gift card 25', 'gift_card', 25.00),
    ('gift-50', 'Gift card 50', 'gift_card', 50.00),
    ('wrap', 'Gift wrapping', 'service', 4.50),
    ('express', 'Express handling', 'fee', 6.00)
) as rows (product_id, product_name, product_type, first_price)
order by product_no;

-- Prices in base currency. About a third of the half-years bring another price, often a lower one.
create table prices as
select
    products.product_no,
    cast(period as integer) as period,
    case
        when
            products.product_type = 'goods' and period > 0
            and u('price changes', product_no, period) < 0.4
            then cast(
                floor(first_price * (0.7 + 0.45 * u('new price', product_no, period))) + 0.9
                as decimal(18, 2)
            )
        else first_price
    end as price
from products cross join range(1 + (getvariable('days') + 180) // 180) as periods (period)
order by product_no, period;

-- What a euro costs on the price tag, and on the market day by day.
create table currencies as
select
    currency_no,
    currency,
    tag_factor,
    base_rate
from (
    values
    (0, 'EUR', 1.00, 1.0), (1, 'GBP', 0.90, 1.15), (2, 'CHF', 1.05, 1.04), (3, 'USD', 1.10, 0.92),
    (4, 'SEK', 11.00, 0.088)
) as rows (currency_no, currency, tag_factor, base_rate);
