{{ config(materialized='view') }}

with source as (
    select * from {{ landing('consent', 'erasure_requests') }}
),

judged as (
    select
        *,
        {{ clean_email('email') }} as clean_email,
        {{ reject_reason([
            ('request_id is null', 'request_id is missing'),
            ('customer_id is null and email is null', 'neither customer_id nor email is given'),
            (
                'customer_id is null and ' ~ clean_email('email') ~ ' is null',
                'the only identifier is no e-mail address',
            ),
        ]) }} as reject_reason,
        -- A request that is known is obeyed, whatever the clock. It is what withholds other rows,
        -- so it is never withheld itself.
        false as is_not_yet,
        false as is_withheld
    from source
),

ranked as (
    select
        *,
        {{ row_status(['store', 'request_id']) }} as row_status
    from judged
),

final as (
    select
        store,
        request_id,
        customer_id,
        clean_email as email,
        -- A request whose time nobody can read counts from when it was loaded, or at once.
        case
            when {{ is_absurd_time('requested_at') }} or requested_at is null
                then coalesce(loaded_at, {{ as_of_at() }})
            else requested_at
        end as requested_at,
        loaded_at,
        md5(request_id) as row_key,
        row_status,
        reject_reason,
        {{ unusable_columns([
            ('email is not null and clean_email is null', 'email'),
        ]) }} as unusable_columns
    from ranked
)

select * from final
