"""From relations to rows of the registry: the trainer of every target that is a probability."""

import json

import numpy as np
import pandas as pd

from lettershop_ml import engine, metrics, policy, propensity, registry, terms

KEYS = ("customer_key", "item_id", "as_of_date")
# Columns that every target is also ranked by, for comparison; the first must be beaten.
RANKINGS = ("rfm_score", "recency_days")
# Of today's customers, as many are compared with the training sample.
DRIFT_ROWS = 20000


class Inputs:
    """Where training data comes from.

    Attributes:
        session: what dbt hands to a Python model.
        labels: the relation training_labels.
        features: by grain, the relations of training features and of today's.
        catalog: the feature catalogue as a data frame.
    """

    def __init__(self, session, labels, features: dict[str, tuple], catalog: pd.DataFrame):
        """Keep the relations; nothing is read yet."""
        self.session, self.labels, self.features, self.catalog = session, labels, features, catalog
        self.cached: dict[str, str] = {}

    def names(self, model_name: str, grain: str) -> list[str]:
        """Return the features a model may use that its grain has, in alphabetical order."""
        catalog = self.catalog
        may = catalog["used_by"].fillna("").map(
            lambda used: model_name in used.split() or used.strip() == "*"
        )
        forbidden = catalog["is_forbidden"].map(lambda value: str(value).lower() == "true")
        allowed = set(catalog.loc[may & ~forbidden, "feature"])
        there = engine.columns_of(self.features[grain][0])
        return sorted(allowed & set(there) - set(KEYS))

    def definition(self, request: dict, names: list[str]) -> str:
        """Return a hash of what a model is trained on: its target, features and their transforms."""
        described = self.catalog[self.catalog["feature"].isin(names)].sort_values("feature")
        columns = [
            column
            for column in ("feature", "grain", "family", "transform", "missing_rule")
            if column in described
        ]
        target = {key: request[key] for key in sorted(request) if key.startswith("target_")}
        return registry.digest(
            registry.rounded(target), described[columns].astype(str).values.tolist()
        )

    def counts(self, targets: list[str]) -> pd.DataFrame:
        """Return rows, positives and cutoffs with labels, per target."""
        names = ", ".join(engine.text(target) for target in targets)
        labels = engine.cached(
            self.session,
            "lettershop_labels",
            f"select * from ({engine.sql_of(self.labels)}) as labels"
            f" where target_id in ({names})",
        )
        self.cached["labels"] = labels
        return engine.frame(
            engine.query(
                self.session,
                "select target_id, count(*) as rows, sum(label) as positives,"
                " count(distinct as_of_date) as cutoffs, max(as_of_date) as last_cutoff"
                f" from ({labels}) as labels group by target_id",
            )
        ).set_index("target_id")

    def training_features(self, grain: str) -> str:
        """Return SQL of a grain's features at past cutoffs, evaluated once in a run."""
        if grain not in self.cached:
            self.cached[grain] = engine.cached(
                self.session,
                f"lettershop_{grain}_features",
                engine.sql_of(self.features[grain][0]),
            )
        return self.cached[grain]

    def sample(
        self, target: str, grain: str, names: list[str], rows: int, after: str | None = None
    ) -> propensity.Sample:
        """Return training rows in the order of a hash of their key, which says nothing of labels.

        Args:
            target: target_id.
            grain: of the target.
            names: columns to read.
            rows: at most as many, those with the smallest hash.
            after: only cutoffs after this ISO date.
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
                " cast(labels.label_window_end as varchar) as label_end, labels.label,"
                f" labels.place, {columns}"
                f" from (select *, {place} as place from ({self.cached['labels']}) as every"
                f" where {wanted} order by place nulls last limit {rows}) as labels"
                f" inner join ({self.training_features(grain)}) as features on {joins}",
            )
        ).sort_values("place", kind="stable")
        return propensity.Sample(
            {name: table[name].to_numpy(float) for name in names},
            table["label"].to_numpy(float),
            table["label_cutoff"].str[:10].to_numpy(str),
            table["label_end"].str[:10].to_numpy(str),
        )

    def today(self, grain: str, names: list[str]) -> dict[str, np.ndarray]:
        """Return today's values of features, of at most DRIFT_ROWS rows."""
        columns = ", ".join(names)
        table = engine.frame(
            engine.query(
                self.session,
                f"select {columns} from ({engine.sql_of(self.features[grain][1])}) as features"
                f" order by md5(customer_key) nulls last limit {DRIFT_ROWS}",
            )
        )
        return {name: table[name].to_numpy(float) for name in names}

    def forget(self) -> None:
        """Drop what was cached."""
        for name in self.cached:
            table = "lettershop_labels" if name == "labels" else f"lettershop_{name}_features"
            engine.forget(self.session, table)


