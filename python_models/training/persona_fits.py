"""Grain: decision about the personas. State (docs/decisions/0032).

Python, because clusters are searched for; what comes back is rows.
"""


def model(dbt, session):
    """Decide whether to cluster anew, and return what was decided."""
    from lettershop_ml import engine, persona_trainer, registry

    requests = engine.frame(dbt.ref("training_requests"))
    earlier = registry.frame([])
    if dbt.is_incremental:
        earlier = engine.frame(engine.query(session, f"select * from {dbt.this}"))
    added = persona_trainer.run(
        session,
        dbt.ref("customer_features"),
        requests[requests["model_kind"] == "clusters"],
        engine.frame(dbt.ref("feature_catalog")),
        engine.frame(dbt.ref("persona_rules")),
        earlier,
    )
    return registry.relation(session, added)
