-- From a request to what its person had at that time; and whether the passes were enough.
with cases as (
    select given.* from (
        values
        ('a', 'b', date '2024-01-01', date '9999-12-31'),
        ('b', 'a', date '2024-01-01', date '9999-12-31'),
        ('b', 'c', date '2024-01-01', date '9999-12-31'),
        ('c', 'at_the_request', date '2024-05-01', date '9999-12-31'),
        ('c', 'later', date '2024-05-02', date '9999-12-31'),
        ('c', 'shared_before', date '2024-01-01', date '2024-05-01'),
        ('c', 'shared_later', date '2024-01-01', date '2024-05-02'),
        ('1', '2', date '2024-01-01', date '9999-12-31'),
        ('2', '3', date '2024-01-01', date '9999-12-31'),
        ('3', '4', date '2024-01-01', date '9999-12-31')
    ) as given (left_identifier, right_identifier, linked_date, shared_date)
),

links as (
    select
        'main' as store,
        'email' as left_type,
        left_identifier,
        'email' as right_type,
        right_identifier,
        cast(linked_date as timestamp) as linked_at,
        cast(shared_date as timestamp) as shared_since
    from cases
),

requests as (
    select given.* from (
        values ('near', 'a'), ('far', '1'), ('alone', 'z')
    ) as given (request_id, identifier)
),

asked as (
    select
        'main' as store,
        request_id,
        timestamp '2024-05-01 00:00:00' as requested_at,
        'email' as identifier_type,
        identifier
    from requests
),

{{ walk_links('asked', 'links', passes=3) }}

expected as (
    select given.* from (
        values
        ('near', 'a'),
        ('near', 'b'),
        ('near', 'c'),
        ('near', 'at_the_request'),
        ('near', 'shared_later'),
        ('far', '1'),
        ('far', '2'),
        ('far', '3'),
        ('far', '4'),
        ('alone', 'z')
    ) as given (request_id, identifier)
),

-- Whoever was found in the last pass may lead on.
expected_unfinished as (
    select given.* from (
        values ('near'), ('far')
    ) as given (request_id)
)

select
    coalesce(walked.request_id, expected.request_id) as request_id,
    coalesce(walked.identifier, expected.identifier) as identifier
from walked
full outer join expected
    on walked.request_id = expected.request_id and walked.identifier = expected.identifier
where walked.identifier is null or expected.identifier is null
union all
select
    coalesce(unfinished.request_id, expected_unfinished.request_id) as request_id,
    'unfinished' as identifier
from unfinished
full outer join expected_unfinished on unfinished.request_id = expected_unfinished.request_id
where unfinished.request_id is null or expected_unfinished.request_id is null
