"""Grain: week-rounded purchase history that a customer has today, and horizon.

Python, because expected purchases need a hypergeometric function that SQL does not have; whose
history it is is not read.
"""


def model(dbt, session):
    """Return expected purchases of each distinct history."""
    from lettershop_ml import engine, serving

    return serving.lifetimes(
        session,
        dbt.ref("customer_features"),
        engine.frame(dbt.ref("model_versions").filter("is_serving")),
        engine.frame(dbt.ref("lifetime_value_horizons")),
        engine.frame(dbt.ref("score_bands")),
    )
