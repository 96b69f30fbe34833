-- Sizes of what goes out now: bytes of a payload, and letters of a text that could be longest.
with limits as (
    select * from {{ ref('esp_identity') }}
    where esp = '{{ var("esp") }}'
)

select
    payloads.customer_key,
    {{ byte_length('payloads.payload') }} as payload_bytes
from {{ ref('esp_payloads') }} as payloads
inner join {{ ref('esp_profiles') }} as profiles on payloads.customer_key = profiles.customer_key
cross join limits
where
    {{ byte_length('payloads.payload') }} + 400 > limits.max_payload_bytes
    or length(payloads.esp_id) > limits.max_text_length
    or greatest(
        length(profiles.first_name),
        length(profiles.language),
        length(profiles.favourite_category),
        length(profiles.persona)
    ) > limits.max_text_length
    -- A null clears nothing at an ESP.
    or {{ matches(
        "replace(payloads.payload, chr(92) || '\"', '')", '[{,] ?"[^"]*": null[,}]'
    ) }}
