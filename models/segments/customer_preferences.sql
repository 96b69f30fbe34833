-- Grain: customer, type of preference and rank. What the person stated comes first, in their order;
-- then what the evidence allows to infer by the seed preference_rules. The figures of the evidence
-- stand beside stated values too, and are null where nothing backs them.
with stated as (
    select * from {{ ref('stated_preferences') }}
),

points as (
    select * from {{ ref('preference_points') }}
),

rules as (
    select * from {{ ref('preference_rules') }}
),

joined as (
    select
        coalesce(stated.customer_key, points.customer_key) as customer_key,
        coalesce(stated.preference_type, points.preference_type) as preference_type,
        coalesce(stated.preferred_value, points.preferred_value) as preferred_value,
        stated.stated_rank,
        points.evidence_count,
        points.points,
        points.preference_rate,
        points.shop_rate,
        points.affinity_index
    from stated
    full outer join points
        on
            stated.customer_key = points.customer_key
            and stated.preference_type = points.preference_type
            and stated.preferred_value = points.preferred_value
),

ranked as (
    select
        joined.*,
        rules.most_values,
        row_number() over (
            partition by joined.customer_key, joined.preference_type
            order by
                joined.stated_rank asc nulls last,
                joined.points desc nulls last,
                joined.affinity_index desc nulls last,
                joined.preferred_value asc
        ) as preference_rank
    from joined
    inner join rules on joined.preference_type = rules.preference_type
    where
        joined.stated_rank is not null
        or (
            joined.evidence_count >= rules.minimum_count
            and joined.preference_rate >= rules.minimum_rate
            and joined.affinity_index >= rules.minimum_index
        )
),

final as (
    select
        customer_key,
        preference_type,
        preference_rank,
        preferred_value,
        case when stated_rank is not null then 'explicit' else 'inferred' end
            as preference_source,
        coalesce(evidence_count, 0) as evidence_count,
        points,
        preference_rate,
        shop_rate,
        affinity_index
    from ranked
    where stated_rank is not null or preference_rank <= most_values
)

select * from final
