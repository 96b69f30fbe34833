-- Follows merged_into_customer_id to the record that stands for the person. A chain may be of any
-- length; where it runs into a circle, the circle's smallest id stands.
with recursive records as (
    select * from {{ ref('stg_crm__customers') }}
),

-- A merge into a record that never landed leads nowhere.
steps as (
    select
        records.store,
        records.customer_id,
        targets.customer_id as target_customer_id
    from records
    inner join records as targets
        on
            records.store = targets.store
            and records.merged_into_customer_id = targets.customer_id
),

-- `union` drops what was reached before, so that the walk ends in a circle too.
reached as (
    select
        store,
        customer_id,
        target_customer_id
    from steps
    union
    select
        reached.store,
        reached.customer_id,
        steps.target_customer_id
    from reached
    inner join steps
        on
            reached.store = steps.store
            and reached.target_customer_id = steps.customer_id
),

in_circles as (
    select
        store,
        customer_id
    from reached
    where customer_id = target_customer_id
),

roots as (
    select
        reached.store,
        reached.customer_id,
        min(reached.target_customer_id) as root_customer_id
    from reached
    left join steps
        on
            reached.store = steps.store
            and reached.target_customer_id = steps.customer_id
    left join in_circles
        on
            reached.store = in_circles.store
            and reached.target_customer_id = in_circles.customer_id
    where steps.customer_id is null or in_circles.customer_id is not null
    group by reached.store, reached.customer_id
),

final as (
    select
        records.store,
        records.customer_id,
        coalesce(roots.root_customer_id, records.customer_id) as root_customer_id
    from records
    left join roots
        on records.store = roots.store and records.customer_id = roots.customer_id
)

select * from final
