-- Grain: customer and segment of the family behaviour, with reason, figures and what ends it.
-- Thresholds are in seeds/segments/segment_thresholds.csv.
with purchases as (
    select
        *,
        rank() over (order by net_revenue_amount desc nulls last) as revenue_rank,
        count(*) over () as buyer_count
    from {{ ref('customer_purchase_summaries') }}
),

fans as (
    select * from {{ ref('category_fans') }}
),

thresholds as (
    select
        {{ threshold('recent_buyer', 'days') }} as recent_buyer_days,
        {{ threshold('big_spender', 'top_rate') }} as big_spender_top_rate,
        {{ threshold('discount_seeker', 'discount_rate') }} as discount_seeker_discount_rate,
        {{ threshold('discount_seeker', 'orders') }} as discount_seeker_orders,
        {{ threshold('lapsing', 'gap_factor') }} as lapsing_gap_factor,
        {{ threshold('lapsing', 'purchase_days') }} as lapsing_purchase_days
    from {{ ref('segment_thresholds') }}
),

measured as (
    select
        purchases.*,
        thresholds.*
    from purchases
    cross join thresholds
),

members as (
    select
        customer_key,
        'recent_buyer' as segment_id,
        'Last order ' || days_since_last_order || ' days ago' as reason,
        {{ json_text([['days_since_last_order', 'days_since_last_order', false]]) }} as figures,
        'without an order' as exit_rule,
        last_order_date + cast(recent_buyer_days as integer) + 1 as ends_on
    from measured
    where days_since_last_order <= recent_buyer_days
    union all
    select
        customer_key,
        'big_spender' as segment_id,
        'Net revenue ' || cast(net_revenue_amount as decimal(18, 2)) || ', rank ' || revenue_rank
        || ' of ' || buyer_count as reason,
        {{ json_text([
            ['net_revenue_amount', 'net_revenue_amount', false],
            ['revenue_rank', 'revenue_rank', false],
            ['buyer_count', 'buyer_count', false],
        ]) }} as figures,
        'Leaves when enough others have spent more' as exit_rule,
        cast(null as date) as ends_on
    from measured
    where revenue_rank <= ceil(big_spender_top_rate * buyer_count)
    union all
    select
        customer_key,
        'discount_seeker' as segment_id,
        'Discounts of ' || cast(100 * discount_rate as decimal(9, 0)) || '% of the list value over '
        || order_count || ' orders' as reason,
        {{ json_text([
            ['discount_rate', 'discount_rate', false], ['order_count', 'order_count', false],
        ]) }} as figures,
        'Leaves when the discounts fall under '
        || cast(100 * discount_seeker_discount_rate as decimal(9, 0)) || '% of the list value'
            as exit_rule,
        cast(null as date) as ends_on
    from measured
    where
        discount_rate >= discount_seeker_discount_rate
        and order_count >= discount_seeker_orders
    union all
    select
        customer_key,
        'lapsing' as segment_id,
        'Last order ' || days_since_last_order || ' days ago, usually every '
        || cast(mean_gap_days as decimal(9, 1)) || ' days' as reason,
        {{ json_text([
            ['days_since_last_order', 'days_since_last_order', false],
            ['mean_gap_days', 'mean_gap_days', false],
        ]) }} as figures,
        'Leaves with the next order' as exit_rule,
        cast(null as date) as ends_on
    from measured
    where
        purchase_day_count >= lapsing_purchase_days
        and days_since_last_order > lapsing_gap_factor * mean_gap_days
    union all
    select
        customer_key,
        'category_fan' as segment_id,
        cast(100 * category_rate as decimal(9, 0)) || '% of spending on ' || category
        || ', the shop''s customers ' || cast(100 * shop_category_rate as decimal(9, 0)) || '%'
            as reason,
        {{ json_text([
            ['category', 'category', true], ['category_rate', 'category_rate', false],
            ['shop_category_rate', 'shop_category_rate', false],
        ]) }} as figures,
        'Leaves when other categories take a larger part' as exit_rule,
        cast(null as date) as ends_on
    from fans
),

final as (
    select
        customer_key,
        segment_id,
        reason,
        figures,
        case
            when ends_on is not null then 'Leaves on ' || ends_on || ' without an order'
            else exit_rule
        end as exit_rule,
        ends_on
    from members
)

select * from final
