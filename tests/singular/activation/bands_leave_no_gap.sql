-- The lowest band of a measure must begin at or below the lowest value that can occur.
select
    measure,
    min(from_value) as lowest_value
from {{ ref('esp_bands') }}
group by measure
having
    min(from_value) > case measure
        when 'order_count' then 1 when 'discount_rate' then 0 else -1000000000
    end
