"""From relations to rows of the registry: the trainer of lifetime value.

BG/NBD and Gamma-Gamma are fitted on everything known today. How good that is, the same fit at an
earlier day shows, whose horizon has passed since: beside it stand the spend of the days before,
and an additive boosting of amounts, which is blended in only where that has the smaller error on a
day later than the one it was chosen on.
"""

import json

import numpy as np
import pandas as pd

from lettershop_ml import engine, lifetime, metrics, policy, propensity_trainer, registry

COLUMNS = ("repeat_count", "recency_days", "age_days", "mean_repeat_value")
MOVED = ("recency_days", "age_days", "repeat_count")


def cells_of(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return x, t_x and T in weeks, and the mean value, of raw columns of features."""
    age = table["age_days"].to_numpy(float)
    recency = np.minimum(table["recency_days"].to_numpy(float), age)
    return {
        "x": table["repeat_count"].to_numpy(float),
        "t_x": (age - recency) / 7,
        "age": age / 7,
        "mean_value": table["mean_repeat_value"].to_numpy(float),
    }


def _rows(session, relation, columns: list[str], limit: int, where: str) -> pd.DataFrame:
    """Return rows of features, those with the smallest hash of their key."""
    return engine.frame(
        engine.query(
            session,
            f"select {', '.join(columns)} from ({engine.sql_of(relation)}) as features"
            f" where purchased_before >= 1 and {where}"
            f" order by md5(customer_key) nulls last, as_of_date nulls last limit {limit}",
        )
    )


def _past(session, labels, features, target: str, limit: int) -> pd.DataFrame:
    """Return raw columns, spend and cutoff of the cutoffs whose horizon has passed."""
    columns = ", ".join(f"features.{name}" for name in (*COLUMNS, "net_revenue_90d"))
    table = engine.frame(
        engine.query(
            session,
            "select cast(labels.as_of_date as varchar) as cutoff, labels.label,"
            f" md5(labels.customer_key) as place, {columns}"
            f" from (select * from ({engine.sql_of(labels)}) as every"
            f" where target_id = {engine.text(target)}) as labels"
            f" inner join ({engine.sql_of(features)}) as features"
            " on labels.customer_key = features.customer_key"
            " and labels.as_of_date = features.as_of_date"
            f" order by place nulls last, cutoff nulls last limit {limit}",
        )
    )
    return table.sort_values(["place", "cutoff"], kind="stable")


def evaluate(past: pd.DataFrame, horizon_days: int) -> list[dict]:
    """Return metrics of the value of a horizon per past cutoff, beside the baselines.

    Args:
        past: of `_past`.
        horizon_days: of the target.

    Returns:
        Rows of cutoff, candidate, metric and value; candidates are `bg_nbd_gamma_gamma`,
        `trailing_90d` (the spend of the 90 days before, scaled to the horizon) and `mean`.
    """
    rows = []
    for cutoff, table in past.groupby("cutoff", sort=True):
        if len(table) < 20:
            continue
        cells = cells_of(table)
        fit = lifetime.fit_purchases(cells["x"], cells["t_x"], cells["age"])
        values = lifetime.fit_values(cells["x"], cells["mean_value"])
        points = (cells["x"], cells["t_x"], cells["age"])
        value = lifetime.expected_value(values, cells["x"], cells["mean_value"])
        expected = lifetime.expected_purchases(fit, horizon_days / 7, *points) * value
        low, high = lifetime.value_interval(
            values,
            *lifetime.purchase_interval(fit, horizon_days / 7, *points),
            *(cells["x"], cells["mean_value"]),
        )
        actual = table["label"].to_numpy(float)
        trailing = np.maximum(table["net_revenue_90d"].to_numpy(float), 0) * horizon_days / 90
        candidates = {
            "bg_nbd_gamma_gamma": expected,
            "trailing_90d": trailing,
            "mean": np.full(len(table), max(float(trailing.mean()), 0)),
        }
        for candidate, predicted in candidates.items():
            found = metrics.regression(actual, predicted)
            if candidate == "bg_nbd_gamma_gamma":
                found["interval_coverage"] = float(((actual >= low) & (actual <= high)).mean())
            rows += [
                dict(
                    cutoff=str(cutoff)[:10],
                    candidate=f"{candidate}, {horizon_days} days",
                    metric=metric,
                    value=number,
                    is_published=candidate == "bg_nbd_gamma_gamma",
                )
                for metric, number in found.items()
            ]
    return rows


def _describe(table: pd.DataFrame) -> list[dict]:
    described = []
    for name in MOVED:
        values = table[name].to_numpy(float)
        edges = metrics.edges_of(values)
        shares = metrics.shares_of(values, edges).tolist()
        described.append(dict(feature=name, edges=edges.tolist(), shares=shares))
    return described


def run(session, today, past_features, labels, requests, horizons, earlier) -> pd.DataFrame:
    """Return the rows that this run adds to the registry.

    Args:
        session: what dbt hands to a Python model.
        today: customer_features.
        past_features: training_features.
        labels: training_labels.
        requests: rows of training_requests of kind lifetime_value.
        horizons: the seed lifetime_value_horizons.
        earlier: the registry so far.
    """
    added = []
    for request in propensity_trainer.plain(requests):
        rows = earlier[earlier["model_name"] == request["model_name"]]
        added += _decide(session, today, past_features, labels, request, horizons, rows)
    return registry.frame(added)


def _decide(session, today, past_features, labels, request, horizons, rows) -> list[dict]:
    name, day = request["model_name"], request["as_of_date"]
    request["definition_hash"] = registry.digest("bg_nbd_gamma_gamma")
    champion = registry.champion(rows)
    back = propensity_trainer.rolled_back(request, rows, champion)
    if back is not None:
        return [back]
    cause = policy.wanted(request, rows, champion)
    if cause is None and champion is None:
        return []
    limit = int(request["maximum_rows"])
    if cause is None and policy.is_ripe(request, rows):
        table = _rows(session, today, list(COLUMNS), limit, "true")
        bins = json.loads(champion["payload"])["features"]
        feature, moved = policy.drift(bins, {one: table[one].to_numpy(float) for one in MOVED})
        if moved > float(request["drift_limit"]):
            found = f"drift: {feature} has moved since training, stability index {moved:.3f}"
            cause = ("drift", found)
    if cause is None:
        days = policy.days_between(champion["served_since"], day)
        why = f"it has served for {days} days and no limit of age or drift is crossed"
        return propensity_trainer.kept(request, rows, champion, why)
    common = {"cause": cause[0], "definition_hash": request["definition_hash"]}
    table = _rows(session, today, list(COLUMNS), limit, "true")
    cells = cells_of(table)
    repeaters = int((cells["x"] > 0).sum())
    why = None
    if len(table) < int(request["minimum_rows"]):
        why = f"{len(table)} customers have bought; {request['minimum_rows']} are the minimum"
    elif repeaters < int(request["minimum_of_each_class"]):
        why = (
            f"{repeaters} customers bought again; {request['minimum_of_each_class']} are the"
            " minimum"
        )
    if why and champion is not None:
        return propensity_trainer.kept(request, rows, champion, why)
    if why:
        reason = f"not trained: {why}"
        return [registry.decision(name, rows, day, "not_trained", reason=reason, **common)]
    with engine.single_threaded():
        purchases = lifetime.fit_purchases(cells["x"], cells["t_x"], cells["age"])
        values = lifetime.fit_values(cells["x"], cells["mean_value"])
        measured = []
        for horizon in sorted(horizons["horizon_days"].astype(int).tolist()):
            past = _past(session, labels, past_features, f"spend_{horizon}d", limit)
            measured += evaluate(past, horizon)
        payload = {
            "purchases": purchases,
            "values": values,
            "features": _describe(table),
            "limits": _limits(purchases, values, cells, horizons),
        }
    text = registry.as_json(registry.rounded(payload))
    said, version = "promoted", registry.version(day, text)
    reason = f"{cause[1]}; BG/NBD and Gamma-Gamma by maximum likelihood"
    if champion is not None and champion["payload"] == text:
        said, version, text = "kept", champion["model_version"], None
        reason = f"kept, because training gave the same result ({reason})"
    elif champion is not None:
        # Of two fits of the same likelihood the better describes today's customers.
        old = json.loads(champion["payload"])["purchases"]
        points = (cells["x"], cells["t_x"], cells["age"])
        is_better, verdict = policy.replaces(
            -purchases["log_likelihood"] / len(table),
            -lifetime.log_likelihood(old, *points) / len(table),
        )
        reason = f"{reason}; {verdict}"
        said = "promoted" if is_better else "rejected"
    return [
        registry.decision(
            name,
            rows,
            day,
            said,
            reason=reason,
            model_version=version,
            algorithm="bg_nbd_gamma_gamma",
            data_hash=registry.data_hash(cells),
            row_count=len(table),
            trained_to=day,
            features=list(COLUMNS),
            parameters={"purchases": purchases, "values": values},
            metrics=measured,
            payload=text,
            **common,
        )
    ]


def _limits(purchases, values, cells, horizons) -> list[dict]:
    """Return per horizon the deciles of the predicted value in the training sample."""
    limits = []
    for horizon in sorted(horizons["horizon_days"].astype(int).tolist()):
        expected = lifetime.expected_purchases(
            purchases, horizon / 7, cells["x"], cells["t_x"], cells["age"]
        ) * lifetime.expected_value(values, cells["x"], cells["mean_value"])
        limits.append(dict(horizon_days=horizon, edges=metrics.deciles(expected).tolist()))
    return limits
