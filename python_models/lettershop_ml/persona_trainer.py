"""From relations to rows of the registry: the trainer of personas."""

import json

import numpy as np
import pandas as pd

from lettershop_ml import engine, metrics, personas, policy, propensity_trainer, registry

MODEL = "personas"


def rules_of(table: pd.DataFrame) -> list[dict]:
    """Return the rows of persona_rules as `personas.named` wants them, in order of priority."""
    rules = []
    for row in table.sort_values("priority").to_dict("records"):
        conditions = [
            (row[f"feature_{number}"], row[f"side_{number}"], float(row[f"limit_{number}"]))
            for number in (1, 2, 3)
            if isinstance(row.get(f"feature_{number}"), str) and row[f"feature_{number}"]
        ]
        rules.append(
            dict(
                persona_name=row["persona_name"],
                portrait=row["portrait"],
                conditions=conditions,
            )
        )
    return rules


def _sample(session, relation, names: list[str], rows: int) -> dict[str, np.ndarray]:
    """Return features of buyers, at most as many rows, in the order of a hash of their key."""
    columns = ", ".join(names)
    table = engine.frame(
        engine.query(
            session,
            f"select {columns} from ({engine.sql_of(relation)}) as features"
            f" where purchased_before >= 1 order by md5(customer_key) nulls last limit {rows}",
        )
    )
    return {name: table[name].to_numpy(float) for name in names}


def _nearest(payload: dict, columns: dict[str, np.ndarray]) -> np.ndarray | None:
    """Return the number of the nearest persona of a version, None where a feature is missing."""
    table = pd.DataFrame(payload["centroids"])
    first = table.drop_duplicates("feature")
    names = first["feature"].tolist()
    if not set(names) <= columns.keys():
        return None
    points = personas.standardised(
        np.column_stack([columns[name] for name in names]),
        first["mean"].to_numpy(),
        first["scale"].to_numpy(),
    )
    wide = table.pivot(index="persona_id", columns="feature", values="weight")[names]
    offsets = table.drop_duplicates("persona_id").set_index("persona_id")["offset"]
    return (offsets[wide.index].to_numpy() - points @ wide.to_numpy().T).argmin(axis=1)


def _worse_now(request, champion, session, relation) -> str | None:
    payload, limit = json.loads(champion["payload"]), float(request["drift_limit"])
    names = [entry["feature"] for entry in payload["features"]]
    columns = _sample(session, relation, names, propensity_trainer.DRIFT_ROWS)
    feature, moved = policy.drift(payload["features"], columns)
    if moved > limit:
        return f"drift: {feature} has moved since training, stability index {moved:.3f} > {limit}"
    return None


def run(session, relation, requests, catalog, rules, earlier) -> pd.DataFrame:
    """Return the rows that this run adds to the registry.

    Args:
        session: what dbt hands to a Python model.
        relation: customer_features.
        requests: rows of training_requests of kind clusters.
        catalog: the feature catalogue.
        rules: the seed persona_rules.
        earlier: the registry so far.
    """
    added = []
    for request in propensity_trainer.plain(requests):
        rows = earlier[earlier["model_name"] == request["model_name"]]
        added += _decide(session, relation, request, catalog, rules, rows)
    return registry.frame(added)


