"""The trainer of personas."""

import json

import numpy as np
import pandas as pd

from lettershop_ml import engine, metrics, personas, policy, registry, trainer

BUYERS = "purchased_before >= 1"
REPEATS = "repeat_count"


def rules_of(table: pd.DataFrame) -> list[dict]:
    """Return the rows of persona_rules as `personas.named` wants them, in order of priority."""

    def rate(row, name: str) -> float | None:
        value = row.get(name)
        return None if value is None or pd.isna(float(value)) else float(value)

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
                least=rate(row, "least_repeater_rate"),
                most=rate(row, "most_repeater_rate"),
            )
        )
    return rules


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


class Trainer:
    """Trains personas.

    Attributes:
        inputs: the relations.
        rules: of `rules_of`.
    """

    def __init__(self, inputs: trainer.Inputs, rules: pd.DataFrame):
        """Keep the inputs and the rules that give names."""
        self.inputs, self.rules = inputs, rules_of(rules)

    def names(self, request: dict) -> list[str]:
        """Return the features that personas are made of."""
        return self.inputs.names(request["model_name"], "customer")

    def definition(self, request: dict) -> str:
        """Return a hash of the features."""
        return self.inputs.definition(request, self.names(request))

    def forbidden(self, request: dict) -> set[str]:
        """Return the features that no model of customers may use."""
        return self.inputs.forbidden("customer")

    def worse_now(self, request: dict, champion: dict) -> tuple[str, str] | None:
        """Return cause and reason to train what is young enough, if a feature drifts."""
        bins, limit = json.loads(champion["payload"])["features"], float(request["drift_limit"])
        there = set(self.inputs.columns("customer"))
        names = [one["feature"] for one in bins if one["feature"] in there]
        today = self.inputs.today("customer", names, trainer.DRIFT_ROWS, BUYERS)
        feature, moved = policy.drift(bins, trainer.arrays(today, names))
        if moved > limit:
            return "drift", f"{feature} has moved since training: {moved:.3f} is over {limit}"
        return None

    def train(self, request: dict, rows, champion: dict | None, cause) -> list[dict]:
        """Cluster, and return the decision about the result.

        Args:
            request: the row of training_requests.
            rows: the rows of the registry so far.
            champion: what serves.
            cause: cause and reason to train.
        """
        names, columns, repeats = self.names(request), {}, np.empty(0)
        if names:
            read = list(dict.fromkeys([*names, REPEATS]))
            table = self.inputs.today("customer", read, int(request["maximum_rows"]), BUYERS)
            columns, repeats = trainer.arrays(table, names), table[REPEATS].to_numpy(float)
        try:
            with engine.single_threaded():
                fit = personas.train(
                    columns, names, personas.Settings(minimum_rows=int(request["minimum_rows"]))
                )
        except ValueError as error:
            return trainer.refused(request, rows, champion, cause, str(error))
        before = json.loads(champion["payload"]) if champion is not None else None
        measured = [row | {"cutoff": request["as_of_date"]} for row in fit.measured]
        then = _nearest(before, columns) if before else None
        agreement = None
        if then is not None:
            now = personas.assign(fit, np.column_stack([columns[name] for name in fit.names]))
            agreement = metrics.adjusted_rand(now, then)
            measured.append(
                dict(
                    cutoff=request["as_of_date"],
                    candidate="version before",
                    metric="agreement",
                    value=agreement,
                    is_published=False,
                )
            )

        def compare():
            # Clusters have no loss that versions share: what is wanted again replaces.
            told = "unknown" if agreement is None else f"{agreement:.3f}"
            return True, f"agreement with the version before {told}"

        return trainer.challenged(
            request,
            rows,
            champion,
            cause,
            registry.as_json(payload_of(fit, columns, repeats > 0, self.rules, before)),
            fit.reason,
            compare,
            algorithm="k_means",
            data_hash=registry.data_hash(columns),
            row_count=len(columns[names[0]]),
            trained_to=request["as_of_date"],
            features=fit.names,
            parameters={"k": len(fit.shares), "has_components": fit.axes is not None},
            metrics=measured,
        )


def payload_of(
    fit: personas.Fit, columns, has_repeated: np.ndarray, rules: list[dict], before: dict | None
) -> dict:
    """Return what is published of clusters: standards, weights, centroids, names, drift bins.

    Args:
        fit: the clusters.
        columns: feature to values of the sample.
        has_repeated: who of the sample bought on a second day.
        rules: of `rules_of`.
        before: the payload of the version before, whose ids and names stay.
    """
    earlier = _personas_of(before)
    ids = personas.matched(fit, earlier)
    kept = {one["persona_id"]: (one["persona_name"], one["portrait"]) for one in earlier}
    group = personas.assign(fit, np.column_stack([columns[name] for name in fit.names]))
    members = np.maximum(np.bincount(group, minlength=len(ids)), 1)
    repeaters = np.bincount(group, weights=has_repeated, minlength=len(ids)) / members
    names = personas.named(fit, rules, kept, ids, repeaters)
    offsets, weights = personas.linear(fit)
    described = []
    for name in fit.names:
        described.append(dict(feature=name, **metrics.bins_of(columns[name])))
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
