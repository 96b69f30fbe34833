"""Personas: K-Means over standardised features, with stable clusters of useful size.

Silhouette alone picks two clusters. So k runs over a range; a k counts where clusters of
resampled customers agree (adjusted Rand index) and none is too small, and the best silhouette
among those wins. Principal components replace the features where they give a better silhouette.
"""

from dataclasses import dataclass

import numpy as np

from lettershop_ml import metrics

CLIP = 3.0


@dataclass(frozen=True)
class Settings:
    """How to look for personas.

    Attributes:
        least: fewest clusters.
        most: most clusters.
        minimum_agreement: bootstrap ARI that a k must reach.
        minimum_share: of customers, in the smallest cluster.
        minimum_rows: fewer customers are not clustered.
        resamples: how often agreement is measured.
        drawn_rows: most rows of a resample, drawn with replacement.
        judged_rows: rows for silhouette and for the hierarchical check.
        seed: of every draw.
    """

    least: int = 4
    most: int = 8
    minimum_agreement: float = 0.75
    minimum_share: float = 0.05
    minimum_rows: int = 200
    resamples: int = 3
    drawn_rows: int = 3000
    judged_rows: int = 1500
    seed: int = 7


@dataclass(frozen=True)
class Fit:
    """Clusters.

    Attributes:
        names: features.
        means: of each feature in the sample.
        scales: standard deviations; features without one are left out.
        axes: rows are principal components, shape (components, features); None without.
        centroids: in standardised and clipped features, shape (k, features).
        middles: in the space of clustering, shape (k, components or features).
        shares: of customers, per cluster.
        measured: rows of metrics: candidate, metric, value.
        reason: why this k.
    """

    names: list[str]
    means: np.ndarray
    scales: np.ndarray
    axes: np.ndarray | None
    centroids: np.ndarray
    middles: np.ndarray
    shares: np.ndarray
    measured: list[dict]
    reason: str


def standardised(matrix, means, scales) -> np.ndarray:
    """Return z-scores, clipped; shape as given."""
    return np.clip((matrix - means) / scales, -CLIP, CLIP)


def silhouette(points, labels) -> float:
    """Return the mean silhouette (Rousseeuw 1987) of points, shape (rows, features)."""
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(points, labels)) if len(set(labels.tolist())) > 1 else -1.0


def _kmeans(points, k: int, seed: int, starts: int = 4):
    from sklearn.cluster import KMeans

    return KMeans(n_clusters=k, n_init=starts, random_state=seed, algorithm="lloyd").fit(points)


def components(points, share: float = 0.9) -> np.ndarray:
    """Return the principal axes that hold a share of the variance, signs fixed.

    Args:
        points: standardised, shape (rows, features).
        share: of the variance, 0 to 1.
    """
    centre = points - points.mean(axis=0)
    variances, axes = np.linalg.eigh(centre.T @ centre / len(points))
    order = np.argsort(-variances, kind="stable")
    variances, axes = variances[order], axes[:, order].T
    count = 1 + int(np.searchsorted(np.cumsum(variances) / variances.sum(), share))
    axes = axes[: max(2, min(count, len(axes)))]
    # An axis may point either way: its largest weight is positive.
    largest = np.abs(np.round(axes, 9)).argmax(axis=1)
    return axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]


def _judge(points, k: int, settings: Settings, judged: np.ndarray) -> dict:
    """Return a clustering of all points and how good it is."""
    model = _kmeans(points, k, settings.seed)
    shares = np.bincount(model.labels_, minlength=k) / len(points)
    draws = np.random.default_rng(settings.seed)
    agreements = []
    for number in range(settings.resamples):
        chosen = draws.choice(len(points), size=min(len(points), settings.drawn_rows))
        other = _kmeans(points[chosen], k, settings.seed + number + 1, starts=2)
        agreements.append(metrics.adjusted_rand(model.labels_, other.predict(points)))
    return {
        "k": k,
        "model": model,
        "silhouette": silhouette(points[judged], model.labels_[judged]),
        "agreement": float(np.mean(agreements)),
        "smallest_share": float(shares.min()),
        "shares": shares,
    }


