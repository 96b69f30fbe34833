select
    person_no as person_id,
    identifier_type,
    identifier,
    is_shared
from holdings
order by person_no, mask
