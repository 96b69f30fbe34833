"""Grain: model of a probability, customer, item and past day.

Python, because the expressions are those that scoring writes from the rows of model_terms, with the
version that served on each day; the engine evaluates them (docs/decisions/0033).
"""


def model(dbt, session):
    """Return past scores with the labels that came true, unevaluated."""
    from lettershop_ml import engine, replaying

    features = {
        "customer": dbt.ref("training_features"),
        "customer_category": dbt.ref("customer_category_training_features"),
        "customer_send": dbt.ref("customer_send_training_features"),
    }
    labels = {
        "customer": dbt.ref("customer_labels"),
        "customer_category": dbt.ref("category_labels"),
        "customer_send": dbt.ref("send_labels"),
    }
    return replaying.outcomes(
        session,
        features,
        labels,
        engine.frame(dbt.ref("training_requests")),
        engine.frame(dbt.ref("training_cutoffs")),
        engine.frame(dbt.ref("model_versions")),
        engine.frame(dbt.ref("model_terms")),
        engine.frame(dbt.ref("retraining_decisions")),
        engine.frame(dbt.ref("score_bands")),
    )