def train(columns: dict[str, np.ndarray], names: list[str], settings: Settings) -> Fit:
    """Find the clusters.

    Args:
        columns: feature to values, log and outliers dealt with, in an order without meaning.
        names: features to use.
        settings: see Settings.

    Raises:
        ValueError: with the reason in words, where there are too few customers to cluster.
    """
    rows = len(columns[names[0]]) if names else 0
    if rows < settings.minimum_rows:
        raise ValueError(f"{rows} customers have bought; {settings.minimum_rows} are the minimum")
    matrix = np.column_stack([columns[name] for name in names])
    means, scales = matrix.mean(axis=0), matrix.std(axis=0)
    used = scales > 1e-9
    if used.sum() < 2:
        raise ValueError("fewer than two features differ between customers")
    names = [name for name, is_used in zip(names, used, strict=True) if is_used]
    means, scales = means[used], scales[used]
    points = standardised(matrix[:, used], means, scales)
    judged = np.arange(min(rows, settings.judged_rows))
    axes = components(points)
    spaces = {"features": (points, None), "components": (points @ axes.T, axes)}
    found, measured = [], []
    for space, (projected, _) in spaces.items():
        for k in range(settings.least, settings.most + 1):
            if len(np.unique(projected, axis=0)) <= k:
                continue
            judgement = _judge(projected, k, settings, judged) | {"space": space}
            # Both spaces are judged by the silhouette in the features.
            labels = judgement["model"].labels_
            judgement["silhouette"] = silhouette(points[judged], labels[judged])
            found.append(judgement)
            for metric in ("silhouette", "agreement", "smallest_share"):
                measured.append(
                    dict(candidate=f"{space}, k {k}", metric=metric, value=judgement[metric])
                )
    if not found:
        raise ValueError("fewer than five customers differ from each other")
    good = [
        judgement
        for judgement in found
        if judgement["agreement"] >= settings.minimum_agreement
        and judgement["smallest_share"] >= settings.minimum_share
    ]
    if good:
        best = max(good, key=lambda one: (round(one["silhouette"], 9), -one["k"]))
        why = "best silhouette of those stable and large enough"
    else:
        best = max(found, key=lambda one: (round(one["agreement"], 9), -one["k"]))
        why = "none is stable and large enough: the most stable"
    projected, axes = spaces[best["space"]]
    labels = best["model"].labels_
    centroids = np.array([points[labels == number].mean(axis=0) for number in range(best["k"])])
    check = _hierarchical(projected[judged], best["k"])
    agreement = metrics.adjusted_rand(labels[judged], check)
    measured.append(dict(candidate="hierarchical", metric="agreement", value=agreement))
    measured.append(
        dict(candidate="hierarchical", metric="silhouette", value=silhouette(points[judged], check))
    )
    reason = (
        f"k {best['k']} in {best['space']}: {why}; silhouette {best['silhouette']:.3f},"
        f" agreement {best['agreement']:.3f}, smallest {best['smallest_share']:.1%};"
        f" agreement with Ward's hierarchical clustering {agreement:.3f}"
    )
    chosen = f"{best['space']}, k {best['k']}"
    measured = [row | {"is_published": row["candidate"] == chosen} for row in measured]
    middles = best["model"].cluster_centers_
    return Fit(names, means, scales, axes, centroids, middles, best["shares"], measured, reason)


def _hierarchical(points, k: int) -> np.ndarray:
    from scipy.cluster.hierarchy import fcluster, linkage

    return fcluster(linkage(points, method="ward"), k, criterion="maxclust")


