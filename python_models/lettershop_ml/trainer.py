"""From relations to rows of the registry: what all trainers share, and the order they run in."""

import json

import numpy as np
import pandas as pd

from lettershop_ml import engine, policy, registry

# Of today's customers, as many are compared with the training sample.
DRIFT_ROWS = 20000
KEYS = ("customer_key", "item_id", "as_of_date")


class Inputs:
    """Where training data comes from. Past labels and features are evaluated once in a run.

    Attributes:
        session: what dbt hands to a Python model.
        labels: the relation training_labels.
        features: by grain, the relations of training features and of today's.
        catalog: the feature catalogue as a data frame.
    """

    def __init__(self, session, labels, features: dict[str, tuple], catalog: pd.DataFrame):
        """Keep the relations; nothing is read yet."""
        self.session, self.labels, self.features, self.catalog = session, labels, features, catalog
        self._cached: dict[str, str] = {}
        self._columns: dict[str, list[str]] = {}

    def columns(self, grain: str) -> list[str]:
        """Return the columns that today's features of a grain have."""
        if grain not in self._columns:
            self._columns[grain] = engine.columns_of(self.features[grain][1])
        return self._columns[grain]

    def names(self, model_name: str, grain: str) -> list[str]:
        """Return the features a model may use that its grain has, in alphabetical order."""
        catalog = self.catalog[self.catalog["grain"] == grain]
        # A star stands for every supervised model of the grain; personas are named.
        stands = {model_name} | ({"*"} if model_name != "personas" else set())
        may = catalog["used_by"].fillna("").map(lambda used: bool(stands & set(used.split())))
        forbidden = catalog["is_forbidden"].map(lambda value: str(value).lower() == "true")
        allowed = set(catalog.loc[may & ~forbidden, "feature"])
        return sorted(allowed & set(self.columns(grain)) - set(KEYS))

    def definition(self, request: dict, names: list[str]) -> str:
        """Return the definition of a model: what it is asked and which features it may use.

        What the catalogue says of a feature in words makes no model another.

        Args:
            request: the model's row of training_requests.
            names: of its features.
        """
        return policy.defined(policy.question(request), names)

    def forbidden(self, grain: str | None) -> set[str]:
        """Return the features of a grain that no model may use; of customers where it is None."""
        catalog = self.catalog[self.catalog["grain"] == (grain or "customer")]
        forbidden = catalog["is_forbidden"].map(lambda value: str(value).lower() == "true")
        return set(catalog.loc[forbidden, "feature"])

    def _past(self, name: str, relation) -> str:
        """Return SQL of a relation of the past, evaluated once."""
        if name not in self._cached:
            sql = f"select * from ({engine.sql_of(relation)}) as past"
            self._cached[name] = engine.cached(self.session, f"lettershop_{name}", sql)
        return self._cached[name]

    def past_labels(self) -> str:
        """Return SQL of all labels whose windows have ended."""
        return self._past("labels", self.labels)

    def past_features(self, grain: str) -> str:
        """Return SQL of a grain's features at past cutoffs."""
        return self._past(f"{grain}_features", self.features[grain][0])

    def counts(self) -> pd.DataFrame:
        """Return rows, customers, positives and cutoffs with labels, per target."""
        return engine.frame(
            engine.query(
                self.session,
                "select target_id, count(*) as row_count,"
                " count(distinct customer_key) as customers,"
                " sum(case when label > 0 then 1 else 0 end) as positives,"
                f" count(distinct as_of_date) as cutoffs from ({self.past_labels()}) as labels"
                " group by target_id",
            )
        ).set_index("target_id")

    def rows(
        self, target: str, grain: str, names: list[str], rows: int, after: str | None = None
    ) -> pd.DataFrame:
        """Return labels and features in the order of a hash of their key.

        The order says nothing of labels, whatever order the engine had its rows in.

        Args:
            target: target_id.
            grain: of the target.
            names: columns to read.
            rows: at most as many, those with the smallest hash.
            after: only cutoffs after this ISO date.

        Returns:
            label_cutoff and label_end (ISO dates), label, person (a number, the same for all rows
            of a customer), and the named columns.
        """
        keys = ["customer_key", "as_of_date"] + (["item_id"] if grain != "customer" else [])
        wanted = f"target_id = {engine.text(target)}" + (
            f" and as_of_date > date {engine.text(after)}" if after else ""
        )
        joins = " and ".join(f"labels.{key} = features.{key}" for key in keys)
        columns = ", ".join(f"features.{name}" for name in names)
        place = "md5(customer_key || '|' || item_id || '|' || cast(as_of_date as varchar))"
        table = engine.frame(
            engine.query(
                self.session,
                "select cast(labels.as_of_date as varchar) as label_cutoff,"
                " cast(labels.label_window_end as varchar) as label_end,"
                " cast(labels.label as double) as label, labels.place,"
                " dense_rank() over (order by labels.customer_key asc nulls last) as person,"
                f" {columns}"
                f" from (select *, {place} as place from ({self.past_labels()}) as every"
                f" where {wanted} order by place asc nulls last limit {rows}) as labels"
                f" inner join ({self.past_features(grain)}) as features on {joins}",
            )
        ).sort_values("place", kind="stable", ignore_index=True)
        for name in ("label_cutoff", "label_end"):
            table[name] = table[name].str[:10]
        return table.drop(columns="place")

    def today(self, grain: str, names: list[str], rows: int, where: str = "true") -> pd.DataFrame:
        """Return today's features, in the order of a hash of the key.

        Args:
            grain: of the features.
            names: columns to read.
            rows: at most as many.
            where: SQL that a row must meet.
        """
        item = "" if grain == "customer" else " || '|' || item_id"
        return engine.frame(
            engine.query(
                self.session,
                f"select {', '.join(names)} from ({engine.sql_of(self.features[grain][1])})"
                f" as features where {where}"
                f" order by md5(customer_key{item}) asc nulls last limit {rows}",
            )
        )

    def forget(self) -> None:
        """Drop what was evaluated."""
        for name in self._cached:
            engine.forget(self.session, f"lettershop_{name}")


