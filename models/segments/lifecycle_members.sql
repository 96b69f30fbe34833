-- Grain: customer and lifecycle segment, with reason, figures and what ends it.
with stages as (
    select * from {{ ref('lifecycle_stages') }}
),

final as (
    select
        customer_key,
        segment_id,
        case
            when has_purchased
                then
                    'Last order ' || days_since_last_order || ' days ago, first order '
                    || days_since_first_order || ' days ago'
                    || case
                        when segment_id = 'reactivated'
                            then ', back after a lapse ' || days_since_return || ' days ago'
                        when segment_id = 'dormant' and days_since_engagement is null
                            then ', never engaged'
                        when segment_id = 'dormant'
                            then ', last engaged ' || days_since_engagement || ' days ago'
                        else ''
                    end
            when days_since_signup is null then 'No order, sign-up date unknown'
            else 'No order, signed up ' || days_since_signup || ' days ago'
        end as reason,
        {{ json_text([
            ['days_since_signup', 'days_since_signup', false],
            ['days_since_first_order', 'days_since_first_order', false],
            ['days_since_return', 'days_since_return', false],
            ['days_since_last_order', 'days_since_last_order', false],
            ['days_since_engagement', 'days_since_engagement', false],
        ]) }} as figures,
        case
            when segment_id = 'dormant'
                then 'Leaves with the next order, open, click, visit or contact'
            when segment_id = 'lapsed' and ends_on is not null
                then 'Leaves with the next order, or on ' || ends_on || ' without engagement'
            when ends_on is null and has_purchased then 'Leaves with the next order'
            when ends_on is null then 'Leaves with the first order'
            when segment_id in ('new_lead', 'cooling')
                then 'Leaves with an order, or on ' || ends_on || ' without one'
            when segment_id = 'active' then 'Leaves on ' || ends_on || ' without an order'
            else 'Leaves on ' || ends_on
        end as exit_rule,
        ends_on
    from stages
)

select * from final
