select
    person_no as person_id,
    identifier_type,
    lower(identifier) as identifier,
    is_shared
from holdings
order by person_no, mask
