"""What stops a run, and what it says: where the fault is, and what to do.

Every run here that fails must leave the published database as it is.
"""

import json
import os
import shutil

import duckdb
import pytest
import yaml
from conftest import ROOT, TABLES, VARS

# One set of vars for several tests: dbt parses anew for each.
WITH_OPTIONAL = VARS | {
    "using_consent_events": True,
    "using_erasure_requests": True,
    "using_esp_campaigns": True,
}


@pytest.fixture(autouse=True)
def published(place):
    """The database that analysts read; no test may touch it."""
    path = place / "published.duckdb"
    path.write_bytes(b"what analysts read")
    before = path.stat().st_mtime_ns
    yield
    assert path.read_bytes() == b"what analysts read"
    assert path.stat().st_mtime_ns == before


@pytest.fixture(autouse=True)
def no_state(place):
    """Every test begins without databases."""
    for path in place.glob("*.duckdb*"):
        if path.name != "published.duckdb":
            path.unlink()


def stops(result, *words):
    """Assert that a run failed, and that what it said has all the words, white space aside."""
    assert result.returncode != 0, result.stdout
    said = " ".join(result.stdout.split())
    for word in words:
        assert word in said, f"{word!r} is not in:\n{result.stdout}"


def test_valid_landing_passes(landing, dbt):
    landing()
    assert dbt("seed").returncode == 0


# --- Where the landing is -------------------------------------------------------------------------


def test_no_landing_builds_nothing(place, dbt):
    """The whole project stops before its first model, and within it nothing is half done."""
    result = dbt("build", project=ROOT, vars={}, env={"LETTERSHOP_LANDING": "/nowhere/landing"})
    assert "Traceback" not in result.stdout
    stops(result, "Nothing was built", "'/nowhere/landing'", "LETTERSHOP_LANDING", "make demo")
    with duckdb.connect(place / "work.duckdb", read_only=True) as connection:
        assert connection.sql("from duckdb_tables()").fetchall() == []
        assert connection.sql("from duckdb_views() where not internal").fetchall() == []


def test_landing_without_parquet(landing, dbt):
    folder = landing(**dict.fromkeys(TABLES))
    (folder / "shop_orders.csv").write_text("order_id\n")
    stops(dbt("seed"), "There is no landing", str(folder), "holds no parquet", "LETTERSHOP_LANDING")


def test_unreadable_file_is_named(landing, dbt):
    folder = landing()
    (folder / "shop_orders.parquet").write_bytes(b"half a file" * 10)
    stops(dbt("seed"), "shop_orders.parquet")


# --- Vars -----------------------------------------------------------------------------------------


def test_vars_file_must_be_passed(landing, dbt):
    folder = landing()
    (folder / "vars.yml").write_text(json.dumps(VARS | {"shop_timezone": "Europe/Berlin"}))
    stops(
        dbt("seed"),
        "shop_timezone: 'Europe/Berlin' (this run: 'UTC')",
        'dbt build --vars "$(cat $LETTERSHOP_LANDING/vars.yml)"',
    )


def test_vars_file_may_be_overruled_and_repeat_defaults(landing, dbt):
    folder = landing()
    overruled = VARS | {"as_of_at": "2024-02-15 00:00:00", "base_currency": "USD"}
    (folder / "vars.yml").write_text(json.dumps(overruled))
    assert dbt("seed").returncode == 0


def test_vars_file_that_is_no_mapping(landing, dbt):
    folder = landing()
    (folder / "vars.yml").write_text("as_of_at")
    stops(dbt("seed"), "vars.yml", "name: value")


def test_a_var_that_there_is_not_is_named(landing, dbt):
    landing()
    stops(
        dbt("seed", vars=VARS | {"minimum_ag": 16, "colour": "red"}),
        "There is no var minimum_ag. Meant may be: minimum_age.",
        "There is no var colour. dbt_project.yml lists them all.",
    )


