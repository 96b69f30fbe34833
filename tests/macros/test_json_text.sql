-- Keys in the order given, text escaped, null as null.
with cases as (
    select
        {{ json_text([
            ['b', "'say \"hi\" ' || chr(92) || ' bye'", true],
            ['a', '1.50', false],
            ['c', 'cast(null as varchar)', true],
            ['d', 'cast(null as integer)', false],
        ]) }} as found
)

select found
from cases
where
    -- A backslash in a literal is an escape on Snowflake.
    found <> replace(
        '{"b": "say ~"hi~" ~~ bye", "a": 1.50, "c": null, "d": null}', '~', chr(92)
    )
