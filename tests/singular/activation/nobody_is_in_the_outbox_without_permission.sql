-- Asked of the permissions and suppressions again: whom the ESP is to hold by the newest changes
-- may be written to at that address, and behaviour is sent only of who may be profiled.
with fields as (
    select
        '"' || property_name || '": '
        || case
            when property_type = 'text' then {{ json_string("coalesce(fallback, '')") }}
            else fallback
        end as member
    from {{ ref('esp_field_map') }}
    where esp = '{{ var("esp") }}' and purpose = 'profiling'
),

-- Behaviour in a payload: a field of the map without its fallback. Attributes of the shop's own are
-- fields like others.
told as (
    select distinct ops.change_seq
    from {{ ref('esp_latest_ops') }} as ops
    inner join fields on ops.op = 'upsert' and position((fields.member) in ops.payload) = 0
)

select
    ops.change_seq,
    ops.op
from {{ ref('esp_latest_ops') }} as ops
left join {{ ref('fct_permissions') }} as mails
    on
        ops.customer_key = mails.customer_key
        and mails.purpose = 'email_marketing'
        and mails.is_permitted
left join {{ ref('fct_permissions') }} as profiles
    on
        ops.customer_key = profiles.customer_key
        and profiles.purpose = 'profiling'
        and profiles.is_permitted
left join {{ ref('fct_suppressions') }} as suppressions on ops.email = suppressions.email
left join told on ops.change_seq = told.change_seq
left join {{ ref('dim_customers') }} as customers on ops.customer_key = customers.customer_key
where
    ops.op in ('upsert', 'event')
    -- A profile that is kept for the heir of its address is nobody's now.
    and (customers.customer_key is not null or ops.op = 'event')
    and (
        mails.customer_key is null
        or suppressions.email is not null
        or (
            ops.op = 'upsert'
            and profiles.customer_key is null
            and told.change_seq is not null
        )
    )