UNKNOWN_VALUES = {
    "shop_timezone": ("Berlin", "'Europe/Berlin'"),
    "base_currency": ("usd", "ISO 4217"),
    "profiling_basis": ("consent", "'legitimate_interest'"),
    "minimum_age": (0, "from 1 to 120"),
    "rfm_window_days": (0, "whole number"),
    "lifecycle_days": ("rhythmic", "'fixed' or 'rhythm'"),
    "max_rejected_rate": (1.5, "from 0 to 1"),
    "max_unexplained_rate": ("none", "from 0 to 1"),
    "accept_landing_changes": ("yes", "true or false"),
    "esp": ("mailer", "'klaviyo', 'braze', 'customerio' or 'generic'"),
    "sync_scope": ("some", "'existing_contacts' or 'all'"),
    "approve_esp_changes": ("yes", "the number that the guard of esp_outbox named"),
    "trigger_target_lag": ("soon", "a time such as '5 minutes'"),
    "using_web_events": ("no way", "true or false"),
    "using_refunds": (False, "no optional landing table refunds"),
}


def test_unknown_values_are_all_named(landing, dbt):
    landing()
    result = dbt("seed", vars=VARS | {name: value for name, (value, _) in UNKNOWN_VALUES.items()})
    for name, (value, allowed) in UNKNOWN_VALUES.items():
        shown = f"'{value}'" if isinstance(value, str) else str(value).lower()
        expected = f"{name} switches" if name == "using_refunds" else f"The var {name} is {shown}."
        stops(result, expected, allowed)


# --- Tables and columns ---------------------------------------------------------------------------


def test_missing_required_tables(landing, dbt):
    landing(crm_customers=None, shop_order_lines=None, orderlines="select 1 as order_line_id")
    stops(
        dbt("seed"),
        "Required tables are missing",
        "crm_customers, shop_order_lines.",
        "/<table>.parquet",
        "perhaps misspelt: orderlines",
    )


def test_folder_without_files_is_a_missing_table(landing, dbt):
    folder = landing(shop_orders=None)
    (folder / "shop_orders.parquet").mkdir()
    stops(dbt("seed"), "Required tables are missing", "shop_orders.")


def test_missing_optional_tables(landing, dbt):
    landing(
        erasure_requests="select 'r1' as request_id, 'c1' as customer_id, now() as requested_at"
    )
    stops(
        dbt("seed", vars=WITH_OPTIONAL),
        "Optional tables are missing",
        "consent_events, esp_campaigns.",
        "using_consent_events: false using_esp_campaigns: false",
        "make check",
    )


def test_missing_required_columns(landing, dbt):
    landing(
        shop_orders="select 'o1' as order_id, 'paid' as order_status, 'USD' as currency",
        shop_order_lines="select 'l1' as order_line_id, 'o1' as order_id, 1.00 as line_amount",
    )
    stops(
        dbt("seed"),
        "Required columns are missing",
        "shop_orders: ordered_at, total_amount",
        "shop_order_lines: quantity",
        "_<source>__sources.yml",
    )


def test_missing_identifier_and_unfitting_column(landing, dbt):
    """A table with no identifier at all, and one whose epoch seconds are no timestamp."""
    landing(
        erasure_requests="select 'r1' as request_id, timestamp '2024-02-01' as requested_at",
        consent_events="""
            select 'e1' as event_id, 'a@example.com' as email, 'profiling' as purpose,
                'granted' as action, 1706745600 as occurred_at, 'soon' as deleted_at
        """,
        esp_campaigns="select 'm1' as campaign_id",
    )
    result = dbt("seed", vars=WITH_OPTIONAL)
    stops(
        result,
        "erasure_requests: one of customer_id, email",
        "consent_events.occurred_at: is integer, must be timestamp (such as 2018-01-31 05:00:00",
        "consent_events.deleted_at: is varchar",
        "Convert them",
    )
    # Values may be personal: none is shown.
    assert "1706745600" not in result.stdout
    assert "soon" not in result.stdout


def test_single_bad_value_passes(landing, dbt):
    """Text is read as its type; the row with the bad value is staging's business."""
    landing(
        shop_orders=f"""
            select * replace (
                case when order_id = 'o1' then 'abc' else cast(total_amount as varchar) end
                as total_amount
            )
            from ({TABLES["shop_orders"]})
        """
    )
    assert dbt("seed").returncode == 0


