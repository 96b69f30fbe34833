"""Grain: customer and horizon of which a boosting is published, today.

Python, because the expression is written from the version that serves; the engine evaluates it.
"""


def model(dbt, session):
    """Return the logarithm of the value that boostings expect, unevaluated."""
    from lettershop_ml import engine, serving

    return serving.lifetime_boosts(
        session,
        dbt.ref("customer_features"),
        engine.frame(dbt.ref("model_versions").filter("is_serving")),
    )
