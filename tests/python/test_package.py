"""The project as a package of a shop's own dbt project, and what analysts ask of what it built.

One build of the project in tests/consumer, started as docs/package.md says, serves all of it. The
package comes from a git repository; then that has a newer version, and the shop takes it.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from decimal import Decimal

import duckdb
import pytest
import yaml
from conftest import ROOT
from shop import write_shop

CONSUMER = ROOT / "tests" / "consumer"
THOROUGH = "LETTERSHOP_THOROUGH" in os.environ
# What analysts open: all but the view that is not published.
MARTS = sorted(
    {path.stem for path in (ROOT / "models" / "marts").glob("*.sql")} - {"customer_descriptions"}
)
QUESTION = re.compile(r"^\*\*([^\n]+\?)\*\*\n\n```sql\n(.+?)\n```$", re.DOTALL | re.MULTILINE)
# For a shop that wants for nothing: one currency, and orders that e-mails brought.
ORDERS = """
    select
        * replace ('EUR' as currency),
        case when hash(order_id) % 3 = 0 then 'email' end as utm_medium
    from '{landing}/shop_orders.parquet'
"""

# Attributes that the project knows nothing of.
ATTRIBUTES = """
    select * replace ('tea_club' as attribute_name) from '{landing}/customer_attributes.parquet'
    union all by name
    select
        'c' || n as customer_id,
        'cups_a_day' as attribute_name,
        (n % 5)::varchar as attribute_value,
        timestamp '2024-01-01' as updated_at
    from range(1, 400) as people (n)
"""
# One of them is sent.
OWN_FIELD = "generic,custom_attributes.tea_club,tea_club,text,field,none,profiling,crm,*"
# What is no file of the shop's: installed, built, or written by dbt.
NOT_ITS_OWN = ("dbt_packages", "data", "target", "logs", "package-lock.yml")


# `python -m tools.metrics` with several arguments in turn, for what it imports takes longest.
ASK = """
import json, os, runpy, sys
import dbt_metricflow.cli.main

for arguments in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        sys.argv = ["mf", *arguments]
        runpy.run_module("tools.metrics", run_name="__main__")
    if os.waitpid(child, 0)[1]:
        sys.exit(1)
"""


def run_in(project, *command):
    """Run a program of the environment in a project's folder, and return what it printed.

    Args:
        project: the folder.
        command: the module, with its arguments.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LETTERSHOP_", "DBT_"))
    }
    environment |= {"DBT_PROJECT_DIR": ".", "PYTHONPATH": "dbt_packages/lettershop"}
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-3000:]
    return result.stdout


class Repository:
    """This project's files in a git repository, as a shop finds it.

    Attributes:
        folder: of the repository.
    """

    def __init__(self, folder):
        """Write the files and tag them as version 1.0.0.

        Args:
            folder: not there yet.
        """
        self.folder = folder
        others = shutil.ignore_patterns(".git", ".venv*", "data", "target", "logs", "__pycache__")
        shutil.copytree(ROOT, folder, ignore=others, symlinks=True)
        self.git("init")
        self.release("1.0.0")

    def git(self, *arguments):
        """Run git."""
        who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        subprocess.run(("git", *who, *arguments), cwd=self.folder, capture_output=True, check=True)

    def release(self, version):
        """Commit the files and tag them."""
        self.git("add", "--all")
        self.git("commit", "--message", version)
        self.git("tag", version)

    def change(self, path, old, new):
        """Replace words in a file."""
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, path
        (self.folder / path).write_text(text.replace(old, new))


