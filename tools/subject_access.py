"""Write down everything that is held on a person: by table, with purposes and sources.

    SUBJECT_EMAIL=... python -m tools.subject_access [file]

Which tables there are, what their columns mean, what they are for and what they are made from is
asked of dbt, so that a new table cannot be forgotten. Looked through are the raw rows of the
landing and every table of the working and the state database, by customer key, by each identifier
that is the person's alone, and by the ids of their orders, visits, messages and carts. Everything
is opened to read. The address stands in an environment variable, since arguments are seen by
others, and in the written file, and nowhere else.

Of whom no customer is known, such as somebody who was erased and whose rows still stand in the
landing, the other identifiers are found as an erasure finds them: by the links between identifiers
in the raw rows, in at most eight steps from the address, and not through what several people have.
What a known customer has is not taken for theirs. Of their ids those of their orders are looked
for, in what the landing has. Of whom came back after an erasure, with an address or id of before,
what that erasure covered is found in the same way, and nothing else: by its keyed hashes, so that
LETTERSHOP_ERASURE_KEY must be the build's.

SUBJECT_KEY names one customer key where several people share the address.
"""

import json
import os
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from tools.places import PROJECT, dbt, place

# Columns that name a person, and the type of what stands in them. macros/business/
# identifier_columns.sql says the same of what an erasure searches.
IDENTIFIERS = {
    "customer_id": "customer_id",
    "merged_into_customer_id": "customer_id",
    "left_customer_id": "customer_id",
    "right_customer_id": "customer_id",
    "external_id": "customer_id",
    "email": "email",
    "phone": "phone",
    "esp_contact_id": "esp_contact_id",
    "merged_into_contact_id": "esp_contact_id",
    "anonymous_id": "anonymous_id",
}
# Columns with identifiers of a type that stands beside them, and their forms with both in one.
TYPED = {
    "identifier": "identifier_type",
    "visitor": "visitor_type",
    "left_identifier": "left_type",
    "right_identifier": "right_type",
}
# Stored tables that name stores of which the landing may have nothing any more.
NAME_STORES = ("core.dim_identifiers", "activation.esp_erasure_queue")
# Columns with customer keys; ids at the platform are ours, or one of the identifiers above.
KEYS = ("customer_key", "own_key", "dated_key", "esp_id", "new_esp_id")
# Ids that are one person's, and the table that says whose.
OWNED = {
    "order_id": "core.fct_orders",
    "session_id": "core.fct_web_sessions",
    "message_id": "core.fct_messages",
    "cart_id": "core.fct_carts",
}

# So many links are followed from the address of somebody who is no customer: as many as there are
# passes in macros/business/walk_links.sql.
PASSES = 8

# What says who somebody was before an erasure. A phone or a device of then may be somebody else's.
LASTING = ("customer_id", "esp_contact_id", "email")

# The links, save for those to what a known customer has who is somebody else.
LINKS = """
    create or replace temp table links as
    select distinct
        links.store, links.left_type, links.left_identifier,
        links.right_type, links.right_identifier, links.linked_at, links.shared_since
    from staging.base_consent__identifier_links as links
    left join core.dim_identifiers as held
        on links.store = held.store and links.right_type = held.identifier_type
            and links.right_identifier = held.identifier
            and not list_contains($keys, held.customer_key)
    where held.identifier is null
"""

# What an erasure would walk to today.
STEP = """
    select distinct store, right_type, right_identifier from links
    where list_contains($new, [store, left_type, left_identifier])
        and shared_since >= timestamp '9999-12-31'
"""

# What erasures that were carried out have walked to.
ERASED_STEP = """
    select distinct links.store, links.right_type, links.right_identifier
    from links
    inner join core.fct_erasures as here
        on links.store = here.store and links.left_type = here.identifier_type
            and here.identifier_hash = {left_hash}
    inner join core.fct_erasures as there
        on links.store = there.store and links.right_type = there.identifier_type
            and there.identifier_hash = {right_hash}
    where list_contains($new, [links.store, links.left_type, links.left_identifier])
        and links.linked_at <= least(here.requested_at, there.requested_at)
        and links.shared_since > least(here.requested_at, there.requested_at)
"""

