"""A model as a list of additive terms, which numpy and SQL evaluate alike.

The logit is an intercept plus, per feature, the one term whose interval holds the value:

    lower < x <= upper  ->  intercept + slope * x

A linear model has one term per feature, an additive boosting many with slope 0, their mean both.
Terms are centred on the training rows: a feature's contribution is the difference it makes from
the mean customer, and the intercept is the mean logit.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Piecewise:
    """The contribution of one feature.

    Attributes:
        cuts: upper bounds of all intervals but the last, ascending; a cut belongs to its left.
        intercepts: one per interval.
        slope: of all intervals.
    """

    cuts: tuple[float, ...]
    intercepts: tuple[float, ...]
    slope: float

    def at(self, values) -> np.ndarray:
        """Return the contributions of values, shape as given."""
        steps = np.asarray(self.intercepts)[np.searchsorted(self.cuts, values, side="left")]
        return self.slope * np.asarray(values, float) + steps


@dataclass(frozen=True)
class Additive:
    """An additive model.

    Attributes:
        intercept: the logit where every contribution is 0.
        pieces: feature to its contribution.
    """

    intercept: float
    pieces: dict[str, Piecewise]

    def contributions(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return each feature's contribution, given the features' values by name."""
        return {name: piece.at(columns[name]) for name, piece in self.pieces.items()}

    def logit(self, columns: dict[str, np.ndarray]) -> np.ndarray:
        """Return the logit per row, given the features' values by name."""
        rows = len(next(iter(columns.values())))
        total = np.full(rows, self.intercept)
        for part in self.contributions(columns).values():
            total += part
        return total

    def rows(self) -> list[dict]:
        """Return the terms as rows: feature, lower, upper (None: unbounded), intercept, slope.

        The first row is the model's intercept, with feature None.
        """
        rows = [dict(feature=None, lower=None, upper=None, intercept=self.intercept, slope=0.0)]
        for name, piece in self.pieces.items():
            bounds = [None, *piece.cuts, None]
            for number, intercept in enumerate(piece.intercepts):
                rows.append(
                    dict(
                        feature=name,
                        lower=bounds[number],
                        upper=bounds[number + 1],
                        intercept=intercept,
                        slope=piece.slope,
                    )
                )
        return rows


def from_rows(rows) -> Additive:
    """Return the model whose `rows` these are, in any order.

    Args:
        rows: dicts with feature, lower, upper, intercept and slope; None or nan is unbounded.

    Raises:
        ValueError: if the intercept is missing or the intervals of a feature do not meet.
    """

    def bound(number) -> float | None:
        return None if number is None or number != number else float(number)

    intercept, by_feature = None, {}
    for row in rows:
        if row["feature"] is None:
            intercept = float(row["intercept"])
        else:
            by_feature.setdefault(row["feature"], []).append(row)
    if intercept is None:
        raise ValueError("The terms have no intercept.")
    pieces = {}
    for name, parts in by_feature.items():
        parts = sorted(parts, key=lambda part: (bound(part["lower"]) is not None, part["lower"]))
        uppers = [bound(part["upper"]) for part in parts]
        lowers = [bound(part["lower"]) for part in parts]
        if lowers[0] is not None or uppers[-1] is not None or lowers[1:] != uppers[:-1]:
            raise ValueError(f"The terms of {name} do not cover every value once.")
        if len({float(part["slope"]) for part in parts}) > 1:
            raise ValueError(f"The terms of {name} have several slopes.")
        pieces[name] = Piecewise(
            tuple(uppers[:-1]),
            tuple(float(part["intercept"]) for part in parts),
            float(parts[0]["slope"]),
        )
    return Additive(intercept, pieces)


def of_linear(names, means, scales, coefficients, intercept: float) -> Additive:
    """Return a linear model over standardised features, (x - mean) / scale, as terms."""
    pieces = {}
    for name, mean, scale, weight in zip(names, means, scales, coefficients, strict=True):
        slope = float(weight / scale)
        if slope:
            pieces[name] = Piecewise((), (float(-slope * mean),), slope)
    return Additive(float(intercept), pieces)