def test_text_column_without_values_passes(landing, dbt):
    landing(shop_orders=f"select *, ' ' as cancelled_at from ({TABLES['shop_orders']})")
    assert dbt("seed").returncode == 0


# --- Rows and time --------------------------------------------------------------------------------


def test_no_customers(landing, dbt):
    folder = landing(crm_customers=f"from ({TABLES['crm_customers']}) limit 0")
    stops(dbt("seed"), "crm_customers has no rows", f"{folder}/crm_customers.parquet", "land them")


def test_other_empty_tables_pass(landing, dbt):
    """Required or optional, and in a folder of files."""
    folder = landing(
        shop_orders=f"from ({TABLES['shop_orders']}) limit 0",
        shop_products=None,
        esp_campaigns="select 'm1' as campaign_id limit 0",
        erasure_requests="select '' as request_id, '' as email, now() as requested_at limit 0",
        consent_events="""
            select '' as event_id, '' as phone, '' as purpose, '' as action, '' as occurred_at
            limit 0
        """,
    )
    (folder / "shop_products.parquet").mkdir()
    duckdb.execute(
        f"copy ({TABLES['shop_products']}) to '{folder}/shop_products.parquet/1.parquet'"
    )
    assert dbt("seed", vars=WITH_OPTIONAL).returncode == 0


def test_clock_that_is_no_time(landing, dbt):
    landing()
    stops(
        dbt("seed", vars=VARS | {"as_of_at": "yesterday"}),
        "The clock is not a time",
        "as_of_at is 'yesterday'",
        "'2018-01-01 05:00:00'",
    )


def test_clock_before_all_orders(landing, dbt):
    """An order at the clock is not known yet."""
    landing(
        shop_orders=f"""
            select * replace (ordered_at + interval '28 days 14 hours' as ordered_at)
            from ({TABLES["shop_orders"]})
        """
    )
    stops(
        dbt("seed"),
        "as_of_at is 2024-03-01 00:00:00",
        "shop_orders.ordered_at runs from 2024-03-01 00:00:00 to 2024-03-28 00:00:00",
        "Set the var as_of_at",
    )


# --- State and files ------------------------------------------------------------------------------


def test_state_newer_than_the_clock(landing, dbt, place):
    landing()
    with duckdb.connect(place / "state.duckdb") as connection:
        connection.execute("create schema monitoring")
        connection.execute(
            "create table monitoring.build_runs as"
            " select timestamp '2024-03-02 00:00:00' as as_of_at"
        )
    stops(
        dbt("seed"),
        "built up to 2024-03-02 00:00:00",
        "the clock is 2024-03-01 00:00:00",
        "LETTERSHOP_STATE=<new file>",
    )


def test_segments_newer_than_the_clock(landing, dbt, place):
    """What a build that failed half-way left: segments moved, and no record of the build."""
    landing()
    with duckdb.connect(place / "state.duckdb") as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.segment_spells as"
            " select date '2024-03-02' as entered_date, cast(null as date) as left_date"
        )
    stops(dbt("seed"), "built up to 2024-03-02", "LETTERSHOP_STATE=<new file>")


def test_models_newer_than_the_clock(landing, dbt, place):
    """What the selectors of models leave: they record no build."""
    landing()
    for day, passes in (("2024-03-01", True), ("2024-03-02", False)):
        with duckdb.connect(place / "state.duckdb") as connection:
            connection.execute("create schema if not exists training")
            connection.execute(
                f"create or replace table training.model_fits as select date '{day}' as as_of_date"
            )
        result = dbt("seed")
        if passes:
            assert result.returncode == 0, result.stdout
    stops(result, "built up to 2024-03-02", "LETTERSHOP_STATE=<new file>")


def test_state_at_the_clock_passes(landing, dbt, place):
    """A build of the same time can be repeated."""
    landing()
    with duckdb.connect(place / "state.duckdb") as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.segment_spells as"
            " select date '2024-02-28' as entered_date, date '2024-03-01' as left_date"
        )
    assert dbt("seed").returncode == 0