class Shop:
    """A shop's own project, in a folder of its own, with Lettershop as a package.

    Attributes:
        project: the folder.
    """

    def __init__(self, project, repository):
        """Write the project, its landing and the vars of it; nothing is installed yet.

        Args:
            project: the folder, not there yet.
            repository: where the package comes from.
        """
        self.project = project
        shutil.copytree(CONSUMER, project)
        shutil.copy(ROOT / "selectors.yml", project)
        source = f"git: file://{repository.folder}\n    revision: 1.0.0"
        packages = project / "packages.yml"
        packages.write_text(packages.read_text().replace("local: ../..", source))
        fields = (ROOT / "seeds" / "activation" / "esp_field_map.csv").read_text()
        (project / "seeds" / "esp_field_map.csv").write_text(f"{fields}{OWN_FIELD}\n")
        landing = write_shop(project / "data" / "landing", customers=400)
        for table, rows in (("shop_orders", ORDERS), ("customer_attributes", ATTRIBUTES)):
            changed = project / "changed.parquet"
            duckdb.execute(f"copy ({rows.format(landing=landing)}) to '{changed}'")
            changed.replace(landing / f"{table}.parquet")
        (landing / "vars.yml").write_text("as_of_at: '2024-06-10 09:30:00'\n")

    def run(self, *command):
        """Run a program of the environment in the project's folder, and return what it printed."""
        return run_in(self.project, *command)

    def ask(self, sql, database="published"):
        """Return the rows of a query on the published database, or another."""
        path = self.project / "data" / f"{database}.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def own_files(self):
        """Return what stands in each file of the shop's own project."""
        return {
            path: path.read_bytes()
            for path in self.project.rglob("*")
            if path.is_file() and path.relative_to(self.project).parts[0] not in NOT_ITS_OWN
        }

    def metrics(self, **queries):
        """Return the rows that `mf query` answers with, as dicts of text, by name of the query.

        Args:
            queries: arguments of each.
        """
        paths = {name: self.project / f"{name}.csv" for name in queries}
        commands = [
            ["query", "--quiet", *arguments, "--csv", str(paths[name])]
            for name, arguments in queries.items()
        ]
        (self.project / "ask.py").write_text(ASK)
        self.run("ask", json.dumps(commands))
        answers = {}
        for name, path in paths.items():
            with path.open(newline="") as file:
                answers[name] = list(csv.DictReader(file))
        return answers


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The package's repository."""
    return Repository(tmp_path_factory.mktemp("repository") / "lettershop")


@pytest.fixture(scope="module")
def shop(tmp_path_factory, repository):
    """The shop's project, built and published."""
    shop = Shop(tmp_path_factory.mktemp("package") / "tea_shop", repository)
    shop.run("dbt.cli.main", "deps")
    shop.run(
        *("tools.build", "--selector", "daily"),
        *("--resource-type", "seed", "--resource-type", "model"),
    )
    return shop


# --- As a package ---------------------------------------------------------------------------------


def test_vars_of_the_shop_count(shop):
    in_berlin = "cast(timezone('Europe/Berlin', timezone('UTC', ordered_at)) as date)"
    assert shop.ask(
        f"""
        select bool_and(order_date = {in_berlin}), bool_or(order_date <> cast(ordered_at as date))
        from core.fct_orders
        """
    ) == [(True, True)]


def test_a_seed_of_the_shop_takes_the_place_of_ours(shop):
    """With the types and tests of our YAML: the shop's own has none."""
    assert shop.ask(
        """
        select bool_and((days_since_last_order <= 60) = list_contains(
            string_split(replace(segment_ids, ' ', ''), ','), 'recent_buyer'
        )), count(case when days_since_last_order between 31 and 60 then 1 end) > 0
        from marts.customer_profiles
        where is_profiled and order_count > 0
        """
    ) == [(True, True)]
    with duckdb.connect(str(shop.project / "data" / "lettershop.duckdb"), read_only=True) as work:
        described = work.execute("describe main_seeds.segment_thresholds").fetchall()
        assert ("value", "DECIMAL(18,4)") in [row[:2] for row in described]
        assert not work.execute(
            "select * from information_schema.tables"
            " where table_schema = 'seeds' and table_name = 'segment_thresholds'"
        ).fetchall()


