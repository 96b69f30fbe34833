"""Snowpark's local testing, taught to evaluate SQL text.

Local testing evaluates columns on pandas and refuses SQL as text, which is what our scoring writes.
Here sqlglot reads the text as Snowflake does and each node becomes the Snowpark function of that
name, so that the arithmetic is Snowpark's own: a second opinion beside the emulator, which is
DuckDB underneath. What is not among NODES stops with its name.
"""

import contextlib
import math
from unittest import mock

import sqlglot
from snowflake.snowpark import DataFrame, Session, Table, types
from snowflake.snowpark import functions as f
from snowflake.snowpark.mock import ColumnEmulator, ColumnType, patch
from snowflake.snowpark.mock._telemetry import LocalTestOOBTelemetryService
from sqlglot import exp

TYPES = {
    exp.DataType.Type.VARCHAR: types.StringType(),
    exp.DataType.Type.DOUBLE: types.DoubleType(),
    exp.DataType.Type.DATE: types.DateType(),
}


def _computed(values, function) -> ColumnEmulator:
    """Return a column of doubles: a function of each value that is known."""
    found = [None if value is None or value != value else function(value) for value in values]
    return ColumnEmulator(
        data=found, index=values.index, sf_type=ColumnType(types.DoubleType(), True)
    )


@patch("exp")
def exp_of(values: ColumnEmulator) -> ColumnEmulator:
    """Return e to the power of each value: local testing has no exp."""
    return _computed(values, lambda value: math.exp(float(value)))


@patch("floor")
def floor_of(values: ColumnEmulator) -> ColumnEmulator:
    """Return the whole number below each value: local testing has no floor."""
    return _computed(values, lambda value: float(math.floor(value)))


@patch("round")
def round_of(values: ColumnEmulator, digits: ColumnEmulator) -> ColumnEmulator:
    """Return each value rounded, halves away from zero: local testing has no round."""
    scale = 10 ** int(digits.iloc[0] if isinstance(digits, ColumnEmulator) else digits)
    return _computed(
        values,
        lambda value: math.copysign(math.floor(abs(float(value)) * scale + 0.5), value) / scale,
    )


def _literal(node):
    if node.is_string:
        return f.lit(node.this)
    text = node.this
    return f.lit(float(text) if set(text) & set(".eE") else int(text))


def _cast(node):
    if isinstance(node.this, exp.Literal) and node.to.this == exp.DataType.Type.DOUBLE:
        return f.lit(float(node.this.this))
    # Local testing's own casts to these stop at a null. What we cast to integers is whole.
    if node.to.this == exp.DataType.Type.DECIMAL:
        return f.round(column(node.this), int(node.to.expressions[1].this.this))
    if node.to.this in (exp.DataType.Type.BIGINT, exp.DataType.Type.INT):
        return column(node.this)
    return column(node.this).cast(TYPES[node.to.this])


def _case(node):
    operand, branches = node.args.get("this"), None
    for branch in node.args["ifs"]:
        condition = column(branch.this)
        if operand is not None:
            condition = column(operand) == condition
        pair = condition, column(branch.args["true"])
        branches = f.when(*pair) if branches is None else branches.when(*pair)
    default = node.args.get("default")
    return branches.otherwise(column(default)) if default is not None else branches


def _many(function):
    return lambda node: function(*(column(each) for each in (node.this, *node.expressions)))


def _two(operator):
    return lambda node: operator(column(node.this), column(node.expression))


NODES = {
    exp.Column: lambda node: f.col(node.name),
    exp.Literal: _literal,
    exp.Null: lambda node: f.lit(None),
    exp.Boolean: lambda node: f.lit(node.this),
    exp.Paren: lambda node: column(node.this),
    exp.Alias: lambda node: column(node.this).alias(node.alias),
    exp.Cast: _cast,
    exp.Case: _case,
    exp.Neg: lambda node: -column(node.this),
    exp.Not: lambda node: ~column(node.this),
    exp.Abs: lambda node: f.abs(column(node.this)),
    exp.Exp: lambda node: f.exp(column(node.this)),
    exp.Floor: lambda node: f.floor(column(node.this)),
    exp.Round: lambda node: f.round(
        column(node.this), int(node.args["decimals"].this) if node.args.get("decimals") else 0
    ),
    exp.Greatest: _many(f.greatest),
    exp.Least: _many(f.least),
    exp.Add: _two(lambda a, b: a + b),
    exp.Sub: _two(lambda a, b: a - b),
    exp.Mul: _two(lambda a, b: a * b),
    exp.Div: _two(lambda a, b: a / b),
    exp.Mod: _two(lambda a, b: a % b),
    exp.EQ: _two(lambda a, b: a == b),
    exp.LT: _two(lambda a, b: a < b),
    exp.LTE: _two(lambda a, b: a <= b),
    exp.GT: _two(lambda a, b: a > b),
    exp.GTE: _two(lambda a, b: a >= b),
    exp.Is: lambda node: column(node.this).is_null(),
}


def column(node):
    """Return the Snowpark column of an expression, a node of sqlglot or its text."""
    node = sqlglot.parse_one(node, read="snowflake") if isinstance(node, str) else node
    return NODES[type(node)](node)


def _select(session, node):
    """Return the DataFrame of a select: distinct, from, where and order by."""
    place = node.args.get("from_") or node.args.get("from")
    if isinstance(place.this, exp.Subquery):
        found = _select(session, place.this.this)
    else:
        found = session.table(place.this.sql(dialect="snowflake"))
    if where := node.args.get("where"):
        found = found.filter(column(where.this))
    if not node.is_star:
        found = found.select(*map(column, node.expressions))
    if node.args.get("distinct"):
        found = found.distinct()
    if order := node.args.get("order"):
        found = found.sort(*(column(each.this) for each in order.expressions))
    return found


@contextlib.contextmanager
def session():
    """Give a session of local testing that understands our SQL text, and phones nobody."""
    LocalTestOOBTelemetryService.get_instance().disable()
    opened = Session.builder.config("local_testing", True).create()
    plain_filter = DataFrame.filter

    def filtered(self, condition):
        return plain_filter(self, column(condition) if isinstance(condition, str) else condition)

    with (
        mock.patch.object(
            DataFrame, "select_expr", lambda self, *texts: self.select(*map(column, texts))
        ),
        mock.patch.object(DataFrame, "filter", filtered),
        mock.patch.object(
            Session,
            "sql",
            lambda self, text: _select(self, sqlglot.parse_one(text, read="snowflake")),
        ),
        mock.patch.object(
            Table,
            "queries",
            property(
                lambda self: {"queries": [f"select * from {self.table_name}"], "post_actions": []}
            ),
        ),
    ):
        yield opened
    opened.close()
