"""How good scores are. Every function takes arrays of one length and returns a float.

Ties never depend on the order of rows: rows with equal scores share what the group got, so that a
constant score ranks like chance (AUC .5, lift 1).
"""

import numpy as np

# Scores that differ by no more are equal: sums in another order differ by less.
TIED = 1e-9
# Stands for no limit, since JSON has no infinity.
UNBOUNDED = 1e308


def _by_group(labels, scores) -> tuple[np.ndarray, np.ndarray]:
    """Return positives and rows per distinct score, best score first."""
    _, group = np.unique(-np.asarray(scores, float), return_inverse=True)
    counts = np.bincount(group).astype(float)
    return np.bincount(group, weights=np.asarray(labels, float)), counts


def auc(labels, scores) -> float:
    """Return the area under the ROC curve: P(score of a positive > score of a negative).

    Args:
        labels: 0 or 1.
        scores: higher means more likely; ties count half.

    Returns:
        0 to 1; nan where one class is missing.
    """
    positives, rows = _by_group(labels, scores)
    negatives = rows - positives
    if not positives.sum() or not negatives.sum():
        return float("nan")
    below = negatives.sum() - np.cumsum(negatives)
    return float((positives * (below + negatives / 2)).sum() / positives.sum() / negatives.sum())


def pr_auc(labels, scores) -> float:
    """Return the average precision: the precision at each distinct score, weighted by its recall.

    Args:
        labels: 0 or 1.
        scores: higher means more likely.

    Returns:
        0 to 1; nan without positives.
    """
    positives, rows = _by_group(labels, scores)
    if not positives.sum():
        return float("nan")
    precision = np.cumsum(positives) / np.cumsum(rows)
    return float((precision * positives).sum() / positives.sum())


def log_losses(labels, logits) -> np.ndarray:
    """Return the negative log-likelihood per row, in nats.

    Args:
        labels: 0 or 1.
        logits: of the probability of 1.
    """
    labels, logits = np.asarray(labels, float), np.asarray(logits, float)
    return np.logaddexp(0, logits) - labels * logits


def log_loss(labels, logits) -> float:
    """Return the mean of `log_losses`."""
    return float(np.mean(log_losses(labels, logits)))


def brier(labels, chances) -> float:
    """Return the mean squared error of probabilities (Brier 1950)."""
    return float(np.mean((np.asarray(chances, float) - np.asarray(labels, float)) ** 2))


