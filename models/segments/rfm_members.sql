-- Grain: customer and RFM segment, with reason, figures and what ends it. The day holds for this
-- month's boundaries.
with scores as (
    select * from {{ ref('rfm_scores') }}
),

decays as (
    select * from {{ ref('rfm_decays') }}
),

dated as (
    select
        scores.*,
        decays.next_segment_id,
        scores.last_order_date + decays.last_day + 1 as ends_on
    from scores
    left join decays
        on
            scores.recency_score = decays.recency_score
            and scores.frequency_score = decays.frequency_score
),

final as (
    select
        customer_key,
        segment_id,
        'R' || recency_score || ' F' || frequency_score || ' M' || monetary_score
        || ': last order ' || days_since_last_order || ' days ago, ' || order_count
        || ' orders, net revenue ' || cast(net_revenue_amount as decimal(18, 2)) as reason,
        {{ json_text([
            ['recency_score', 'recency_score', false],
            ['frequency_score', 'frequency_score', false],
            ['monetary_score', 'monetary_score', false],
            ['days_since_last_order', 'days_since_last_order', false],
            ['order_count', 'order_count', false],
            ['net_revenue_amount', 'net_revenue_amount', false],
        ]) }} as figures,
        case
            when ends_on is not null
                then 'Becomes ' || next_segment_id || ' on ' || ends_on || ' without an order'
            when recency_score < 5 then 'Leaves with the next order'
            else 'Leaves when recency or frequency changes its score'
        end as exit_rule,
        ends_on
    from dated
)

select * from final
