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
    ],
)
def test_it_is_let_through(sql):
    assert problems(sql) == []


def test_named_windows_are_no_syntax_of_snowflake():
    with pytest.raises(ParseError):
        problems("select sum(a) over w from t window w as (partition by b)")
