{{ config(materialized='view') }}

-- Customer ids with the key that they had on past days: that of the oldest record which the CRM
-- itself calls the same, in up to three steps. Merges that were inferred from shared identifiers
-- are left out, since each of them moved somebody's key on the day it was found.
with records as (
    select * from {{ ref('int_customer_keys_ranked') }}
    where identifier_type = 'customer_id'
),

identifiers as (
    select * from {{ ref('int_identifiers_resolved') }}
    where identifier_type = 'customer_id'
),

crm_merges as (
    select
        store,
        left_customer_id,
        min(right_customer_id) as right_customer_id
    from {{ ref('int_records_linked') }}
    where evidence = 'merged_into_customer_id'
    group by store, left_customer_id
),

rooted as (
    select
        records.*,
        coalesce(
            thrice.right_customer_id,
            twice.right_customer_id,
            once.right_customer_id,
            records.identifier
        ) as root_id
    from records
    left join crm_merges as once
        on records.store = once.store and records.identifier = once.left_customer_id
    left join crm_merges as twice
        on once.store = twice.store and once.right_customer_id = twice.left_customer_id
    left join crm_merges as thrice
        on twice.store = thrice.store and twice.right_customer_id = thrice.left_customer_id
),

keyed as (
    select
        *,
        first_value(own_key) over (
            partition by store, root_id
            order by
                case when origin = 'crm' then 0 else 1 end asc,
                recorded_at asc nulls last,
                record_id asc
        ) as dated_key
    from rooted
    qualify
        row_number() over (partition by store, identifier order by origin asc, record_id asc) = 1
),

final as (
    select
        keyed.store,
        keyed.identifier,
        identifiers.customer_key,
        keyed.dated_key,
        keyed.origin,
        keyed.recorded_at,
        -- Whom the CRM does not know is there from the first order on.
        case when keyed.origin <> 'crm' then keyed.recorded_at end as known_at
    from keyed
    inner join identifiers
        on keyed.store = identifiers.store and keyed.identifier = identifiers.identifier
)

select * from final
