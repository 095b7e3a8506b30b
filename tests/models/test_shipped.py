# SPDX-License-Identifier: MIT
"""The shipped example: it loads, it is what its metadata says, its numbers come out again, and it can be made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from conftest import ROOT
from test_quality import development

from eddy_ml import card, evaluate, lib, metadata, model_file, predict, train
from eddy_ml.captures import read_all, read_captures
from eddy_ml.params import read_params

SHIPPED = ROOT / "models" / "shipped"
MODEL = SHIPPED / "lab-attacks.eddy"
MOST_BYTES = 1_000_000  # it comes with every clone


def told(kind: str) -> dict[str, Any]:
    return dict(json.loads((SHIPPED / f"lab-attacks_{kind}.json").read_text()))


def test_it_loads_with_the_columns_of_today() -> None:
    """Opening it has run its golden rows."""
    model = predict.Model(MODEL)
    file = model_file.read(MODEL)
    assert file.fingerprint == lib.fingerprint(model.columns) and len(file.golden_rows) >= 64
    assert model.kind == "classes" and model.outputs[model.benign or 0] == "benign"


def test_it_is_small_and_what_its_metadata_says() -> None:
    beside, size = told("metadata"), MODEL.stat().st_size
    schema = json.loads((ROOT / "models" / "metadata.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(beside)
    assert size < MOST_BYTES and beside["artifact"]["sha256"] == metadata.sha256_of(MODEL)
    assert {key: value for key, value in beside.items() if key != "artifact"} == model_file.read(MODEL).metadata
    assert not beside["trainer"]["git_commit"].endswith("-dirty")


def test_the_data_are_those_it_was_trained_on() -> None:
    for one in told("metadata")["training_data"]:
        for file in [*one["files"], *([one["labels"]] if one["labels"] else [])]:
            assert metadata.sha256_of(SHIPPED / file["uri"]) == file["sha256"], file["uri"]


def test_its_numbers_come_out_again() -> None:
    model, written = predict.Model(MODEL), told("metrics")
    captures = [one for one in read_captures(SHIPPED / "captures.yaml") if one.name in written["captures"]]
    flows, _ = read_all(captures)
    judged = evaluate.judge(model, flows, evaluate.alert_in(MODEL))
    again = evaluate.plain({"overall": evaluate.overall(judged), "by_family": evaluate.by_family(judged),
                            "confusion": evaluate.families(judged), "by_capture": evaluate.by_capture(judged),
                            "baselines": evaluate.beside(judged.flows, evaluate.column_of(model.metadata))})
    assert again == {name: written[name] for name in again}


def test_its_card_is_of_these_numbers() -> None:
    written = told("metrics")
    assert (SHIPPED / "lab-attacks_card.md").read_text() == card.card(told("metadata"), written, written["captures"])


def test_it_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes, but for the date and the commit, which are put back here."""
    about = told("metadata")
    if metadata.framework()["version"] != about["framework"]["version"]:
        pytest.skip(f"it was made with scikit-learn {about['framework']['version']}, here is "
                    f"{metadata.framework()['version']}")
    monkeypatch.setattr(metadata, "framework", lambda: about["framework"])
    monkeypatch.setattr(metadata, "trainer", lambda *_: about["trainer"])
    monkeypatch.setattr(metadata, "rfc3339", lambda seconds, plain=metadata.rfc3339: (
        about["created"] if seconds == 0 else plain(seconds)))
    done = train.train(SHIPPED / "captures.yaml", tmp_path, name="lab-attacks", version=about["version"], created=0,
                       params=read_params(SHIPPED / "params.yaml"), license=about["license"],
                       purpose=about["purpose"], plots=False)
    assert done.model.read_bytes() == MODEL.read_bytes()


def test_it_raises_no_false_alarms_elsewhere() -> None:
    """Nor does it find much there: measured 0 of 28,558 benign flows, and 0.046 of the attacks."""
    model = predict.Model(MODEL)
    flows, _ = read_all(development())
    judged = evaluate.judge(model, flows, evaluate.alert_in(MODEL))
    attack = judged.flows.attack
    assert (judged.alarm & ~attack).sum() <= 0.001 * (~attack).sum()
    scans = judged.flows.captures == "nmap-lan-scans"
    assert np.mean(judged.alarm[scans & attack]) >= 0.25  # measured: .421
