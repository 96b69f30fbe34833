"""What the emulator takes and Snowflake would not is caught; what both take is let through."""

import pytest
from sqlglot.errors import ParseError

from tests.engines.foreign import problems


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("select rows.a from t as rows", "rows is a reserved word"),
        ("select a as sample from t", "sample is a reserved word"),
        ("with c as (values (1)) select * from c", "values stand without a select"),
        ("select max(is_shared) from t", "MAX(is_shared) is of a boolean"),
        (r"select 'a\b' as a", "a text has a backslash"),
        ("select max(a > 1) from t", "MAX(a > 1) is of a boolean"),
        ("select sum(a = 'b') from t", "SUM(a = 'b') is of a boolean"),
        (
            "select sum((a in (1, 2)) or b > 2) from t",
            "SUM((a IN (1, 2)) OR b > 2) is of a boolean",
        ),
        ("select sum(is_shared) from t", "SUM(is_shared) is of a boolean"),
        ("select avg(not a) from t", "AVG(NOT a) is of a boolean"),
        ("select a from t semi join u on t.a = u.a", "semi join is no join of Snowflake's"),
        ("select a from t anti join u on t.a = u.a", "anti join is no join of Snowflake's"),
        ("select distinct on (a) a, b from t", "distinct has an on"),
        ("select t.rowid from t", "rowid is no column of Snowflake's"),
        ("select ended_at - begun_at as a from t", "ended_at - begun_at is of times"),
        (
            "select max(t.ended_at) - timestamp '2024-01-01 00:00:00' as a from t",
            "MAX(t.ended_at) - CAST('2024-01-01 00:00:00' AS TIMESTAMP) is of times",
        ),
        ("select try_cast(1 as integer)", "TRY_CAST(1 AS INT) tries what is no text"),
        (
            "select try_cast(cast(a as double) as integer) from t",
            "TRY_CAST(CAST(a AS DOUBLE) AS INT) tries what is no text",
        ),
        (
            "select try_cast(a + 1 as integer) from t",
            "TRY_CAST(a + 1 AS INT) tries what is no text",
        ),
        (
            "select try_cast(total_amount as integer) from t",
            "TRY_CAST(total_amount AS INT) tries what is no text",
        ),
        (
            "select md5(cast(t.seen_at as varchar)) as a from t",
            "CAST(t.seen_at AS VARCHAR) is as the session writes times",
        ),
    ],
)
def test_it_is_caught(sql, problem):
    assert problem in problems(sql)


@pytest.mark.parametrize(
    "sql",
    [
        'select a as "rows" from t',
        "select sum(a) over (partition by b) from t",
        "with c as (select * from (values (1)) as given (a)) select * from c",
        "select boolor_agg(is_shared), max(issued_at) from t",
        "select 'a' || chr(92) || 'b' as a",
        "select trim(cast(seen_at as varchar)) as a from t as landed",
        "select min_by(a, cast(seen_at as varchar) || chr(31) || b) as a from t",
        "select md5(coalesce(cast(seen_at as varchar), '-')) as row_hash from t",
        "select cast(seen_date as varchar) as a, to_char(seen_at, 'YYYY-MM-DD') as b from t",
        "select sum(case when a > 1 then 1 else 0 end), count_if(a > 1) from t",
        "select distinct a from t left join u on t.a = u.a",
        "select ended_date - begun_date as a, days - 1 as b from t",
        "select datediff('second', begun_at, ended_at) as a from t",
        "select try_cast(cast(total_amount as varchar) as integer), try_cast(a as date) from t",
    ],
)
def test_it_is_let_through(sql):
    assert problems(sql) == []


def test_named_windows_are_no_syntax_of_snowflake():
    with pytest.raises(ParseError):
        problems("select sum(a) over w from t window w as (partition by b)")
