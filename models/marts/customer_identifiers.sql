{{ config(materialized='view') }}

-- Grain: record that could ever have given a customer its key (CRM record, first order of an
-- identifier, ESP contact), with the key that it would give and the customer that it belongs to
-- now. Where an old key went, in other words; people merge, and their keys with them.
with records as (
    select * from {{ ref('dim_customer_records') }}
),

final as (
    select
        own_key,
        customer_key,
        own_key = customer_key as is_key_of_customer,
        store,
        origin,
        record_id,
        identifier_type,
        identifier,
        recorded_at
    from records
)

select * from final
