"""Grain: customer, today.

Python, because the expression is written from the rows of persona_centroids; the engine evaluates
it.
"""


def model(dbt, session):
    """Return each buyer's persona, unevaluated."""
    from lettershop_ml import engine, serving

    return serving.clusters(
        dbt.ref("customer_features"),
        engine.frame(dbt.ref("persona_centroids").filter("is_serving")),
        engine.frame(dbt.ref("retraining_decisions").filter("is_last_decision")),
    )
