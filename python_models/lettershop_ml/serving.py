"""From rows of the registry to relations of scores that the engine evaluates."""

import json

import numpy as np
import pandas as pd

from lettershop_ml import engine, lifetime, lifetime_trainer, metrics, scoring, terms, trainer


def _last_words(decisions: pd.DataFrame) -> dict[str, str]:
    return dict(zip(decisions["model_name"], decisions["reason"], strict=True))


def band_limits(bands: pd.DataFrame, output: str, deciles: list[float]) -> list[tuple[str, float]]:
    """Return names of bands and the score from which each holds, ascending.

    Args:
        bands: the seed score_bands.
        output: whose bands.
        deciles: the nine of the training sample.
    """
    limits = []
    for row in bands[bands["output"] == output].sort_values("from_decile").to_dict("records"):
        place = int(row["from_decile"])
        limits.append((row["band"], -np.inf if place <= 0 else float(deciles[min(place, 9) - 1])))
    return limits


def probabilities(features, requests, versions, rows, decisions, bands):
    """Return a relation of the logits, bands and reasons of every model of a probability.

    Args:
        features: by grain, the relation of today's features.
        requests: rows of training_requests.
        versions: rows of model_versions that serve.
        rows: of model_terms, of the versions that serve.
        decisions: the last row of retraining_decisions per model.
        bands: the seed score_bands.
    """
    words = _last_words(decisions)
    relations = []
    asked = requests[requests["model_kind"] == "probability"]
    for request in trainer.plain(asked):
        name = request["model_name"]
        relation = features[request["target_grain"]]
        mine = rows[rows["model_name"] == name]
        version = versions[versions["model_name"] == name]
        served, families, deciles, limits = {"model_version": None}, {}, [], []
        served["reason"] = words.get(name, "there is no version of the model yet")
        if len(mine) and len(version):
            clean = mine.rename(columns={"lower_bound": "lower", "upper_bound": "upper"})
            clean = clean.astype(object).where(clean.notna(), None)
            model = terms.from_rows(clean.to_dict("records"))
            if model.pieces.keys() <= set(engine.columns_of(relation)):
                served |= {"model_version": version["model_version"].iloc[0], "model": model}
                payload = json.loads(version["payload"].iloc[0])
                deciles = payload["scores"]["deciles"]
                limits = band_limits(bands, request["output"], deciles)
                known = clean[clean["family"].notna()]
                families = dict(zip(known["feature"], known["family"], strict=True))
            else:
                served["reason"] = "a feature of the version that serves is not there any more"
        relations.append(scoring.scored(relation, request, served, families, deciles, limits))
    if not relations:
        nobody, no_model = features["customer"].filter("1 = 0"), {"model_name": ""}
        return scoring.scored(nobody, no_model | {"target_grain": "customer"}, None, {}, [], [])
    return engine.stacked(relations)


def clusters(relation, centroids, decisions):
    """Return a relation of each buyer's persona.

    Args:
        relation: customer_features.
        centroids: rows of persona_centroids that serve.
        decisions: the last row of retraining_decisions per model.
    """
    served = {"model_version": None, "reason": _last_words(decisions).get("personas", "")}
    names = sorted(centroids["feature"].unique()) if len(centroids) else []
    if names and set(names) <= set(engine.columns_of(relation)):
        first = centroids.drop_duplicates("feature").set_index("feature").loc[names]
        served |= {
            "model_version": centroids["model_version"].iloc[0],
            "clip": float(first["clip"].iloc[0]),
            "features": [
                dict(feature=name, mean=row["feature_mean"], scale=row["feature_scale"])
                for name, row in first.iterrows()
            ],
            "personas": [
                dict(
                    persona_id=persona_id,
                    offset=float(rows["half_square"].iloc[0]),
                    weights=rows.set_index("feature").loc[names, "weight"].tolist(),
                )
                for persona_id, rows in centroids.groupby("persona_id", sort=True)
            ],
        }
    return scoring.personas(relation, served)


# Columns of lifetime_cells, with their types.
CELLS = {
    "repeat_count": "integer",
    "recency_weeks": "integer",
    "age_weeks": "integer",
    "horizon_days": "integer",
    "model_version": "varchar",
    "expected_purchases": "double",
    "chance_alive": "double",
    "low_purchases": "double",
    "high_purchases": "double",
    "days_to_next": "integer",
    "value_p": "double",
    "value_q": "double",
    "value_v": "double",
    "margin_rate": "double",
    "margin_weight": "double",
    **{f"decile_{number}_from": "double" for number in range(2, 11)},
    "medium_from": "double",
    "high_from": "double",
}


