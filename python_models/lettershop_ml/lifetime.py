"""Buy-till-you-die models of purchases and of their value, by maximum likelihood.

BG/NBD: Fader, Hardie & Lee, "Counting Your Customers" the Easy Way, Marketing Science 24 (2005).
Gamma-Gamma: Fader & Hardie, The Gamma-Gamma Model of Monetary Value (2013).
Margin: the credibility of a customer's own rate, Bühlmann, ASTIN Bulletin 4 (1967).

x is the number of repeat purchase days, t_x the age at the last of them, T the age now; both in
weeks. Nothing here needs to know who a customer is: distinct (x, t_x, T) are enough.
"""

import numpy as np
import pandas as pd

from lettershop_ml import terms

SHARE_OUTSIDE = 0.1  # of an interval, on either side


def fit_purchases(x, t_x, age, weights=None) -> dict[str, float]:
    """Fit BG/NBD.

    Args:
        x: repeat purchases.
        t_x: weeks from the first purchase to the last.
        age: weeks from the first purchase to now, at least t_x.
        weights: how many customers each row stands for; 1 where None.

    Returns:
        r, alpha (weeks), a, b, and log_likelihood.

    Raises:
        ValueError: if there are no rows, or the likelihood has no maximum that can be found.
    """
    from scipy.optimize import minimize

    weights = np.ones(len(x)) if weights is None else weights
    cells = pd.DataFrame({"x": x, "t_x": t_x, "age": age, "n": weights}, dtype=float)
    cells = cells.groupby(["x", "t_x", "age"], sort=True)["n"].sum().reset_index()
    x, t_x, age, n = (cells[name].to_numpy() for name in ("x", "t_x", "age", "n"))
    if not len(x) or age.max() <= 0:
        raise ValueError("There is no customer with an age.")
    scale = 10 / age.max()
    t_x, age = t_x * scale, age * scale

    def loss(logs):
        fit = dict(zip(("r", "alpha", "a", "b"), np.exp(logs), strict=True))
        return -(n * _log_likelihoods(fit, x, t_x, age)).sum() / n.sum()

    best = minimize(
        loss,
        np.log([1.0, 1.0, 1.0, 2.0]),
        method="L-BFGS-B",
        bounds=[(-8, 8)] * 4,
        options={"ftol": 1e-12, "gtol": 1e-8, "maxiter": 500},
    )
    if not np.isfinite(best.fun):
        raise ValueError("The likelihood of the purchases has no maximum.")
    r, alpha, a, b = np.exp(best.x)
    return {
        "r": float(r),
        "alpha": float(alpha / scale),
        "a": float(a),
        "b": float(b),
        # Time was in another unit; of a density its unit is a factor per purchase.
        "log_likelihood": float(-best.fun * n.sum() + (n * x).sum() * np.log(scale)),
    }


def _log_likelihoods(fit: dict, x, t_x, age) -> np.ndarray:
    """Return the log-likelihood of each row (formula 6 of 2005)."""
    from scipy.special import betaln, gammaln

    r, alpha, a, b = (fit[name] for name in ("r", "alpha", "a", "b"))
    repeats = x > 0
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    alive = -(r + x) * np.log(alpha + age)
    gone = np.full(len(x), -np.inf)
    # Gone after the last purchase, whose odds against staying were a to b + x - 1.
    gone[repeats] = np.log(a) - np.log(b + x[repeats] - 1)
    gone[repeats] -= (r + x[repeats]) * np.log(alpha + t_x[repeats])
    return common + np.logaddexp(alive, gone)


def log_likelihood(fit: dict, x, t_x, age) -> float:
    """Return the log-likelihood of customers under a fit; weeks as in `fit_purchases`."""
    x, t_x, age = (np.asarray(values, float) for values in (x, t_x, age))
    return float(_log_likelihoods(fit, x, t_x, age).sum())


def chance_alive(fit: dict, x, t_x, age) -> np.ndarray:
    """Return the probability that a customer still buys; 1 before the first repeat."""
    x, t_x, age = (np.asarray(values, float) for values in (x, t_x, age))
    odds = fit["a"] / (fit["b"] + np.maximum(x, 1) - 1)
    odds = odds * ((fit["alpha"] + age) / (fit["alpha"] + t_x)) ** (fit["r"] + x)
    return 1 / (1 + np.where(x > 0, odds, 0.0))


