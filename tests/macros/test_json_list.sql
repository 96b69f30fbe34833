-- In the order given, nulls left out, an empty list where there is nothing.
with cases as (
    select given.* from (
        values
        (1, 'b'),
        (1, 'a'),
        (1, null),
        (2, null)
    ) as given (list_id, item)
),

listed as (
    select
        list_id,
        {{ json_list(json_string('item'), 'item') }} as found
    from cases
    group by list_id
)

select found
from listed
where found <> case when list_id = 1 then '["a", "b"]' else '[]' end
