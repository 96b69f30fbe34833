-- A threshold that is missing would empty its segment without a word.
with needed as (
    select
        thresholds.segment_id,
        thresholds.threshold
    from (
        values
        ('recent_buyer', 'days'),
        ('big_spender', 'top_rate'),
        ('discount_seeker', 'discount_rate'),
        ('discount_seeker', 'orders'),
        ('lapsing', 'gap_factor'),
        ('lapsing', 'purchase_days'),
        ('category_fan', 'category_rate'),
        ('category_fan', 'index'),
        ('category_fan', 'orders'),
        ('browser', 'days'),
        ('cart_abandoner', 'hours'),
        ('cart_abandoner', 'days'),
        ('viewed_not_bought', 'hours'),
        ('viewed_not_bought', 'days'),
        ('back_again', 'days'),
        ('back_again', 'visit_days'),
        ('rising_value', 'growth'),
        ('rising_value', 'revenue'),
        ('rising_value', 'days'),
        ('rising_value', 'alive_rate'),
        ('rising_value', 'lapse_decile')
    ) as thresholds (segment_id, threshold)
)

select
    needed.segment_id,
    needed.threshold
from needed
left join {{ ref('segment_thresholds') }} as thresholds
    on needed.segment_id = thresholds.segment_id and needed.threshold = thresholds.threshold
where thresholds.value is null and {{ has_rows() }}
