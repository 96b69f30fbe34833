"""The trainer of lifetime value.

BG/NBD and Gamma-Gamma are fitted on everything known today. How good that is, the same fit at
earlier days shows, whose horizons have passed since: beside it stands the spend of the days before.

Where enough windows have ended, an additive boosting is fitted too. The mean of the two is
published for a horizon if it was better at past cutoffs by more than chance.
"""

import json
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lettershop_ml import engine, lifetime, metrics, policy, registry, terms, trainer

BUYERS = "purchased_before >= 1"
COLUMNS = (
    *("repeat_count", "recency_days", "age_days", "mean_repeat_value"),
    *("net_revenue_before", "costed_revenue_before", "margin_before"),
)
MOVED = ("recency_days", "age_days", "repeat_count")
BASIS, BOOSTING, BLEND = "bg_nbd_gamma_gamma", "boosting", "mean_of_both"
# A blend is published that is better by more than so many standard errors.
ERRORS = 2.0


@dataclass(frozen=True)
class Measured:
    """What past cutoffs say of one horizon.

    Attributes:
        rows: of cutoff, candidate, metric, value and is_published.
        wins: whether the blend is to be published.
        reason: why, in words.
    """

    rows: list[dict] = field(default_factory=list)
    wins: bool = False
    reason: str = "without a boosting: no window has ended"


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


