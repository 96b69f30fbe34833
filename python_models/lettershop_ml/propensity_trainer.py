"""The trainer of every model of a probability."""

import json
from datetime import date, timedelta

import numpy as np

from lettershop_ml import engine, metrics, policy, propensity, registry, scoring, terms, trainer

# Columns that targets are also ranked by where they have them.
RANKINGS = ("rfm_score", "redemption_count_before", "recency_days")
# Fewer labels since training say nothing about a version.
MINIMUM_TO_JUDGE = 100


def settings_of(request: dict) -> propensity.Settings:
    """Return a policy as settings of the training."""
    return propensity.Settings(
        minimum_customers=int(request["minimum_customers"]),
        minimum_rows=int(request["minimum_rows"]),
        minimum_of_each_class=int(request["minimum_of_each_class"]),
        test_cutoffs=int(request["test_cutoffs"]),
        operating_rate=float(request["operating_rate"]),
    )


def known_to(request: dict, champion: dict) -> str:
    """Return the day on which the last window ended that a version was trained on, ISO date.

    Args:
        request: the model's row of training_requests.
        champion: the version's row of the registry.
    """
    last = date.fromisoformat(str(champion["trained_to"])[:10])
    ended = last + timedelta(days=int(request["target_horizon_days"]))
    return min(ended.isoformat(), str(champion["as_of_date"])[:10])


def serving_of(request: dict, champion: dict) -> propensity.Serving:
    """Return the version that serves, to be compared with.

    Args:
        request: the model's row of training_requests.
        champion: the version's row of the registry.
    """
    return propensity.Serving(
        terms.from_rows(json.loads(champion["payload"])["terms"]),
        known_to(request, champion),
        champion["algorithm"],
        json.loads(champion["features"]),
        json.loads(champion["parameters"]),
    )


def sample_of(table, names: list[str]) -> propensity.Sample:
    """Return rows of `trainer.Inputs.rows` as a sample."""
    return propensity.Sample(
        trainer.arrays(table, names),
        table["label"].to_numpy(float),
        table["label_cutoff"].to_numpy(str),
        table["label_end"].to_numpy(str),
        table["person"].to_numpy(np.int64),
    )


class Trainer:
    """Trains models of a probability.

    Attributes:
        inputs: the relations.
    """

    def __init__(self, inputs: trainer.Inputs):
        """Keep the inputs."""
        self.inputs = inputs
        self._counts = None

    def names(self, request: dict) -> list[str]:
        """Return the features that the model may use."""
        return self.inputs.names(request["model_name"], request["target_grain"])

    def definition(self, request: dict) -> str:
        """Return a hash of target and features."""
        return self.inputs.definition(request, self.names(request))

    def forbidden(self, request: dict) -> set[str]:
        """Return the features that no model of the grain may use."""
        return self.inputs.forbidden(request["target_grain"])

    def worse_now(self, request: dict, champion: dict) -> tuple[str, str] | None:
        """Return cause and reason to train what is young enough, if it drifts or got worse."""
        payload, grain = json.loads(champion["payload"]), request["target_grain"]
        there = set(self.inputs.columns(grain))
        names = [one["feature"] for one in payload["features"] if one["feature"] in there]
        limit = float(request["drift_limit"])
        feature, moved = policy.drift(payload["features"], self.today(request, names))
        if moved > limit:
            return "drift", f"{feature} has moved since training: {moved:.3f} is over {limit}"
        table = self.inputs.rows(
            request["model_name"],
            grain,
            names,
            int(request["maximum_rows"]),
            after=str(champion["trained_to"])[:10],
        )
        sample, model = sample_of(table, names), terms.from_rows(payload["terms"])
        if len(sample.labels) < MINIMUM_TO_JUDGE or not model.pieces.keys() <= set(names):
            return None
        now = metrics.auc(sample.labels, model.logit(sample.columns))
        then = propensity.mean_of(json.loads(champion["metrics"]), payload["published"], "auc")
        floor = 0.5 + (then - 0.5) * float(request["metric_floor_rate"])
        if now < floor:
            return "metric", f"AUC {now:.3f} since training is under its floor of {floor:.3f}"
        return None

    def today(self, request: dict, names: list[str]) -> dict:
        """Return the features of today's customers whom the model speaks of, by name.

        Args:
            request: the model's row of training_requests.
            names: features to read.
        """
        grain = request["target_grain"]
        rules = scoring.population(request) if grain == "customer" else []
        members = " and ".join(rule for rule, _ in rules) or "true"
        found = self.inputs.today(grain, names, trainer.DRIFT_ROWS, members)
        return trainer.arrays(found, names)

    def train(self, request: dict, rows, champion: dict | None, cause) -> list[dict]:
        """Train, and return the decision about the result.

        Args:
            request: the model's row of training_requests.
            rows: the model's rows of the registry so far.
            champion: what serves.
            cause: cause and reason to train.
        """
        name, grain = request["model_name"], request["target_grain"]
        names, settings = self.names(request), settings_of(request)
        if self._counts is None:
            self._counts = self.inputs.counts()
        if name not in self._counts.index:
            why = "no customer has a label whose window has ended"
            return trainer.refused(request, rows, champion, cause, why)
        few = self._counts.loc[name]
        try:
            least, customers = settings.minimum_customers, int(few["customers"])
            if customers < least:
                why = f"{customers} customers with a label; {least} are the minimum"
                raise propensity.NotTrainableError(why)
            propensity.require_counts(few["row_count"], few["positives"], few["cutoffs"], settings)
            if not names:
                raise propensity.NotTrainableError("the feature catalogue allows it no feature")
            there = self.inputs.columns(grain)
            rankings = [name for name in RANKINGS if name in there]
            columns = list(dict.fromkeys([*names, *rankings]))
            table = self.inputs.rows(name, grain, columns, int(request["maximum_rows"]))
            sample, today = sample_of(table, columns), self.today(request, columns)
            if grain == "customer":
                # A campaign, too, is one for all rows of its day, and tells.
                names = propensity.telling(sample, names)
            serving = None
            if champion is not None and not request["barred"]:
                serving = serving_of(request, champion)
                if not serving.model.pieces.keys() <= sample.columns.keys():
                    serving = None
            with engine.single_threaded():
                fit = propensity.train(sample, names, rankings, settings, serving, today)
        except propensity.NotTrainableError as error:
            return trainer.refused(request, rows, champion, cause, str(error))

        def compare():
            return policy.replaces(
                propensity.mean_of(fit.metrics, fit.published, "log_loss"),
                propensity.mean_of(fit.metrics, "champion", "log_loss"),
            )

        payload = {
            "terms": fit.model.rows(),
            "features": registry.rounded(fit.features),
            "scores": registry.rounded(fit.scores),
            "published": fit.published,
        }
        return trainer.challenged(
            request,
            rows,
            champion,
            cause,
            registry.as_json(payload),
            fit.reason,
            compare,
            algorithm=fit.algorithm,
            data_hash=registry.data_hash(
                sample.columns | {"label": sample.labels, "cutoff": sample.cutoffs}
            ),
            row_count=len(sample.labels),
            trained_to=max(sample.cutoffs.tolist()),
            features=names,
            parameters=fit.parameters,
            metrics=fit.metrics,
        )
