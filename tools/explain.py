"""Explain one customer: profile, segments, scores, permission, and what the platform is told.

    EXPLAIN_CUSTOMER=... python -m tools.explain

The customer is named by customer key (its first eight characters are enough), e-mail address, or an
id that the shop or the platform knows. It stands in an environment variable, since arguments are
seen by others. Only the published database and the sync's cursors are read, and nothing is written.
"""

import json
import os
import sys
from collections.abc import Iterator

import duckdb

from tools.places import PROJECT, place

SHORTEST_KEY = 8
# Where `make sync` keeps how far it has come, as in tools/sync/state.py, which needs drt.
SYNC_STATE, SYNC_STATE_DEFAULT = "LETTERSHOP_SYNC_STATE", "data/sync"


def published() -> duckdb.DuckDBPyConnection:
    """Open the published database to read.

    Raises:
        SystemExit: if there is none.
    """
    path = place("LETTERSHOP_PUBLISHED")
    if not path.exists():
        sys.exit(f"There is no published database at {path}: run `make build` first.")
    connection = duckdb.connect(str(path), read_only=True)
    connection.execute("set timezone = 'UTC'")
    return connection


def rows(connection: duckdb.DuckDBPyConnection, query: str, *given) -> list[dict]:
    """Return the rows of a query as dictionaries.

    Args:
        connection: to the published database.
        query: SQL.
        given: its parameters.
    """
    result = connection.execute(query, list(given))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def customer_key(connection: duckdb.DuckDBPyConnection, named: str) -> str:
    """Return the key of the one customer who is named.

    Args:
        connection: to the published database.
        named: key, beginning of a key, e-mail address or id.

    Raises:
        SystemExit: if it names nobody, or several. Who was named is not repeated.
    """
    named = named.strip()
    found = connection.execute(
        """
        select customer_key from marts.customer_profiles
        where customer_key = $named or email = lower($named) or customer_id = $named
        union
        select customer_key from marts.customer_identifiers
        where own_key = $named or record_id = $named
            or identifier = case when identifier_type = 'email' then lower($named) else $named end
        union
        select customer_key from core.dim_esp_contacts
        where customer_key is not null and (esp_contact_id = $named or external_id = $named)
        union
        select customer_key from marts.customer_profiles
        where length($named) >= $shortest and starts_with(customer_key, $named)
        order by 1
        """,
        {"named": named, "shortest": SHORTEST_KEY},
    ).fetchall()
    if not found:
        sys.exit("Nobody in the published database is known by that.")
    if len(found) > 1:
        keys = ", ".join(key for (key,) in found)
        sys.exit(f"{len(found)} customers are known by that. Name one by its key: {keys}")
    return found[0][0]


def profile(connection: duckdb.DuckDBPyConnection, key: str) -> Iterator[str]:
    """Yield lines of everything in the profile; sensitive attributes by name alone."""
    (found,) = rows(connection, "select * from marts.customer_profiles where customer_key = ?", key)
    for name, value in found.items():
        if value is not None and name not in ("segment_ids", "custom_attributes"):
            yield f"{name:<34}{value}"
    attributes = rows(
        connection,
        "select attribute_name, attribute_value, is_sensitive from core.dim_customer_attributes"
        " where customer_key = ? order by attribute_name",
        key,
    )
    for its in attributes:
        value = "(sensitive, not shown)" if its["is_sensitive"] else its["attribute_value"]
        yield f"{'custom_attributes.' + its['attribute_name']:<34}{value}"


def segments(connection: duckdb.DuckDBPyConnection, key: str) -> Iterator[str]:
    """Yield lines of every segment: since when, why, and what would move the customer out."""
    found = rows(
        connection,
        """
        select m.*, s.entered_date
        from marts.segment_memberships as m
        left join marts.segment_spells as s
            on m.customer_key = s.customer_key and m.segment_id = s.segment_id
                and s.left_date is null
        where m.customer_key = ?
        order by m.family, m.segment_id
        """,
        key,
    )
    for its in found:
        yield f"{its['segment_id']} ({its['family']}), since {its['entered_date']}"
        yield f"    why   {its['reason']}"
        rule, ends_on = its["exit_rule"], its["ends_on"]
        is_said = ends_on is None or str(ends_on) in rule
        yield f"    out   {rule}" + ("" if is_said else f"; by time on {ends_on}")
    left = rows(
        connection,
        "select segment_id, entered_date, left_date from marts.segment_spells"
        " where customer_key = ? and left_date is not null order by left_date desc, segment_id"
        " limit 5",
        key,
    )
    for its in left:
        yield f"left {its['segment_id']} on {its['left_date']}, in it since {its['entered_date']}"


