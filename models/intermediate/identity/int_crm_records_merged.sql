-- Follows merged_into_customer_id to the record that stands for the person. A chain may be of any
-- length; in a circle the smallest id stands.
with recursive records as (
    select * from {{ ref('stg_crm__customers') }}
),

walk as (
    select
        store,
        customer_id,
        customer_id as reached_customer_id,
        0 as step
    from records
    union
    select
        walk.store,
        walk.customer_id,
        records.merged_into_customer_id as reached_customer_id,
        walk.step + 1 as step
    from walk
    inner join records
        on walk.store = records.store and walk.reached_customer_id = records.customer_id
    inner join records as targets
        on
            records.store = targets.store
            and records.merged_into_customer_id = targets.customer_id
    -- A circle is walked round once at most: no chain is longer than there are records in it.
    where walk.step < 1000 and records.merged_into_customer_id <> walk.customer_id
),

ends as (
    select
        walk.store,
        walk.customer_id,
        walk.reached_customer_id,
        records.merged_into_customer_id is null
        or targets.customer_id is null as is_end
    from walk
    inner join records
        on walk.store = records.store and walk.reached_customer_id = records.customer_id
    left join records as targets
        on
            records.store = targets.store
            and records.merged_into_customer_id = targets.customer_id
),

final as (
    select
        store,
        customer_id,
        coalesce(
            min(case when is_end then reached_customer_id end),
            min(reached_customer_id)
        ) as root_customer_id
    from ends
    group by store, customer_id
)

select * from final
