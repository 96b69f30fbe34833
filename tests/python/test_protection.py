"""What Snowflake is told about who sees what, and how models run there: asserted as text.

No account and no emulator runs these statements; that they are complete and say what the YAML says
can still be tested.
"""

import csv
import importlib.metadata
import re

import jinja2
import pytest
import yaml
from conftest import ROOT

from tests.engines import guide
from tools import pseudonymous
from tools.snowflake import session

SEED = ROOT / "seeds" / "privacy" / "personal_columns.yml"
META = yaml.safe_load(SEED.read_text())["seeds"][0]["config"]["meta"]
PROJECT = yaml.safe_load((ROOT / "dbt_project.yml").read_text())


class Returned(Exception):  # noqa: N818 - dbt's `return` ends a macro, as an exception does
    """What a macro returns."""


def said(path: str, macro: str, *arguments):
    """Return what a macro of the project returns.

    Args:
        path: of its file, in macros.
        macro: its name.
        arguments: of the macro.
    """

    def give(value):
        raise Returned(value)

    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals |= {"return": give}
    module = environment.from_string((ROOT / "macros" / path).read_text()).module
    with pytest.raises(Returned) as returned:
        getattr(module, macro)(*arguments)
    return returned.value.args[0]


def protection(macro: str, *arguments) -> list[str]:
    """Return the statements of a macro about who sees what, white space as one blank."""
    found = said("operations/protection.sql", macro, *arguments)
    return [" ".join(each.split()) for each in found]


def body(statement: str) -> str:
    """Return the body of a policy, from its arrow on."""
    return statement[statement.index(" -> ") :]


def test_every_category_has_a_protection_and_both_engines_read_the_same():
    known = pseudonymous.protections()
    assert set(known.values()) <= {"hashed", "hidden", "shown"}
    columns = [
        {"table_schema": "core", "table_name": "people", "column_name": name, "category": category}
        for name, category in csv.reader(pseudonymous.COLUMNS.read_text().splitlines()[1:])
    ]
    statements = protection("tag_statements", "published", columns, META, "state.protection")
    tagged = {
        (found[1], found[2])
        for each in statements
        if (
            found := re.fullmatch(
                r"alter table published\.core\.people modify column (\w+)"
                r" set tag state\.protection\.personal = '(\w+)'",
                each,
            )
        )
    }
    assert len(tagged) == len(statements)
    assert tagged == {(name, how) for name, how in known.items() if how != "shown"}
    assert ("email", "hashed") in tagged and ("birth_date", "hidden") in tagged


# Ids and keys that say nothing of who somebody is.
IMPERSONAL = re.compile(
    r"(campaign|parent|experiment|product|list|threshold|item|persona)_(id|key)|\w*segment_id"
)


def test_every_id_is_about_people_or_known_not_to_be():
    known, found = pseudonymous.protections(), set()
    for schema in pseudonymous.SCHEMAS:
        for path in (ROOT / "models" / schema).rglob("*.yml"):
            for model in yaml.safe_load(path.read_text()).get("models", []):
                found |= {
                    column["name"]
                    for column in model["columns"]
                    if re.search("_(id|key|code)$", column["name"])
                    and column["data_type"] == "varchar"
                }
    assert {"event_id", "order_line_id", "coupon_code", "product_key"} <= found
    assert not {name for name in found if name not in known and not IMPERSONAL.fullmatch(name)}
    # By an id that the landing has, a copy would be one with it, and with another day's.
    assert not {name for name in found if known.get(name) == "shown"} - {"country_code"}


def test_freely_written_words_are_masked_and_reasons_of_our_own_families_are_not():
    words = pseudonymous.written()
    assert words == META["written"]
    columns = []
    for path in (*ROOT.glob("models/core/*.yml"), *ROOT.glob("models/marts/*.yml")):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            names = [column["name"] for column in model["columns"]]
            columns += [
                {
                    "table_schema": path.parent.name,
                    "table_name": model["name"],
                    "column_name": name,
                    "has_family": "family" in names,
                }
                for name in names
            ]
    policy, altered, *others = protection(
        "written_statements", "published", columns, META, "state.protection"
    )
    assert altered == "alter masking policy state.protection.own_words set body" + body(policy)
    assert policy.endswith("or family <> 'own' then value end")
    assert "is_role_in_session('LETTERSHOP_ADMIN')" in policy
    # Each table and column of the list is there.
    assert len(others) == sum(len(names) for names in words.values())
    start = "alter table published.marts.{} modify column reason set "
    assert (
        start.format("segment_memberships")
        + "masking policy state.protection.own_words using (reason, family)"
    ) in others
    assert start.format("rule_members") + "tag state.protection.personal = 'hidden'" in others