def test_another_erasure_key(landing, dbt, place):
    landing()
    with duckdb.connect(place / "state.duckdb") as connection:
        connection.execute("create schema activation")
        connection.execute(
            "create table activation.esp_erasure_queue as"
            " select md5('mine' || chr(31) || 'key_check' || chr(31) || chr(31)) as key_check"
        )
    said = "with which 1 identifiers of erased people are remembered"
    stops(dbt("seed"), "LETTERSHOP_ERASURE_KEY is not set, and there is a key", said)
    key = {"LETTERSHOP_ERASURE_KEY": "yours"}
    stops(dbt("seed", env=key), "LETTERSHOP_ERASURE_KEY is another key than the one", said)
    assert dbt("seed", env={"LETTERSHOP_ERASURE_KEY": "mine"}).returncode == 0


def test_database_in_use(landing, dbt, place):
    """Bare dbt has DuckDB's own words: which file, and which process holds it."""
    landing()
    with duckdb.connect(place / "work.duckdb"):
        stops(dbt("seed"), str(place / "work.duckdb"), "lock", str(os.getpid()))


# --- The shop's own columns and segments ----------------------------------------------------------

OWN_SEEDS = {
    "attribute_catalog": [
        "attribute_name,attribute_type,is_in_rules,is_sensitive,meaning",
        "tier,text,true,false,",
        "points,number,true,false,",
        "renews_on,date,true,false,",
        "",
        "is_staff,Boolean,TRUE,FALSE,",
        "diet,text,false,true,",
        'note,text,false,false,"What we',
        "",
        'noted, ""by hand"""',
    ],
    "own_segments": [
        "segment_id,segment_name,meaning,suggested_message,owner,minimum_size",
        "own_gold,Gold,Have gold,,crm,0",
    ],
    "segment_rules": [
        "segment_id,rule_group,column_name,operator,compared_with",
        "own_gold,1,custom_attributes.tier,one_of,gold | platinum",
        "own_gold,1,custom_attributes.points,at_least,-12.5",
        "own_gold,2,signed_up_at,at_most,2024-02-29",
        "own_gold,2,is_guest,equals,FALSE",
        "own_gold,2,custom_attributes.renews_on,within_next_days,0",
        "own_gold,2,order_count,is_unknown,",
    ],
    "esp_field_map": [
        "esp,column_name,property_name,property_type,placement,fallback,purpose,owner,regions",
        "generic,first_name,first_name,text,field,,email_marketing,crm,*",
        "generic,custom_attributes.points,points,number,field,0,profiling,crm,*",
        "generic,custom_attributes.renews_on,renews_on,text,field,,profiling,crm,*",
    ],
    "model_targets": [
        "target_id,kind,grain,label_rule,horizon_days,active_within_days,min_purchased_before,"
        "min_orders_90d,min_spend_90d,min_email_responses_90d,cutoff_every_days,cutoff_count,"
        "is_enabled,label_meaning,description",
        "buys_30d,binary,customer,buys,30,60,1,1,10,1,28,6,true,,",
        "buys_tea,binary,customer_category,buys,14,,1,,,,28,6,true,,",
        "clicks_send,binary,customer_send,clicks,14,,,,,,28,6,true,,",
        "switched_off,binary,customer,lapses,30,,,,,,28,6,false,,",
        "spend_90d,amount,customer,spends,90,,1,,,,28,6,true,,",
    ],
    "model_policies": [
        "model_name,model_kind,output,minimum_age_days,maximum_age_days,drift_limit,"
        "metric_floor_rate,minimum_customers,minimum_rows,minimum_of_each_class,test_cutoffs,"
        "maximum_rows,operating_rate,description",
        "buys_30d,probability,propensity,7,28,0.25,0.9,200,300,30,2,20000,0.1,",
        "buys_tea,probability,propensity,7,28,0.25,0.9,200,300,30,2,20000,0.1,",
        "clicks_send,probability,propensity,7,28,0.25,0.9,200,300,30,2,20000,0.1,",
        "lifetime_value,lifetime_value,lifetime_value,7,28,0.25,0.9,200,200,50,2,100000,0.1,",
        "personas,clusters,personas,28,90,0.25,0.9,200,200,1,1,10000,0.1,",
    ],
    "lifecycle_thresholds": [
        "",
        "threshold_id,fixed_days,rhythm_quantile,meaning",
        "",
        "new_lead,7,,A person without a purchase",
    ],
}
# A line of a seed, and words of what is said of it.
WRONG_ROWS = {
    "attribute_catalog": {
        "Shoe Size,number,true,false,": "attribute_name must be lower case",
        "tier,text,true,false,": "the attribute stands in an earlier line too",
        "colour,word,true,false,": "attribute_type is 'word'. Allowed: text, number",
        "size,number,perhaps,false,": "is_in_rules must be true or false",
        "illness,text,true,true,": "what is sensitive is in no rule",
    },
    "own_segments": {
        "vip,VIP,Spend most,,crm,0": "segment_id must begin with own_",
        "own_gold,Gold,Have gold,,crm,0": "the segment stands in an earlier line too",
        "own_few,,Are few,,crm,some": "minimum_size must be a whole number",
    },
    "segment_rules": {
        "own_silver,1,order_count,at_least,1": "the segment has no row in own_segments",
        "own_gold,first,order_count,at_least,1": "rule_group must be a whole number",
        "own_gold,1,order_cuont,at_least,1": "rules cannot ask for 'order_cuont'",
        "own_gold,1,email,contains,@example.com": "rules cannot ask for 'email'",
        "own_gold,1,custom_attributes.age,at_least,1": "attribute_catalog has no attribute 'age'",
        "own_gold,1,custom_attributes.diet,equals,vegan": "diet is sensitive: no rule may ask it",
        "own_gold,1,custom_attributes.note,equals,x": "note is not for rules (is_in_rules)",
        "own_gold,1,order_count,over,1": "there is no operator 'over'. There are: equals, differs",
        "own_gold,1,order_count,contains,1": "contains compares no number, which order_count is",
        "own_gold,1,order_count,at_least,many": "compared_with must be a number such as 12.5",
        "own_gold,1,is_guest,equals,yes": "compared_with must be true or false",
        "own_gold,1,last_order_date,at_least,2024-02-30": "compared_with must be a day such as",
        "own_gold,1,last_order_date,within_last_days,-1": "must be a number of days, 0 or more",
        "own_gold,1,country_code,one_of,DE||AT": "must be values with | between",
        "own_gold,1,country_code,equals,": "compared_with must not be empty",
        "own_gold,1,country_code,is_known,DE": "compared_with must be empty",
    },
    "esp_field_map": {
        "generic,custom_attributes.age,a,text,field,,profiling,crm,*": "has no attribute 'age'",
        "generic,custom_attributes.diet,b,text,field,,profiling,crm,*": "diet is sensitive: it is",
        "generic,custom_attributes.is_staff,c,text,field,,profiling,crm,*": (
            "property_type must be boolean, since is_staff is a boolean"
        ),
        "generic,custom_attributes.points,d,number,field,none,profiling,crm,*": (
            "fallback must be a number"
        ),
        "generic,is_buyer,e,boolean,field,,profiling,crm,*": "fallback must be a boolean",
        "generic,may_be_profiled,f,boolean,field,,email_marketing,crm,DE": "must be a boolean",
        "braze,segments,g,array,field,none,profiling,crm,*": "must be an array, such as []",
        "braze,net_revenue_band,h,boolean,field,none,profiling,crm,*": (
            "property_type must be text, since the column is of this type"
        ),
        "generic,persona,i,text,property,none,profiling,crm,*": "placement must be field.",
        "generic,email,j,text,field,none,profiling,crm,*": "esp_profiles has no column 'email'",
        "klaviyo,persona,k,text,inside,none,profiling,crm,*": "placement must be field or property",
    },
    "model_targets": {
        "a,binary,customer_category,lapses,14,,1,,,,28,6,false,,": (
            "label_rule is 'lapses'. At the grain customer_category can be asked: buys."
        ),
        "b,binary,customer_category,buys,14,60,1,,,,28,6,false,,": (
            "active_within_days must be empty: at the grain customer_category it would not count."
            " What counts there: min_purchased_before."
        ),
        "c,binary,customer_send,buys,14,,,,,,28,6,false,,": (
            "label_rule is 'buys'. At the grain customer_send can be asked: clicks, redeems."
        ),
        "d,binary,customer_send,clicks,14,,,2,,,28,6,false,,": (
            "min_orders_90d must be empty: at the grain customer_send it would not count."
        ),
        "e,binary,customer,clicks,14,,,,,,28,6,false,,": "label_rule is 'clicks'. At the grain",
        "f,amount,customer,buys,14,,,,,,28,6,true,,": "kind is 'amount'. The rule buys",
        "g,binary,customer,buys,14,,2,,,,28,6,false,,": "is '2'. Allowed: 1, or empty.",
        "h,binary,household,buys,14,,,,,,28,6,false,,": "grain is 'household'. Allowed: customer,",
        "i,binary,customer,buys,14,,,,,,28,6,true,,": (
            "no model answers it. Give it a row in seeds/model_policies.csv, or set is_enabled to"
        ),
    },
    "model_policies": {
        "switched_off,chance,propensity,7,28,0.25,0.9,2,3,3,2,2,0.1,": (
            "model_kind is 'chance'. Allowed: probability, lifetime_value, clusters."
        ),
        "j,probability,propensity,7,28,0.25,0.9,2,3,3,2,2,0.1,": (
            "model_name must be the target_id of a row of the kind binary in"
            " seeds/model_targets.csv. There are: buys_30d, buys_tea,"
        ),
        "a,probability,chances,7,28,0.25,0.9,2,3,3,2,2,0.1,": (
            "output is 'chances'. Of the kind probability are allowed: propensity, lapse_risk."
        ),
        "value,lifetime_value,lifetime_value,7,28,0.25,0.9,2,3,3,2,2,0.1,": (
            "a model of the kind lifetime_value must be called lifetime_value."
        ),
        "buys_30d,probability,propensity,7,28,0.25,0.9,2,3,3,2,2,0.1,": "stands in an earlier line",
    },
    "lifecycle_thresholds": {
        "active,ten,,": "fixed_days is 'ten', and must be a whole number (integer).",
        "cooling,90,most,": "rhythm_quantile is 'most', and must be a number (decimal(",
    },
}