def of_boosting(names, boosting, iterations: int) -> Additive:
    """Return an additive boosting as step functions.

    Each tree of `HistGradientBoostingClassifier(interaction_cst="no_interactions")` looks at one
    feature only, so that the trees of a feature add up to one step function. Reads two private
    attributes of scikit-learn 1.9, `_predictors` and `_baseline_prediction`; a test compares.

    Args:
        names: of the columns that it was fitted on; none may have missing values.
        boosting: the fitted model.
        iterations: how many of its trees count.

    Raises:
        ValueError: if a tree looks at two features.
    """
    intercept = float(np.ravel(boosting._baseline_prediction)[0])
    leaves: dict[int, list[tuple[float, float, float]]] = {}

    def walk(nodes, number, lower, upper, feature):
        node = nodes[number]
        if node["is_leaf"]:
            leaves[feature].append((lower, upper, float(node["value"])))
            return
        if node["feature_idx"] != feature:
            raise ValueError("A tree looks at two features: the boosting is not additive.")
        cut = float(node["num_threshold"])
        walk(nodes, node["left"], lower, min(upper, cut), feature)
        walk(nodes, node["right"], max(lower, cut), upper, feature)

    for (tree,) in boosting._predictors[:iterations]:
        if tree.nodes[0]["is_leaf"]:
            intercept += float(tree.nodes[0]["value"])
            continue
        feature = int(tree.nodes[0]["feature_idx"])
        leaves.setdefault(feature, [])
        walk(tree.nodes, 0, -np.inf, np.inf, feature)

    pieces = {}
    for feature, parts in sorted(leaves.items()):
        bounds = {bound for lower, upper, _ in parts for bound in (lower, upper)}
        cuts = np.array(sorted(bound for bound in bounds if np.isfinite(bound)))
        # Leaf after leaf, in the order of the trees, as scikit-learn adds them.
        heights = np.zeros(len(cuts) + 1)
        for lower, upper, height in parts:
            first = 0 if lower == -np.inf else int(np.searchsorted(cuts, lower)) + 1
            last = len(cuts) if upper == np.inf else int(np.searchsorted(cuts, upper))
            heights[first : last + 1] += height
        pieces[names[feature]] = Piecewise(tuple(cuts.tolist()), tuple(heights.tolist()), 0.0)
    return Additive(intercept, pieces)


def combined(models: list[Additive], weights: list[float], shift: float = 0.0) -> Additive:
    """Return shift + sum of weight x model, feature by feature.

    Args:
        models: to add.
        weights: one per model.
        shift: added to the intercept.
    """
    pieces = {}
    for name in dict.fromkeys(name for model in models for name in model.pieces):
        parts = [
            (model.pieces[name], weight)
            for model, weight in zip(models, weights, strict=True)
            if name in model.pieces
        ]
        cuts = sorted({cut for piece, _ in parts for cut in piece.cuts})
        # An interval is known by its upper bound.
        uppers = np.array([*cuts, np.inf])
        heights = np.zeros(len(uppers))
        for piece, weight in parts:
            place = np.searchsorted(piece.cuts, uppers, side="left")
            heights += weight * np.asarray(piece.intercepts)[place]
        slope = float(sum(weight * piece.slope for piece, weight in parts))
        pieces[name] = Piecewise(tuple(cuts), tuple(heights.tolist()), slope)
    intercept = shift + sum(
        weight * model.intercept for model, weight in zip(models, weights, strict=True)
    )
    return Additive(float(intercept), pieces)


def centred(model: Additive, columns: dict[str, np.ndarray]) -> Additive:
    """Return the same logit with contributions whose mean over the given rows is 0.

    Pieces that make no difference are left out; equal neighbours become one interval.
    """
    intercept, pieces = model.intercept, {}
    for name, piece in model.pieces.items():
        mean = float(piece.at(columns[name]).mean())
        intercept += mean
        cuts, heights = [], [piece.intercepts[0] - mean]
        for cut, height in zip(piece.cuts, piece.intercepts[1:], strict=True):
            if height - mean != heights[-1]:
                cuts.append(cut)
                heights.append(height - mean)
        if cuts or piece.slope:
            pieces[name] = Piecewise(tuple(cuts), tuple(heights), piece.slope)
        else:
            intercept += heights[0]
    return Additive(intercept, pieces)


def number(value: float) -> str:
    """Return a double as SQL that reads back to the same bits."""
    return f"cast('{value!r}' as double)" if not np.isfinite(value) else f"{value:.17e}"


def piece_sql(piece: Piecewise, column: str) -> str:
    """Return the SQL of a feature's contribution: few comparisons, by halving the intervals.

    Args:
        piece: the contribution.
        column: the feature, as SQL of type double.
    """

    def halved(first: int, last: int) -> str:
        if first == last:
            return number(piece.intercepts[first])
        middle = (first + last) // 2
        return (
            f"case when {column} <= {number(piece.cuts[middle])}"
            f" then {halved(first, middle)} else {halved(middle + 1, last)} end"
        )

    steps = halved(0, len(piece.intercepts) - 1)
    return f"({number(piece.slope)} * {column} + {steps})" if piece.slope else f"({steps})"