def linear(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets and weights, shapes (k,) and (k, features).

    The nearest has the least offset - weights . z: half the squared distance, less what is the
    same for all.
    """
    offsets = (fit.middles**2).sum(axis=1) / 2
    return offsets, fit.middles if fit.axes is None else fit.middles @ fit.axes


def assign(fit: Fit, matrix) -> np.ndarray:
    """Return the number of the nearest centroid per row of untransformed features."""
    points = standardised(matrix, fit.means, fit.scales)
    offsets, weights = linear(fit)
    return (offsets - points @ weights.T).argmin(axis=1)


def matched(fit: Fit, earlier: list[dict] | None) -> list[str]:
    """Return an id per cluster: that of the nearest persona of the version before, else a new one.

    Args:
        fit: the clusters.
        earlier: personas of the version before: persona_id and `typical`, feature to its value.

    Returns:
        persona_1, persona_2, ...; numbers are never given twice.
    """
    from scipy.optimize import linear_sum_assignment

    def number_of(persona):
        return int(persona["persona_id"].rsplit("_", 1)[1])

    earlier = earlier or []
    last = max((number_of(persona) for persona in earlier), default=0)
    ids: dict[int, str] = {}
    shared = [
        place
        for place, name in enumerate(fit.names)
        if earlier and all(name in persona["typical"] for persona in earlier)
    ]
    if earlier and shared:
        before = np.array(
            [[persona["typical"][fit.names[place]] for place in shared] for persona in earlier]
        )
        before = np.clip((before - fit.means[shared]) / fit.scales[shared], -CLIP, CLIP)
        gaps = fit.centroids[:, None, shared] - before[None]
        rows, columns = linear_sum_assignment((gaps**2).sum(axis=2))
        ids = {
            int(row): earlier[column]["persona_id"]
            for row, column in zip(rows, columns, strict=True)
        }
    # The largest persona comes first.
    for cluster in np.argsort(-fit.shares, kind="stable").tolist():
        if cluster not in ids:
            last += 1
            ids[cluster] = f"persona_{last}"
    return [ids[cluster] for cluster in range(len(fit.centroids))]


def named(
    fit: Fit,
    rules: list[dict],
    kept: dict[str, tuple[str, str]],
    ids: list[str],
    repeaters: np.ndarray | None = None,
) -> list:
    """Return a name and a portrait per cluster.

    Conditions on features compare with the mean customer. Where hardly anybody buys twice that is
    little: who bought once lately is above the mean. So rules may ask for repeaters, too.

    Args:
        fit: the clusters.
        rules: in order of priority: persona_name, portrait and conditions, a list of feature,
            side (`high`, `low`) and limit in standard deviations; without conditions it is the
            last resort. `least` and `most`, where not None, bound the share of repeaters.
        kept: persona_id to the name and portrait of the version before.
        ids: of the clusters.
        repeaters: share of a cluster's customers who bought on a second day; None where it is
            not known, then rules do not ask.

    Returns:
        Pairs; no name is given twice: later clusters, by size, get the next rule that holds, or
        the last resort with a number.
    """
    result: dict[int, tuple[str, str]] = {}
    for cluster, persona_id in enumerate(ids):
        if persona_id in kept:
            result[cluster] = kept[persona_id]
    taken = {name for name, _ in result.values()}
    resorts = 0
    for cluster in np.argsort(-fit.shares, kind="stable").tolist():
        if cluster in result:
            continue
        centre = dict(zip(fit.names, fit.centroids[cluster].tolist(), strict=True))
        for rule in rules:
            holds = all(
                centre[feature] >= limit if side == "high" else centre[feature] <= -limit
                for feature, side, limit in rule["conditions"]
                if feature in centre
            ) and all(feature in centre for feature, _, _ in rule["conditions"])
            for bound, sign in (("least", 1), ("most", -1)):
                limit = rule.get(bound)
                if repeaters is not None and limit is not None:
                    holds = holds and sign * (repeaters[cluster] - limit) >= 0
            name = rule["persona_name"]
            if holds and not rule["conditions"] and name in taken:
                resorts += 1
                name = f"{name} {resorts + 1}"
            if holds and name not in taken:
                result[cluster] = (name, rule["portrait"])
                taken.add(name)
                break
        else:
            result[cluster] = (ids[cluster].replace("_", " "), "")
            taken.add(ids[cluster].replace("_", " "))
    return [result[cluster] for cluster in range(len(ids))]
