"""A small shop with everything in it that a build must cope with.

Versions, duplicates, merges, guests, cancellations, refunds, gift cards, currencies, test orders,
withdrawals, bounces, erasures.

Deterministic: every draw is a hash of a number. Events run from 2023-09-01 to 2024-07-31.
"""

from pathlib import Path

import duckdb

VARS = {
    "as_of_at": "2024-06-10 09:30:00",
    "shop_timezone": "Europe/Berlin",
    "base_currency": "EUR",
    "profiling_basis": "legitimate_interest",
    "max_rejected_rate": 0.05,
}
# Tables whose rows happen: cut off at a time, they are what was known then. The others are whole.
EVENT_TIMES = {
    "shop_orders": "ordered_at",
    "shop_refunds": "refunded_at",
    "coupon_redemptions": "redeemed_at",
    "esp_events": "occurred_at",
    "web_events": "occurred_at",
    "social_interactions": "occurred_at",
    "service_interactions": "opened_at",
}
# Events that decide on permission and suppression stay, however late they are.
ALWAYS_KNOWN = "event_type in ('delivered', 'bounced', 'complained', 'unsubscribed')"

DRAW = "create macro draw(a, b, n) as cast(hash(a || '-' || b) % n as integer)"
TABLES = {
    "crm_customers": """
        select
            'c' || n as customer_id,
            case when draw(n, 'mail', 20) > 0 then ' Person' || n - (n % 25 = 1)::int
                || '@Example.com ' end as email,
            'First' || n as first_name,
            (['Germany', 'de', 'Österreich', 'FRANCE', 'Atlantis', null])[1 + draw(n, 'land', 6)]
                as country,
            case when draw(n, 'when', 10) > 0
                then timestamp '2023-09-01' + to_minutes(draw(n, 'signup', 480000)) end
                as signed_up_at,
            case when n % 30 = 0 then 'c' || n - 1 end as merged_into_customer_id,
            date '1950-01-01' + draw(n, 'born', 24000) as birth_date,
            (['Europe/Berlin', 'Asia/Tokyo', 'CET+1', null])[1 + draw(n, 'zone', 4)] as timezone,
            case when draw(n, 'likes', 3) = 0
                then 'category ' || draw(n, 'first', 5) || ', Medicines,Category '
                    || draw(n, 'second', 5) end as preferred_categories,
            timestamp '2024-01-01' + to_days(version) as updated_at,
            timestamp '2024-01-02' + to_days(version) as loaded_at
        from range(1, {customers}) as people (n)
        cross join range(0, 2) as versions (version)
        where version = 0 or n % 4 = 0
    """,
    "shop_products": """
        select
            'p' || n as product_id,
            'Product ' || n as product_name,
            case when n = 1 then 'Gift Card' when n = 2 then 'fee' else 'goods' end as product_type,
            case when n % 11 = 0 then 'Medicines' else 'Category ' || n % 5 end as category,
            'Brand ' || n % 3 as brand,
            5.00 + draw(n, 'list', 40) as list_price,
            -- Of a few the cost is not known, of a few only in dollars.
            case when n % 23 > 0 then 3.00 + draw(n, 'list', 40) / 2 end as unit_cost,
            case when n % 7 = 0 then 'USD' else 'EUR' end as currency
        from range(1, 41) as products (n)
    """,
    "shop_orders": """
        select
            'o' || n as order_id,
            case when draw(n, 'guest', 8) > 0 then 'c' || who end as customer_id,
            case when draw(n, 'guest', 8) = 0 and draw(n, 'known', 3) > 0
                then 'guest' || who % 17 || '@example.com' end as email,
            case when draw(n, 'cancel', 12) = 0 then 'Canceled' else 'paid' end as order_status,
            draw(n, 'test', 40) = 0 as is_test,
            ordered_at,
            case when draw(n, 'cancel', 12) = 0 and draw(n, 'late', 3) > 0
                then ordered_at + to_hours(draw(n, 'cancelled', 4000)) end as cancelled_at,
            case when draw(n, 'money', 6) = 0 then 'usd' else 'EUR' end as currency,
            draw(n, 'included', 2) = 0 as is_tax_included,
            case when draw(n, 'ship', 3) = 0 then 4.90 else 0 end as shipping_amount,
            case when draw(n, 'tax', 2) = 0 then 2.00 else 0 end as tax_amount,
            20.00 + (draw(n || 0, 'price', 900) + draw(n || 1, 'price', 900)) / 100
                + shipping_amount + case when is_tax_included then 0 else tax_amount end
                as total_amount,
            'version' || version as coupon_code,
            ordered_at + to_days(version) as updated_at,
            ordered_at + to_hours(version * 30 + 1) as loaded_at
        from (
            select
                n,
                draw(n, 'who', {customers}) % (1 + draw(n, 'spread', {customers})) + 1 as who,
                timestamp '2023-09-01' + to_minutes(draw(n, 'at', 480000)) as ordered_at
            from range(1, {customers} * 6) as orders (n)
        )
        cross join range(0, 2) as versions (version)
        where version = 0 or n % 7 = 0
    """,
    "shop_order_lines": """
        select
            'o' || n || '-' || line as order_line_id,
            'o' || n as order_id,
            'p' || 1 + draw(n, line, 42) as product_id,
            1 + draw(n || line, 'quantity', 3) as quantity,
            10.00 + draw(n || line, 'price', 900) / 100 as line_amount,
            draw(n || line, 'off', 300) / 100 as discount_amount,
            timestamp '2024-01-01' as loaded_at
        from range(1, {customers} * 6) as orders (n)
        cross join range(0, 2) as lines (line)
        union all
        select 'stray', 'no such order', 'p3', 1, 5.00, 0, timestamp '2024-01-01'
    """,
    "shop_refunds": """
        select
            'r' || n as refund_id,
            'o' || n as order_id,
            case when draw(n, 'part', 2) = 0 then 'o' || n || '-0' end as order_line_id,
            (['line', 'line', 'shipping', 'adjustment', 'exchange'])[1 + draw(n, 'kind', 5)]
                as refund_type,
            timestamp '2023-09-05' + to_minutes(draw(n, 'back', 480000)) as refunded_at,
            case when draw(n, 'full', 4) = 0 then 60.00 else 5.00 end as refund_amount
        from range(1, {customers} * 6) as orders (n)
        where n % 9 = 0
    """,
    "coupon_redemptions": """
        select
            'k' || n as redemption_id,
            'c' || 1 + draw(n, 'coupon', {customers}) as customer_id,
            'SAVE' as coupon_code,
            'm1' as campaign_id,
            timestamp '2023-09-01' + to_minutes(draw(n, 'redeem', 480000)) as redeemed_at
        from range(1, 60) as redemptions (n)
    """,
    "esp_campaigns": "select 'm1' as campaign_id, 'Spring' as campaign_name",
    "esp_events": """
        select
            'e' || n || '-' || event_type as event_id,
            'e' || n as message_id,
            'm1' as campaign_id,
            'c' || 1 + draw(n, 'to', {customers}) as customer_id,
            event_type,
            case when draw(n, 'hard', 2) = 0 then 'hard' end as bounce_type,
            timestamp '2023-09-01' + to_minutes(draw(n, 'sent', 480000)) + to_minutes(minutes)
                as occurred_at
        from range(1, {customers} * 3) as messages (n)
        inner join (
            values ('sent', 0, 1), ('delivered', 1, 2), ('opened', 9, 3), ('clicked', 12, 7),
            ('unsubscribed', 30, 40),
            ('bounced', 1, 50), ('complained', 60, 90)
        ) as events (event_type, minutes, one_in) on draw(n, event_type, one_in) = 0
    """,
    "esp_contacts": """
        select
            'x' || n as esp_contact_id,
            case when n % 3 = 0 then 'lead' || n else 'person' || n end || '@example.com' as email,
            n % 50 = 0 as is_suppressed,
            timestamp '2023-10-01' + to_days(n) as created_at
        from range(1, {customers}) as contacts (n)
    """,
    "consent_events": """
        select
            purpose || '-' || n || '-' || action as event_id,
            'c' || n as customer_id,
            purpose,
            action,
            case when draw(n, 'via', 5) = 0 then 'nightly import' else 'form' end as collected_via,
            timestamp '2023-09-01' + to_minutes(draw(n || action, purpose, 480000)) as occurred_at
        from range(1, {customers}) as people (n)
        inner join (
            values ('email_marketing', 'granted', 1), ('email_marketing', 'withdrawn', 6),
            ('profiling', 'objected', 15), ('profiling', 'restricted', 40),
            ('profiling', 'unrestricted', 60), ('tracking', 'withdrawn', 12),
            ('email_marketing', 'requested', 3)
        ) as events (purpose, action, one_in) on draw(n || purpose, action, one_in) = 0
    """,
    "web_events": """
        select
            'w' || n as event_id,
            case when draw(n, 'seen', 30) > 0 then 'd' || device end as anonymous_id,
            case when draw(n, 'login', 4) = 0 then 'c' || 1 + device end as customer_id,
            event_type,
            'p' || 1 + draw(n, 'looks', 12) as product_id,
            case when event_type <> 'product_view' and draw(n, 'cart', 3) > 0
                then 'cart' || device || '-' || draw(n, 'which', 4) end as cart_id,
            case when draw(n, 'told', 3) > 0 then 1 + draw(n, 'units', 3) end as quantity,
            case when draw(n, 'priced', 3) > 0 then 9.50 + draw(n, 'price', 9) end as unit_price,
            (['EUR', 'usd', 'XXX', null])[1 + draw(n, 'money', 4)] as currency,
            timestamp '2023-09-01' + to_minutes(draw(n, 'at', 480000)) as occurred_at
        from (
            select
                n,
                draw(n, 'device', {customers}) as device,
                (['product_view', 'product_view', 'product_view', 'page_view', 'search',
                    'add_to_cart', 'add_to_cart', 'remove_from_cart', 'checkout_started',
                    'order_placed'])[1 + draw(n, 'does', 10)] as event_type
            from range(1, {customers} * 60) as events (n)
        )
    """,
    "social_interactions": """
        select
            's' || n as event_id,
            'c' || 1 + draw(n, 'social', {customers}) as customer_id,
            (['like', 'comment', 'share'])[1 + draw(n, 'kind', 3)] as interaction_type,
            timestamp '2023-09-01' + to_minutes(draw(n, 'social at', 480000)) as occurred_at
        from range(1, {customers}) as interactions (n)
    """,
    "service_interactions": """
        select
            't' || n as interaction_id,
            'c' || 1 + draw(n, 'service', {customers}) as customer_id,
            (['ticket', 'chat', 'call'])[1 + draw(n, 'how', 3)] as channel,
            timestamp '2023-09-01' + to_minutes(draw(n, 'service at', 480000)) as opened_at
        from range(1, {customers}) as interactions (n)
    """,
    "customer_attributes": """
        select
            'c' || 1 + draw(n, 'attribute', {customers}) as customer_id,
            'loyalty_tier' as attribute_name,
            (['bronze', 'silver', 'gold'])[1 + draw(n, 'tier', 3)] as attribute_value,
            timestamp '2023-09-01' + to_minutes(draw(n, 'tier at', 480000)) as updated_at
        from range(1, {customers}) as attributes (n)
    """,
    "erasure_requests": """
        select
            'q' || n as request_id,
            'c' || n * 37 as customer_id,
            timestamp '2024-02-01' + to_days(n * 20) as requested_at
        from range(1, 1 + {customers} // 60) as requests (n)
    """,
    "fx_rates": """
        select
            'USD' as currency,
            cast(date '2023-08-01' + cast(n * 7 as integer) as date) as rate_date,
            0.90 + n / 1000 as rate_to_base
        from range(0, 60) as weeks (n)
    """,
}


