"""Training of a probability: buys, lapses, clicks, redeems.

Three models compete out of time on log-loss: a regularised logistic regression, an additive
gradient boosting, and the mean of their logits; each of them calibrated and not. All are lists of
additive terms (`terms.py`). Who loses against the calibrated ranking by RFM, or by past redemptions
where they are known and rank better, is not published.

Time goes forward only. The earliest cutoffs train, the next chooses the strength of regularisation
and the number of trees, and each of the last ones tests a model fitted on what lies before it. The
published model is then fitted on everything.
"""

from dataclasses import dataclass, field

import numpy as np

from lettershop_ml import metrics, terms

# Inverse strengths of the logistic regression's L2 penalty, weakest penalty last.
STRENGTHS = (0.003, 0.01, 0.03, 0.1)
CANDIDATES = ("logistic", "boosting", "mean")
# What competes: each as it is, and with its logits calibrated on earlier predictions.
KINDS = tuple(f"{name}{end}" for name in CANDIDATES for end in ("", "_calibrated"))
# Standard errors by which a kind must beat the mean of both: one chance in twenty that any of
# the five others does so by luck (Bonferroni, one-sided).
SURELY = 2.326
# Rankings that a model must beat where they are known: the better of them is the bar.
BARS = ("rfm_score", "redemption_count_before")