def scores(connection: duckdb.DuckDBPyConnection, key: str) -> Iterator[str]:
    """Yield lines of every score, with what moves it most, or why there is none."""
    found = rows(
        connection,
        """
        with every_score as (
            select * from predictions.propensity_scores
            union all
            select * from predictions.lapse_risk_scores
        )
        select s.*, r.reason_1, r.reason_2, r.reason_3
        from every_score as s
        left join predictions.score_reasons as r
            on s.model_name = r.model_name and s.customer_key = r.customer_key
                and s.item_id = r.item_id
        where s.customer_key = ?
        order by s.model_name, s.score desc nulls last, s.item_id
        """,
        key,
    )
    for its in found:
        name = its["model_name"] + (f" {its['item_id']}" if its["item_id"] else "")
        if its["score"] is None:
            yield f"{name:<34}{its['band']}: {its['unknown_reason']}"
            continue
        yield f"{name:<34}{its['score']} ({its['band']}), version {its['model_version']}"
        for reason in filter(None, (its["reason_1"], its["reason_2"], its["reason_3"])):
            yield f"    {reason}"
    values = rows(
        connection,
        "select * from predictions.lifetime_values where customer_key = ? order by horizon_days",
        key,
    )
    for its in values:
        name = f"value of {its['horizon_days']} days"
        if its["predicted_value_amount"] is None:
            yield f"{name:<34}{its['band']}: {its['unknown_reason']}"
        else:
            yield (
                f"{name:<34}{its['predicted_value_amount']:.2f} ({its['band']}), between"
                f" {its['predicted_value_low_amount']:.2f} and"
                f" {its['predicted_value_high_amount']:.2f}"
            )
    for its in rows(
        connection, "select * from predictions.customer_personas where customer_key = ?", key
    ):
        yield f"{'persona':<34}{its['persona_name']}: {its['portrait'] or its['unknown_reason']}"


def permission(connection: duckdb.DuckDBPyConnection, key: str) -> Iterator[str]:
    """Yield lines of what is permitted, on which evidence, and what stands in the way."""
    found = rows(
        connection,
        """
        select p.*, c.action, c.collected_via, c.is_imported
        from core.fct_permissions as p
        left join core.fct_consents as c
            on p.customer_key = c.customer_key and p.evidence_event_id = c.event_id
                and p.purpose = c.purpose
        where p.customer_key = ?
        order by p.purpose
        """,
        key,
    )
    for its in found:
        answer = "yes" if its["is_permitted"] else "no"
        yield f"{its['purpose']:<34}{answer}: {its['reason']} ({its['basis']})"
        if its["evidence_event_id"]:
            via = f" via {its['collected_via']}" if its["collected_via"] else ""
            imported = ", imported" if its["is_imported"] else ""
            yield (
                f"    evidence: {its['action'] or 'event'} at {its['decided_at']} UTC{via}"
                f"{imported}, event {its['evidence_event_id']}"
            )
        if its["expires_on"]:
            yield f"    expires on {its['expires_on']}"
    for its in rows(
        connection,
        "select s.* from core.fct_suppressions as s inner join marts.customer_profiles as p"
        " on s.email = p.email where p.customer_key = ?",
        key,
    ):
        yield f"{'suppressed':<34}{its['reason']} at {its['suppressed_at']} UTC"
    for its in rows(
        connection, "select * from marts.customer_contactability where customer_key = ?", key
    ):
        yield f"{'marketing e-mail':<34}" + (
            "may be sent" if its["is_contactable"] else f"may not be sent: {its['block_reason']}"
        )


