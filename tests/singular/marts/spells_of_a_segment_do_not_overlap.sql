select
    earlier.customer_key,
    earlier.segment_id,
    earlier.entered_date
from {{ ref('segment_spells') }} as earlier
inner join {{ ref('segment_spells') }} as later
    on
        earlier.customer_key = later.customer_key
        and earlier.segment_id = later.segment_id
        and earlier.entered_date < later.entered_date
where earlier.left_date is null or earlier.left_date > later.entered_date
