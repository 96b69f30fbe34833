-- What stops the outbox, and what just does not. Numbers: rows written; profiles sent, wanted, gone
-- and changed; contacts that carry a greater number than any row.
{%- set cases = [
    ['a_first_build', 0, 0, 1000, 0, 1000, 0, ''],
    ['an_ordinary_day', 500, 100, 100, 0, 5, 0, ''],
    ['nobody_was_sent_nobody_is_wanted', 500, 0, 0, 0, 0, 0, ''],
    ['nobody_is_wanted', 500, 100, 0, 100, 100, 0, 'nobody is to be written to'],
    ['a_fifth_goes', 500, 100, 80, 20, 20, 0, ''],
    ['more_than_a_fifth_goes', 500, 100, 79, 21, 21, 0, '21 of 100 profiles would be taken'],
    ['three_tenths_change', 500, 100, 100, 0, 30, 0, ''],
    ['more_than_three_tenths_change', 500, 100, 100, 0, 31, 0, '31 profiles would change'],
    ['many_are_new', 500, 100, 131, 0, 31, 0, '31 profiles would change'],
    ['all_were_taken_away_before', 500, 0, 1000, 0, 1000, 0, ''],
    ['the_state_is_older', 500, 100, 100, 0, 5, 1, '1 contacts of the ESP carry a greater number'],
    ['the_state_is_older_and_nobody_is_wanted', 500, 100, 0, 100, 100, 2, '2 contacts of the ESP'],
    ['the_state_is_missing', 0, 0, 1000, 0, 1000, 1, 'it has no rows, and 1 contacts'],
] -%}
select *
from (
    values
    {%- for name, written, sent, wanted, gone, changed, synced, expected in cases %}
    {%- set found = outbox_problem(written, sent, wanted, gone, changed, synced) or '' %}
    (
        '{{ name }}',
        '{{ expected }}',
        '{{ found[:60] }}'
    ){{ ',' if not loop.last }}
    {%- endfor %}
) as cases (case_name, expected, found)
where substr(found, 1, length(expected)) <> expected or (expected = '') <> (found = '')
