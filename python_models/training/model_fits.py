"""Grain: decision about a model, kept ones too. State (docs/decisions/0032).

Python, because a fit is a search that SQL cannot make; what comes back is rows.
"""


def model(dbt, session):
    """Decide for each enabled model whether to train, and return what was decided."""
    from lettershop_ml import engine, registry, trainer

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
    earlier = registry.frame([])
    if dbt.is_incremental:
        earlier = engine.frame(engine.query(session, f"select * from {dbt.this}"))
    added = trainer.run(
        trainer.Inputs(
            session,
            dbt.ref("training_labels"),
            features,
            engine.frame(dbt.ref("feature_catalog")),
        ),
        engine.frame(dbt.ref("training_requests")),
        engine.frame(dbt.ref("persona_rules")),
        engine.frame(dbt.ref("lifetime_value_horizons")),
        earlier,
    )
    return registry.relation(session, added)