def test_masks_show_values_to_admins_and_the_sync_only():
    statements = protection("masking_statements", "state.protection", "it's secret")
    policies = [each for each in statements if each.startswith("create masking policy")]
    assert len(policies) == 6
    # What a release before this one made gets this one's body: nothing attached can be replaced.
    altered = [each for each in statements if each.startswith("alter masking policy")]
    assert [body(each) for each in altered] == [body(each) for each in policies]
    assert all(" set body -> " in each for each in altered)
    for each in policies:
        assert re.search(
            r"-> case when is_role_in_session\('LETTERSHOP_ADMIN'\)"
            r" or is_role_in_session\('LETTERSHOP_SYNC'\) then value .*end$",
            each,
        )
        # A policy of a tag must give back the type it takes.
        kinds = re.search(r"\(value (\w+)\) returns (\w+) ->", each)
        assert kinds[1] == kinds[2]
        assert ("md5('it''s secret' || value)" in each) == (kinds[1] == "varchar")
    assert sum("set masking policy" in each for each in statements) == 6
    assert "allowed_values 'hashed', 'hidden'" in statements[1]


def test_who_reads_what():
    roles = said("operations/protection.sql", "readers")
    assert set(roles) == {"lettershop_analyst", "lettershop_sync", "lettershop_admin"}
    assert set(roles["lettershop_analyst"]) == set(pseudonymous.SCHEMAS)
    assert roles["lettershop_sync"] == ["activation", "monitoring"]
    statements = protection("grant_statements", "published", roles)
    assert "grant select on all tables in schema published.marts to role lettershop_analyst" in (
        statements
    )
    assert not [each for each in statements if "activation" in each and "analyst" in each]
    # Reading and nothing else; the working and the state database are nobody's. Of what is to come
    # nothing: that takes a privilege over the whole account.
    assert all(re.match(r"grant (usage on|select on all tables in) ", each) for each in statements)


def test_behaviour_of_people_who_may_not_be_profiled_has_no_rows():
    tables = said("operations/protection.sql", "behaviour_tables")
    first, altered, *others = protection(
        "row_access_statements", "published", tables, "state.protection"
    )
    assert first == (
        "create row access policy if not exists state.protection.shown_rows"
        " as (is_shown boolean) returns boolean"
        " -> is_role_in_session('LETTERSHOP_ADMIN') or is_shown"
    )
    assert altered == "alter row access policy state.protection.shown_rows set body" + body(first)
    assert others == [
        f"alter table published.core.{table} add row access policy state.protection.shown_rows"
        " on (is_shown)"
        for table in tables
    ]
    # No column may be masked and decide about rows, and of what is about people most are masked.
    assert "is_shown" not in pseudonymous.protections()
    assert "fct_web_events" in tables and not [each for each in tables if "orders" in each]


class Stopped(Exception):  # noqa: N818 - what dbt's raise_compiler_error does
    """A macro that stops the run."""


def test_without_a_key_of_the_shops_own_nothing_is_published():
    def stop(message):
        raise Stopped(message)

    for key in ("", "a secret"):
        environment = jinja2.Environment(extensions=["jinja2.ext.do"])
        environment.globals |= {
            "env_var": lambda name, default=None, key=key: key,
            "exceptions": {"raise_compiler_error": stop},
        }
        text = (ROOT / "macros/operations/protection.sql").read_text()
        module = environment.from_string(text).module
        if key:
            assert module.require_key().strip() == ""
        else:
            with pytest.raises(Stopped, match="LETTERSHOP_ERASURE_KEY is not set"):
                module.require_key()
    # Before anything is made, and again before masks are.
    for name in ("publish", "protection"):
        text = (ROOT / f"macros/operations/{name}.sql").read_text()
        assert "lettershop.require_key()" in text
    assert "'lettershop')" not in text.replace(" ", "")


def test_without_policies_nothing_is_granted_to_analysts():
    text = (ROOT / "macros/operations/protection.sql").read_text()
    start = text.index("and not policies -%}")
    branch = text[start : text.index("{%- elif", start)]
    assert "roles.pop('lettershop_analyst')" in branch and "grant_statements" in branch
    assert "grant_statements" not in text[text.index("{%- elif", start) :].split("readers()")[1]


def test_a_variable_that_is_not_set_is_named_by_dbt():
    # An empty default would end in whatever the connector says of an account without a name.
    outputs = (ROOT / "profiles/profiles.yml").read_text().split("\n    snowflake:")[1]
    for name in session.REQUIRED:
        assert f"env_var('{name}')" in outputs and f"env_var('{name}'," not in outputs


def test_large_facts_are_clustered_by_a_column_they_have():
    core = PROJECT["models"]["lettershop"]["core"]
    clustered = {
        name: each["+cluster_by"] for name, each in core.items() if "+cluster_by" in str(each)
    }
    assert set(clustered) == {"fct_orders", "fct_order_lines", "fct_web_events", "fct_messages"}
    large = {name for name, each in core.items() if "+snowflake_warehouse" in str(each)}
    assert large == {"fct_order_lines", "fct_web_events", "fct_messages"}
    for name, columns in clustered.items():
        (model,) = yaml.safe_load((ROOT / f"models/core/{name}.yml").read_text())["models"]
        assert set(columns) <= {column["name"] for column in model["columns"]}