def cursors() -> dict[tuple[str, str], tuple[int, str, set[str]]]:
    """Return how far each platform was told: by platform and op, up to where, and when last.

    And what was set aside, since the platform refused it.
    """
    said = os.environ.get(SYNC_STATE) or SYNC_STATE_DEFAULT
    found = {}
    for path in [] if "://" in said else sorted((PROJECT / said).glob("*/.drt/state.json")):
        name = path.parent.parent.name
        kept = json.loads(path.read_text())
        for sync, its in kept.items():
            if "." not in sync:
                refused = kept.get(f"{sync}.refused", {}).get("last_cursor_value") or ""
                found[name, sync.removeprefix(f"{name}_")] = (
                    int(its.get("last_cursor_value") or 0),
                    its["last_run_at"],
                    set(refused.split(",")),
                )
    return found


# Requests of another kind that tell Braze of the same change: see activation.esp_braze.
BESIDE = {"erase": "erase_contact", "suppress": "suppress_address", "upsert": "identify"}


def sent(change: dict, known: dict[tuple[str, str], tuple[int, str, set[str]]]) -> Iterator[str]:
    """Yield whether a change was sent to each platform, and when at the latest.

    Args:
        change: a row of the outbox.
        known: of cursors.
    """
    for name in sorted({name for name, _ in known}):
        nothing = (0, "", set())
        own = known.get((name, change["op"]), nothing)
        beside = known.get((name, BESIDE.get(change["op"])), nothing)
        reached, ran_at, _ = own
        if change["op"] == "erase":
            # Told by one kind or the other; of the others the request beside it is not enough.
            reached, ran_at = max(own[:2], beside[:2])
        refused = own[2] | beside[2]
        if str(change["change_seq"]) in refused:
            yield f"set aside, since {name} refused it or what it follows: make sync tries it again"
        elif change["change_seq"] <= reached:
            yield f"sent to {name} by {ran_at}, unless a later change overtook it"
        else:
            yield f"waits for make sync ESP={name}"


def told(connection: duckdb.DuckDBPyConnection, key: str) -> Iterator[str]:
    """Yield lines of what was written for the platform and sent, the newest first.

    And of what the platform's own export says that it holds.
    """
    known = cursors()
    found = rows(
        connection,
        "select * from activation.esp_outbox where customer_key = ? order by change_seq desc",
        key,
    )
    payload = True
    for its in found:
        yield f"change {its['change_seq']} of {its['changed_at']}: {its['op']} ({its['reason']})"
        for line in sent(its, known):
            yield f"    {line}"
        if its["op"] == "upsert" and payload:
            payload = False
            content = json.loads(its["payload"])
            for name, value in (content | content.pop("properties", {})).items():
                yield f"    {name:<30}{value if isinstance(value, str) else json.dumps(value)}"
    if not found:
        yield "nothing was ever written for the platform"
    elif not known:
        said = os.environ.get(SYNC_STATE) or SYNC_STATE_DEFAULT
        yield f"whether it was sent is not known: there are no cursors of make sync in {said}"
    for its in rows(
        connection,
        "select * from core.dim_esp_contacts where customer_key = ? order by esp_contact_id",
        key,
    ):
        yield (
            f"contact {its['esp_contact_id']} in the export of {its['exported_at']} UTC: "
            + (
                f"holds change {its['synced_change_seq']}"
                if its["synced_change_seq"]
                else "carries no change number of ours"
            )
        )


SECTIONS = {
    "Profile": profile,
    "Segments": segments,
    "Scores": scores,
    "Permission": permission,
    "What the e-mail platform is told": told,
}


def main() -> None:
    """Print every section."""
    named = os.environ.get("EXPLAIN_CUSTOMER", "").strip()
    if not named:
        sys.exit("Name the customer: make explain CUSTOMER=<customer key, e-mail address or id>")
    with published() as connection:
        key = customer_key(connection, named)
        (as_of_at,) = connection.execute(
            "select as_of_at from monitoring.build_runs order by built_at desc limit 1"
        ).fetchone()
        print(f"Customer {key}, as of {as_of_at} UTC")
        for title, section in SECTIONS.items():
            print(f"\n{title}")
            lines = list(section(connection, key))
            for line in lines or ["nothing"]:
                print(f"  {line}")


if __name__ == "__main__":
    main()
