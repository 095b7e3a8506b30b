# SPDX-License-Identifier: MIT
"""Trains as `train` does, as a run of an MLflow server: the run's id becomes part of the metadata, and so of the file;
parameters, metrics, hashes of the data and all files become part of the run.

Inside a DVC pipeline, the versions of the data become part of the metadata, too: data_version.py.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from eddy_ml import data_version, evaluate, registry, train
from eddy_ml.params import read_params


def arguments(parser: argparse.ArgumentParser) -> None:
    train.arguments(parser)
    parser.add_argument("--experiment", default="eddy", help="of the MLflow server; made if it is not there")
    parser.add_argument("--dvc-stage", metavar="STAGE",
                        help="take the versions of the data from what dvc.lock says of this earlier stage")
    parser.add_argument("--dvc-lock", type=Path, default=Path("dvc.lock"), metavar="FILE")
    parser.add_argument("--keep-estimator", action="store_true",
                        help="write NAME_estimator.joblib, for `parity`: a pickle, never to be loaded on a sensor")
    registry.server_argument(parser)


def train_in(run_id: str, options: argparse.Namespace) -> train.Trained:
    version = None
    if options.dvc_stage:
        version = data_version.read_lock(options.dvc_lock, options.dvc_stage)
    return train.train(
        options.captures, options.out, name=options.name, version=options.version, algorithm=options.algorithm,
        params=read_params(options.params), command=["python3", "-m", "eddy_ml", *options.words],
        license=options.license, purpose=options.purpose, plots=not options.no_plots, mlflow_run_id=run_id,
        dvc_lock_sha256=version.sha256 if version else None,
        annotate=version.annotate if version else None)


def finish(client: Any, run_id: str, done: train.Trained, options: argparse.Namespace) -> None:
    registry.log_run(client, run_id, done.model)
    if options.keep_estimator:
        import joblib  # type: ignore[import-untyped]
        joblib.dump(done.estimator, options.out / f"{options.name}_estimator.joblib")
    told = {"run_id": run_id, "experiment": options.experiment, "sha256": done.metadata["artifact"]["sha256"]}
    (options.out / f"{options.name}_run.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def run(options: argparse.Namespace) -> int:
    train.check_name(options.name)
    train.check_version(options.version)
    client = registry.connect(options.server)

    def action() -> int:
        run_id = registry.open_run(client, options.experiment, f"{options.name} {options.version}")
        try:
            done = train_in(run_id, options)
            finish(client, run_id, done, options)
        except BaseException:
            client.set_terminated(run_id, status="FAILED")
            raise
        client.set_terminated(run_id)
        evaluate.tell(done.metrics)
        print(f"{done.model}: run {run_id}")
        return 0

    return registry.guarded(action)
