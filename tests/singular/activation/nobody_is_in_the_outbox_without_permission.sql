-- Asked of the permissions and suppressions again: whom the ESP is to hold by the newest changes
-- may be written to at that address, and behaviour is sent only of who may be profiled. While no
-- basis is declared nothing is written, and nothing is asked.
{%- set profiling = [
    'lifecycle_stage', 'rfm_segment', 'order_count_band', 'net_revenue_band', 'last_order_date',
] %}
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
left join {{ ref('dim_customers') }} as customers on ops.customer_key = customers.customer_key
where
    '{{ var("profiling_basis") }}' <> 'None'
    and ops.op in ('upsert', 'event')
    -- A profile that is kept for the heir of its address is nobody's now.
    and (customers.customer_key is not null or ops.op = 'event')
    and (
        mails.customer_key is null
        or suppressions.email is not null
        or (
            ops.op = 'upsert'
            and profiles.customer_key is null
            and (
                position('"segments": []' in ops.payload) = 0
                {%- for name in profiling %}
                or position('"{{ name }}": "none"' in ops.payload) = 0
                {%- endfor %}
            )
        )
    )