def lifetimes(session, relation, versions, horizons, bands):
    """Return a relation of expected purchases per distinct history and horizon.

    Args:
        session: what dbt hands to a Python model.
        relation: customer_features.
        versions: rows of model_versions that serve.
        horizons: the seed lifetime_value_horizons.
        bands: the seed score_bands; of lifetime_value low, medium and high are known.
    """
    version = versions[versions["model_name"] == "lifetime_value"]
    rows = []
    if len(version):
        payload = json.loads(version["payload"].iloc[0])
        cells = engine.frame(
            engine.query(
                session,
                "select distinct cast(repeat_count as integer) as repeat_count,"
                " cast(round((age_days - recency_days) / 7) as integer) as recency_weeks,"
                " cast(round(age_days / 7) as integer) as age_weeks"
                f" from ({engine.sql_of(relation)}) as features where purchased_before >= 1"
                " order by repeat_count, recency_weeks, age_weeks",
            )
        )
        rows = cells_of(payload, cells, horizons, bands, version["model_version"].iloc[0])
    table = pd.DataFrame(rows, columns=list(CELLS)) if not len(rows) else rows
    return engine.typed(session, table, CELLS)


def lifetime_boosts(session, relation, versions):
    """Return a relation of the logarithm of what boostings expect of each buyer, unevaluated.

    Args:
        session: what dbt hands to a Python model.
        relation: customer_features.
        versions: rows of model_versions that serve.
    """
    columns = {"customer_key": "varchar", "horizon_days": "integer", "value_log": "double"}
    version = versions[versions["model_name"] == "lifetime_value"]
    payload = json.loads(version["payload"].iloc[0]) if len(version) else {}
    boosts = lifetime_trainer.boosts_of(payload)
    there = set(engine.columns_of(relation))
    relations = [
        engine.project(
            relation,
            [
                "customer_key",
                f"cast({horizon} as integer) as horizon_days",
                f"cast(case when purchased_before >= 1 then {scoring.logit_sql(model)} end"
                " as double) as value_log",
            ],
        )
        for horizon, model in boosts.items()
        if model.pieces.keys() <= there
    ]
    if not relations:
        return engine.typed(session, pd.DataFrame(columns=list(columns)), columns)
    return engine.stacked(relations)


def _value_limits(bands: pd.DataFrame, deciles: list[float] | None) -> dict[str, float]:
    """Return the limits of deciles and bands; nan where the version knows none."""
    limits = dict(band_limits(bands, "lifetime_value", deciles) if deciles else [])
    tenths = enumerate(deciles or [np.nan] * 9, start=2)
    return {f"decile_{number}_from": float(limit) for number, limit in tenths} | {
        name: limits.get(band, metrics.UNBOUNDED if deciles else np.nan)
        for name, band in (("medium_from", "medium"), ("high_from", "high"))
    }


def cells_of(payload: dict, cells: pd.DataFrame, horizons, bands, model_version: str):
    """Return the rows of lifetime_cells.

    Args:
        payload: of the version that serves.
        cells: repeat_count, recency_weeks and age_weeks.
        horizons: the seed lifetime_value_horizons.
        bands: the seed score_bands.
        model_version: that serves.
    """
    fit = payload["purchases"]
    history = [cells[name].to_numpy(float) for name in ("repeat_count", "recency_weeks")]
    history.append(np.maximum(cells["age_weeks"].to_numpy(float), history[1]))
    deciles = {entry["horizon_days"]: entry["edges"] for entry in payload["limits"]}
    days = np.ceil(lifetime.weeks_to_next(fit, *history) * 7)
    parts, expected = [], 0.0
    for horizon in sorted(horizons["horizon_days"].astype(int).tolist()):
        # More days, more purchases: also where the last digits of the function say otherwise.
        expected = np.maximum(
            expected, np.round(lifetime.expected_purchases(fit, horizon / 7, *history), 9)
        )
        low, high = lifetime.purchase_interval(fit, horizon / 7, *history)
        part = cells.assign(
            horizon_days=horizon,
            model_version=model_version,
            expected_purchases=expected,
            chance_alive=np.round(lifetime.chance_alive(fit, *history), 9),
            low_purchases=low,
            high_purchases=high,
            days_to_next=pd.array(np.where(days <= 3650, days, np.nan), dtype="Int64"),
            value_p=payload["values"]["p"],
            value_q=payload["values"]["q"],
            value_v=payload["values"]["v"],
            margin_rate=payload["margins"]["rate"],
            margin_weight=payload["margins"]["weight"],
            **_value_limits(bands, deciles.get(horizon)),
        )
        parts.append(part[list(CELLS)])
    return pd.concat(parts, ignore_index=True)
