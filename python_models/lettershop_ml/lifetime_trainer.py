"""The trainer of lifetime value.

BG/NBD and Gamma-Gamma are fitted on everything known today. How good that is, the same fit at an
earlier days shows, whose horizons have passed since: beside it stands the spend of the days before.
"""

import json

import numpy as np
import pandas as pd

from lettershop_ml import engine, lifetime, metrics, policy, registry, trainer

BUYERS = "purchased_before >= 1"
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


def evaluate(past: pd.DataFrame, horizon_days: int) -> list[dict]:
    """Return metrics of the value of a horizon per past cutoff, beside the baselines.

    Args:
        past: of `trainer.Inputs.rows`.
        horizon_days: of the target.

    Returns:
        Rows of cutoff, candidate, metric and value; candidates are `bg_nbd_gamma_gamma`,
        `trailing_90d` (the spend of the 90 days before, scaled to the horizon) and `mean`.
    """
    rows = []
    for cutoff, table in past.groupby("label_cutoff", sort=True):
        cells = cells_of(table)
        if (cells["x"] > 0).sum() < 20:
            continue
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
                    cutoff=cutoff,
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
        described.append(dict(feature=name, **metrics.bins_of(values)))
    return described


class Trainer:
    """Trains BG/NBD and Gamma-Gamma.

    Attributes:
        inputs: the relations.
        horizons: days ahead, ascending.
    """

    def __init__(self, inputs: trainer.Inputs, horizons: pd.DataFrame):
        """Keep the inputs and the horizons."""
        self.inputs = inputs
        self.horizons = sorted(horizons["horizon_days"].astype(int).tolist())

    def definition(self, request: dict) -> str:
        """Return a hash of what is fitted and for which horizons."""
        return registry.digest(request["model_name"], list(COLUMNS), self.horizons)

    def worse_now(self, request: dict, champion: dict) -> tuple[str, str] | None:
        """Return cause and reason to train what is young enough, if purchases look different."""
        bins, limit = json.loads(champion["payload"])["features"], float(request["drift_limit"])
        today = self.inputs.today("customer", list(MOVED), trainer.DRIFT_ROWS, BUYERS)
        feature, moved = policy.drift(bins, trainer.arrays(today, list(MOVED)))
        if moved > limit:
            return "drift", f"{feature} has moved since training: {moved:.3f} is over {limit}"
        return None

    def train(self, request: dict, rows, champion: dict | None, cause) -> list[dict]:
        """Fit, and return the decision about the result.

        Args:
            request: the row of training_requests.
            rows: the rows of the registry so far.
            champion: what serves.
            cause: cause and reason to train.
        """
        limit = int(request["maximum_rows"])
        table = self.inputs.today("customer", list(COLUMNS), limit, BUYERS)
        cells = cells_of(table)
        buyers, repeaters = len(table), int((cells["x"] > 0).sum())
        for name, count, least in (
            ("have bought", buyers, int(request["minimum_rows"])),
            ("bought again", repeaters, int(request["minimum_of_each_class"])),
        ):
            if count < least:
                why = f"{count} customers {name}; {least} are the minimum"
                return trainer.refused(request, rows, champion, cause, why)
        points = (cells["x"], cells["t_x"], cells["age"])
        try:
            with engine.single_threaded():
                purchases = lifetime.fit_purchases(*points)
                values = lifetime.fit_values(cells["x"], cells["mean_value"])
                measured = []
                for horizon in self.horizons:
                    past = self.inputs.rows(
                        f"spend_{horizon}d", "customer", [*COLUMNS, "net_revenue_90d"], limit
                    )
                    measured += evaluate(past, horizon)
        except ValueError as error:
            return trainer.refused(request, rows, champion, cause, str(error))

        def compare():
            # Of two fits of one likelihood the better describes today's customers.
            old = json.loads(champion["payload"])["purchases"]
            return policy.replaces(
                -purchases["log_likelihood"] / buyers,
                -lifetime.log_likelihood(old, *points) / buyers,
            )

        payload = {
            "purchases": purchases,
            "values": values,
            "features": _describe(table),
            "limits": _limits(purchases, values, cells, self.horizons),
        }
        return trainer.challenged(
            request,
            rows,
            champion,
            cause,
            registry.as_json(registry.rounded(payload)),
            "BG/NBD and Gamma-Gamma by maximum likelihood",
            compare,
            algorithm="bg_nbd_gamma_gamma",
            data_hash=registry.data_hash(cells),
            row_count=buyers,
            trained_to=request["as_of_date"],
            features=list(COLUMNS),
            parameters={"purchases": purchases, "values": values},
            metrics=measured,
        )


def _limits(purchases, values, cells, horizons) -> list[dict]:
    """Return per horizon the deciles of the predicted value in the training sample."""
    limits = []
    for horizon in horizons:
        expected = lifetime.expected_purchases(
            purchases, horizon / 7, cells["x"], cells["t_x"], cells["age"]
        ) * lifetime.expected_value(values, cells["x"], cells["mean_value"])
        limits.append(dict(horizon_days=horizon, edges=metrics.deciles(expected).tolist()))
    return limits