def test_seeds_as_they_were_built_are_not_taken_for_edited(shop):
    """Neither ours nor the shop's own, which stand in another schema."""
    assert shop.run("tools.preview").startswith("No file in seeds/ differs")


def test_a_value_of_another_type_in_a_seed_of_the_shop_is_named(shop):
    path = shop.project / "seeds" / "segment_thresholds.csv"
    text = path.read_text()
    path.write_text(text.replace("days,60,", "days,sixty,"))
    named = r"seeds/segment_thresholds.csv, line 2: value is 'sixty', and must be a number"
    with pytest.raises(AssertionError, match=named):
        shop.run("tools.check")
    path.write_text(text)


def test_own_columns_and_own_segments_arrive_without_a_change_of_our_files(shop):
    """In memberships, and in what the e-mail platform is sent."""
    assert shop.ask(
        """
        select segment_id, count(*) > 0, bool_and(reason is not null)
        from marts.segment_memberships where family = 'own' group by segment_id order by segment_id
        """
    ) == [("own_gold_regulars", True, True), ("own_tasters", True, True)]
    assert shop.ask(
        """
        select bool_and((
            order_count >= 2
            and coalesce(custom_attributes ->> 'tea_club' = 'gold', false)
            and (custom_attributes ->> 'cups_a_day')::integer >= 2
        ) = list_contains(string_split(replace(segment_ids, ' ', ''), ','), 'own_gold_regulars'))
        from marts.customer_profiles where is_profiled and order_count > 0
            and custom_attributes ->> 'cups_a_day' is not null
        """
    ) == [(True,)]
    assert shop.ask(
        """
        select
            count(case when payload ->> 'tea_club' = 'gold' then 1 end) > 0,
            count(case when payload ->> 'tea_club' = 'none' then 1 end) > 0,
            count(case when payload like '%"own_gold_regulars"%' then 1 end) > 0,
            count(case when payload like '%"own_tasters"%' then 1 end) > 0
        from activation.esp_outbox where op = 'upsert'
        """
    ) == [(True,) * 4]


def test_python_models_learn_and_score(shop):
    (served,) = shop.ask("select count(*) from training.model_versions where is_serving")
    (scored,) = shop.ask("select count(*) from predictions.propensity_scores where score > 0")
    (explained,) = shop.ask("select count(*) from predictions.score_reasons")
    assert served > (0,)
    assert scored > (100,)
    assert explained > (0,)


def test_state_is_kept_beside_the_shops_project(shop):
    with duckdb.connect(str(shop.project / "data" / "state.duckdb"), read_only=True) as state:
        tables = {
            ".".join(row)
            for row in state.execute(
                "select table_schema, table_name from information_schema.tables"
            ).fetchall()
        }
    assert {
        *("activation.esp_outbox", "activation.esp_erasure_queue", "activation.trigger_log"),
        *("training.model_fits", "marts.segment_spells", "monitoring.build_runs"),
    } <= tables


def test_models_of_the_shop_are_not_taken_for_ours(shop):
    """Its own table of addresses stops no build, and needs no purpose of ours."""
    with duckdb.connect(str(shop.project / "data" / "lettershop.duckdb"), read_only=True) as work:
        assert work.execute("select count(*) > 0 from main.newsletter_readers").fetchall() == [
            (True,)
        ]
    assert shop.ask(
        "select count(*) from monitoring.privacy_report where model_name = 'newsletter_readers'"
    ) == [(0,)]


