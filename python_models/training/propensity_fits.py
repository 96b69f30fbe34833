"""Grain: decision about a model of a probability. State (docs/decisions/0032).

Python, because a fit is a search that SQL cannot make; what comes back is rows.
"""


def model(dbt, session):
    """Decide for each enabled target whether to train, and return what was decided."""
    from lettershop_ml import engine, propensity_trainer, registry

    features = {
        "customer": (dbt.ref("training_features"), dbt.ref("customer_features")),
        "customer_category": (
            dbt.ref("customer_category_training_features"),
            dbt.ref("customer_category_features"),
        ),
        "customer_send": (
            dbt.ref("customer_send_training_features"),
            dbt.ref("customer_send_features"),
        ),
    }
    requests = engine.frame(dbt.ref("training_requests"))
    earlier = registry.frame([])
    if dbt.is_incremental:
        earlier = engine.frame(engine.query(session, f"select * from {dbt.this}"))
    inputs = propensity_trainer.Inputs(
        session, dbt.ref("training_labels"), features, engine.frame(dbt.ref("feature_catalog"))
    )
    added = propensity_trainer.run(
        inputs, requests[requests["model_kind"] == "probability"], earlier
    )
    return registry.relation(session, added)