def expected_purchases(fit: dict, weeks: float, x, t_x, age) -> np.ndarray:
    """Return the expected number of purchase days within the next weeks (formula 10 of 2005)."""
    from scipy.special import hyp2f1

    x, t_x, age = (np.asarray(values, float) for values in (x, t_x, age))
    r, alpha, a, b = (fit[name] for name in ("r", "alpha", "a", "b"))
    if abs(a - 1) < 1e-6:
        a = 1 + 1e-6
    z = weeks / (alpha + age + weeks)
    hyper = hyp2f1(r + x, b + x, a + b + x - 1, z)
    shrink = ((alpha + age) / (alpha + age + weeks)) ** (r + x)
    return np.maximum(
        (a + b + x - 1) / (a - 1) * (1 - shrink * hyper) * chance_alive(fit, x, t_x, age), 0
    )


def purchase_interval(fit: dict, weeks: float, x, t_x, age) -> tuple[np.ndarray, np.ndarray]:
    """Return the 10% and 90% quantiles of the number of purchases within the next weeks.

    Of who is alive the number is taken as negative binomial with shape r + x and the mean that
    agrees with `expected_purchases`; who is not makes none. The chance to stop within the period
    is in the mean alone.
    """
    from scipy.special import nbdtrik

    alive = chance_alive(fit, x, t_x, age)
    shape = fit["r"] + np.asarray(x, float)
    mean = expected_purchases(fit, weeks, x, t_x, age) / np.maximum(alive, 1e-12)
    success = shape / (shape + np.maximum(mean, 1e-12))

    def quantile(share):
        within = (share - (1 - alive)) / np.maximum(alive, 1e-12)
        # Below the chance of none, success ** shape, there is no number to be found.
        none = within <= success**shape
        inside = np.where(none, 0.5, np.clip(within, 1e-12, 1 - 1e-12))
        return np.where(none, 0.0, np.ceil(nbdtrik(inside, shape, success) - 1e-6))

    return quantile(SHARE_OUTSIDE), quantile(1 - SHARE_OUTSIDE)


