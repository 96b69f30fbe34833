"""The calls of snowflake-ml-python and of the upload, held against the real packages.

There is no account: every call is bound to the package's own signature, and what a logged model
consists of is packaged, loaded and called on this machine.
"""

import io
import json
import zipfile
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from snowflake.ml.feature_store import FeatureStore, FeatureView
from snowflake.ml.model import target_platform
from snowflake.ml.model._packager import model_packager
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session
from snowflake.snowpark.file_operation import FileOperation

from tests.engines.snowpark_world import FEATURES, features, model
from tools.snowflake import registry, upload
from tools.snowflake.session import REQUIRED, SKIPPED


def fits() -> pd.DataFrame:
    """Return a registry: a version that was promoted, one that was rejected, personas."""
    payload = json.dumps({"terms": model().rows(), "published": "mean"})
    metrics = json.dumps(
        [
            {"cutoff": cutoff, "candidate": name, "metric": "auc", "value": value}
            for cutoff, name, value in (
                ("2024-05-01", "mean", 0.7),
                ("2024-06-01", "mean", 0.8),
                ("2024-06-01", "champion", 0.1),
            )
        ]
    )
    columns = [
        "model_name",
        "model_version",
        "as_of_date",
        "decision",
        "reason",
        "metrics",
        "payload",
    ]
    return pd.DataFrame(
        [
            ("buys_30d", "20240701-1a2b3c4d", "2024-07-01", "promoted", "first", metrics, payload),
            ("buys_30d", "20240702-1a2b3c4d", "2024-07-02", "rejected", "worse", metrics, payload),
            ("personas", "20240701-5a2b3c4d", "2024-07-01", "promoted", "first", None, "{}"),
        ],
        columns=columns,
    )


def sample() -> pd.DataFrame:
    """Return rows of features."""
    return features()[list(FEATURES)]


def test_what_was_published_is_logged_with_its_metrics():
    (version,) = registry.versions(fits())
    assert version.version_name == "V20240701_1A2B3C4D"
    assert version.metrics == {"auc": pytest.approx(0.75)}
    theirs = mock.create_autospec(Registry, instance=True)
    registry.log(theirs, version, sample())
    (call,) = theirs.log_model.call_args_list
    said = call.kwargs
    assert (said["model_name"], said["version_name"]) == ("buys_30d", version.version_name)
    assert said["metrics"] == version.metrics and "20240701-1a2b3c4d" in said["comment"]
    assert said["target_platforms"] == [target_platform.TargetPlatform.WAREHOUSE]
    assert list(said["sample_input_data"]) == sorted(FEATURES)


def test_an_argument_that_the_package_does_not_know_fails():
    theirs = mock.create_autospec(Registry, instance=True)
    with pytest.raises(TypeError, match="unexpected keyword"):
        theirs.log_model(object(), model_name="a", sample_data=sample())


def test_a_packaged_model_says_what_the_terms_say(tmp_path):
    (version,) = registry.versions(fits())
    theirs = mock.create_autospec(Registry, instance=True)
    registry.log(theirs, version, sample())
    (call,) = theirs.log_model.call_args_list
    wanted = ("sample_input_data", "conda_dependencies", "target_platforms", "code_paths")
    model_packager.ModelPackager(str(tmp_path)).save(
        name="buys_30d",
        model=call.args[0],
        options={},
        **{name: call.kwargs[name] for name in wanted},
    )
    assert (tmp_path / "model.yaml").exists()
    assert list((tmp_path / "code").rglob("lettershop_ml/terms.py"))
    again = model_packager.ModelPackager(str(tmp_path))
    again.load()
    found = again.model.predict(sample())
    expected = model().logit({name: sample()[name].to_numpy() for name in FEATURES})
    assert np.abs(found["logit"] - expected).max() < 1e-12
    assert np.abs(found["probability"] - 1 / (1 + np.exp(-expected))).max() < 1e-12


def test_features_are_a_view_over_the_table_of_dbt():
    store = mock.create_autospec(FeatureStore, instance=True)
    views = mock.create_autospec(FeatureView)
    with mock.patch("snowflake.ml.feature_store.FeatureView", views):
        registry.register_features(store, "the table", "v_1")
    (entity,) = store.register_entity.call_args.args
    assert entity.name == "CUSTOMER" and [str(key) for key in entity.join_keys] == ["CUSTOMER_KEY"]
    said = views.call_args.kwargs
    assert said["feature_df"] == "the table" and said["timestamp_col"] == "as_of_date"
    # With a refresh it would be a table of its own, computed again beside dbt's.
    assert "refresh_freq" not in said
    assert store.register_feature_view.call_args.args[1] == "v_1"


@pytest.mark.parametrize("job", [registry, upload])
def test_without_credentials_a_job_says_so(job, monkeypatch, capsys):
    for name in REQUIRED:
        monkeypatch.delenv(name, raising=False)
    assert job.main() == 0
    assert capsys.readouterr().out.strip() == SKIPPED


def shipped(offered: list[tuple[str, str]]):
    """Return what the upload says, and the session that it spoke to."""
    session = mock.create_autospec(Session, instance=True)
    session.file = mock.create_autospec(FileOperation, instance=True)
    session.sql.return_value.collect.return_value = offered
    return upload.upload(session), session


def test_a_key_that_is_not_there_or_none_is_named(monkeypatch, tmp_path):
    for name in REQUIRED:
        monkeypatch.setenv(name, "someone")
    missing = str(tmp_path / "key.p8")
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_PATH", missing)
    with pytest.raises(SystemExit, match=f"{missing}: there is no such file"):
        upload.main()
    (tmp_path / "key.p8").write_text("no key")
    with pytest.raises(SystemExit, match=f"No session on Snowflake, with the key {missing}"):
        upload.main()


def test_code_is_shipped_where_the_channel_has_every_package():
    wrong, session = shipped(list(upload.pins().items()))
    assert wrong == []
    (call,) = session.file.put.call_args_list
    assert call.args[1] == "@lettershop_code" and call.kwargs["auto_compress"] is False
    assert call.args[0].endswith("lettershop_ml.zip")


def test_nothing_is_shipped_where_a_version_is_missing():
    offered = [(name, version) for name, version in upload.pins().items() if name != "scipy"]
    wrong, session = shipped([*offered, ("scipy", "1.0.0")])
    assert wrong == [f"scipy=={upload.pins()['scipy']} is not there; the channel has 1.0.0."]
    session.file.put.assert_not_called()


def test_the_same_code_is_the_same_zip():
    assert upload.archive() == upload.archive()
    names = zipfile.ZipFile(io.BytesIO(upload.archive())).namelist()
    assert "lettershop_ml/__init__.py" in names and "lettershop_ml/on_snowpark.py" in names
    assert all(name.startswith("lettershop_ml/") and name.endswith(".py") for name in names)