@dataclass(frozen=True)
class Sample:
    """Training rows, in an order that says nothing about the label.

    Attributes:
        columns: feature to values, all of one length, without missing values.
        labels: 0 or 1.
        cutoffs: ISO date of each row.
        ends: ISO date on which the label's window ended, per row.
        people: a number per row, the same for all rows of a customer.
    """

    columns: dict[str, np.ndarray]
    labels: np.ndarray
    cutoffs: np.ndarray
    ends: np.ndarray
    people: np.ndarray

    def where(self, rows: np.ndarray) -> "Sample":
        """Return the rows of a boolean mask."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        rest = (self.labels, self.cutoffs, self.ends, self.people)
        return Sample(columns, *(values[rows] for values in rest))

    def matrix(self, names) -> np.ndarray:
        """Return the named columns, shape (rows, names)."""
        return np.column_stack([self.columns[name] for name in names])


@dataclass(frozen=True)
class Settings:
    """What a policy says about training.

    Attributes:
        minimum_customers: fewer customers are not trained on, however many rows they have.
        minimum_rows: fewer rows are not trained on.
        minimum_of_each_class: fewer rows of either class are not trained on.
        test_cutoffs: how many of the last cutoffs test.
        operating_rate: share of customers that would be selected.
        iterations: most trees of a boosting.
        seed: of what draws.
    """

    minimum_customers: int = 200
    minimum_rows: int = 200
    minimum_of_each_class: int = 25
    test_cutoffs: int = 2
    operating_rate: float = 0.1
    iterations: int = 90
    seed: int = 7


@dataclass(frozen=True)
class Serving:
    """The version that serves, as what a challenger is compared with.

    Attributes:
        model: its terms.
        known_to: ISO date on which the last window ended that it was trained on.
        algorithm: logistic, boosting, mean or ranking.
        names: features that its training could use.
        parameters: what its training chose.
    """

    model: terms.Additive
    known_to: str
    algorithm: str
    names: list[str]
    parameters: dict

    def at(self, cutoff: str, train: Sample, seed: int, calibrations: dict) -> terms.Additive:
        """Return what predicts a cutoff without having seen anything of its window.

        From the end of its last window on that is the version itself. Before, it would be flattered
        by what it was trained on: there stands the same model, fitted on what was known.

        Args:
            cutoff: ISO date.
            train: rows whose windows had ended by then.
            seed: see `fit_boosting`.
            calibrations: shift and weight by candidate, of predictions before the cutoff.
        """
        if cutoff >= self.known_to:
            return self.model
        if self.algorithm not in CANDIDATES:
            return fit_ranking(train, next(iter(self.model.pieces)))
        names = [name for name in self.names if name in train.columns]
        again = fit_candidates(train, names, self.parameters, seed)[self.algorithm]
        if "calibration" not in self.parameters:
            return again
        shift, weight = calibrations[self.algorithm]
        return terms.combined([again], [weight], shift)


@dataclass(frozen=True)
class Competition:
    """What came of it when the candidates predicted what they did not know.

    Attributes:
        chosen: see `choose`.
        metrics: rows of cutoff, candidate, metric and value, of candidates and baselines.
        known: logits by candidate, with `labels`: of all rows that calibrate the published model.
        losses: log-loss by kind of KINDS, one per row that tested.
        people: of the rows that tested.
        cutoffs: of the rows that tested.
    """

    chosen: dict
    metrics: list[dict]
    known: dict[str, np.ndarray]
    losses: dict[str, np.ndarray]
    people: np.ndarray
    cutoffs: np.ndarray


@dataclass(frozen=True)
class Fit:
    """A trained model and what is known about it.

    Attributes:
        algorithm: logistic, boosting, mean or rfm_ranking.
        reason: why this one.
        model: its terms, centred and calibrated.
        parameters: what was chosen.
        metrics: rows of cutoff, candidate, metric, value.
        features: per feature mutual information, stability and bins of the training sample.
        scores: bins of the logit and their shares in the training sample.
        published: name in the metrics of what was published.
    """

    algorithm: str
    reason: str
    model: terms.Additive
    parameters: dict
    metrics: list[dict]
    features: list[dict]
    scores: dict = field(default_factory=dict)
    published: str = ""


class NotTrainableError(Exception):
    """Why there is no model."""


def fit_logistic(sample: Sample, names, strength: float) -> terms.Additive:
    """Fit an L2-penalised logistic regression on standardised features.

    Args:
        sample: at least one row of each class.
        names: features to use.
        strength: inverse of the penalty, scikit-learn's C.
    """
    from sklearn.linear_model import LogisticRegression

    matrix = sample.matrix(names)
    means, scales = matrix.mean(axis=0), matrix.std(axis=0)
    scales[scales < 1e-9] = np.inf
    regression = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=50, tol=1e-8)
    regression.fit((matrix - means) / scales, sample.labels)
    return terms.of_linear(
        names, means, scales, regression.coef_[0], float(regression.intercept_[0])
    )


def fit_boosting(sample: Sample, names, iterations: int, seed: int):
    """Fit an additive gradient boosting and return the scikit-learn model.

    Args:
        sample: at least one row of each class.
        names: features to use.
        iterations: number of trees.
        seed: for scikit-learn, which draws the sample that bins are made of.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    boosting = HistGradientBoostingClassifier(
        interaction_cst="no_interactions",
        max_iter=iterations,
        learning_rate=0.12,
        max_leaf_nodes=6,
        min_samples_leaf=max(20, len(sample.labels) // 200),
        l2_regularization=10.0,
        max_bins=63,
        early_stopping=False,
        random_state=seed,
    )
    return boosting.fit(sample.matrix(names), sample.labels)


def fit_ranking(sample: Sample, ranking: str) -> terms.Additive:
    """Return the RFM ranking as probabilities: a logistic regression on the ranking alone."""
    return fit_logistic(sample, [ranking], 1000.0)


def calibration(labels, logits) -> tuple[float, float]:
    """Return shift and weight of the linear map of logits with the best log-loss (Platt 1999).

    Fitted by Newton's method; (0, 1) where it cannot be fitted or would turn the ranking around.

    Args:
        labels: 0 or 1.
        logits: of rows that the model was not fitted on.
    """
    labels, logits = np.asarray(labels, float), np.asarray(logits, float)
    design = np.column_stack([np.ones_like(logits), logits])
    weights = np.array([0.0, 1.0])
    for _ in range(25):
        chances = 1 / (1 + np.exp(-(design @ weights)))
        slope = design.T @ (chances - labels) + 1e-3 * (weights - (0, 1))
        curve = (design * (chances * (1 - chances))[:, None]).T @ design + 1e-3 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-10:
            break
    if not np.isfinite(weights).all() or not 0.2 <= weights[1] <= 5:
        return 0.0, 1.0
    return float(weights[0]), float(weights[1])


def choose(train: Sample, valid: Sample, names, settings: Settings) -> dict:
    """Return the strength and the number of trees with the best log-loss on later rows.

    Args:
        train: rows to fit on.
        valid: rows of a later cutoff.
        names: features to use.
        settings: see Settings.
    """
    losses = []
    for strength in STRENGTHS:
        model = fit_logistic(train, names, strength)
        losses.append(metrics.log_loss(valid.labels, model.logit(valid.columns)))
    boosting = fit_boosting(train, names, settings.iterations, settings.seed)
    stages = boosting.staged_decision_function(valid.matrix(names))
    by_trees = [metrics.log_loss(valid.labels, np.ravel(stage)) for stage in stages]
    return {
        "strength": STRENGTHS[int(np.argmin(losses))],
        "iterations": max(10, 1 + int(np.argmin(by_trees))),
    }


def fit_candidates(train: Sample, names, chosen: dict, seed: int) -> dict[str, terms.Additive]:
    """Return the candidates fitted on a sample, by name.

    Args:
        train: rows to fit on.
        names: features to use.
        chosen: of `choose`.
        seed: see `fit_boosting`.
    """
    logistic = fit_logistic(train, names, chosen["strength"])
    boosting = fit_boosting(train, names, chosen["iterations"], seed)
    boosting = terms.of_boosting(names, boosting, chosen["iterations"])
    return {
        "logistic": logistic,
        "boosting": boosting,
        "mean": terms.combined([logistic, boosting], [0.5, 0.5]),
    }


def _has_both(sample: Sample, least: int = 1) -> bool:
    return len(sample.labels) > 0 and least <= sample.labels.sum() <= len(sample.labels) - least


def require_counts(rows: float, positives: float, cutoffs: float, settings: Settings) -> None:
    """Say why there is nothing to train on, if so.

    Args:
        rows: with a label.
        positives: with label 1.
        cutoffs: with labels.
        settings: see Settings.

    Raises:
        NotTrainableError: with the reason in words.
    """
    rows, positives = int(rows), int(positives)
    if rows < settings.minimum_rows:
        raise NotTrainableError(
            f"{rows} rows with a label; {settings.minimum_rows} are the minimum"
        )
    for name, count in (("positive", positives), ("negative", rows - positives)):
        if count < settings.minimum_of_each_class:
            raise NotTrainableError(
                f"{count} {name} labels; {settings.minimum_of_each_class} are the minimum"
            )
    if cutoffs < 3:
        raise NotTrainableError(
            f"{int(cutoffs)} cutoffs with labels; three are the minimum, to fit, choose and test"
        )


def telling(sample: Sample, names) -> list[str]:
    """Return the features in which rows of some cutoff differ.

    What is one number for everybody on every day tells the days apart and not the customers. Where
    all were signed up by one import, tenure is the calendar, and a season would be read into it.

    Args:
        sample: rows of customers.
        names: features.
    """
    days = [sample.cutoffs == cutoff for cutoff in np.unique(sample.cutoffs)]
    return [name for name in names if any(np.ptp(sample.columns[name][day]) > 0 for day in days)]


def before(sample: Sample, cutoff: str) -> Sample:
    """Return the rows whose label was known on a day: their window had ended."""
    return sample.where((sample.cutoffs < cutoff) & (sample.ends <= cutoff))


def _inner_cutoff(train: Sample) -> str:
    """Return the cutoff from which rows choose: the latest with a third of the rows after it.

    One cutoff alone says little where it holds few rows, as single campaigns do.
    """
    wanted, held = len(train.labels) / 3, 0
    cutoffs, counts = np.unique(train.cutoffs, return_counts=True)
    for cutoff, count in zip(cutoffs[::-1].tolist(), counts[::-1].tolist(), strict=True):
        held += count
        if held >= wanted:
            return cutoff
    return cutoffs[0]


def compete(
    sample: Sample,
    names,
    rankings,
    tests: list[str],
    settings: Settings,
    serving: Serving | None = None,
) -> Competition:
    """Let the candidates and the baselines predict each test cutoff from what lies before it.

    Args:
        sample: all rows.
        names: features to use.
        rankings: columns of baselines; whether higher means more or less likely is fitted.
        tests: the test cutoffs, in order.
        settings: see Settings.
        serving: the version that serves, which predicts too, as the candidate `champion`.

    Raises:
        NotTrainableError: where the rows before the first test hold one class only.
    """
    chosen, rows, collected = None, [], {}
    losses, people, cutoffs = {kind: [] for kind in KINDS}, [], []
    calibrations = dict.fromkeys(CANDIDATES, (0.0, 1.0))
    for test_cutoff in tests:
        train = before(sample, test_cutoff)
        test = sample.where(sample.cutoffs == test_cutoff)
        if not _has_both(train, 5) or not _has_both(test):
            continue
        if chosen is None:
            inner = _inner_cutoff(train)
            fitting = before(train, inner)
            valid = train.where(train.cutoffs >= inner)
            if _has_both(fitting, 5) and _has_both(valid):
                chosen = choose(fitting, valid, names, settings)
                models = fit_candidates(fitting, names, chosen, settings.seed)
                for name in CANDIDATES:
                    collected[name] = [models[name].logit(valid.columns)]
                collected["labels"] = [valid.labels]
            else:
                chosen = {"strength": STRENGTHS[2], "iterations": 40}
                collected = {name: [] for name in (*CANDIDATES, "labels")}
        if collected["labels"]:
            known = np.concatenate(collected["labels"])
            for name in CANDIDATES:
                calibrations[name] = calibration(known, np.concatenate(collected[name]))
        models = fit_candidates(train, names, chosen, settings.seed)
        for name in CANDIDATES:
            logits = models[name].logit(test.columns)
            shift, weight = calibrations[name]
            for kind, values in ((name, logits), (f"{name}_calibrated", shift + weight * logits)):
                rows += _metric_rows(test_cutoff, kind, test.labels, values, settings)
                losses[kind].append(metrics.log_losses(test.labels, values))
            collected[name].append(logits)
        collected["labels"].append(test.labels)
        people.append(test.people)
        cutoffs.append(test.cutoffs)
        for name in rankings:
            logits = fit_ranking(train, name).logit(test.columns)
            rows += _metric_rows(test_cutoff, name, test.labels, logits, settings)
        base = float(np.log(train.labels.mean() / (1 - train.labels.mean())))
        constant = np.full(len(test.labels), base)
        rows += _metric_rows(test_cutoff, "constant", test.labels, constant, settings)
        if serving is not None:
            its = serving.at(test_cutoff, train, settings.seed, calibrations)
            logits = its.logit(test.columns)
            rows += _metric_rows(test_cutoff, "champion", test.labels, logits, settings)
    if chosen is None:
        raise NotTrainableError("before or at every cutoff to test on, one class is missing")
    return Competition(
        chosen=chosen,
        metrics=rows,
        known={key: np.concatenate(parts) for key, parts in collected.items()},
        losses={kind: np.concatenate(parts) for kind, parts in losses.items()},
        people=np.concatenate(people),
        cutoffs=np.concatenate(cutoffs),
    )


def _metric_rows(cutoff, candidate, labels, logits, settings) -> list[dict]:
    found = metrics.classification(labels, logits, settings.operating_rate)
    return [
        dict(cutoff=cutoff, candidate=candidate, metric=metric, value=value)
        for metric, value in found.items()
    ]


def mean_of(rows: list[dict], candidate: str, metric: str) -> float:
    """Return a candidate's mean of a metric over the cutoffs; nan where it was not measured."""
    found = [
        row["value"] for row in rows if row["candidate"] == candidate and row["metric"] == metric
    ]
    return float(np.mean(found)) if found else float("nan")


def gain_of(gains, people, cutoffs) -> tuple[float, float, float]:
    """Return a mean gain, and how far off chance may have put it.

    Rows of one customer are not independent, and neither are those of one day: what a season or a
    holiday does, it does to everybody.

    Args:
        gains: one per row.
        people: of the rows.
        cutoffs: of the rows.

    Returns:
        The mean over rows; its standard error where customers are drawn, each with all rows
        (Liang & Zeger, Longitudinal data analysis using generalized linear models, Biometrika 73,
        1986); that of the mean over the days where days are drawn. Infinite where there is one.
    """
    mean = float(np.mean(gains))

    def summed(groups):
        _, place = np.unique(groups, return_inverse=True)
        return np.bincount(place, weights=gains), np.bincount(place)

    sums, rows = summed(people)
    drawn = len(rows)
    spread = float(((sums - mean * rows) ** 2).sum())
    by_people = np.sqrt(spread * drawn / (drawn - 1)) / len(gains) if drawn > 1 else np.inf
    sums, rows = summed(cutoffs)
    days = len(rows)
    by_days = np.std(sums / rows, ddof=1) / np.sqrt(days) if days > 1 else np.inf
    return mean, float(by_people), float(by_days)


def published_of(found: Competition) -> str:
    """Return the candidate to publish: the mean of both models, unless another is surely better.

    Of two models one is always better at a handful of cutoffs, and of six one is so by much; an
    average of models is rarely the worst. Another is taken where its log-loss is lower by more
    than chance explains: by SURELY standard errors over customers, so that at most one in twenty
    would be taken of candidates that are no better, and by one over the days (Breiman et al.,
    Classification and Regression Trees, 1984); of two days that is to be better at both.

    Args:
        found: of `compete`.
    """
    best, most = "mean", 0.0
    for kind in KINDS:
        gains = found.losses["mean"] - found.losses[kind]
        gain, by_people, by_days = gain_of(gains, found.people, found.cutoffs)
        if gain > max(most, SURELY * by_people, by_days):
            best, most = kind, gain
    return best


def describe(sample: Sample, names, today: dict[str, np.ndarray]) -> list[dict]:
    """Return per feature the mutual information with the label, stability and drift bins.

    Stability is the population stability index between the first and the last cutoff.

    Args:
        sample: training rows.
        names: features to describe.
        today: features of those whom the model speaks of on the day of training.
    """
    cutoffs = sorted(set(sample.cutoffs.tolist()))
    first, last = sample.cutoffs == cutoffs[0], sample.cutoffs == cutoffs[-1]
    described = []
    for name in names:
        values = sample.columns[name]
        bins = _bins(values, today[name])
        earliest, newest = (
            metrics.smeared_shares(values[rows], bins["edges"], bins["width"])
            for rows in (first, last)
        )
        described.append(
            dict(
                feature=name,
                mutual_information=metrics.mutual_information(values, sample.labels),
                stability=metrics.stability(earliest, newest),
                **bins,
            )
        )
    return described


def _bins(values, today) -> dict:
    """Return bins of the sample, with the shares of the day of training beside them."""
    bins = metrics.bins_of(values)
    if not len(today):
        return bins
    shares = metrics.smeared_shares(today, bins["edges"], bins["width"])
    return bins | {"day_shares": shares.tolist(), "day_rows": len(today)}


def train(
    sample: Sample,
    names,
    rankings,
    settings: Settings,
    serving: Serving | None = None,
    today: dict[str, np.ndarray] | None = None,
) -> Fit:
    """Train on a sample and return the model to publish.

    Args:
        sample: rows of several cutoffs; holds the features and the rankings.
        names: features to use.
        rankings: columns to rank by, for comparison; those of BARS must be beaten.
        settings: see Settings.
        serving: the version that serves, to be compared with.
        today: features of those whom the model speaks of on the day of training, with the
            rankings; nobody where None.

    Raises:
        NotTrainableError: with the reason, where there is too little to learn from.
    """
    cutoffs = sorted(set(sample.cutoffs.tolist()))
    require_counts(len(sample.labels), sample.labels.sum(), len(cutoffs), settings)
    # What is the same for everybody can teach nothing.
    names = [name for name in names if np.ptp(sample.columns[name]) > 0]
    if not names:
        raise NotTrainableError("no feature differs between customers")
    tests = cutoffs[-min(settings.test_cutoffs, len(cutoffs) - 2) :]
    found = compete(sample, names, rankings, tests, settings, serving)
    chosen, rows = found.chosen, found.metrics
    losses = {name: mean_of(rows, name, "log_loss") for name in KINDS}
    published = published_of(found)
    bars = {name: mean_of(rows, name, "log_loss") for name in rankings if name in BARS}
    ranking = min(bars, key=lambda name: (round(bars[name], 12), BARS.index(name)))
    bar = bars[ranking]
    by = "RFM" if ranking == "rfm_score" else ranking.replace("_", " ")
    said = f"log-loss {losses[published]:.4f} out of time against {bar:.4f} of the ranking by {by}"
    parameters = chosen | {"tests": tests, "cutoffs": cutoffs, "candidates": losses}
    if losses[published] < bar:
        algorithm, reason = published.removesuffix("_calibrated"), f"{published}: {said}"
        model, used = fit_candidates(sample, names, chosen, settings.seed)[algorithm], names
        if published.endswith("_calibrated"):
            shift, weight = calibration(found.known["labels"], found.known[algorithm])
            model = terms.combined([model], [weight], shift)
            parameters["calibration"] = {"shift": shift, "weight": weight}
    else:
        algorithm, reason = "ranking", f"no model beats the ranking by {by}: best {said}"
        model, used, published = fit_ranking(sample, ranking), [ranking], ranking
    model = terms.centred(model, sample.columns)
    logits = model.logit(sample.columns)
    today = today or {name: np.empty(0) for name in sample.columns}
    rows = [row | {"is_published": row["candidate"] == published} for row in rows]
    return Fit(
        algorithm=algorithm,
        reason=reason,
        model=model,
        parameters=parameters,
        metrics=rows,
        features=describe(sample, used, today),
        scores={"deciles": metrics.deciles(logits).tolist()} | _bins(logits, model.logit(today)),
        published=published,
    )
