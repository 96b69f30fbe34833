select
    stated.customer_key,
    stated.preference_type,
    stated.preference_rank,
    inferred.preference_rank as inferred_rank
from {{ ref('customer_preferences') }} as stated
inner join {{ ref('customer_preferences') }} as inferred
    on
        stated.customer_key = inferred.customer_key
        and stated.preference_type = inferred.preference_type
where
    stated.preference_source = 'explicit'
    and inferred.preference_source = 'inferred'
    and inferred.preference_rank < stated.preference_rank