def write_shop(folder: Path, customers: int = 150) -> Path:
    """Write the shop's landing tables as parquet, and return the folder.

    Args:
        folder: where to, created where missing.
        customers: CRM records, about; everything else is in proportion.
    """
    folder.mkdir(parents=True)
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(DRAW)
    for name, query in TABLES.items():
        rows = query.format(customers=customers)
        connection.execute(f"copy ({rows}) to '{folder}/{name}.parquet' (format parquet)")
    return folder


def truncated(landing: Path, folder: Path, clock: str) -> Path:
    """Copy a landing as it would have been at a time: what happened at or after it is not there.

    Args:
        landing: the folder to copy.
        folder: where to.
        clock: UTC timestamp.
    """
    folder.mkdir(parents=True)
    for path in sorted(landing.glob("*.parquet")):
        name = path.stem
        condition = "true"
        if name in EVENT_TIMES:
            condition = f"{EVENT_TIMES[name]} < timestamp '{clock}'"
        if name == "esp_events":
            condition += f" or {ALWAYS_KNOWN}"
        if name == "shop_order_lines":
            # A line happens when its order does.
            condition = (
                f"not exists (select 1 from '{landing}/shop_orders.parquet' as orders where"
                f" orders.order_id = rows.order_id and ordered_at >= timestamp '{clock}')"
            )
        duckdb.execute(
            f"copy (select * from '{path}' as rows where {condition})"
            f" to '{folder}/{name}.parquet' (format parquet)"
        )
    return folder


def shuffled(landing: Path, folder: Path, seed: int) -> Path:
    """Copy a landing with every table's rows in another order, in a folder of three files each.

    Args:
        landing: the folder to copy.
        folder: where to.
        seed: which order.
    """
    for path in sorted(landing.glob("*.parquet")):
        table = folder / path.name
        table.mkdir(parents=True)
        for part in range(3):
            duckdb.execute(
                f"""
                copy (
                    select * exclude (file_row_number)
                    from read_parquet('{path}', file_row_number = true)
                    where hash({seed}, file_row_number) % 3 = {part}
                    order by hash(file_row_number, {seed})
                ) to '{table}/{part}.parquet' (format parquet)
                """
            )
    return folder