# Who has an address.
SHARED = """
    select customer_key from core.dim_identifiers
    where identifier_type = 'email' and identifier = $email
    union
    select customer_key from core.dim_customers where email = $email
    order by customer_key
"""


@dataclass(frozen=True)
class Table:
    """A table to look through.

    Attributes:
        name: layer and name.
        relation: in SQL.
        columns: name to what it means.
        purposes: purpose to legal basis.
        sources: landing tables that it is made from.
    """

    name: str
    relation: str
    columns: dict[str, str]
    purposes: dict[str, str]
    sources: list[str]


@dataclass
class Person:
    """By what a person is found.

    Attributes:
        keys: customer keys, retired ones too.
        identifiers: store, type and identifier.
        former: those of them that are a customer's of before an erasure only.
        owned: stores and values, by column of OWNED.
    """

    keys: list[str]
    identifiers: list[tuple[str, str, str]]
    former: list[tuple[str, str, str]] = field(default_factory=list)
    owned: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


def manifest() -> dict:
    """Return what dbt knows of the project, parsed anew into a folder that is thrown away.

    Raises:
        SystemExit: if dbt cannot parse it.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = dbt("--quiet", "parse", "--target-path", folder, capture_output=True, text=True)
        if result.returncode:
            sys.exit("dbt cannot parse the project: run `dbt parse`.")
        return json.loads((Path(folder) / "manifest.json").read_text())


def tables(known: dict) -> Iterator[Table]:
    """Yield the landing's tables, then the stored ones that dbt builds.

    Args:
        known: dbt's manifest.
    """
    nodes = known["nodes"]

    def sources_of(name: str, seen: set[str]) -> set[str]:
        found = set()
        for parent in known["parent_map"].get(name, ()):
            if parent in known["sources"]:
                found.add(known["sources"][parent]["name"])
            elif parent not in seen:
                seen.add(parent)
                found |= sources_of(parent, seen)
        return found

    def described(node: dict) -> dict[str, str]:
        return {column: its["description"] for column, its in node["columns"].items()}

    for name, raw in sorted(known["sources"].items()):
        path = place("LETTERSHOP_LANDING") / f"{raw['name']}.parquet"
        if raw["source_name"] == "state" or not path.exists():
            continue
        files = path / "*.parquet" if path.is_dir() else path
        readers = [nodes[child] for child in known["child_map"][name] if child in nodes]
        purposes = {}
        for reader in readers:
            purposes |= reader["config"]["meta"].get("purposes", {})
        relation = f"read_parquet('{files}', union_by_name = true)"
        yield Table(f"landing.{raw['name']}", relation, described(raw), purposes, [raw["name"]])
    for name, node in sorted(nodes.items()):
        is_stored = node["config"].get("materialized") in ("table", "incremental", "snapshot")
        if node["resource_type"] not in ("model", "snapshot") or not is_stored:
            continue
        yield Table(
            f"{node['fqn'][1]}.{node['name']}",
            node["relation_name"],
            described(node),
            node["config"]["meta"].get("purposes", {}),
            sorted(sources_of(name, set())),
        )


def connect() -> duckdb.DuckDBPyConnection:
    """Open the working and the state database to read, under the names that dbt gives them.

    Raises:
        SystemExit: in words.
    """
    work, state = place("LETTERSHOP_DUCKDB"), place("LETTERSHOP_STATE")
    for path in (work, state):
        if not path.exists():
            sys.exit(f"There is no database at {path}: run `make build` first.")
    connection = duckdb.connect()
    try:
        connection.execute(f"attach '{work}' as \"{work.stem}\" (read_only)")
        connection.execute(f"attach '{state}' as state (read_only)")
    except duckdb.IOException:
        sys.exit("A database is written to by another process. Run this again when it has ended.")
    connection.execute(f'use "{work.stem}"')
    connection.execute("set timezone = 'UTC'")
    return connection


def stores_of(connection: duckdb.DuckDBPyConnection, looked_through: list[Table]) -> set[str]:
    """Return every store that a table names, those of raw rows that no customer came of too.

    Args:
        connection: to the databases.
        looked_through: the tables.
    """
    found = {"main"}
    for table in looked_through:
        if not (table.name.startswith("landing.") or table.name in NAME_STORES):
            continue
        try:
            stores = connection.execute(
                f"select distinct cast(store as varchar) from {table.relation}"
            ).fetchall()
        except (duckdb.BinderException, duckdb.CatalogException):
            # Without the column, all is of one store; or not built.
            continue
        found |= {store for (store,) in stores if store is not None}
    return found


def erasure_key() -> str:
    """Return the key under which erased identifiers are hashed, as macros/business has it."""
    return os.environ.get("LETTERSHOP_ERASURE_KEY", "lettershop")


def erasure_hash(store: str, kind: str, identifier: str) -> str:
    """Return the SQL of the hash under which an erased identifier is remembered.

    Says in DuckDB, with a parameter $key, what macros/business/erasure_hash.sql says.

    Args:
        store: SQL expression.
        kind: SQL expression.
        identifier: SQL expression.
    """
    return f"md5(concat_ws(chr(31), $key, {kind}, {store}, {identifier}))"


def require_key(connection: duckdb.DuckDBPyConnection) -> None:
    """Stop where erased people would not be recognised.

    Args:
        connection: to the databases.

    Raises:
        SystemExit: if the key is not the one with which the state was built.
    """
    check = erasure_hash("''", "'key_check'", "''")
    try:
        (others,) = connection.execute(
            f"select count(*) from state.activation.esp_erasure_queue where key_check <> {check}",
            {"key": erasure_key()},
        ).fetchone()
    except (duckdb.BinderException, duckdb.CatalogException):
        # Nobody was erased, or before there was a check.
        return
    if others:
        sys.exit(
            "LETTERSHOP_ERASURE_KEY is not the key with which the state was built, so that who was"
            " erased before is not recognised: set that key."
        )


def linked(
    connection: duckdb.DuckDBPyConnection,
    starts: list[tuple[str, str, str]],
    keys: Collection[str] = (),
) -> list[tuple[str, str, str]]:
    """Return what else somebody has who is no customer, or had who was erased and came back.

    Args:
        connection: to the databases.
        starts: store, type and identifier.
        keys: of the customer that they are by now; then only what was erased is walked to.

    Raises:
        SystemExit: if the raw rows are not where they were when the links were built.
    """
    try:
        connection.execute(LINKS, {"keys": list(keys)})
    except (duckdb.IOException, duckdb.CatalogException, duckdb.BinderException):
        who = "This customer was erased before" if keys else "No customer has this address"
        sys.exit(
            f"{who}, and the landing is not as the last build found it, so that what else belongs"
            " to it cannot be found: run `make build` first."
        )
    step, given = STEP, {}
    if keys:
        left, right = (
            erasure_hash("links.store", f"links.{side}_type", f"links.{side}_identifier")
            for side in ("left", "right")
        )
        step, given = ERASED_STEP.format(left_hash=left, right_hash=right), {"key": erasure_key()}
    walked, new = set(starts), set(starts)
    for _ in range(PASSES):
        found = connection.execute(
            step, given | {"new": [list(one) for one in sorted(new)]}
        ).fetchall()
        new = set(found) - walked
        if not new:
            break
        walked |= new
    return sorted(walked)


def erased(
    connection: duckdb.DuckDBPyConnection, identifiers: Collection[tuple[str, str, str]]
) -> list[tuple[str, str, str]]:
    """Return those of some identifiers that an erasure covered.

    Args:
        connection: to the databases.
        identifiers: store, type and identifier.
    """
    return [
        one
        for one in sorted(identifiers)
        if connection.execute(
            "select count(*) from core.fct_erasures where store = $store"
            " and identifier_type = $kind"
            f" and identifier_hash = {erasure_hash('$store', '$kind', '$identifier')}",
            dict(zip(("store", "kind", "identifier"), one, strict=True)) | {"key": erasure_key()},
        ).fetchone()[0]
    ]


def person(
    connection: duckdb.DuckDBPyConnection,
    email: str,
    key: str | None,
    stores: Collection[str] = ("main",),
) -> Person:
    """Return by what a person is found in the tables.

    Args:
        connection: to the databases.
        email: as it was given.
        key: customer key, where the address alone does not say who.
        stores: in which the address is looked for.

    Raises:
        SystemExit: if nobody, or more than one, has the address.
    """
    email = email.strip().lower()
    found = connection.execute(SHARED, {"email": email}).fetchall()
    keys = [one for (one,) in found if key in (None, one)]
    if len(keys) > 1:
        sys.exit(
            f"{len(keys)} people have this address. Find out which of them asks, and name the"
            " customer key in SUBJECT_KEY. In the working database their keys are:\n"
            + SHARED.replace("$email", "'<address>'")
        )
    if found and not keys:
        sys.exit("Nobody with this address has that customer key.")
    known = connection.execute(
        """
        select distinct store, identifier_type, identifier from core.dim_identifiers
        where list_contains($keys, customer_key) and not is_shared
        """,
        {"keys": keys},
    ).fetchall()
    if len(found) < 2:
        # Also rows that no customer came of: an unsubscribe of somebody unknown.
        addresses = [(store, "email", email) for store in sorted(stores)]
        known += addresses if found else linked(connection, addresses)
    former = []
    if keys:
        # Who was erased and came back: what stands in the landing of before.
        lasting = erased(connection, {one for one in known if one[1] in LASTING})
        former = sorted(set(linked(connection, lasting, keys)) - set(known)) if lasting else []
    retired = connection.execute(
        "select own_key from core.dim_customer_records where list_contains(?, customer_key)", [keys]
    ).fetchall()
    identifiers = sorted({*known, *former})
    return Person(sorted({*keys, *(one for (one,) in retired)}), identifiers, former)


def rows(connection: duckdb.DuckDBPyConnection, table: Table, whom: Person) -> list[dict] | None:
    """Return the rows of a table about a person; None where nothing in it could name one.

    Args:
        connection: to the databases.
        table: any.
        whom: the person.
    """
    relation, there = table.relation, {}
    try:
        for name, *_ in connection.execute(f"describe select * from {relation}").fetchall():
            there[name.lower()] = name
    except duckdb.CatalogException:
        # Not built: a table that the shop's vars switch off.
        return None
    in_store = " and identifiers.store = coalesce(cast(t.store as varchar), 'main')"
    in_store = in_store if "store" in there else ""
    conditions = [
        f"list_contains($keys, cast(t.{column} as varchar))" for column in KEYS if column in there
    ]
    named = []
    exists = "exists (select 1 from identifiers where identifiers.type {} and {} = identifiers.id"
    for column, kind in IDENTIFIERS.items():
        if column in there:
            said = f"trim(cast(t.{column} as varchar))"
            said = f"lower({said})" if kind == "email" else said
            named.append(exists.format(f"= '{kind}'", said) + in_store + ")")
    for column in {"esp_id", "new_esp_id"} & there.keys():
        kinds = "in ('customer_id', 'esp_contact_id', 'email')"
        named.append(exists.format(kinds, f"t.{column}") + ")")
    for column, kind in TYPED.items():
        if column in there and kind in there:
            named.append(exists.format(f"= t.{kind}", f"t.{column}") + in_store + ")")
    if "person" in there:
        kind, said = (f"split_part(t.person, chr(31), {part})" for part in (2, 3))
        named.append(exists.format(f"= {kind}", said) + in_store + ")")
    if named and "customer_key" in there:
        # Whose customer is known is not asked by address: somebody else may have it too.
        named = [f"t.customer_key is null and ({' or '.join(named)})"]
    conditions += named
    given = {"keys": whom.keys}
    for column, values in whom.owned.items():
        if column in there and values:
            # Two stores may have an order of one number.
            has_store = "store" in there or table.name.startswith("landing.")
            store = "coalesce(cast(t.store as varchar), 'main')" if "store" in there else "'main'"
            said = f"cast(t.{column} as varchar)"
            said = f"{store} || chr(31) || {said}" if has_store else said
            conditions.append(f"list_contains($owned_{column}, {said})")
            given[f"owned_{column}"] = [
                "\x1f".join(value) if has_store else value[1] for value in values
            ]
    if not conditions:
        return None
    query = f"select t.* from {relation} as t where {' or '.join(conditions)}"
    used = {name: value for name, value in given.items() if f"${name}" in query}
    result = connection.execute(query, used)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def owned(
    connection: duckdb.DuckDBPyConnection, looked_through: list[Table], whom: Person
) -> dict[str, list[tuple[str, str]]]:
    """Return the ids that are a person's, with their stores, by column of OWNED.

    Args:
        connection: to the databases.
        looked_through: the tables.
        whom: the person, whose identifiers stand in the table `identifiers`.
    """
    found = {}
    if whom.keys:
        found = {
            column: connection.execute(
                f"select distinct store, {column} from {table}"
                f" where list_contains(?, customer_key) and {column} is not null order by all",
                [whom.keys],
            ).fetchall()
            for column, table in OWNED.items()
        }
    if whom.keys and not whom.former:
        return found
    landed = [
        row
        for table in looked_through
        if table.name == "landing.shop_orders"
        for row in rows(connection, table, whom) or ()
    ]
    orders = {
        (str(row.get("store") or "main"), str(row["order_id"]))
        for row in landed
        if row["order_id"] is not None
    }
    return found | {"order_id": sorted(orders.union(found.get("order_id", ())))}


def everything(email: str, key: str | None = None) -> dict:
    """Return everything held on a person.

    Args:
        email: of the person.
        key: customer key, where the address alone does not say who.

    Raises:
        SystemExit: in words.
    """
    with connect() as connection:
        require_key(connection)
        looked_through = list(tables(manifest()))
        whom = person(connection, email, key, stores_of(connection, looked_through))
        connection.execute(
            "create temp table identifiers (store varchar, type varchar, id varchar)"
        )
        if whom.identifiers:
            connection.executemany("insert into identifiers values (?, ?, ?)", whom.identifiers)
        whom.owned = owned(connection, looked_through, whom)
        held = []
        for table in looked_through:
            found = rows(connection, table, whom)
            if found:
                meanings = {name: table.columns.get(name, "") for name in found[0]}
                held.append(
                    {
                        "table": table.name,
                        "purposes": table.purposes,
                        "made_from": table.sources,
                        "columns": meanings,
                        "rows": found,
                    }
                )
    return {
        "written_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "email": email.strip().lower(),
        "customer_keys": whom.keys,
        "copies": [
            f"{place('LETTERSHOP_PUBLISHED')}: the tables from core to monitoring",
            "the e-mail platform: what activation.esp_profiles says, once synced",
        ],
        "tables": held,
    }


def main() -> None:
    """Write the file, for its owner's eyes, and say where it is; never whom it is about."""
    email = os.environ.get("SUBJECT_EMAIL", "")
    if "@" not in email or len(sys.argv) > 2:
        sys.exit("Name the person: make subject-access EMAIL=<address> [OUT=<file>]")
    named = f"data/subject_access/{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path = PROJECT / (sys.argv[1] if len(sys.argv) == 2 else named)
    answer = everything(email, os.environ.get("SUBJECT_KEY") or None)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A new file in place of one that others may read; mkstemp's is for its owner.
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(answer, file, ensure_ascii=False, indent=1, default=str)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink()
        raise
    count = sum(len(table["rows"]) for table in answer["tables"])
    print(f"{count:,} rows of {len(answer['tables'])} tables are in {path}")


if __name__ == "__main__":
    main()
