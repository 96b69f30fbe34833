"""Grain: decision about the model of lifetime value. State (docs/decisions/0032).

Python, because a likelihood is maximised; what comes back is rows.
"""


def model(dbt, session):
    """Decide whether to train, and return what was decided."""
    from lettershop_ml import engine, lifetime_trainer, registry

    requests = engine.frame(dbt.ref("training_requests"))
    earlier = registry.frame([])
    if dbt.is_incremental:
        earlier = engine.frame(engine.query(session, f"select * from {dbt.this}"))
    added = lifetime_trainer.run(
        session,
        dbt.ref("customer_features"),
        dbt.ref("training_features"),
        dbt.ref("training_labels"),
        requests[requests["model_kind"] == "lifetime_value"],
        engine.frame(dbt.ref("lifetime_value_horizons")),
        earlier,
    )
    return registry.relation(session, added)
