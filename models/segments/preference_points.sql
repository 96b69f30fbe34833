-- Grain: customer, type of preference and value for which there is any evidence. Not additive: the
-- rates and the index.
with interests as (
    select * from {{ ref('product_interests') }}
),

hours as (
    select * from {{ ref('activity_hours') }}
),

-- One spelling of each name, whatever the case in the shop.
products as (
    select
        products.product_key,
        min(products.category) over (partition by lower(products.category)) as category,
        min(products.brand) over (partition by lower(products.brand)) as brand,
        bands.price_band
    from {{ ref('dim_products') }} as products
    left join {{ ref('product_price_bands') }} as bands
        on products.product_key = bands.product_key
    where not products.is_sensitive
),

weights as (
    select * from {{ ref('preference_evidence') }}
),

pieces as (
    {%- for type in ['category', 'brand', 'price_band'] %}
    select
        interests.customer_key,
        '{{ type }}' as preference_type,
        products.{{ type }} as preferred_value,
        interests.evidence,
        interests.evidence_count
    from interests
    inner join products on interests.product_key = products.product_key
    where products.{{ type }} is not null
    union all
    {%- endfor %}
    select
        customer_key,
        'hour' as preference_type,
        lpad(cast(local_hour as varchar), 2, '0') as preferred_value,
        evidence,
        evidence_count
    from hours
    union all
    select
        customer_key,
        'weekday' as preference_type,
        cast(local_weekday as varchar) as preferred_value,
        evidence,
        evidence_count
    from hours
    union all
    select
        customer_key,
        'channel' as preference_type,
        channel as preferred_value,
        evidence,
        evidence_count
    from hours
    where channel <> 'none'
),

summed as (
    select
        pieces.customer_key,
        pieces.preference_type,
        pieces.preferred_value,
        cast(sum(pieces.evidence_count) as bigint) as evidence_count,
        sum(pieces.evidence_count * weights.weight) as points
    from pieces
    inner join weights on pieces.evidence = weights.evidence
    group by pieces.customer_key, pieces.preference_type, pieces.preferred_value
),

shared as (
    select
        *,
        sum(points) over (partition by customer_key, preference_type) as customer_points,
        sum(points) over (partition by preference_type, preferred_value) as value_points,
        sum(points) over (partition by preference_type) as all_points
    from summed
),

final as (
    select
        customer_key,
        preference_type,
        preferred_value,
        evidence_count,
        cast(points as decimal(18, 4)) as points,
        cast(cast(points as double) / customer_points as decimal(9, 4)) as preference_rate,
        cast(cast(value_points as double) / all_points as decimal(9, 4)) as shop_rate,
        cast(
            (cast(points as double) / customer_points)
            / (cast(value_points as double) / all_points) as decimal(18, 4)
        ) as affinity_index
    from shared
)

select * from final
