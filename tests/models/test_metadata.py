# SPDX-License-Identifier: MIT
"""The metadata of a model: its schema, its hashes, and the card that is made of it."""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from conftest import ROOT
from made import DATA, LAB_PARAMS, trained_on_lab

from eddy_ml import card, lib, metadata, model_file, quantiles, train
from eddy_ml.__main__ import main
from eddy_ml.params import Params

SCHEMA = json.loads((ROOT / "models" / "metadata.schema.json").read_text())


def check(told: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(told)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_what_is_in_the_file_and_beside_it_fits_the_schema() -> None:
    done = trained_on_lab().done
    inside = model_file.read(done.model).metadata
    check(inside)
    check(done.metadata)
    assert "artifact" not in inside
    assert {key: value for key, value in done.metadata.items() if key != "artifact"} == inside
    assert done.metadata["artifact"] == {"file": "lab.eddy", "bytes": done.model.stat().st_size,
                                         "sha256": hashlib.sha256(done.model.read_bytes()).hexdigest()}


def test_an_isolation_forest_of_python_fits_the_schema(tmp_path: Path) -> None:
    captures = tmp_path / "captures.yaml"
    captures.write_text(f"captures:\n  - {{name: a, logs: [{DATA}/benign-conn.log.gz]}}\n"
                        f"  - {{name: b, logs: [{DATA}/benign-eve.json.gz], unlabelled: benign}}\n")
    done = train.train(captures, tmp_path, name="odd", version="1", algorithm="isolation_forest",
                       params=Params(train=("a",), held_out=("b",)), plots=False)
    check(done.metadata)


def test_what_eddy_train_writes_fits_the_schema(eddy: Path, tmp_path: Path) -> None:
    model = tmp_path / "own.eddy"
    subprocess.run([eddy, "train", "-q", "-m", model, DATA / "benign-conn.log.gz"], check=True)
    told = subprocess.run([eddy, "model", "info", model], check=True, capture_output=True, text=True).stdout
    check(json.loads(told)["metadata"])


BREAKS = {
    "no name": lambda told: told.pop("name"), "no split": lambda told: told.pop("split"),
    "a long version": lambda told: told.update(version="9" * 32), "a date": lambda told: told.update(created="today"),
    "a time": lambda told: told.update(trained_us=-1), "a class": lambda told: told.update(classes=["benign"]),
    "a threshold": lambda told: told["thresholds"].update(alert=1.5),
    "a hash": lambda told: told.update(feature_schema_sha256="0" * 63),
    "a role": lambda told: told["training_data"][0].update(role="luck"),
    "a file": lambda told: told["training_data"][0]["files"][0].pop("sha256"),
    "a feature": lambda told: told["features"][0].pop("missing_policy"),
    "no features": lambda told: told.update(features=[]),
    "quantiles": lambda told: told["baseline_distribution"].update(duration={"0.5": "much"}),
}


@pytest.mark.parametrize("name", BREAKS)
def test_the_schema_finds(name: str) -> None:
    told = copy.deepcopy(trained_on_lab().done.metadata)
    BREAKS[name](told)
    with pytest.raises(jsonschema.ValidationError):
        check(told)


def test_it_says_what_was_done() -> None:
    lab = trained_on_lab()
    told = lab.done.metadata
    roles = {one["capture"]: one["role"] for one in told["training_data"]}
    assert roles == {"early": "train", "quiet": "held_out", "late": "test"}
    early = told["training_data"][0]
    assert early["files"][0]["sha256"] == hashlib.sha256((DATA / "conn.log.gz").read_bytes()).hexdigest()
    assert early["files"][0]["flows"] == early["flows"] == 8731 and early["classes"]["scan"] == 1771
    assert early["labels"]["sha256"] == hashlib.sha256((DATA / "truth-flows.csv.gz").read_bytes()).hexdigest()
    assert told["feature_schema_sha256"] == lib.fingerprint([one["name"] for one in told["features"]]).hex()
    assert told["created"] == "2027-01-15T08:00:00Z" and told["trainer"]["command"] == "test"
    assert told["hyperparameters"] == LAB_PARAMS.random_forest
    assert told["params"]["held_out"] == ["quiet"] and told["split"]["seed"] == LAB_PARAMS.seed


def test_pipelines_and_runs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By keyword, or by the environment."""
    for name in (metadata.DVC_LOCK_VARIABLE, metadata.MLFLOW_RUN_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    assert not {"dvc_lock_sha256", "mlflow_run_id"} & set(metadata.trainer([], None, None))
    assert metadata.trainer([], "a" * 64, "run")["dvc_lock_sha256"] == "a" * 64
    lock = tmp_path / "dvc.lock"
    lock.write_text("schema: '2.0'\n")
    monkeypatch.setenv(metadata.DVC_LOCK_VARIABLE, str(lock))
    monkeypatch.setenv(metadata.MLFLOW_RUN_VARIABLE, "r1")
    told = metadata.trainer(["a", "b"], None, None)
    assert told["dvc_lock_sha256"] == hashlib.sha256(lock.read_bytes()).hexdigest()
    assert told["mlflow_run_id"] == "r1" and told["command"] == "a b"


def repository(top: Path) -> Path:
    """With a models/eddy_ml that is committed."""
    own = top / "models" / "eddy_ml"
    own.mkdir(parents=True)
    (own / "metadata.py").write_text("1\n")
    (top / "vendored" / "eddy_ml").mkdir(parents=True)
    (top / "vendored" / "eddy_ml" / "metadata.py").write_text("1\n")
    (top / ".gitignore").write_text("/venv/\n")
    git(top, "init", "-q")
    git(top, "add", ".")
    git(top, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "a")
    return own


def git(top: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", top, *words], check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_that_of_the_clone_and_of_no_repository_around_it(tmp_path: Path) -> None:
    own = repository(tmp_path / "clone")
    commit = git(tmp_path / "clone", "rev-parse", "HEAD")
    assert metadata.git_commit(own) == commit
    (own / "metadata.py").write_text("2\n")
    assert metadata.git_commit(own) == commit + "-dirty"
    installed = tmp_path / "clone" / "venv" / "lib" / "site-packages" / "eddy_ml"
    untracked = tmp_path / "other" / "models" / "eddy_ml"
    for folder in (installed, untracked):
        folder.mkdir(parents=True)
        (folder / "metadata.py").write_text("1\n")
    git(tmp_path / "other", "init", "-q")
    git(tmp_path / "other", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "a")
    assert metadata.git_commit(installed) is None and metadata.git_commit(untracked) is None
    assert metadata.git_commit(tmp_path) is None and metadata.git_commit(tmp_path / "clone/vendored/eddy_ml") is None


def test_without_a_clone_no_commit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "git_commit", lambda folder: None)
    told = copy.deepcopy(trained_on_lab().done.metadata) | {"trainer": metadata.trainer(["a"], None, None)}
    assert "git_commit" not in told["trainer"]
    check(told)


def test_quantiles_leave_missing_values_out() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    assert quantiles.quantiles(values, ["a", "b"]) == {"a": {
        "0": 1.0, "0.01": pytest.approx(1.02), "0.05": pytest.approx(1.1), "0.25": 1.5, "0.5": 2.0, "0.75": 2.5,
        "0.95": pytest.approx(2.9), "0.99": pytest.approx(2.98), "1": 3.0}}


def test_paths_of_this_machine_are_not_told(tmp_path: Path) -> None:
    found = metadata.file_of(DATA / "truth.csv", DATA.parent)
    assert found["uri"] == "data/truth.csv"


def test_pipelines_depend_on_the_columns_of_today() -> None:
    """A changed formula changes the hash: whoever changes one renews the file, and `dvc repro` trains anew."""
    pipelines = ROOT / "models" / "pipelines"
    told = yaml.safe_load((pipelines / "columns.yaml").read_text())
    assert told == {"feature_schema_sha256": lib.fingerprint(lib.feature_names()).hex()}
    stages = yaml.safe_load((pipelines / "dvc.yaml").read_text())["stages"]
    assert all({"columns.yaml": None} in stages[name]["params"] for name in ("clean", "train"))


# ---- the card


def test_the_card_is_made_of_metadata_and_metrics_alone(tmp_path: Path) -> None:
    done = trained_on_lab().done
    assert main(["card", str(done.metadata_file), str(done.metrics_file), "-o", str(tmp_path / "card.md")]) == 0
    assert (tmp_path / "card.md").read_text() == done.card.read_text()


def test_the_card_has_the_numbers_and_the_warnings() -> None:
    done = trained_on_lab().done
    text = done.card.read_text()
    whole = done.metrics["overall"]
    digest = done.metadata["artifact"]["sha256"]
    for number in (f"{whole['roc_auc']:.3f}", f"{whole['at_alert']['recall']:.3f}", digest):
        assert number in text
    for heading in ("What for", "What not for", "Data", "How good", "Limits"):
        assert f"## {heading}" in text
    assert done.metadata["split"]["warnings"] and done.metadata["split"]["warnings"][0] in text


def test_the_card_says_when_there_are_more_false_alarms_than_promised() -> None:
    """0.001 of 10,000: 16 happen by chance with p = 0.049, 15 with 0.083."""
    done = trained_on_lab().done
    metrics = copy.deepcopy(done.metrics)
    metrics["overall"] |= {"flows": 10_500, "attacks": 500}
    about = copy.deepcopy(done.metadata)
    about["thresholds"]["false_rate"] = 0.001
    for false, said in ((5, False), (15, False), (16, True), (40, True)):
        metrics["overall"]["at_alert"]["false_alarms"] = float(false)
        assert ("More false alarms than promised" in card.card(about, metrics, ["late"])) == said
    text = card.card(about, metrics, ["late"])
    assert "0.00400 of 10,000 benign flows" in text and "0.001 was wanted" in text and "p = 7e-13" in text


def test_the_card_says_what_evaluate_warned_of_and_how_many_recordings_there_were() -> None:
    done = trained_on_lab().done
    metrics = copy.deepcopy(done.metrics) | {"warnings": ["monday: the model was trained on it"]}
    assert "**Beware**: monday: the model was trained on it." in card.card(done.metadata, metrics, ["late"])
    assert "recording, in several forms" not in card.card(done.metadata, metrics, ["late"])
    metrics["by_capture"]["again"] = metrics["by_capture"]["late"]
    assert "2 captures are of 1 recording, in several forms" in card.card(done.metadata, metrics, ["late", "again"])


def test_the_card_says_when_a_single_column_does_as_well() -> None:
    done = trained_on_lab().done
    metrics = copy.deepcopy(done.metrics)
    assert "alone does as well" not in card.card(done.metadata, metrics, ["late"])
    metrics["baselines"]["one_column"]["pr_auc"] = metrics["overall"]["pr_auc"]
    assert "alone does as well" in card.card(done.metadata, metrics, ["late"])