@pytest.fixture
def own_project(sources_project, tmp_path):
    """A function that copies the project without models, with these rows more in its own seeds."""

    def write(rows=None, models=()):
        project = tmp_path / "own_project"
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(sources_project, project)
        for name, lines in OWN_SEEDS.items():
            text = "\n".join([*lines, *(rows or {}).get(name, ())])
            (project / "seeds" / f"{name}.csv").write_text(text + "\n")
            (path,) = (ROOT / "seeds").glob(f"*/{name}.yml")
            (declared,) = yaml.safe_load(path.read_text())["seeds"]
            of_seed = {key: declared[key] for key in ("name", "config")}
            said = yaml.safe_dump({"seeds": [of_seed]})
            (project / "seeds" / f"{name}.yml").write_text(said)
        for name, sql in dict(models).items():
            (project / "models" / f"{name}.sql").write_text(sql)
        return project

    return write


def test_own_columns_and_segments_that_keep_the_rules_pass(landing, dbt, own_project):
    landing()
    result = dbt("seed", project=own_project())
    assert result.returncode == 0, result.stdout


def test_every_wrong_row_of_own_columns_and_segments_is_named(landing, dbt, own_project):
    """By file, line and content; in a run and in the check of the landing alike."""
    landing()
    # The rule is none of the wrong ones: the attribute is.
    unjudged = "own_gold,1,custom_attributes.size,contains,x"
    project = own_project(WRONG_ROWS | {"segment_rules": [*WRONG_ROWS["segment_rules"], unjudged]})
    for arguments in (["seed"], ["--quiet", "run-operation", "check_landing"]):
        result = dbt(*arguments, project=project)
        for name, rows in WRONG_ROWS.items():
            for line, words in enumerate(rows.values(), len(OWN_SEEDS[name]) + 1):
                after = ":" if name == "lifecycle_thresholds" else " ("
                stops(result, f"seeds/{name}.csv, line {line}{after}", words)
        stops(result, "seeds/esp_field_map.csv: klaviyo needs a row with the placement property")
    assert " ".join(result.stdout.split()).count("seeds/segment_rules.csv, line ") == len(
        WRONG_ROWS["segment_rules"]
    )


