-- One row per user who was sent something, with the address of the newest message. Currents exports
-- no profiles: there is no `loaded_at`, since this is no complete export, and no `created_at`.
with sends as (
    {%- for table, channel, event_type, bounce_type in message_events if event_type == 'sent' %}
    {{ 'union all' if not loop.first }}
    select
        user_id,
        external_user_id,
        {% if channel == 'email' %}email_address{% else %}cast(null as varchar){% endif %} as email,
        {% if channel == 'sms' %}to_phone_number{% else %}cast(null as varchar){% endif %} as phone,
        id,
        time
    from {{ raw('users_messages_' ~ table) }} as events
    {%- endfor %}
),

newest as (
    select distinct
        user_id,
        first_value(external_user_id) over (
            partition by user_id
            order by case when external_user_id is null then 1 else 0 end, time desc, id
        ) as external_id,
        first_value(email) over (
            partition by user_id
            order by case when email is null then 1 else 0 end, time desc, id
        ) as email,
        first_value(phone) over (
            partition by user_id
            order by case when phone is null then 1 else 0 end, time desc, id
        ) as phone,
        max(time) over (partition by user_id) as newest_time
    from sends
)

select
    user_id as esp_contact_id,
    email,
    phone,
    external_id,
    {{ from_seconds('newest_time') }} as updated_at
from newest
