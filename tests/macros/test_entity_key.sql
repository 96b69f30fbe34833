-- Parts that run together when joined give different keys all the same.
with keys as (
    select
        {{ entity_key(["'ab'", "'c'"]) }} as one_key,
        {{ entity_key(["'a'", "'bc'"]) }} as another_key
)

select
    one_key,
    another_key
from keys
where one_key = another_key