def test_models_and_versions_that_are_asked_for_must_be_there(landing, dbt, own_project, place):
    landing()
    project = own_project()
    with duckdb.connect(place / "state.duckdb") as connection:
        connection.execute("create schema training")
        connection.execute(
            """
            create table training.model_fits as
            select * from (values
                ('buys_30d', 1, 'promoted', '20240101-aaaaaaaa', date '2024-01-01'),
                ('buys_30d', 2, 'rejected', '20240201-bbbbbbbb', date '2024-02-01')
            ) as rows (model_name, decision_number, decision, model_version, as_of_date)
            """
        )
    for vars, words in (
        ({"retrain_models": "buys_30d"}, "The var retrain_models is 'buys_30d'. Allowed: a list"),
        (
            {"retrain_models": ["buys_30", "all"], "rollback_models": ["buys_30d"]},
            "The var retrain_models names 'buys_30', and there is no such model. There are:"
            " buys_30d, buys_tea, clicks_send, lifetime_value, personas. [all] is every one.",
        ),
        (
            {"rollback_models": {"buys_30d": "20240201-bbbbbbbb", "churn": "20240101-aaaaaaaa"}},
            "buys_30d has no version '20240201-bbbbbbbb' that was promoted. There are:"
            " 20240101-aaaaaaaa.",
        ),
    ):
        result = dbt("seed", project=project, vars=VARS | vars)
        stops(result, "Nothing was built", words)
    stops(result, "The var rollback_models names 'churn', and there is no such model.")
    known = {"rollback_models": {"buys_30d": "20240101-aaaaaaaa"}, "retrain_models": ["all"]}
    passed = dbt("seed", project=project, vars=VARS | known)
    assert passed.returncode == 0, passed.stdout


