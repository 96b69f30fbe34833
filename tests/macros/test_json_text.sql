-- Keys in the order given, text escaped, null as null.
with cases as (
    select
        {{ json_text([
            ['b', "'say \"hi\" \\ bye'", true],
            ['a', '1.50', false],
            ['c', 'cast(null as varchar)', true],
            ['d', 'cast(null as integer)', false],
        ]) }} as found
)

select found
from cases
where found <> '{"b": "say \"hi\" \\ bye", "a": 1.50, "c": null, "d": null}'