def arrays(table: pd.DataFrame, names: list[str]) -> dict[str, np.ndarray]:
    """Return columns as arrays of doubles."""
    return {name: table[name].to_numpy(float) for name in names}


def plain(requests: pd.DataFrame) -> list[dict]:
    """Return rows as dicts of Python's own types, dates as ISO text, missing values as None."""
    rows = []
    for row in requests.sort_values("model_name").to_dict("records"):
        clean = {}
        for key, value in row.items():
            if value is None or isinstance(value, str):
                clean[key] = value
            elif value is pd.NaT or value is pd.NA or value != value:
                clean[key] = None
            elif hasattr(value, "isoformat"):
                clean[key] = value.isoformat()[:10]
            else:
                clean[key] = value.item() if hasattr(value, "item") else value
        rows.append(clean)
    return rows


def used_by(row: dict) -> set[str]:
    """Return the features that a version computes with.

    Args:
        row: of the registry.
    """
    payload = json.loads(row["payload"])
    lists = [payload.get("terms", []), payload.get("centroids", [])]
    lists += [boost["terms"] for boost in payload.get("boosts", [])]
    return {entry["feature"] for entries in lists for entry in entries if entry["feature"]}


def barred(request: dict, champion: dict | None, forbidden: set[str]) -> str | None:
    """Return why a version may no longer answer, in words; None where it may.

    Args:
        request: the model's row of training_requests, with its definition.
        champion: what serves.
        forbidden: features that no model may use.
    """
    if champion is None:
        return None
    version, used = champion["model_version"], sorted(used_by(champion) & forbidden)
    if used:
        return f"{version} uses {', '.join(used)}, which no model may use"
    if policy.asks_otherwise(request["definition_hash"], champion["definition_hash"]):
        return f"{version} answers another question: the target is defined differently now"
    return None


def rolled_back(
    request: dict, rows: pd.DataFrame, champion: dict | None, forbidden: set[str]
) -> dict | None:
    """Return the decision that the var rollback_models asks for, or None where it is in force.

    The row remembers what is asked for now: only what changes after it is a reason to train.

    Args:
        request: the model's row of training_requests.
        rows: the model's rows of the registry so far.
        champion: what serves.
        forbidden: features that no model may use.

    Raises:
        ValueError: of a version that the registry does not have, or that uses what is forbidden.
    """
    version = request["rollback_version"]
    if not version or (champion is not None and champion["model_version"] == version):
        return None
    known = rows.loc[rows["decision"] == "promoted", "model_version"].tolist()
    if version not in known:
        raise ValueError(
            f"rollback_models: {request['model_name']} has no version {version!r} that was"
            f" promoted. There are: {', '.join(known) or 'none'}."
        )
    trained = rows[(rows["model_version"] == version) & (rows["decision"] == "promoted")]
    used = sorted(used_by(trained.iloc[-1].to_dict()) & forbidden)
    if used:
        raise ValueError(
            f"rollback_models: {version} of {request['model_name']} uses {', '.join(used)}, which"
            " the feature catalogue forbids."
        )
    return registry.decision(
        request["model_name"],
        rows,
        request["as_of_date"],
        "rolled_back",
        definition_hash=request["definition_hash"],
        cause="forced",
        reason=f"rolled back to {version} by the var rollback_models",
        model_version=version,
        algorithm=rows.loc[rows["model_version"] == version, "algorithm"].iloc[0],
    )


def kept(request: dict, rows: pd.DataFrame, champion: dict, why: str) -> list[dict]:
    """Return the decision to keep what serves; none where the day has had its decision."""
    if str(rows["as_of_date"].max())[:10] == request["as_of_date"]:
        return []
    return [
        registry.decision(
            request["model_name"],
            rows,
            request["as_of_date"],
            "kept",
            cause="none",
            reason=f"kept, because {why}",
            model_version=champion["model_version"],
            algorithm=champion["algorithm"],
        )
    ]