UNIT_TESTS = {
    test["name"]
    for path in ROOT.glob("models/**/*.yml")
    for test in yaml.safe_load(path.read_text()).get("unit_tests", [])
}
SELECTORS = {
    "daily": ({"customer_profiles", "model_fits", "esp_outbox", "alerts"}, set()),
    "training": ({"model_fits", "training_features", "fct_orders"}, {"propensity_scores"}),
    "scoring": ({"propensity_scores", "customer_features", "fct_orders"}, {"model_fits"}),
    "activation": (
        {"esp_outbox", "fct_permissions", "segment_memberships", "propensity_scores"},
        {"model_fits", "alerts"},
    ),
    "triggers": (
        {"trigger_log", "fct_permissions", "profiled_customers"},
        {
            *("esp_outbox", "segment_memberships", "rfm_scores", "customer_features"),
            *("dim_customer_attributes", "customer_descriptions", "rule_members", "custom_members"),
        },
    ),
}


@pytest.mark.parametrize("selector", SELECTORS)
def test_selectors_take_what_they_say(dbt, selector):
    arguments = ("--quiet", "ls", "--selector", selector, "--output", "name")
    said = dbt(*arguments, project=ROOT, vars={})
    assert said.returncode == 0, said.stdout
    chosen = set(said.stdout.split())
    inside, outside = SELECTORS[selector]
    assert inside <= chosen
    assert not outside & chosen
    # Unit tests are about the SQL: of any layer, none.
    assert not any(name in " ".join(chosen) for name in UNIT_TESTS)


# --- Questions ------------------------------------------------------------------------------------


def questions_of(mart):
    """Return the example questions beside a mart, each with its SQL."""
    text = (ROOT / "models" / "marts" / f"{mart}.md").read_text()
    return QUESTION.findall(text)


@pytest.mark.parametrize("mart", MARTS)
def test_every_mart_has_three_questions_with_answers(shop, mart):
    questions = questions_of(mart)
    assert len({question for question, _ in questions}) >= 3
    assert f"doc('{mart}_questions')" in (ROOT / "models" / "marts" / f"{mart}.yml").read_text()
    for question, sql in questions:
        assert f"marts.{mart}" in sql
        assert shop.ask(sql), question


# --- Metrics --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers(shop):
    """What the metrics answer. Segments have a day before, on which they had the same members."""
    pytest.importorskip("dbt_metricflow")
    with duckdb.connect(str(shop.project / "data" / "published.duckdb")) as published:
        published.execute(
            "insert into marts.segment_daily"
            " select * replace (cast(date_day - 1 as date) as date_day) from marts.segment_daily"
        )
    names = "customers active_customers orders net_revenue repeat_rate engagement_rate"
    return shop.metrics(
        totals=("--metrics", ",".join([*names.split(), "revenue_per_email"])),
        months=("--metrics", "net_revenue", "--group-by", "metric_time__month"),
        sizes=("--metrics", "segment_size", "--group-by", "segment_day__segment_id"),
    )


def test_metrics_equal_the_marts(shop, answers):
    (answer,) = answers["totals"]
    ((customers, active, repeat_rate),) = shop.ask(
        """
        select
            count(*),
            count(case when has_purchased then 1 end),
            count(case when segment_ids like '%repeat_buyer%' then 1 end)
            / count(case when order_count > 0 then 1 end)
        from marts.customer_profiles
        """
    )
    ((orders, email_revenue),) = shop.ask(
        """
        select count(*), sum(case when utm_medium = 'email' then net_revenue_amount end)
        from core.fct_orders where is_valid
        """
    )
    ((revenue,),) = shop.ask("select sum(net_revenue_amount) from marts.revenue_bridge")
    ((delivered, engaged),) = shop.ask(
        """
        select count(*), count(coalesce(opened_at, clicked_at))
        from core.fct_messages where channel = 'email' and delivered_at is not null
        """
    )
    assert int(answer["customers"]) == customers > 0
    assert int(answer["active_customers"]) == active > 0
    assert int(answer["orders"]) == orders > 0
    assert Decimal(answer["net_revenue"]) == revenue > 0
    assert float(answer["repeat_rate"]) == pytest.approx(repeat_rate)
    assert float(answer["engagement_rate"]) == pytest.approx(engaged / delivered)
    assert float(answer["revenue_per_email"]) == pytest.approx(float(email_revenue) / delivered)
    assert 0 < float(answer["engagement_rate"]) < 1