def test_a_header_that_does_not_fit_is_the_only_problem(landing, dbt, own_project):
    """A file saved with semicolons: nothing can be said of its rows and of what hangs on them."""
    landing()
    project = own_project()
    path = project / "seeds" / "attribute_catalog.csv"
    path.write_text("\ufeff" + path.read_text().replace(",", ";"))
    result = dbt("seed", project=project)
    stops(
        result,
        "1. seeds/attribute_catalog.csv: the header must be"
        " attribute_name,attribute_type,is_in_rules,is_sensitive,meaning; found"
        " attribute_name;attribute_type;is_in_rules;is_sensitive;meaning.",
    )
    assert "2. " not in result.stdout


def test_models_of_own_segments_must_be_known_to_dbt(landing, dbt, own_project):
    landing()
    project = own_project(
        models={
            "wine_club": "select 1 as customer_key",
            "in_passing": "{{ config(materialized='ephemeral') }} select 1 as customer_key",
            "custom_members": "select 1 as customer_key",
        }
    )
    named = VARS | {"custom_segment_models": ["wine_club", "in_passing", "nowhere"]}
    stops(
        dbt("seed", project=project, vars=named),
        "names wine_club, and dbt does not know that it comes before custom_members",
        "custom_members: +pre_hook: - \"{% do ref('wine_club') %}\"",
        "names in_passing, which is ephemeral",
        "names 'nowhere', and there is no model of that name",
    )
    stops(
        dbt("seed", project=project, vars=VARS | {"custom_segment_models": "wine_club"}),
        "The var custom_segment_models is 'wine_club'. Allowed: a list of names",
    )
    hook = "{{ config(pre_hook=\"{% do ref('wine_club') %}\") }}\n"
    model = project / "models" / "custom_members.sql"
    model.write_text(hook + model.read_text())
    known = VARS | {"custom_segment_models": ["wine_club"]}
    result = dbt("seed", project=project, vars=known)
    assert result.returncode == 0, result.stdout
