# SPDX-License-Identifier: MIT
"""Flows made by hand, and one model trained on the lab's recording, for several tests."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from conftest import ROOT

from eddy_ml import train
from eddy_ml.captures import Flows, read_all, read_captures
from eddy_ml.params import Params

DATA = ROOT / "examples" / "data"
LAB_PARAMS = Params(train=("early",), held_out=("quiet",), test=("late",), min_class_rows=5,
                    random_forest={"n_estimators": 20, "max_depth": 8, "min_samples_leaf": 3,
                                   "class_weight": "balanced_subsample"})
# Zeek's form of the recording trains, Suricata's form of the same recording judges: enough to see that everything
# works, and no measure of quality at all.
LAB_CAPTURES = f"""
captures:
  - {{name: early, logs: [{DATA}/conn.log.gz], labels: {DATA}/truth-flows.csv.gz, leave_out: [dns_tunnel_forwarded]}}
  - {{name: quiet, logs: [{DATA}/benign-eve.json.gz], unlabelled: benign}}
  - {{name: late, logs: [{DATA}/eve.json.gz], labels: {DATA}/truth-flows.csv.gz, leave_out: [dns_tunnel_forwarded]}}
"""


def flows_of(values: np.ndarray, columns: list[str], classes: list[str], **other: list) -> Flows:
    """By row: values, class, and what else a test cares for."""
    count = len(values)

    def given(name: str, value: object, dtype: object) -> np.ndarray:
        return np.array(other.get(name, [value] * count), dtype=dtype)

    return Flows(columns, np.asarray(values, dtype=float), given("ids", "x", object), given("hosts", "h", object),
                 given("start_us", 0, np.int64), given("end_us", 0, np.int64), given("own_score", 0.0, float),
                 np.array(classes, dtype=object), given("captures", "c", object))


@dataclass
class Lab:
    captures: Path
    folder: tempfile.TemporaryDirectory[str]  # goes with this
    done: train.Trained

    def flows(self, name: str) -> Flows:
        return read_all([one for one in read_captures(self.captures) if one.name == name])[0]


@functools.cache
def trained_on_lab() -> Lab:
    folder = tempfile.TemporaryDirectory(prefix="eddy-models-")
    captures = Path(folder.name) / "captures.yaml"
    captures.write_text(LAB_CAPTURES)
    done = train.train(captures, captures.parent / "out", name="lab", version="1.0", params=LAB_PARAMS,
                       command=["test"], created=1.8e9, license="MIT")
    return Lab(captures, folder, done)