def _decide(session, relation, request, catalog, rules, rows) -> list[dict]:
    today = request["as_of_date"]
    inputs = propensity_trainer.Inputs(session, None, {"customer": (relation, relation)}, catalog)
    names = inputs.names(MODEL, "customer")
    request["definition_hash"] = inputs.definition(request, names)
    champion = registry.champion(rows)
    back = propensity_trainer.rolled_back(request, rows, champion)
    if back is not None:
        return [back]
    cause = policy.wanted(request, rows, champion)
    if cause is None and champion is None:
        return []
    if cause is None and policy.is_ripe(request, rows):
        found = _worse_now(request, champion, session, relation)
        cause = (found.split(":")[0], found) if found else None
    if cause is None:
        days = policy.days_between(champion["served_since"], today)
        why = f"it has served for {days} days and no limit of age or drift is crossed"
        return propensity_trainer.kept(request, rows, champion, why)
    common = {"cause": cause[0], "definition_hash": request["definition_hash"]}
    columns = _sample(session, relation, names, int(request["maximum_rows"])) if names else {}
    settings = personas.Settings(minimum_rows=int(request["minimum_rows"]))
    try:
        with engine.single_threaded():
            fit = personas.train(columns, names, settings)
    except ValueError as error:
        if champion is not None:
            why = f"there is too little to train on: {error}"
            return propensity_trainer.kept(request, rows, champion, why)
        reason = f"not trained: {error}"
        return [
            registry.decision(request["model_name"], rows, today, "not_trained", reason=reason, **common)
        ]
    before = json.loads(champion["payload"]) if champion is not None else None
    payload = payload_of(fit, columns, rules_of(rules), before)
    text = registry.as_json(payload)
    said, version = "promoted", registry.version(today, text)
    reason = f"{cause[1]}; {fit.reason}"
    if champion is not None and champion["payload"] == text:
        said, version = "kept", champion["model_version"]
        reason, text = f"kept, because training gave the same result ({reason})", None
    measured = list(fit.measured)
    if before is not None and said == "promoted":
        # Ids are matched: how far the same customers keep theirs.
        now = personas.assign(fit, np.column_stack([columns[name] for name in fit.names]))
        then = _nearest(before, columns)
        if then is not None:
            agreement = metrics.adjusted_rand(now, then)
            row = dict(candidate="version before", metric="agreement", value=agreement)
            measured.append(row | {"is_published": False})
            reason += f"; agreement with the version before {agreement:.3f}"
    return [
        registry.decision(
            request["model_name"],
            rows,
            today,
            said,
            reason=reason,
            model_version=version,
            algorithm="k_means",
            data_hash=registry.data_hash(columns),
            row_count=len(columns[names[0]]),
            trained_to=today,
            features=fit.names,
            parameters={"k": len(fit.shares), "has_components": fit.axes is not None},
            metrics=[row | {"cutoff": today} for row in measured],
            payload=text,
            **common,
        )
    ]


def payload_of(fit: personas.Fit, columns, rules: list[dict], before: dict | None) -> dict:
    """Return what is published of clusters: standards, weights, centroids, names, drift bins.

    Args:
        fit: the clusters.
        columns: feature to values of the sample.
        rules: of `rules_of`.
        before: the payload of the version before, whose ids and names stay.
    """
    earlier = _personas_of(before)
    ids = personas.matched(fit, earlier)
    kept = {one["persona_id"]: (one["persona_name"], one["portrait"]) for one in earlier}
    names = personas.named(fit, rules, kept, ids)
    offsets, weights = personas.linear(fit)
    described = []
    for name in fit.names:
        edges = metrics.edges_of(columns[name])
        shares = metrics.shares_of(columns[name], edges).tolist()
        described.append(dict(feature=name, edges=edges.tolist(), shares=shares))
    rows = [
        dict(
            persona_id=ids[cluster],
            persona_name=names[cluster][0],
            portrait=names[cluster][1],
            share=float(f"{fit.shares[cluster]:.6f}"),
            offset=float(offsets[cluster]),
            clip=personas.CLIP,
            feature=name,
            mean=float(fit.means[place]),
            scale=float(fit.scales[place]),
            centroid=float(fit.centroids[cluster, place]),
            weight=float(weights[cluster, place]),
        )
        for cluster in sorted(range(len(ids)), key=lambda one: int(ids[one].rsplit("_", 1)[1]))
        for place, name in enumerate(fit.names)
    ]
    return {"centroids": rows, "features": registry.rounded(described)}


def _personas_of(payload: dict | None) -> list[dict]:
    """Return the personas of a version: id, name, portrait, and the typical value per feature."""
    found: dict[str, dict] = {}
    for row in payload["centroids"] if payload else []:
        one = found.setdefault(row["persona_id"], {"typical": {}})
        one |= {name: row[name] for name in ("persona_id", "persona_name", "portrait")}
        one["typical"][row["feature"]] = row["mean"] + row["scale"] * row["centroid"]
    return list(found.values())
