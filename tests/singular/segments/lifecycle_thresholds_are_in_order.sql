-- Every threshold is a day at least, and a customer cools before lapsing: were `cooling` not longer
-- than `active`, nobody could ever be cooling, and ordinary gaps would count as lapses.
select
    thresholds.threshold_id,
    thresholds.days,
    active.days as active_days
from {{ ref('lifecycle_days') }} as thresholds
left join {{ ref('lifecycle_days') }} as active
    on thresholds.threshold_id = 'cooling' and active.threshold_id = 'active'
where thresholds.days < 1 or thresholds.days <= active.days
