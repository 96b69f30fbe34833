"""Grain: model of a probability, customer and item ('' where the model has none), today.

Python, because the expression is written from the rows of model_terms; the engine evaluates it.
"""


def model(dbt, session):
    """Return the logits, bands and reasons of every enabled model, unevaluated."""
    from lettershop_ml import engine, serving

    features = {
        "customer": dbt.ref("customer_features"),
        "customer_category": dbt.ref("customer_category_features"),
        "customer_send": dbt.ref("customer_send_features"),
    }
    return serving.probabilities(
        features,
        engine.frame(dbt.ref("training_requests")),
        engine.frame(dbt.ref("model_versions").filter("is_serving")),
        engine.frame(dbt.ref("model_terms").filter("is_serving")),
        engine.frame(dbt.ref("retraining_decisions").filter("is_last_decision")),
        engine.frame(dbt.ref("score_bands")),
    )
