-- Grain: RFM cell (recency score, frequency score) that time alone leads out of its segment, with
-- the last day since the order on which it still holds.
with boundaries as (
    select
        score,
        boundary_value,
        -- Scores can be missing where many share a day: below a score comes the next that exists.
        coalesce(lag(score) over (order by score), 1) as score_below
    from {{ ref('rfm_boundaries') }}
    where measure = 'recency'
),

cells as (
    select * from {{ ref('rfm_segments') }}
),

falls as (
    select
        cells.recency_score,
        cells.frequency_score,
        cells.segment_id,
        boundaries.score as fallen_score,
        boundaries.boundary_value,
        cells_below.segment_id as next_segment_id
    from cells
    inner join boundaries
        on cells.recency_score >= boundaries.score and boundaries.score > 1
    inner join cells as cells_below
        on
            boundaries.score_below = cells_below.recency_score
            and cells.frequency_score = cells_below.frequency_score
    where cells_below.segment_id <> cells.segment_id
),

final as (
    select
        recency_score,
        frequency_score,
        segment_id,
        next_segment_id,
        cast(boundary_value as integer) as last_day
    from falls
    qualify
        row_number() over (
            partition by recency_score, frequency_score order by fallen_score desc nulls last
        ) = 1
)

select * from final
