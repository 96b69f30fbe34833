"""When a model is trained again, and whether what was trained replaces what serves."""

from datetime import date

import pandas as pd

from lettershop_ml import metrics, registry


def days_between(earlier: str, later: str) -> int:
    """Return the days from one ISO date to another."""
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days


def question(request: dict) -> str:
    """Return a hash of what a model is asked: label, horizon and population of its target.

    Args:
        request: the model's row of training_requests.
    """
    target = {key: request[key] for key in sorted(request) if key.startswith("target_")}
    return registry.digest(registry.rounded(target))


def defined(asked: str, *trained_on) -> str:
    """Return the definition of a model: a hash of the question, and one of what it is trained on.

    Args:
        asked: of `question`.
        trained_on: names of features and the like.
    """
    return f"{asked}.{registry.digest(*trained_on)}"


def asks_otherwise(definition: str, other) -> bool:
    """Return whether two definitions are known to be of different questions.

    Args:
        definition: of `defined`.
        other: of an earlier row; those of before questions were told apart hold none.
    """
    if not isinstance(other, str) or "." not in other:
        return False
    return other.partition(".")[0] != definition.partition(".")[0]


def last_attempt(rows: pd.DataFrame) -> dict:
    """Return the last decision about a model that a fit or a rollback made, of those it has."""
    decided = rows["decision"].isin(["promoted", "rejected", "rolled_back"])
    tried = rows[decided | rows["definition_hash"].notna()]
    return tried.loc[tried["decision_number"].idxmax()].to_dict()


def wanted(request: dict, rows: pd.DataFrame, champion: dict | None) -> tuple[str, str] | None:
    """Return cause and reason to train now, as far as age and demand decide it; else None.

    Args:
        request: of the model: as_of_date, is_forced, definition_hash, maximum_age_days.
        rows: all decisions about it.
        champion: the version that serves; None before the first.
    """
    today = request["as_of_date"]
    if request["is_forced"]:
        return "forced", "forced by the var retrain_models"
    if champion is None:
        attempts = rows[rows["decision"].isin(["not_trained", "withdrawn"])]
        if attempts.empty:
            return "first_run", "first run: there is no version yet"
        # What there was too little of does not come overnight, and looking for it is not free.
        last = attempts.loc[attempts["decision_number"].idxmax()]
        tried, waited = str(last["as_of_date"])[:10], request["minimum_age_days"]
        is_same = last["definition_hash"] == request["definition_hash"]
        if is_same and days_between(tried, today) < waited:
            return None
        return "first_run", f"there is no version yet; tried last on {tried}"
    # What was tried is not tried again, also where what serves was defined differently.
    last = last_attempt(rows)
    known = [last["definition_hash"], champion["definition_hash"]]
    if request["definition_hash"] not in known:
        return "definition", "its features or its target are defined differently now"
    age = days_between(str(last["as_of_date"])[:10], today)
    if age >= request["maximum_age_days"]:
        return "age", f"trained {age} days ago; {request['maximum_age_days']} are the limit"
    return None


def is_ripe(request: dict, rows: pd.DataFrame) -> bool:
    """Return whether the last fit is old enough for drift or a worse metric to matter."""
    last = str(last_attempt(rows)["as_of_date"])[:10]
    return days_between(last, request["as_of_date"]) >= request["minimum_age_days"]


def drift(bins: list[dict], columns: dict) -> tuple[str | None, float]:
    """Return the feature that moved most since training, and by how much.

    As in monitoring, the smaller of two indices counts: what growth or season had moved between the
    sample and the day of training does not go away by training again.

    Args:
        bins: per feature its name, edges, width and shares in the training sample; day_shares on
            the day of training where they are known.
        columns: feature to today's values.

    Returns:
        The feature, None where there is none, and its population stability index.
    """
    worst, most = None, 0.0
    for entry in bins:
        values = columns.get(entry["feature"])
        if values is None or not len(values):
            continue
        shares = metrics.smeared_shares(values, entry["edges"], entry.get("width", 0))
        known = [entry[key] for key in ("shares", "day_shares") if entry.get(key)]
        moved = min(metrics.stability(expected, shares) for expected in known)
        if moved > most:
            worst, most = entry["feature"], moved
    return worst, most


def replaces(challenger: float, champion: float | None) -> tuple[bool, str]:
    """Return whether a challenger may replace the champion, and a sentence about it.

    Args:
        challenger: its loss out of time.
        champion: the champion's on the same rows; None where it can no longer be applied.
    """
    if champion is None or champion != champion:
        return True, "the version that serves cannot be applied any more"
    figures = f"{challenger:.4f} against {champion:.4f} of the version that serves"
    if challenger <= champion:
        return True, f"loss out of time {figures}"
    return False, f"worse out of time: loss {figures}"