def calibration_error(labels, chances, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal size, split by rank.

    Args:
        labels: 0 or 1.
        chances: probabilities of 1.
        bins: how many groups of the sorted rows.

    Returns:
        The mean over rows of |mean label - mean probability| of the row's bin. A bin shares the
        labels of ties with its neighbours.
    """
    labels, chances = np.asarray(labels, float), np.asarray(chances, float)
    values, group = np.unique(chances, return_inverse=True)
    rows = np.bincount(group).astype(float)
    shared = (np.bincount(group, weights=labels) / rows)[group]
    order = np.argsort(group, kind="stable")
    error = 0.0
    for part in np.array_split(order, min(bins, len(order))):
        error += len(part) * abs(shared[part].mean() - values[group[part]].mean())
    return float(error / len(order))


def top(labels, scores, rate: float) -> tuple[float, float]:
    """Return precision and recall among the share `rate` of rows with the best scores.

    Args:
        labels: 0 or 1, or amounts (then recall is the share of the total, capture).
        scores: higher is better; a group of ties at the border counts in proportion.
        rate: 0 to 1.
    """
    positives, rows = _by_group(labels, scores)
    wanted = rate * rows.sum()
    before = np.cumsum(rows) - rows
    share = np.clip((wanted - before) / rows, 0, 1)
    got = float((positives * share).sum())
    total = float(positives.sum())
    return got / wanted, got / total if total else float("nan")


def lift(labels, scores, rate: float = 0.1) -> float:
    """Return how many times more positives the best `rate` of rows hold than all rows do."""
    base = float(np.mean(np.asarray(labels, float)))
    return top(labels, scores, rate)[0] / base if base else float("nan")


def classification(labels, logits, operating_rate: float = 0.1) -> dict[str, float]:
    """Return every metric of a probability.

    Args:
        labels: 0 or 1.
        logits: of the probability of 1.
        operating_rate: share of rows that would be selected.
    """
    chances = 1 / (1 + np.exp(-np.asarray(logits, float)))
    precision, recall = top(labels, logits, operating_rate)
    return {
        "rows": float(len(labels)),
        "base_rate": float(np.mean(labels)),
        "auc": auc(labels, logits),
        "pr_auc": pr_auc(labels, logits),
        "log_loss": log_loss(labels, logits),
        "brier": brier(labels, chances),
        "calibration_error": calibration_error(labels, chances),
        "lift_10": lift(labels, logits, 0.1),
        "precision": precision,
        "recall": recall,
    }


def spearman(actual, predicted) -> float:
    """Return the rank correlation, ties at their mean rank; nan where one side is constant."""

    def ranks(values):
        _, group = np.unique(np.asarray(values, float), return_inverse=True)
        rows = np.bincount(group)
        return (np.cumsum(rows) - (rows - 1) / 2)[group]

    left, right = ranks(actual), ranks(predicted)
    if left.std() == 0 or right.std() == 0:
        return float("nan")
    return float(np.corrcoef(left, right)[0, 1])


def deviances(actual, predicted) -> np.ndarray:
    """Return the unit deviance of Poisson per row: least, on the mean, for the true expectation.

    Unlike the squared error it is not ruled by the few largest amounts, and unlike the absolute
    error it does not favour who predicts the median (Gneiting 2011).

    Args:
        actual: amounts; what is below 0 counts as 0.
        predicted: what was expected; at least a millionth.
    """
    actual = np.maximum(np.asarray(actual, float), 0)
    predicted = np.maximum(np.asarray(predicted, float), 1e-6)
    logs = actual * np.log(np.where(actual > 0, actual, 1) / predicted)
    return 2 * (logs - actual + predicted)


def regression(actual, predicted) -> dict[str, float]:
    """Return every metric of a predicted amount.

    Args:
        actual: what happened.
        predicted: what was expected, in the same unit.
    """
    actual, predicted = np.asarray(actual, float), np.asarray(predicted, float)
    total = actual.sum()
    return {
        "rows": float(len(actual)),
        "mae": float(np.abs(actual - predicted).mean()),
        "rmse": float(np.sqrt(((actual - predicted) ** 2).mean())),
        "deviance": float(deviances(actual, predicted).mean()),
        "spearman": spearman(actual, predicted),
        "top_decile_capture": top(actual, predicted, 0.1)[1],
        "total_ratio": float(predicted.sum() / total) if total else float("nan"),
    }


def adjusted_rand(left, right) -> float:
    """Return how far two partitions agree beyond chance (Hubert & Arabie 1985); 1 is the same."""
    _, left = np.unique(left, return_inverse=True)
    _, right = np.unique(right, return_inverse=True)
    table = np.zeros((left.max() + 1, right.max() + 1))
    np.add.at(table, (left, right), 1)

    def pairs(counts):
        return (counts * (counts - 1) / 2).sum()

    both, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected = rows * columns / pairs(np.array([len(left)]))
    most = (rows + columns) / 2
    return float((both - expected) / (most - expected)) if most != expected else 1.0


def stability(expected_shares, actual_shares, smallest: float = 1e-4) -> float:
    """Return the population stability index between two distributions over the same bins.

    Args:
        expected_shares: shares of the training sample, summing to 1.
        actual_shares: shares now.
        smallest: what an empty bin counts as.
    """
    expected = np.maximum(np.asarray(expected_shares, float), smallest)
    actual = np.maximum(np.asarray(actual_shares, float), smallest)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def mutual_information(values, labels, bins: int = 10) -> float:
    """Return the mutual information in nats between a feature, cut at its quantiles, and a label.

    Args:
        values: the feature.
        labels: 0 or 1.
        bins: number of quantile bins before ties fall together.
    """
    group = np.searchsorted(edges_of(values, bins), values, side="left")
    table = np.zeros((group.max() + 1, 2))
    np.add.at(table, (group, np.asarray(labels, int)), 1)
    joint = table / table.sum()
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / independent[seen])).sum())


def edges_of(values, bins: int = 10) -> np.ndarray:
    """Return the distinct inner quantiles of values: bin i holds values up to edge i."""
    cuts = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(values, cuts, method="lower"))
    return edges[edges < np.max(values)]


def shares_of(values, edges) -> np.ndarray:
    """Return the share of values in each bin that `edges_of` gave; one more than edges."""
    group = np.searchsorted(edges, values, side="left")
    return np.bincount(group, minlength=len(edges) + 1) / max(len(group), 1)


def bins_of(values, bins: int = 10) -> dict:
    """Return bins of a sample, to compare later ones with, and the shares of the sample in them.

    Args:
        values: the sample, in any unit.
        bins: number of quantile bins before ties fall together.

    Returns:
        `edges`, the distinct inner quantiles, ascending; `width`, a quarter of the standard
        deviation; `shares` by `smeared_shares`, one more than edges.
    """
    values = np.asarray(values, float)
    cuts = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(values, cuts, method="lower"))
    width = float(values.std() / 4)
    return {
        "edges": edges.tolist(),
        "width": width,
        "shares": smeared_shares(values, edges, width).tolist(),
    }


def smeared_shares(values, edges, width: float) -> np.ndarray:
    """Return the share of values in each bin, each value spread evenly over width to either side.

    What many rows have in common, zero above all, then moves from bin to bin as gradually as
    anything else. Without it the smallest shift of a count moves every zero at once.

    Args:
        values: any number of them.
        edges: ascending; bin i reaches up to edge i, the last without end.
        width: in the unit of the values; 0 spreads nothing.
    """
    if not width > 0:
        return shares_of(values, edges)
    values = np.asarray(values, float)
    below = [
        float(np.clip((edge - values + width) / (2 * width), 0, 1).mean() if len(values) else 0)
        for edge in edges
    ]
    return np.diff([0.0, *below, 1.0])


def deciles(values) -> np.ndarray:
    """Return the nine limits from which the second to the tenth decile of a sample hold.

    The decile of a value follows from the middle rank of its ties: where all are equal, everybody
    is in the sixth. A limit lies halfway between two neighbours, so that neither rounding nor an
    engine's last digit moves anybody. A value beyond all of the sample has the decile of the
    nearest: a decile that nobody of the sample is in has a limit of -UNBOUNDED or UNBOUNDED.

    Args:
        values: the sample; what differs by no more than TIED is equal.
    """
    values = np.sort(np.asarray(values, float))
    starts = np.concatenate([[0], 1 + np.flatnonzero(np.diff(values) > TIED)])
    ends = np.concatenate([starts[1:], [len(values)]])
    # In whole numbers: of ranks that are multiples of a tenth, none is off by a rounding.
    reached = np.minimum(10 * (starts + ends) // (2 * len(values)), 9)
    between = (values[starts[1:] - 1] + values[starts[1:]]) / 2
    limits = np.concatenate([[-UNBOUNDED], between, [UNBOUNDED]])
    return limits[np.searchsorted(reached, np.arange(1, 10), side="left")]