def weeks_to_next(fit: dict, x, t_x, age) -> np.ndarray:
    """Return the weeks within which a purchase is as likely as not; nan where it never is.

    Of who is alive the wait has the distribution of Pareto's second kind with shape r + x and
    scale alpha + T.
    """
    alive = chance_alive(fit, x, t_x, age)
    shape = fit["r"] + np.asarray(x, float)
    left = 1 - 0.5 / alive
    scale = fit["alpha"] + np.asarray(age, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        wait = scale * (np.maximum(left, 1e-300) ** (-1 / shape) - 1)
    return np.where(left > 1e-9, wait, np.nan)


def fit_values(x, mean_value) -> dict[str, float]:
    """Fit Gamma-Gamma to customers with a repeat purchase of positive value.

    Args:
        x: repeat purchases, at least 1.
        mean_value: mean value of the repeat purchases, above 0.

    Returns:
        p, q and v (currency) with q > 1, and the number of rows. Where fewer than 20 customers
        have repeated, or the likelihood has no maximum with a finite mean, p, q and v are such
        that everybody is worth the mean. Where it would have the mean customer worth more than
        twice what customers are, as a tail that is too heavy for it makes it, the likeliest are
        taken whose mean is theirs.
    """
    from scipy.optimize import minimize
    from scipy.special import gammaln

    x, value = np.asarray(x, float), np.asarray(mean_value, float)
    fits = (x > 0) & (value > 0)
    x, value = x[fits], value[fits]
    mean = float((x * value).sum() / x.sum()) if len(x) else 0.0
    if len(x) < 20:
        return {"p": 1.0, "q": 1e6, "v": mean * (1e6 - 1), "rows": len(x)}
    unit = value.mean()
    value = value / unit

    def loss(logs):
        p, above = np.exp(logs[:2])
        # The mean customer is worth p v / (q - 1).
        v = np.exp(logs[2]) if len(logs) > 2 else above / p
        q = 1 + above
        found = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        found += (p * x - 1) * np.log(value) + p * x * np.log(x)
        found -= (p * x + q) * np.log(v + x * value)
        return -found.mean()

    def found(parameters):
        best = minimize(
            loss,
            np.zeros(parameters),
            method="L-BFGS-B",
            bounds=[(-6, 8)] * parameters,
            options={"ftol": 1e-12, "gtol": 1e-8, "maxiter": 500},
        )
        p, above = np.exp(best.x[:2])
        v = np.exp(best.x[2]) if parameters > 2 else above / p
        return np.isfinite(best.fun), p, above, v

    is_finite, p, above, v = found(3)
    if p * v / above > 2:
        is_finite, p, above, v = found(2)
    if not is_finite:
        return {"p": 1.0, "q": 1e6, "v": mean * (1e6 - 1), "rows": len(x)}
    return {"p": float(p), "q": float(1 + above), "v": float(v * unit), "rows": len(x)}


def expected_value(fit: dict, x, mean_value) -> np.ndarray:
    """Return the expected value of a purchase: between the customer's own mean and everybody's."""
    x, value = np.asarray(x, float), np.maximum(np.asarray(mean_value, float), 0)
    return fit["p"] * (fit["v"] + x * value) / (fit["p"] * x + fit["q"] - 1)


def value_interval(fit: dict, low, high, x, mean_value) -> tuple[np.ndarray, np.ndarray]:
    """Return an interval of the value of between low and high purchases.

    The purchases times their expected value, widened by one standard deviation of the logarithm
    of their sum: that of single purchases, 1 / (p n), and that of the customer's own mean,
    1 / (p x + q - 2). An approximation: its coverage out of time is in the metrics.

    Args:
        fit: of `fit_values`.
        low: purchases at the lower end.
        high: purchases at the upper end.
        x: repeat purchases so far.
        mean_value: their mean value.
    """
    x = np.asarray(x, float)
    value = expected_value(fit, x, mean_value)
    own = 1 / np.maximum(fit["p"] * x + fit["q"] - 2, 0.5)

    def end(count, sign):
        count = np.asarray(count, float)
        spread = np.sqrt(1 / (fit["p"] * np.maximum(count, 1)) + own)
        return count * value * np.exp(sign * spread)

    return end(low, -1), end(high, 1)


def _own_rates(revenue, margin) -> np.ndarray:
    """Return margin per revenue, between -1 and 1; 0 where there is no revenue."""
    revenue, margin = np.asarray(revenue, float), np.asarray(margin, float)
    return np.clip(margin / np.where(revenue > 0, revenue, np.inf), -1, 1)


def fit_margins(purchases, revenue, margin) -> dict:
    """Fit everybody's margin rate, and how many purchases make a customer's own count as much.

    The square of what an own rate is off is between + within / purchases; the weight is
    within / between.

    Args:
        purchases: purchase days, at least 1.
        revenue: net revenue of what has a known cost.
        margin: revenue less that cost.

    Returns:
        rate, weight (purchases) and the number of rows with revenue; rate and weight are None
        where these are fewer than 20. Where customers do not differ, the weight is a million.
    """
    purchases, revenue, margin = (
        np.asarray(values, float) for values in (purchases, revenue, margin)
    )
    costed = revenue > 0
    if costed.sum() < 20:
        return {"rate": None, "weight": None, "rows": int(costed.sum())}
    rate = float(margin[costed].sum() / revenue[costed].sum())
    off = (_own_rates(revenue, margin)[costed] - rate) ** 2
    parts = np.column_stack([np.ones(len(off)), 1 / purchases[costed]])
    between, within = np.linalg.lstsq(parts, off, rcond=None)[0]
    weight = min(max(float(within), 0.0) / max(float(between), 1e-12), 1e6)
    return {"rate": rate, "weight": weight, "rows": int(costed.sum())}


def margin_rate(fit: dict, purchases, revenue, margin) -> np.ndarray:
    """Return the expected margin rate: between the customer's own and everybody's.

    Args:
        fit: of `fit_margins`, with a rate.
        purchases: see `fit_margins`.
        revenue: see `fit_margins`; who has none has everybody's rate.
        margin: see `fit_margins`.
    """
    counted = np.where(np.asarray(revenue, float) > 0, np.asarray(purchases, float), 0)
    own = _own_rates(revenue, margin)
    # Without a weight, who has no revenue would divide nothing by nothing.
    weight = max(fit["weight"], 1e-9)
    return (counted * own + weight * fit["rate"]) / (counted + weight)


def fit_boosting(columns: dict[str, np.ndarray], names: list[str], labels, seed: int = 7):
    """Fit an additive boosting of the logarithm of an expected value.

    Args:
        columns: features by name.
        names: of those to use.
        labels: amounts; what is below 0 counts as 0.
        seed: for scikit-learn, which draws the sample that bins are made of.

    Returns:
        terms.Additive, or None where no label is above 0.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    labels = np.maximum(np.asarray(labels, float), 0)
    if not labels.sum():
        return None
    boosting = HistGradientBoostingRegressor(
        loss="poisson",
        interaction_cst="no_interactions",
        max_iter=90,
        learning_rate=0.08,
        max_leaf_nodes=6,
        min_samples_leaf=max(20, len(labels) // 200),
        l2_regularization=10.0,
        max_bins=63,
        early_stopping=False,
        random_state=seed,
    )
    boosting.fit(np.column_stack([columns[name] for name in names]), labels)
    return terms.of_boosting(names, boosting, 90)
