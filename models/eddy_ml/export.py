# SPDX-License-Identifier: MIT
"""A fitted estimator -> a model file, with what a sensor needs beside the trees.

    export.write(forest, "office.eddy", columns=names, metadata={"name": "office", "version": "2026.11"},
                 held_out=rows_of_benign_flows, benign="benign", techniques={"scan": "T1046"})
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eddy_ml import golden, lib, model_file
from eddy_ml.grown import Grown
from eddy_ml.layout import arrange
from eddy_ml.model_file import ISOLATION, KIND_NAMES, SCORE_BINS, ClassTable, ModelFile
from eddy_ml.trees import Counts, Doubles, ModelFileError, demand

# The package whose estimators it takes: its importer. An importer is imported only with an estimator of its package.
IMPORTERS = {"sklearn": "scikit_learn", "lightgbm": "lightgbm", "xgboost": "xgboost"}


def convert(estimator: Any, class_names: Sequence[str] | None = None) -> Grown:
    """What the file needs to know of an estimator; ModelFileError if it can't become one, with the reason."""
    packages = [kind.__module__.split(".")[0] for kind in type(estimator).__mro__]
    for package in packages:
        if package not in IMPORTERS:
            continue
        importer = importlib.import_module(f"eddy_ml.importers.{IMPORTERS[package]}")
        if importer.fits(estimator):
            grown: Grown = importer.convert(estimator, list(class_names) if class_names else None)
            return grown
    raise ModelFileError(f"{type(estimator).__name__} is none of the estimators that become model files")


def score_bins(scores: Doubles) -> Counts:
    """Scores, 0..1, counted as SCOR has them."""
    place = np.clip(np.nan_to_num(scores) * SCORE_BINS, 0, SCORE_BINS - 1).astype(int)
    return np.bincount(place, minlength=SCORE_BINS).astype(np.uint32)


def _class_table(grown: Grown, benign: str, techniques: Mapping[str, str], alert: float, weight: float) -> ClassTable:
    names = grown.class_names
    demand(benign in names, f"no class '{benign}' among {', '.join(names)}: which one is no attack?")
    strange = set(techniques) - set(names)
    demand(not strange, f"techniques of what are no classes: {', '.join(sorted(strange))}")
    return ClassTable(names, names.index(benign), [techniques.get(name, "") for name in names], alert, weight)


def build(
    estimator: Any,
    *,
    columns: Sequence[str],
    metadata: Mapping[str, Any],
    held_out: Doubles,
    benign: str = "benign",
    techniques: Mapping[str, str] | None = None,
    alert: float = 0.5,
    weight: float = 100.0,
    class_names: Sequence[str] | None = None,
) -> ModelFile:
    """The model of a file.

    columns: names of the estimator's columns, in its order. held_out: rows of flows that it was not trained on and that
    are no attack. alert, weight: see models/README.md. class_names: for estimators that know only numbers."""
    grown = convert(estimator, class_names)
    demand(grown.columns == len(columns), f"{len(columns)} names for {grown.columns} columns")
    demand(held_out.ndim == 2 and held_out.shape[1] == len(columns), "held-out rows of another width")
    demand(len(held_out) >= model_file.HELD_OUT_LEAST, f"{len(held_out)} held-out rows: at least 100")
    isolation = grown.kind == ISOLATION
    classes = None if isolation else _class_table(grown, benign, techniques or {}, alert, weight)
    rows = golden.rows_for(grown.trees, held_out)
    fingerprint = lib.fingerprint(list(columns))
    told = {"kind": KIND_NAMES[grown.kind], "trees": len(grown.trees), "columns": list(columns),
            "feature_schema_sha256": fingerprint.hex()}  # fmt: skip
    return ModelFile(
        metadata=told | dict(metadata),
        columns=list(columns),
        fingerprint=fingerprint,
        kind=grown.kind,
        normaliser=grown.normaliser,
        trees=arrange(grown.trees, grown.threshold_bytes),
        classes=classes,
        base=grown.base,
        scores=score_bins(grown.scores(grown.sums(held_out), classes.benign if classes else 0)),
        bins=np.array([lib.bins(name, held_out[:, i]) for i, name in enumerate(columns)], dtype=np.uint32),
        golden_rows=rows,
        golden_sums=grown.sums(rows),
    )


def metadata_path(path: str | Path) -> Path:
    """office.eddy -> office_metadata.json"""
    return Path(path).with_name(Path(path).stem + "_metadata.json")


def write(estimator: Any, path: str | Path, **rest: Any) -> str:
    """build(), the file, and its metadata beside it with the file's own hash. Returns its SHA-256."""
    model = build(estimator, **rest)
    digest = model_file.write(model, path)
    write_metadata(model.metadata, path)
    return digest


def write_metadata(metadata: Mapping[str, Any], path: str | Path) -> Path:
    """The metadata of a model file as a file of its own."""
    data = Path(path).read_bytes()
    artifact = {"file": Path(path).name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    beside = metadata_path(path)
    beside.write_text(json.dumps(dict(metadata) | {"artifact": artifact}, indent=2, ensure_ascii=False) + "\n")
    return beside
