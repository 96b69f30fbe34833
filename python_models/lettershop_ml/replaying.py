"""What a version said on past days, beside what then happened.

Nobody keeps past predictions: the version that served on a past day scores that day's features
again, by the expression that it scores with today. What is not needed is not evaluated: without a
version that served on a day whose window has ended, no feature of the past is looked at.
"""

import json
from datetime import date, timedelta

import pandas as pd

from lettershop_ml import engine, policy, registry, serving, trainer

# Columns of the result, with their types on DuckDB.
COLUMNS = {
    "model_name": "varchar",
    "model_version": "varchar",
    "customer_key": "varchar",
    "item_id": "varchar",
    "as_of_date": "date",
    "score": "double",
    "decile": "integer",
    "band": "varchar",
    "label": "double",
}
# Of targets with a grid of cutoffs, as many of the newest are replayed.
CUTOFFS = 2
# Sends are replayed for as many days before the newest that can be.
SEND_DAYS = 90


def serving_on(decisions: pd.DataFrame, model_name: str, day: str) -> str | None:
    """Return the version of a model that served on a day, None before the first.

    Args:
        decisions: rows of retraining_decisions.
        model_name: which model.
        day: ISO date; what was decided on the day itself had been decided before it was scored.
    """
    rows = decisions[
        (decisions["model_name"] == model_name)
        & decisions["decision"].isin(registry.CHANGES)
        & (decisions["as_of_date"].astype(str).str[:10] <= day)
    ]
    if rows.empty:
        return None
    last = rows.sort_values("decision_number").iloc[-1]
    return None if last["decision"] == "withdrawn" else str(last["model_version"])


def days_to_replay(cutoffs: pd.DataFrame, target: str) -> list[str]:
    """Return the newest cutoffs of a target whose window has ended, as ISO dates, ascending.

    Args:
        cutoffs: rows of training_cutoffs.
        target: target_id.
    """
    days = cutoffs.loc[cutoffs["target_id"] == target, "as_of_date"].astype(str).str[:10]
    return sorted(set(days))[-CUTOFFS:]


def first_send(decisions: pd.DataFrame, request: dict) -> str | None:
    """Return the first day whose sends can be replayed, as ISO date; None where there is none.

    Args:
        decisions: rows of retraining_decisions.
        request: the model's row of training_requests.
    """
    name, today = request["model_name"], date.fromisoformat(request["as_of_date"])
    promoted = decisions[(decisions["model_name"] == name) & (decisions["decision"] == "promoted")][
        "as_of_date"
    ]
    oldest = today - timedelta(days=SEND_DAYS + int(request["target_horizon_days"]))
    first = max([oldest.isoformat(), *promoted.astype(str).str[:10].sort_values()[:1]])
    # Only what redeems may be over before its horizon: with its campaign.
    over = date.fromisoformat(first)
    if request["target_label_rule"] != "redeems":
        over += timedelta(days=int(request["target_horizon_days"]))
    is_due = not promoted.empty and first < today.isoformat() and over <= today
    return first if is_due else None


def days_of_sends(session, labels, decisions: pd.DataFrame, requests: list[dict]) -> dict:
    """Return the days of sends that can be replayed, by model, as ISO dates, ascending.

    Their labels are evaluated here, once for all models; where none is due, not at all.

    Args:
        session: what dbt hands to a Python model.
        labels: the relation send_labels.
        decisions: rows of retraining_decisions.
        requests: rows of training_requests of that grain.
    """
    firsts = {request["model_name"]: first_send(decisions, request) for request in requests}
    due = {name: first for name, first in firsts.items() if first}
    if not due:
        return {}
    wanted = " or ".join(
        f"(target_id = {engine.text(name)} and as_of_date >= date '{first}')"
        for name, first in sorted(due.items())
    )
    held = engine.cached(
        session,
        "lettershop_past_labels_customer_send",
        f"select * from ({engine.sql_of(labels)}) as past"
        f" where as_of_date >= date '{min(due.values())}' and ({wanted})",
    )
    found = engine.frame(
        engine.query(
            session,
            f"select distinct target_id, cast(as_of_date as varchar) as day from ({held}) as held",
        )
    )
    return {
        name: sorted(day[:10] for day in rows["day"]) for name, rows in found.groupby("target_id")
    }


