-- The hash of an identifier is another for every store and type, and null for null; the key of a
-- customer who was erased is another than before, and another for every erasure.
with made as (
    select
        {{ erasure_hash("'main'", "'email'", "'ann@example.com'") }} as email_hash,
        {{ erasure_hash("'main'", "'customer_id'", "'ann@example.com'") }} as id_hash,
        {{ erasure_hash("'other'", "'email'", "'ann@example.com'") }} as other_hash,
        {{ erasure_hash("'main'", "'email'", 'cast(null as varchar)') }} as null_hash,
        {{ entity_key(["'crm'", "'main'", "'c1'"]) }} as entity_key,
        {{ customer_key_from("'crm'", "'main'", "'c1'", 'cast(null as timestamp)') }} as first_key,
        {{ customer_key_from("'crm'", "'main'", "'c1'", "timestamp '2024-01-01 00:00:00'") }}
            as second_key,
        {{ customer_key_from("'crm'", "'main'", "'c1'", "timestamp '2024-01-01 00:00:01'") }}
            as third_key,
        {{ customer_key_from("'crm'", "'main'", "'c1'", "timestamp '2024-01-01 00:00:00.9'") }}
            as same_second_key
)

select * from made
where
    email_hash in (id_hash, other_hash)
    or id_hash = other_hash
    or null_hash is not null
    or email_hash = md5('ann@example.com')
    or first_key <> entity_key
    or second_key in (first_key, third_key)
    or third_key = first_key
    or same_second_key <> second_key
