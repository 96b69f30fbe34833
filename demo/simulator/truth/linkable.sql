select
    person_no as person_id,
    identifier_type,
    identifier,
    component as component_id
from components
order by person_no, component, identifier_type, identifier