def test_net_revenue_by_month_is_that_of_the_bridge(shop, answers):
    months = answers["months"]
    assert {row["metric_time__month"][:7]: Decimal(row["net_revenue"]) for row in months} == dict(
        shop.ask(
            """
            select strftime(date_day, '%Y-%m'), sum(net_revenue_amount) from marts.revenue_bridge
            group by all
            """
        )
    )


def test_segment_sizes_are_those_of_the_mart(shop, answers):
    """Also with a day before: who is a member on two days is not counted twice."""
    sizes = {row["segment_day__segment_id"]: int(row["segment_size"]) for row in answers["sizes"]}
    assert sizes == dict(shop.ask("select segment_id, customer_count from marts.segment_sizes"))


# --- A newer version ------------------------------------------------------------------------------

OWN = {
    "members": "select customer_key, segment_id, reason, exit_rule from marts.segment_memberships"
    " where family = 'own' order by all",
    "columns": "select customer_key, custom_attributes from marts.customer_profiles order by all",
    "sent": "select customer_key, payload ->> 'tea_club' from activation.esp_payloads"
    " where payload like '%\"own_gold_regulars\"%' order by all",
}


@pytest.mark.skipif(not THOROUGH, reason="builds the shop once more, with another version of ours")
def test_a_newer_version_leaves_alone_what_is_the_shops_own(shop, repository):
    """Its attribute, the segment by rules, the one by a model; in memberships and payloads too."""
    catalog = "seeds/segments/lifecycle_thresholds.csv"
    repository.change(catalog, "\nnew_customer,30,", "\nnew_customer,25,")
    profiles = "models/marts/customer_profiles"
    column = "descriptions.email is not null as has_email"
    repository.change(
        f"{profiles}.sql",
        "attributes.custom_attributes\n    from",
        f"attributes.custom_attributes,\n        {column}\n    from",
    )
    with (repository.folder / f"{profiles}.yml").open("a") as file:
        file.write("      - {name: has_email, data_type: boolean, description: Has an address.}\n")
    repository.release("1.1.0")
    before = {name: shop.ask(sql, "lettershop") for name, sql in OWN.items()}
    assert all(before.values())
    packages = shop.project / "packages.yml"
    packages.write_text(packages.read_text().replace("revision: 1.0.0", "revision: 1.1.0"))
    files = shop.own_files()
    shop.run("dbt.cli.main", "deps")
    shop.run(
        *("dbt.cli.main", "build", "--select", "+esp_outbox", "customer_profiles"),
        *("--resource-type", "seed", "--resource-type", "model"),
        *("--vars", (shop.project / "data" / "landing" / "vars.yml").read_text()),
    )
    assert shop.own_files() == files
    assert shop.ask(
        "select bool_and(has_email = (email is not null)) from marts.customer_profiles",
        "lettershop",
    ) == [(True,)]
    (days,) = shop.ask(
        "select max(days_since_first) from (select as_of - first_order_date as days_since_first"
        " from marts.customer_profiles cross join (select date '2024-06-10' as as_of)"
        " where lifecycle_stage = 'new_customer')",
        "lettershop",
    )
    assert 0 < days[0] <= 25
    assert {name: shop.ask(sql, "lettershop") for name, sql in OWN.items()} == before


def test_a_folder_is_installed_as_it_is(tmp_path):
    """What is written there counts at once."""
    for name in ("dbt_project.yml", "profiles.yml", "packages.yml"):
        shutil.copy(CONSUMER / name, tmp_path)
    packages = tmp_path / "packages.yml"
    packages.write_text(packages.read_text().replace("local: ../..", f"local: {ROOT}"))
    run_in(tmp_path, "dbt.cli.main", "deps")
    installed = tmp_path / "dbt_packages" / "lettershop"
    assert installed.is_symlink() and installed.resolve() == ROOT
