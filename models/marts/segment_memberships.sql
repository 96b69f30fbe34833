-- Grain: customer and segment, today. Not additive over segments: a customer is in several, and
-- parents contain their children.
with catalog as (
    select * from {{ ref('segment_directory') }}
),

members as (
    select * from {{ ref('purchase_members') }}
    union all
    select * from {{ ref('lifecycle_members') }}
    union all
    select * from {{ ref('rfm_members') }}
    union all
    select * from {{ ref('behaviour_members') }}
    union all
    select * from {{ ref('browsing_members') }}
    union all
    select * from {{ ref('predicted_members') }}
    union all
    select * from {{ ref('rule_members') }}
    union all
    select * from {{ ref('custom_members') }}
),

final as (
    select
        members.customer_key,
        members.segment_id,
        catalog.family,
        members.reason,
        members.figures,
        members.exit_rule,
        members.ends_on
    from members
    inner join catalog on members.segment_id = catalog.segment_id
)

select * from final
