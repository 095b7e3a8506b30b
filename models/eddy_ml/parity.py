# SPDX-License-Identifier: MIT
"""A model file and the estimator it was made from, asked the same: every flow of the captures, and rows on the edges of
splits. Of a random forest all probabilities are equal bit for bit, of an isolation forest the scores up to 2 ulp."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eddy_ml import export, golden, predict
from eddy_ml.captures import read_all, read_captures

EDGES = 2000
ULP_MOST = 2


def rows_of(model: predict.Model, estimator: Any, captures: Path, seed: int) -> npt.NDArray[np.float64]:
    flows, _ = read_all(read_captures(captures))
    rows = flows.matrix(model.columns)
    edges = golden.adversarial(export.convert(estimator).trees, rows, EDGES, np.random.default_rng(seed))
    return np.concatenate([rows, np.nan_to_num(edges)])


def differences(model: predict.Model, estimator: Any, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of each row: how far apart, in ulp."""
    estimator.n_jobs = 1  # with more, scikit-learn adds in the order in which its threads end
    if model.benign is None:
        theirs, ours = -estimator.score_samples(rows)[:, None], model.predict_proba(rows)
    else:
        order = [list(estimator.classes_).index(name) for name in model.outputs]
        theirs, ours = estimator.predict_proba(rows)[:, order], model.predict_proba(rows)
    return np.asarray((np.abs(theirs - ours) / np.spacing(np.maximum(np.abs(theirs), np.abs(ours)))).max(axis=1))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.eddy")
    parser.add_argument("estimator", type=Path, metavar="NAME_estimator.joblib",
                        help="a pickle, which can run anything: only one of your own")
    parser.add_argument("--captures", type=Path, required=True, metavar="YAML")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, metavar="JSON")


def run(options: argparse.Namespace) -> int:
    import joblib  # type: ignore[import-untyped]
    model, estimator = predict.Model(options.model), joblib.load(options.estimator)
    rows = rows_of(model, estimator, options.captures, options.seed)
    apart = differences(model, estimator, rows)
    allowed = ULP_MOST if model.benign is None else 0
    told = {"rows": len(rows), "differing": int((apart > allowed).sum()), "most_ulp": float(apart.max()),
            "allowed_ulp": allowed, "sha256": model.sha256}
    print(f"{told['rows']} rows, {told['differing']} differ by more than {allowed} ulp (most: {told['most_ulp']:g})")
    if options.out:
        options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0 if told["differing"] == 0 else 1