WANTED = said("operations/session_rules.sql", "session_settings")


def test_the_guide_sets_what_a_build_demands_of_a_session():
    set_by_guide = guide.session()
    assert set_by_guide.keys() == WANTED.keys()
    assert said("operations/session_rules.sql", "session_problems", WANTED, set_by_guide) == []
    # Each of them stops a build where it is another, or where nobody knows.
    for name, (first, *_) in WANTED.items():
        for other in (set_by_guide | {name: "other"}, {**set_by_guide, name: None}):
            (problem,) = said("operations/session_rules.sql", "session_problems", WANTED, other)
            assert f"set {name} = '{first}'" in problem and problem.count("alter user") == 1
    text = (ROOT / "macros/operations/preflight.sql").read_text()
    assert "session_problems(" in text and "unsaid_vars_problems(" in text


@pytest.mark.parametrize(
    ("passed", "settings", "stops"),
    [
        ({}, {}, True),
        ({"as_of_at": "2024-01-01 00:00:00"}, {}, True),
        ({"shop_timezone": "UTC"}, {}, False),
        ({"base_currency": "USD"}, {}, False),
        # A project that has this one as a package says them in its dbt_project.yml.
        ({}, {"shop_timezone": "Europe/Berlin"}, False),
        ({}, {"base_currency": "EUR"}, False),
    ],
)
def test_a_build_that_nobody_told_whose_it_is_stops(passed, settings, stops):
    defaults = {name: PROJECT["vars"][name] for name in ("shop_timezone", "base_currency")}
    found = said(
        "operations/session_rules.sql", "unsaid_vars_problems", passed, defaults | settings
    )
    assert len(found) == stops
    assert not stops or '--vars "$(cat vars.yml)"' in found[0]


def test_every_build_of_the_guide_has_its_vars_and_is_published():
    text = guide.PAGE.read_text()
    commands = re.findall(r"dbt build .*--target snowflake.*", text)
    assert len(commands) == 3
    assert all('--vars "$(cat vars.yml)"' in each for each in commands)
    assert text.count("dbt run-operation publish --target snowflake --args") == 2


def test_python_on_snowflake_gets_the_versions_that_are_tested_here():
    layers = PROJECT["models"]["lettershop"]
    found = [
        node
        for layer in ("training", "scoring", "monitoring")
        for name, node in layers[layer].items()
        if isinstance(node, dict) and "+packages" in node
    ]
    files = [
        path
        for path in (ROOT / "python_models").glob("*/*.py")
        if path.parent.name != "lettershop_ml"
    ]
    assert len(found) == len(files) and all(
        each["+imports"] == found[0]["+imports"] for each in found
    )
    for pin in found[0]["+packages"]:
        name, version = pin.split("==")
        assert importlib.metadata.version(name) == version


def test_a_published_database_is_whole_and_protected_before_it_takes_its_place():
    relations = [
        {"database": database, "schema": schema, "name": name, "is_table": kind, "shown_of": people}
        for database, schema, name, kind, people in [
            ("work", "marts", "customer_profiles", True, None),
            ("state", "marts", "segment_spells", True, None),
            ("work", "core", "fct_views", False, None),
            ("work", "core", "fct_web_events", False, "work.segments.profiled_customers"),
        ]
    ]
    steps = said("operations/publish.sql", "publish_statements", "published", relations)
    assert steps["before"] == [
        "create database if not exists published",
        "create or replace transient database published_next",
        "create transient schema if not exists published_next.core",
        "create transient schema if not exists published_next.marts",
        "create or replace transient table published_next.marts.customer_profiles"
        " clone work.marts.customer_profiles",
        "create or replace transient table published_next.marts.segment_spells"
        " clone state.marts.segment_spells",
        # The clone of a view would read the working database, whatever is built there next.
        "create or replace transient table published_next.core.fct_views"
        " as select * from work.core.fct_views",
        # Whom analysts may see is known before keys are masked.
        "create or replace transient table published_next.core.fct_web_events"
        " as select told.*,"
        " told.customer_key is null or shown.customer_key is not null as is_shown"
        " from work.core.fct_web_events as told left join (select distinct customer_key"
        " from work.segments.profiled_customers) as shown"
        " on told.customer_key = shown.customer_key",
    ]
    assert steps["after"] == [
        "alter database published_next swap with published",
        "drop database published_next",
    ]
    text = (ROOT / "macros/operations/publish.sql").read_text()
    assert (
        text.index("steps['before']")
        < text.index("do lettershop.protect(")
        < text.index("steps['after']")
    )