def settings_of(request: dict) -> propensity.Settings:
    """Return a policy as settings of the training."""
    return propensity.Settings(
        minimum_rows=int(request["minimum_rows"]),
        minimum_of_each_class=int(request["minimum_of_each_class"]),
        test_cutoffs=int(request["test_cutoffs"]),
        operating_rate=float(request["operating_rate"]),
    )


def rolled_back(request: dict, rows: pd.DataFrame, champion: dict | None) -> dict | None:
    """Return the decision that the var rollback_models asks for, or None where it is in force.

    Raises:
        ValueError: of a version that the registry does not have.
    """
    version = request["rollback_version"]
    if not version or (champion is not None and champion["model_version"] == version):
        return None
    known = rows.loc[rows["decision"] == "promoted", "model_version"].tolist()
    if version not in known:
        raise ValueError(
            f"rollback_models: {request['model_name']} has no version {version!r}."
            f" There are: {', '.join(known) or 'none'}."
        )
    return registry.decision(
        request["model_name"],
        rows,
        request["as_of_date"],
        "rolled_back",
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


def _worse_now(inputs: Inputs, request: dict, champion: dict) -> str | None:
    """Return why what serves must be trained again although it is young enough, else None."""
    payload, limit = json.loads(champion["payload"]), float(request["drift_limit"])
    grain = request["target_grain"]
    names = [entry["feature"] for entry in payload["features"]]
    there = engine.columns_of(inputs.features[grain][1])
    names = [name for name in names if name in there]
    feature, moved = policy.drift(payload["features"], inputs.today(grain, names))
    if moved > limit:
        return f"drift: {feature} has moved since training, stability index {moved:.3f} > {limit}"
    sample = inputs.sample(
        request["model_name"],
        grain,
        names,
        int(request["maximum_rows"]),
        after=str(champion["trained_to"])[:10],
    )
    if len(sample.labels) < 50:
        return None
    model = terms.from_rows(payload["terms"])
    if not model.pieces.keys() <= sample.columns.keys():
        return None
    now = metrics.auc(sample.labels, model.logit(sample.columns))
    then = propensity.mean_of(
        [row for row in json.loads(champion["metrics"]) if row["is_published"]],
        payload["published"],
        "auc",
    )
    floor = 0.5 + (then - 0.5) * float(request["metric_floor_rate"])
    if now < floor:
        return f"metric: AUC {now:.3f} since training, under its floor of {floor:.3f}"
    return None


def decide(inputs: Inputs, request: dict, rows: pd.DataFrame, counts: pd.DataFrame) -> list[dict]:
    """Return the rows that this run adds to the registry for one model.

    Args:
        inputs: the relations.
        request: the model's row of training_requests, as a dict of plain values.
        rows: the model's rows of the registry so far.
        counts: of `Inputs.counts`; empty where no labels were asked for.
    """
    name, today, grain = request["model_name"], request["as_of_date"], request["target_grain"]
    names = inputs.names(name, grain)
    request["definition_hash"] = inputs.definition(request, names)
    champion = registry.champion(rows)
    back = rolled_back(request, rows, champion)
    if back is not None:
        return [back]
    cause = policy.wanted(request, rows, champion)
    if cause is None and champion is None:
        return []
    if cause is None and request["is_ripe"]:
        found = _worse_now(inputs, request, champion)
        cause = (found.split(":")[0], found) if found else None
    if cause is None:
        days = policy.days_between(champion["served_since"], today)
        return kept(
            request,
            rows,
            champion,
            f"it has served for {days} days and no limit of age, drift or quality is crossed",
        )
    settings = settings_of(request)
    common = {"cause": cause[0], "definition_hash": request["definition_hash"]}

    def refused(why: str) -> list[dict]:
        if champion is not None:
            return kept(request, rows, champion, f"there is too little to train on: {why}")
        return [
            registry.decision(
                name, rows, today, "not_trained", reason=f"not trained: {why}", **common
            )
        ]

    if name not in counts.index:
        return refused("no customer has a label whose window has ended")
    few = counts.loc[name]
    try:
        propensity.require_counts(few["rows"], few["positives"], few["cutoffs"], settings)
        if not names:
            raise propensity.NotTrainableError("the feature catalogue allows it no feature")
        columns = list(dict.fromkeys([*names, *RANKINGS]))
        sample = inputs.sample(name, grain, columns, int(request["maximum_rows"]))
        serving = None
        if champion is not None:
            serving = terms.from_rows(json.loads(champion["payload"])["terms"])
            if not serving.pieces.keys() <= sample.columns.keys():
                serving = None
        with engine.single_threaded():
            fit = propensity.train(sample, names, RANKINGS, settings, serving)
    except propensity.NotTrainableError as error:
        return refused(str(error))
    return [
        _judged(
            request,
            rows,
            champion,
            fit,
            reason=f"{cause[1]}; {fit.reason}",
            data_hash=registry.data_hash(
                sample.columns | {"label": sample.labels, "cutoff": sample.cutoffs}
            ),
            row_count=len(sample.labels),
            trained_to=max(sample.cutoffs.tolist()),
            features=names,
            **common,
        )
    ]


def _judged(request, rows, champion, fit: propensity.Fit, reason: str, **common) -> dict:
    """Return the decision about a challenger."""
    name, today = request["model_name"], request["as_of_date"]
    payload = registry.as_json(
        {
            "terms": fit.model.rows(),
            "features": registry.rounded(fit.features),
            "scores": registry.rounded(fit.scores),
            "published": fit.published,
        }
    )
    version = registry.version(today, payload)
    said = "promoted"
    if champion is not None:
        if champion["payload"] == payload:
            said, version = "kept", champion["model_version"]
            reason, payload = f"kept, because training gave the same result ({reason})", None
        else:
            # Cutoffs that the champion was trained on flatter it; newer ones decide if there are.
            trained_to = str(champion["trained_to"])[:10]
            newer = [row for row in fit.metrics if row["cutoff"] > trained_to]
            judged = newer or fit.metrics
            is_better, verdict = policy.replaces(
                propensity.mean_of(judged, fit.published, "log_loss"),
                propensity.mean_of(judged, "champion", "log_loss"),
            )
            reason = f"{reason}; {verdict}"
            said = "promoted" if is_better else "rejected"
    return registry.decision(
        name,
        rows,
        today,
        said,
        reason=reason,
        model_version=version,
        algorithm=fit.algorithm,
        parameters=fit.parameters,
        metrics=fit.metrics,
        payload=payload,
        **common,
    )


def run(inputs: Inputs, requests: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that this run adds to the registry.

    Args:
        inputs: the relations.
        requests: rows of training_requests of kind probability.
        earlier: the registry so far.
    """
    asked, wanted = [], []
    for request in plain(requests):
        rows = earlier[earlier["model_name"] == request["model_name"]]
        request["is_ripe"] = registry.champion(rows) is not None and policy.is_ripe(request, rows)
        asked.append((request, rows))
        names = inputs.names(request["model_name"], request["target_grain"])
        request["definition_hash"] = inputs.definition(request, names)
        if request["is_ripe"] or policy.wanted(request, rows, registry.champion(rows)):
            wanted.append(request["model_name"])
    counts = inputs.counts(wanted) if wanted else pd.DataFrame()
    added = [row for request, rows in asked for row in decide(inputs, request, rows, counts)]
    inputs.forget()
    return registry.frame(added)


def plain(requests: pd.DataFrame) -> list[dict]:
    """Return rows as dicts of Python's own types, dates as ISO text, missing values as None."""
    rows = []
    for row in requests.sort_values("model_name").to_dict("records"):
        clean = {}
        for key, value in row.items():
            if isinstance(value, str) or value is None:
                clean[key] = value
            elif value is pd.NaT or value != value:
                clean[key] = None
            elif hasattr(value, "isoformat"):
                clean[key] = value.isoformat()[:10]
            else:
                clean[key] = value.item() if hasattr(value, "item") else value
        rows.append(clean)
    return rows