def refused(request: dict, rows: pd.DataFrame, champion: dict | None, cause, why: str):
    """Return the decision where there is too little to train on: keep, or have nothing.

    That it was tried is remembered with what was asked for, so that it is not tried at every build.

    Args:
        request: the model's row of training_requests.
        rows: the model's rows of the registry so far.
        champion: what serves.
        cause: cause and reason to train.
        why: it cannot be trained, in words.
    """
    said, reason, version = "not_trained", f"not trained: {why}", {}
    if champion is not None:
        version = {name: champion[name] for name in ("model_version", "algorithm")}
        said, reason = "kept", f"kept, because there is too little to train on: {why}"
        if request["barred"]:
            said = "withdrawn"
            reason = f"withdrawn: {request['barred']}; there is too little to train on: {why}"
    return [
        registry.decision(
            request["model_name"],
            rows,
            request["as_of_date"],
            said,
            cause=cause[0],
            reason=reason,
            definition_hash=request["definition_hash"],
            **version,
        )
    ]


def switched_off(asked: list[dict], earlier: pd.DataFrame) -> list[dict]:
    """Return the decisions about models that serve and are no longer asked for, once each.

    Args:
        asked: rows of training_requests, at least one.
        earlier: the registry so far.
    """
    added, names = [], {request["model_name"] for request in asked}
    for name in sorted(set(earlier["model_name"]) - names):
        rows = earlier[earlier["model_name"] == name]
        champion = registry.champion(rows)
        if champion is not None:
            added.append(
                registry.decision(
                    name,
                    rows,
                    asked[0]["as_of_date"],
                    "withdrawn",
                    cause="switched_off",
                    reason="withdrawn: it is switched off",
                    model_version=champion["model_version"],
                    algorithm=champion["algorithm"],
                )
            )
    return added


def challenged(
    request: dict,
    rows: pd.DataFrame,
    champion: dict | None,
    cause: tuple[str, str],
    payload: str,
    reason: str,
    compare,
    **values,
) -> list[dict]:
    """Return the decision about what was trained.

    Args:
        request: the model's row of training_requests.
        rows: the model's rows of the registry so far.
        champion: what serves.
        cause: cause and reason to train.
        payload: the challenger as JSON.
        reason: about the challenger.
        compare: called without arguments where there is a champion that may go on answering:
            whether the challenger may replace it, and a sentence.
        values: further columns of the row.
    """
    version = registry.version(request["as_of_date"], payload)
    said, reason = "promoted", f"{cause[1]}; {reason}"
    if request["barred"]:
        reason = f"{reason}; not compared: {request['barred']}"
    elif champion is not None and champion["payload"] == payload:
        said, version, payload = "kept", champion["model_version"], None
        reason = f"kept, because training gave the same result ({reason})"
    elif champion is not None:
        is_better, verdict = compare()
        said = "promoted" if is_better else "rejected"
        reason = f"{reason}; {verdict}"
    return [
        registry.decision(
            request["model_name"],
            rows,
            request["as_of_date"],
            said,
            cause=cause[0],
            reason=reason,
            model_version=version,
            definition_hash=request["definition_hash"],
            payload=payload,
            **values,
        )
    ]


def run(
    inputs: Inputs,
    requests: pd.DataFrame,
    rules: pd.DataFrame,
    horizons: pd.DataFrame,
    earlier: pd.DataFrame,
) -> pd.DataFrame:
    """Return the rows that this run adds to the registry.

    Args:
        inputs: the relations.
        requests: rows of training_requests.
        rules: the seed persona_rules.
        horizons: the seed lifetime_value_horizons.
        earlier: the registry so far.
    """
    from lettershop_ml import lifetime_trainer, persona_trainer, propensity_trainer

    trainers = {
        "probability": propensity_trainer.Trainer(inputs),
        "lifetime_value": lifetime_trainer.Trainer(inputs, horizons),
        "clusters": persona_trainer.Trainer(inputs, rules),
    }
    added, asked = [], plain(requests)
    if asked:
        added += switched_off(asked, earlier)
    try:
        for request in asked:
            rows = earlier[earlier["model_name"] == request["model_name"]]
            added += decide(trainers[request["model_kind"]], request, rows)
    finally:
        inputs.forget()
    return registry.frame(added)


def decide(trainer, request: dict, rows: pd.DataFrame) -> list[dict]:
    """Return the rows that this run adds to the registry for one model.

    Args:
        trainer: of the model's kind.
        request: the model's row of training_requests.
        rows: the model's rows of the registry so far.
    """
    champion = registry.champion(rows)
    request["definition_hash"] = trainer.definition(request)
    forbidden = trainer.forbidden(request)
    back = rolled_back(request, rows, champion, forbidden)
    if back is not None:
        return [back]
    request["barred"] = barred(request, champion, forbidden)
    cause = policy.wanted(request, rows, champion)
    if cause is None and champion is None:
        return []
    if cause is None and policy.is_ripe(request, rows):
        cause = trainer.worse_now(request, champion)
    if cause is None:
        days = policy.days_between(champion["served_since"], request["as_of_date"])
        why = f"it has served for {days} days and no limit of age, drift or quality is crossed"
        return kept(request, rows, champion, why)
    return trainer.train(request, rows, champion, cause)