def margins_of(table: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Return purchase days, costed revenue and margin, of raw columns of features."""
    purchases = table["repeat_count"].to_numpy(float) + 1
    return (
        purchases,
        table["costed_revenue_before"].to_numpy(float),
        table["margin_before"].to_numpy(float),
    )


def evaluate(past: pd.DataFrame, horizon_days: int, names: list[str], least_rows: int) -> Measured:
    """Measure the value of a horizon at past cutoffs, beside the baselines.

    Args:
        past: of `trainer.Inputs.rows`, with the column margin where it is known.
        horizon_days: of the target.
        names: features of the boosting.
        least_rows: fewer rows whose window had ended are no boosting.

    Returns:
        Candidates are `bg_nbd_gamma_gamma`; where windows had ended before the cutoff `boosting`
        and `mean_of_both`; `trailing_90d` (the spend of the 90 days before, scaled to the horizon)
        and `mean`; and, of margin, `margin` and `margin_at_the_shops_rate`.
    """
    rows, differences, guesses = [], [], []
    for cutoff, table in past.groupby("label_cutoff", sort=True):
        cells = cells_of(table)
        if (cells["x"] > 0).sum() < 20:
            continue
        fit = lifetime.fit_purchases(cells["x"], cells["t_x"], cells["age"])
        values = lifetime.fit_values(cells["x"], cells["mean_value"])
        points = (cells["x"], cells["t_x"], cells["age"])
        value = lifetime.expected_value(values, cells["x"], cells["mean_value"])
        expected = lifetime.expected_purchases(fit, horizon_days / 7, *points) * value
        interval = lifetime.value_interval(
            values,
            *lifetime.purchase_interval(fit, horizon_days / 7, *points),
            *(cells["x"], cells["mean_value"]),
        )
        actual = table["label"].to_numpy(float)
        trailing = np.maximum(table["net_revenue_90d"].to_numpy(float), 0) * horizon_days / 90
        candidates = {BASIS: expected}
        before = past[past["label_end"] <= cutoff]
        boosted = None
        if len(before) >= least_rows:
            boosted = lifetime.fit_boosting(
                trainer.arrays(before, names), names, before["label"].to_numpy(float)
            )
        if boosted is not None:
            candidates[BOOSTING] = np.exp(boosted.logit(trainer.arrays(table, names)))
            candidates[BLEND] = (expected + candidates[BOOSTING]) / 2
            off = metrics.deviances(actual, candidates[BLEND])
            off -= metrics.deviances(actual, expected)
            differences.append((float(off.mean()), float(off.std() / np.sqrt(len(off)))))
        candidates |= {
            "trailing_90d": trailing,
            "mean": np.full(len(table), max(float(trailing.mean()), 0)),
        }
        for candidate, predicted in candidates.items():
            found = metrics.regression(actual, predicted)
            if candidate in (BASIS, BLEND):
                found |= _coverage(actual, predicted, interval, expected)
            rows += _rows(cutoff, candidate, horizon_days, found)
        guesses.append((cutoff, table, candidates, interval))
    wins, reason = verdict(differences)
    for cutoff, table, candidates, interval in guesses:
        predicted = candidates.get(BLEND if wins else BASIS, candidates[BASIS])
        found = _margins(table, predicted, interval, candidates[BASIS])
        for candidate, figures in found.items():
            rows += _rows(cutoff, candidate, horizon_days, figures)
    published = {BLEND if wins else BASIS, "margin"}
    rows = [
        row | {"is_published": row["candidate"].rpartition(", ")[0] in published} for row in rows
    ]
    return Measured(rows, wins, reason)


def _rows(cutoff, candidate: str, horizon_days: int, found: dict) -> list[dict]:
    return [
        dict(
            cutoff=cutoff,
            candidate=f"{candidate}, {horizon_days} days",
            metric=metric,
            value=number,
        )
        for metric, number in found.items()
    ]


def _coverage(actual, predicted, interval, expected, factor=1.0) -> dict[str, float]:
    """Return the share of actual amounts within the interval, scaled as the expected value is."""
    scale = factor * predicted / np.maximum(expected, 1e-9)
    ends = np.sort([scale * interval[0], scale * interval[1]], axis=0)
    low, high = np.minimum(ends[0], factor * predicted), np.maximum(ends[1], factor * predicted)
    return {"interval_coverage": float(((actual >= low) & (actual <= high)).mean())}


def _margins(table: pd.DataFrame, value, interval, expected) -> dict[str, dict]:
    """Return metrics of margin by candidate, of what has a known cost; none where none has."""
    if "margin" not in table:
        return {}
    known = margins_of(table)
    fit = lifetime.fit_margins(*known)
    revenue = table["net_revenue_before"].to_numpy(float).sum()
    if fit["rate"] is None or not revenue > 0:
        return {}
    # The label knows no margin of what has no cost.
    costed = known[1].sum() / revenue
    own = costed * lifetime.margin_rate(fit, *known)
    actual = table["margin"].to_numpy(float)
    return {
        "margin": metrics.regression(actual, value * own)
        | _coverage(actual, value, interval, expected, own),
        "margin_at_the_shops_rate": metrics.regression(actual, value * costed * fit["rate"]),
    }


def verdict(differences: list[tuple[float, float]]) -> tuple[bool, str]:
    """Return whether the blend is better by more than chance, and a sentence.

    The errors of cutoffs are not taken for independent: they are of the same customers.

    Args:
        differences: per cutoff, by how much its mean deviance is above that of BG/NBD, and the
            standard error of that.
    """
    if not differences:
        return False, "without a boosting: too few windows had ended before another cutoff"
    mean, error = np.mean(differences, axis=0)
    figures = f"deviance {mean:+.4f} out of time, standard error {error:.4f}"
    if mean < -ERRORS * error:
        return True, f"mean with a boosting: {figures}"
    return False, f"without a boosting, which is not better by more than chance: {figures}"


def _describe(table: pd.DataFrame) -> list[dict]:
    described = []
    for name in MOVED:
        values = table[name].to_numpy(float)
        described.append(dict(feature=name, **metrics.bins_of(values)))
    return described


class Trainer:
    """Trains BG/NBD, Gamma-Gamma, margin rates, and boostings where they are of use.

    Attributes:
        inputs: the relations.
        horizons: days ahead, ascending.
    """

    def __init__(self, inputs: trainer.Inputs, horizons: pd.DataFrame):
        """Keep the inputs and the horizons."""
        self.inputs = inputs
        self.horizons = sorted(horizons["horizon_days"].astype(int).tolist())

    def names(self, request: dict) -> list[str]:
        """Return the features that a boosting may use."""
        return self.inputs.names(request["model_name"], "customer")

    def definition(self, request: dict) -> str:
        """Return a hash of what is fitted and for which horizons."""
        return policy.defined(
            registry.digest(request["model_name"], self.horizons),
            list(COLUMNS),
            self.names(request),
        )

    def forbidden(self, request: dict) -> set[str]:
        """Return the features that no model of customers may use."""
        return self.inputs.forbidden("customer")

    def worse_now(self, request: dict, champion: dict) -> tuple[str, str] | None:
        """Return cause and reason to train what is young enough, if purchases look different."""
        bins, limit = json.loads(champion["payload"])["features"], float(request["drift_limit"])
        today = self.inputs.today("customer", list(MOVED), trainer.DRIFT_ROWS, BUYERS)
        feature, moved = policy.drift(bins, trainer.arrays(today, list(MOVED)))
        if moved > limit:
            return "drift", f"{feature} has moved since training: {moved:.3f} is over {limit}"
        return None

    def past(self, horizon: int, names: list[str], request: dict) -> pd.DataFrame:
        """Return features and labels of ended windows, with the margin beside the value.

        Args:
            horizon: days ahead.
            names: features of the boosting.
            request: the row of training_requests.
        """
        columns = list(dict.fromkeys([*COLUMNS, "net_revenue_90d", *names]))
        limit = int(request["maximum_rows"])
        table = self.inputs.rows(f"spend_{horizon}d", "customer", columns, limit)
        # The same people at the same cutoffs, in the same order.
        earned = self.inputs.rows(f"margin_{horizon}d", "customer", ["repeat_count"], limit)
        keys = ["label_cutoff", "repeat_count"]
        if earned[keys].equals(table[keys]):
            table["margin"] = earned["label"]
        return table

    def train(self, request: dict, rows, champion: dict | None, cause) -> list[dict]:
        """Fit, and return the decision about the result.

        Args:
            request: the row of training_requests.
            rows: the rows of the registry so far.
            champion: what serves.
            cause: cause and reason to train.
        """
        limit, names = int(request["maximum_rows"]), self.names(request)
        columns = list(dict.fromkeys([*COLUMNS, *names]))
        table = self.inputs.today("customer", columns, limit, BUYERS)
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
        measured, boosts, said = [], {}, []
        try:
            with engine.single_threaded():
                purchases = lifetime.fit_purchases(*points)
                values = lifetime.fit_values(cells["x"], cells["mean_value"])
                margins = lifetime.fit_margins(*margins_of(table))
                for horizon in self.horizons:
                    past = self.past(horizon, names, request)
                    found = evaluate(past, horizon, names, int(request["minimum_rows"]))
                    measured += found.rows
                    said.append(f"{horizon} days {found.reason}")
                    if found.wins:
                        boosts[horizon] = lifetime.fit_boosting(
                            trainer.arrays(past, names), names, past["label"].to_numpy(float)
                        )
        except ValueError as error:
            return trainer.refused(request, rows, champion, cause, str(error))

        def compare():
            # Of two fits of one likelihood the better describes today's customers.
            old = json.loads(champion["payload"])["purchases"]
            return policy.replaces(
                -purchases["log_likelihood"] / buyers,
                -lifetime.log_likelihood(old, *points) / buyers,
            )

        boosted = dict.fromkeys(self.horizons) | {
            horizon: np.exp(model.logit(trainer.arrays(table, names)))
            for horizon, model in boosts.items()
        }
        payload = registry.rounded(
            {
                "purchases": purchases,
                "values": values,
                "margins": margins,
                "features": _describe(table),
                "limits": _limits(purchases, values, table, boosted),
            }
        )
        payload["boosts"] = [
            dict(horizon_days=horizon, terms=model.rows()) for horizon, model in boosts.items()
        ]
        return trainer.challenged(
            request,
            rows,
            champion,
            cause,
            registry.as_json(payload),
            f"BG/NBD and Gamma-Gamma by maximum likelihood; {'; '.join(said)}",
            compare,
            algorithm=BASIS,
            data_hash=registry.data_hash(cells),
            row_count=buyers,
            trained_to=request["as_of_date"],
            features=list(COLUMNS) + (names if boosts else []),
            parameters={"purchases": purchases, "values": values, "margins": margins},
            metrics=measured,
        )


def _limits(purchases, values, table: pd.DataFrame, boosted: dict) -> list[dict]:
    """Return per horizon the limits of deciles of the predicted value, and the share in each.

    The values are those that scoring would give: of histories in whole weeks, in whole steps of
    money, and never less than that of a shorter horizon.

    Args:
        purchases: of `lifetime.fit_purchases`.
        values: of `lifetime.fit_values`.
        table: raw columns of features.
        boosted: horizon to what a boosting expects, None where none is published.
    """
    cells = cells_of(table)
    x, mean_value = cells["x"], cells["mean_value"]
    history = (x, np.floor(cells["t_x"] + 0.5), np.floor(cells["age"] + 0.5))
    value, limits, before = lifetime.expected_value(values, x, mean_value), [], 0.0
    for horizon, more in sorted(boosted.items()):
        expected = lifetime.expected_purchases(purchases, horizon / 7, *history) * value
        expected = expected if more is None else (expected + more) / 2
        before = np.maximum(before, expected)
        amounts = np.round(before, 4)
        edges = metrics.deciles(amounts)
        shares = metrics.shares_of(amounts, edges).tolist()
        limits.append(dict(horizon_days=horizon, edges=edges.tolist(), shares=shares))
    return limits


def boosts_of(payload: dict) -> dict[int, terms.Additive]:
    """Return the boostings of a version, by horizon."""
    return {
        int(boost["horizon_days"]): terms.from_rows(boost["terms"])
        for boost in payload.get("boosts", [])
    }
