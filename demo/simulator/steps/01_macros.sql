-- Draws. A uniform number in (0, 1) for a purpose and one or two ids: two hashes, since DuckDB's
-- hash of several values alone would leave draws for different purposes related.
create macro draw(purpose, a) as
    hash(xor(hash(getvariable('seed'), purpose), hash(a))),
    (purpose, a, b) as hash(xor(hash(getvariable('seed'), purpose), hash(a, b)));
create macro u(purpose, a) as
    ((draw(purpose, a) >> 11) + 0.5::double) * 1.1102230246251565e-16::double,
    (purpose, a, b) as ((draw(purpose, a, b) >> 11) + 0.5::double) * 1.1102230246251565e-16::double;
-- An integer from 0 to n - 1.
create macro pick(n, purpose, a) as cast(draw(purpose, a) % n as integer),
    (n, purpose, a, b) as cast(draw(purpose, a, b) % n as integer);
-- Exponential with mean 1.
create macro exponential(purpose, a) as -ln(u(purpose, a)),
    (purpose, a, b) as -ln(u(purpose, a, b));
-- Gamma with shape 1/2 and mean 1: the square of a normal draw (Box and Muller 1958).
create macro gamma_half(purpose, a) as
    -2 * ln(u(purpose, a, 1)) * pow(cos(2 * pi() * u(purpose, a, 2)), 2);

create macro parameter(name) as getvariable('parameter_' || name);
create macro clock() as getvariable('clock');

-- Ids as a shop would have them: a one-to-one scramble of 32 bits (Knuth's multiplicative hash),
-- another one for each prefix, so that no id tells which other id is of the same person.
create macro scrambled(n) as (cast(n as ubigint) * 2654435761) & 4294967295::ubigint;
create macro id(prefix, n) as
    prefix || to_hex(xor(scrambled(n), hash(prefix) & 4294967295::ubigint));

-- A moment some seconds later, in whole milliseconds.
create macro later(moment, seconds) as
    make_timestamp(epoch_us(moment) + 1000 * cast(floor(cast(seconds as double) * 1000) as bigint));
-- Seconds since the shop's midnight: some hours around an hour of the person's own clock.
create macro second_of_day(local_hour, hours_ahead, purpose, a) as
    cast(
        3600 * (local_hour - hours_ahead + 24)
        + 14400 * (u(purpose, a, 1) + u(purpose, a, 2) - 1) as bigint
    ) % 86400;

-- Loaders: an hourly batch, a nightly one, and the few percent that come late.
create macro hours_late(purpose, a, b := 0) as
    case
        when u('is late ' || purpose, a, b) < parameter('late_rate')
            then cast(3 + 285 * pow(u('late ' || purpose, a, b), 2) as integer)
        else 0
    end;
create macro hourly(moment, late) as
    date_trunc('hour', moment) + to_hours(1 + late) + interval 10 minutes;
create macro nightly(moment, late) as
    date_trunc('day', moment) + interval 26 hours + to_hours(late);

-- Addresses as people and forms write them: a few in capitals or with a space.
create macro as_typed(email, a) as
    case pick(40, 'as typed', a)
        when 0 then upper(email)
        when 1 then upper(email[1]) || email[2:]
        when 2 then email || ' '
        else email
    end;

-- What a person looks at: mostly their categories, popular products first, often their brand.
create macro category_for(key, n, favourite, second) as
    case
        when u('category', key, n) < 0.5 then favourite
        when u('category', key, n) < 0.75 then second
        else pick(getvariable('categories'), 'any category', key, n)
    end;
create macro place_in_category(key, n) as
    cast(
        floor(getvariable('products_per_category') * u('product', key, n) * u('product', key, n))
        as integer
    );
create macro product_for(key, n, favourite, second, brand) as
    category_for(key, n, favourite, second) * getvariable('products_per_category')
    + case
        when u('brand', key, n) < 0.35
            then place_in_category(key, n) - place_in_category(key, n) % 8 + brand
        else place_in_category(key, n)
    end;
-- Prices in base currency: around what is typical of the category, and ending in .90.
create macro first_price(product_no) as
    floor(
        [14, 11, 34, 22, 49, 39, 27, 24, 17, 9, 59, 19][
            1 + product_no // getvariable('products_per_category')
        ] * (0.5 + 1.8 * u('price', product_no, 1) * u('price', product_no, 2))
    ) + 0.9;
-- They hold for half a year, each product's halves of its own. Two in five halves bring another
-- price, more often a lower one.
create macro price_period(product_no, day_no) as
    cast((day_no + pick(180, 'price period', product_no)) // 180 as integer);
create macro price_in(product_no, period) as
    case
        when period > 0 and u('price changes', product_no, period) < 0.4
            then floor(first_price(product_no) * (0.7 + 0.45 * u('new price', product_no, period)))
                + 0.9
        else first_price(product_no)
    end;

-- Days since the opening of a moment.
create macro day_of(moment) as
    cast((epoch(moment) - epoch(getvariable('opening'))) // 86400 as integer);
create macro campaign_name(campaign_no) as case
    when campaign_no < 110 then 'nl-' || campaign_no
    when campaign_no < 150 then 'promo-' || (campaign_no - 110)
    when campaign_no = 400 then 'flow-welcome'
    when campaign_no = 401 then 'flow-cart'
    when campaign_no = 402 then 'flow-winback'
end;
create macro part_begins(share) as
    getvariable('opening') + to_days(cast(floor(share * (getvariable('days') + 40)) as integer));
-- Whether a row belongs to the part of a large table that is being written, by when it was loaded.
create macro is_in_part(moment) as
    moment >= part_begins(getvariable('part_from'))
    and moment < part_begins(getvariable('part_until'));
