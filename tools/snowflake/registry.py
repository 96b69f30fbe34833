"""Published model versions in Snowflake's Model Registry, features in its Feature Store.

    python -m tools.snowflake.registry

The registry of record stays training.model_fits: scores come from its terms, in SQL. What is logged
here is the same terms as a model that anybody with access to the registry can call, compare and
trace. A version is logged once; the feature view is over the table that dbt builds.

This is the only module that calls snowflake.ml.
"""

import json
import os
import sys
from dataclasses import dataclass

import pandas as pd

from tools.snowflake.session import SKIPPED, open_session, settings
from tools.snowflake.upload import PACKAGE, pins

sys.path.append(str(PACKAGE.parent))

from lettershop_ml import engine, terms

SCHEMA = "registry"
FEATURES = "customer_features"
# Rows of features that show the registry what a model is called with.
SAMPLE_ROWS = 10


@dataclass(frozen=True)
class Version:
    """A published version of a model of a probability.

    Attributes:
        model_name: which model.
        model_version: as in training.model_fits.
        as_of_date: day of training, ISO.
        reason: why it was published.
        metrics: name to value, of the published candidate, mean over its cutoffs.
        model: its terms.
    """

    model_name: str
    model_version: str
    as_of_date: str
    reason: str
    metrics: dict[str, float]
    model: terms.Additive

    @property
    def version_name(self) -> str:
        """Return the version as an identifier of Snowflake, which cannot begin with a digit."""
        return "V" + self.model_version.replace("-", "_").upper()

    @property
    def features(self) -> list[str]:
        """Return the features that the model reads, in alphabetical order."""
        return sorted(self.model.pieces)


def versions(fits: pd.DataFrame) -> list[Version]:
    """Return the published versions that are terms.

    Args:
        fits: rows of model_fits.
    """
    found = []
    for row in fits[fits["decision"] == "promoted"].to_dict("records"):
        payload = json.loads(row["payload"] or "{}")
        if "terms" not in payload:
            continue
        measured = pd.DataFrame(json.loads(row["metrics"] or "[]"))
        if len(measured):
            measured = measured[measured["candidate"] == payload["published"]]
        means = measured.groupby("metric")["value"].mean() if len(measured) else {}
        found.append(
            Version(
                row["model_name"],
                row["model_version"],
                str(row["as_of_date"])[:10],
                row["reason"],
                {name: float(value) for name, value in dict(means).items()},
                terms.from_rows(payload["terms"]),
            )
        )
    return found


def callable_model(version: Version):
    """Return a version as a model that the registry can package and call.

    Args:
        version: to be packaged.
    """
    from snowflake.ml.model import custom_model

    rows, names = version.model.rows(), version.features

    class Logits(custom_model.CustomModel):
        """Features in, logit and probability out."""

        @custom_model.inference_api
        def predict(self, features: pd.DataFrame) -> pd.DataFrame:
            """Return logit and probability per row."""
            import numpy as np
            from lettershop_ml import terms as ours

            model = ours.from_rows(rows)
            logit = model.logit({name: features[name].to_numpy(float) for name in names})
            return pd.DataFrame({"logit": logit, "probability": 1 / (1 + np.exp(-logit))})

    return Logits(custom_model.ModelContext())


def log(registry, version: Version, sample: pd.DataFrame):
    """Log a version with its metrics.

    Args:
        registry: a `snowflake.ml.registry.Registry`.
        version: to be logged.
        sample: rows of its features.

    Returns:
        The ModelVersion of the registry.
    """
    from snowflake.ml.model import target_platform

    packages = pins()
    return registry.log_model(
        callable_model(version),
        model_name=version.model_name,
        version_name=version.version_name,
        comment=f"{version.model_version}, trained on {version.as_of_date}. {version.reason}",
        metrics=version.metrics,
        sample_input_data=sample[version.features].astype(float),
        conda_dependencies=[f"{name}=={packages[name]}" for name in ("numpy", "pandas")],
        target_platforms=[target_platform.TargetPlatform.WAREHOUSE],
        code_paths=[str(PACKAGE)],
    )


def register_features(store, table, version: str):
    """Register the features of today's customers over the table that dbt builds.

    Args:
        store: a `snowflake.ml.feature_store.FeatureStore`.
        table: the table as a Snowpark DataFrame.
        version: of the feature view: what it is changed by, a hash of the names of its columns.

    Returns:
        The registered feature view.
    """
    from snowflake.ml.feature_store import Entity, FeatureView

    customer = Entity(
        name="customer", join_keys=["customer_key"], desc="A person who may be profiled"
    )
    store.register_entity(customer)
    # Without a refresh_freq it is a view: dbt builds the table, and nothing is stored twice.
    view = FeatureView(
        name=FEATURES,
        entities=[customer],
        feature_df=table,
        timestamp_col="as_of_date",
        desc="One row per customer who may be profiled: what models know on the day of the build",
    )
    return store.register_feature_view(view, version, overwrite=True)


def main() -> int:
    """Log what is not logged yet, and register the features. Return the exit code."""
    session = open_session()
    if session is None:
        print(SKIPPED)
        return 0
    from lettershop_ml import registry as fits
    from snowflake.ml.feature_store import CreationMode, FeatureStore
    from snowflake.ml.registry import Registry

    place = settings()
    state = session.table(f"{state_database()}.training.model_fits")
    found = engine.frame(state)
    table = session.table(f"{place['database']}.features.{FEATURES}")
    sample = engine.frame(table.limit(SAMPLE_ROWS))
    session.sql(f"create schema if not exists {place['database']}.{SCHEMA}").collect()
    registry = Registry(session, database_name=place["database"], schema_name=SCHEMA)
    known = registry.show_models()
    logged = set()
    for name, there in zip(known.get("name", []), known.get("versions", []), strict=True):
        logged |= {(name.lower(), each.upper()) for each in json.loads(there)}
    count = 0
    for version in versions(found):
        is_there = (version.model_name, version.version_name) in logged
        # What no longer has its features cannot show how it is called.
        if not is_there and set(version.features) <= set(sample.columns):
            log(registry, version, sample)
            count += 1
    store = FeatureStore(
        session,
        place["database"],
        SCHEMA,
        place["warehouse"],
        creation_mode=CreationMode.CREATE_IF_NOT_EXIST,
    )
    register_features(store, table, f"v_{fits.digest(sorted(sample.columns))}")
    print(f"{count} versions were logged, {len(logged)} had been; {FEATURES} is registered.")
    return 0


def state_database() -> str:
    """Return the database that holds the state on Snowflake."""
    return os.environ.get("SNOWFLAKE_STATE_DATABASE", "LETTERSHOP_STATE")


if __name__ == "__main__":
    sys.exit(main())