def answers(request: dict, version: str, versions: pd.DataFrame) -> bool:
    """Return whether a version answers what is asked now: the labels are of that.

    Args:
        request: the model's row of training_requests.
        version: its model_version.
        versions: rows of model_versions, all of them.
    """
    is_model = versions["model_name"] == request["model_name"]
    mine = versions[is_model & (versions["model_version"] == version)]
    if mine.empty or "terms" not in json.loads(mine["payload"].iloc[0]):
        return False
    asked = policy.defined(policy.question(request))
    return not policy.asks_otherwise(asked, mine["definition_hash"].iloc[0])


def outcomes(session, features, labels, requests, cutoffs, versions, rows, decisions, bands):
    """Return a relation of past scores with the labels that came true, evaluated in the engine.

    Args:
        session: what dbt hands to a Python model.
        features: by grain, the relation of training features.
        labels: by grain, the relation of labels.
        requests: rows of training_requests.
        cutoffs: rows of training_cutoffs.
        versions: rows of model_versions, all of them.
        rows: rows of model_terms, of all versions.
        decisions: rows of retraining_decisions.
        bands: the seed score_bands.
    """
    wanted: list[tuple[dict, str, list[str]]] = []
    asked = trainer.plain(requests[requests["model_kind"] == "probability"])
    of_sends = [request for request in asked if request["target_grain"] == "customer_send"]
    sends = days_of_sends(session, labels["customer_send"], decisions, of_sends)
    for request in asked:
        name = request["model_name"]
        days = sends.get(name, []) if request in of_sends else days_to_replay(cutoffs, name)
        by_version: dict[str | None, list[str]] = {}
        for day in days:
            by_version.setdefault(serving_on(decisions, name, day), []).append(day)
        wanted += [
            (request, version, served)
            for version, served in by_version.items()
            if version and answers(request, version, versions)
        ]
    if not wanted:
        engine.forget(session, "lettershop_past_labels_customer_send")
        return engine.typed(session, pd.DataFrame(columns=list(COLUMNS)), COLUMNS)
    words = decisions[decisions["is_last_decision"]]
    # The past is evaluated once, for all models and versions that look at it.
    past = {}
    for grain in sorted({request["target_grain"] for request, *_ in wanted}):
        days = [
            day
            for request, _, served in wanted
            for day in served
            if request["target_grain"] == grain
        ]
        past[grain] = _evaluated(session, f"features_{grain}", features[grain], days)
        past[f"labels_{grain}"] = "select * from lettershop_past_labels_customer_send"
        if grain != "customer_send":
            past[f"labels_{grain}"] = _evaluated(session, f"labels_{grain}", labels[grain], days)
    parts = []
    for request, version, served in wanted:
        name = request["model_name"]
        mine = versions[(versions["model_name"] == name) & (versions["model_version"] == version)]
        rows_of_day = f"{past[request['target_grain']]} where {_among(served)}"
        scored = serving.probabilities(
            {request["target_grain"]: engine.query(session, rows_of_day)},
            requests[requests["model_name"] == name],
            mine,
            rows[(rows["model_name"] == name) & (rows["model_version"] == version)],
            words,
            bands,
        )
        parts.append(
            "select scored.model_name, scored.model_version, scored.customer_key, scored.item_id,"
            " scored.as_of_date, cast(scored.score as double) as score, scored.decile,"
            " scored.band, cast(labels.label as double) as label"
            f" from ({engine.sql_of(scored)}) as scored"
            f" inner join ({past['labels_' + request['target_grain']]}"
            f" where target_id = {engine.text(name)}) as labels"
            " on labels.customer_key = scored.customer_key and labels.item_id = scored.item_id"
            " and labels.as_of_date = scored.as_of_date where scored.score is not null"
        )
    found = engine.cached(session, "lettershop_outcomes", " union all ".join(parts))
    for grain in features:
        engine.forget(session, f"lettershop_past_features_{grain}")
        engine.forget(session, f"lettershop_past_labels_{grain}")
    return engine.query(session, found)


def _evaluated(session, name: str, relation, days: list[str]) -> str:
    """Return SQL of a relation at some days, evaluated once.

    The range beside the list is for engines that push down the one and not the other.
    """
    return engine.cached(
        session,
        f"lettershop_past_{name}",
        f"select * from ({engine.sql_of(relation)}) as past where {_among(days)}"
        f" and as_of_date between date '{min(days)}' and date '{max(days)}'",
    )


def _among(days: list[str]) -> str:
    """Return SQL of the condition that as_of_date is one of some ISO dates."""
    return f"as_of_date in ({', '.join(f'date {engine.text(day)}' for day in sorted(set(days)))})"
