# SPDX-License-Identifier: MIT
"""Captures -> a model file with its story, its numbers, its card. The same captures, settings and seed give the same
file but for the moment in it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eddy_ml import baselines, card, evaluate, export, lib, metadata, predict, thresholds
from eddy_ml.captures import LEFT_OUT, UNKNOWN, Flows, Source, read_all, read_captures
from eddy_ml.grown import Grown
from eddy_ml.labels import ATTACK, BENIGN
from eddy_ml.model_file import HELD_OUT_LEAST
from eddy_ml.params import ISOLATION_FOREST, RANDOM_FOREST, Params, read_params
from eddy_ml.quantiles import quantiles
from eddy_ml.split import Split, check_files, parts_of, sides_of, split_of, thinned

MOST_CLASSES = 64  # of a model file
Annotate = Callable[[dict[str, Any], Path], None]


@dataclass(frozen=True)
class Prepared:
    """What trains, what sets thresholds, what judges."""

    train: Flows
    held_out: Flows
    test: Flows
    split: Split
    sources: list[Source]


@dataclass(frozen=True)
class Fitted:
    estimator: Any
    columns: list[str]
    classes: list[str]  # in the estimator's order; none of an isolation forest
    grown: Grown

    def scores(self, flows: Flows) -> npt.NDArray[np.float64]:
        """One number for each flow, as the sensor will work it out."""
        sums = self.grown.sums(flows.matrix(self.columns))
        return self.grown.scores(sums, self.classes.index(BENIGN) if self.classes else 0)


def fitted_of(estimator: Any, columns: list[str]) -> Fitted:
    grown = export.convert(estimator)
    return Fitted(estimator, columns, grown.class_names, grown)


@dataclass(frozen=True)
class Trained:
    """The files, and what went into them: for whoever logs or registers them."""

    model: Path
    metadata_file: Path
    metrics_file: Path
    card: Path
    plots: list[Path]
    metadata: dict[str, Any]
    metrics: dict[str, Any]
    params: Params
    estimator: Any


# ---- What to train with


def without_labels(flows: Flows) -> Flows:
    """For an isolation forest: what is known to be benign, and what nothing is said of; not what was left out."""
    chosen = flows.where((flows.classes == BENIGN) | (flows.classes == UNKNOWN))
    return replace(chosen, classes=np.full(len(chosen), BENIGN, dtype=object))


def prepare(captures: Path, params: Params, algorithm: str) -> Prepared:
    named = read_captures(captures)
    flows, sources = read_all(named)
    split = split_of(params, sources)
    check_files(named, sides_of(split), metadata.sha256_of)
    said = tuple(warning for source in sources for warning in source.warnings)
    split = replace(split, warnings=split.warnings + said)
    train, held_out, test = parts_of(split, flows)
    train = without_labels(train) if algorithm == ISOLATION_FOREST else train.known()
    if algorithm != ISOLATION_FOREST:
        train = replace(train, classes=merged(train.classes, params.min_class_rows)).known()
    return Prepared(thinned(train, params.most_rows, params.seed), held_out, test, split, sources)


def merged(classes: npt.NDArray[np.object_], least: int) -> npt.NDArray[np.object_]:
    """Families with fewer flows become part of ATTACK: a class cannot be learned from a handful. Where all of those
    together are still too few, they are left out."""
    few = {name for name, count in Counter(classes.tolist()).items() if count < least
           and name not in (BENIGN, LEFT_OUT, UNKNOWN)}
    together = np.array([ATTACK if name in few else name for name in classes], dtype=object)
    if 0 < int((together == ATTACK).sum()) < least:
        together[together == ATTACK] = LEFT_OUT
    return together


def check_classes(classes: npt.NDArray[np.object_]) -> None:
    names = set(classes.tolist())
    if BENIGN not in names or len(names) < 2:
        raise ValueError(f"a random forest needs benign flows and attacks to train on; there are only: "
                         f"{', '.join(sorted(names)) or 'no flows with a label'}")
    if len(names) > MOST_CLASSES:
        raise ValueError(f"{len(names)} classes: a model file has at most {MOST_CLASSES}; raise min_class_rows, or "
                         "give families one name by 'families' of the captures")


def estimator_of(algorithm: str, params: Params) -> Any:
    from sklearn import ensemble
    kinds = {RANDOM_FOREST: ensemble.RandomForestClassifier, ISOLATION_FOREST: ensemble.IsolationForest}
    try:
        return kinds[algorithm](random_state=params.seed, n_jobs=params.jobs, **params.hyperparameters(algorithm))
    except TypeError as error:
        raise ValueError(f"{algorithm}: {error}") from None


def fit(train: Flows, params: Params, algorithm: str) -> Fitted:
    for name in params.leave_out:
        if name not in train.columns:
            raise ValueError(f"leave_out: no column '{name}'; there are: {', '.join(train.columns)}")
    columns = [name for name in train.columns if name not in params.leave_out]
    if len(train) == 0:
        raise ValueError("no flow to train on")
    estimator = estimator_of(algorithm, params)
    if algorithm == ISOLATION_FOREST:
        estimator.fit(train.matrix(columns))
        return fitted_of(estimator, columns)
    check_classes(train.classes)
    estimator.fit(train.matrix(columns), train.classes.astype(str))
    return fitted_of(estimator, columns)


# ---- What the sensor needs beside the trees


@dataclass(frozen=True)
class HeldOut:
    rows: npt.NDArray[np.float64]
    alert: thresholds.Alert | None = None
    weight: float | None = None
    host_hours: int = 0
    alerts: int = 0
    rates: dict[str, float] | None = None  # of alerts, by capture


def held_out_of(fitted: Fitted, prepared: Prepared, params: Params) -> HeldOut:
    flows = prepared.held_out.where(prepared.held_out.classes == BENIGN) if fitted.classes \
        else without_labels(prepared.held_out)
    if len(flows) < HELD_OUT_LEAST:
        raise ValueError(f"{len(flows)} benign flows are held out: at least {HELD_OUT_LEAST} are needed to tell "
                         "what is usual; hold out another capture")
    rows = flows.matrix(fitted.columns)
    if not fitted.classes:
        return HeldOut(rows)
    scores = fitted.scores(flows)
    alert = thresholds.alert_of(scores, params.false_rate, params.alert_least)
    reached = scores >= alert.threshold
    by_hour = thresholds.by_host_and_hour(flows.captures, flows.hosts, flows.start_us, reached)
    return HeldOut(rows, alert, thresholds.weight_of(*by_hour), len(by_hour[0]), int(reached.sum()),
                   thresholds.rates_by_capture(flows.captures, reached))


def importances_of(fitted: Fitted) -> npt.NDArray[np.float64] | None:
    return np.asarray(fitted.estimator.feature_importances_) if fitted.classes else None


def story(fitted: Fitted, prepared: Prepared, held_out: HeldOut, params: Params,
          algorithm: str) -> dict[str, Any]:
    """The part of the metadata that is known before the model is judged."""
    train = prepared.train
    rows = train.matrix(fitted.columns)
    told: dict[str, Any] = {
        "trained_us": int(train.end_us.max()), "algorithm": algorithm, "framework": metadata.framework(),
        "eddy_core_version": lib.text(lib.load().eddy_version()),
        "training_data": metadata.data_of(prepared.sources, prepared.split),
        "training_rows": metadata.class_counts(train.classes),
        "split": metadata.split_of(prepared.split, params.seed),
        "features": metadata.features_of(fitted.columns, rows, importances_of(fitted)),
        "feature_schema_sha256": lib.fingerprint(fitted.columns).hex(),
        "left_out_features": list(params.leave_out), "hyperparameters": params.hyperparameters(algorithm),
        "params": params.plain(),
        "baseline_distribution": quantiles(rows[train.classes == BENIGN], fitted.columns)}
    one = baselines.best_column(train, fitted.columns) if fitted.classes else None
    if one is not None:
        told["baselines"] = {"one_column": {"column": one.name, "rising": one.rising, "roc_auc": one.roc_auc}}
    return dict(evaluate.plain(told)) | thresholds_of(fitted, held_out, params)


def thresholds_of(fitted: Fitted, held_out: HeldOut, params: Params) -> dict[str, Any]:
    """All their digits: flows may have just that score."""
    if held_out.alert is None:
        return {"thresholds": {}}
    alert = held_out.alert
    return {"classes": fitted.classes,
            "thresholds": {"alert": alert.threshold, "weight": held_out.weight, "false_rate": params.false_rate,
                           "held_out_rate": alert.rate, "held_out_flows": alert.flows,
                           "held_out_alerts": held_out.alerts, "held_out_host_hours": held_out.host_hours,
                           "held_out_rate_by_capture": held_out.rates, "established": alert.established}}


# ---- The command


def judged_by(prepared: Prepared) -> tuple[Flows, list[str], list[str]]:
    """Flows to judge by, their captures, and what must be said of them."""
    split = prepared.split
    if len(prepared.test.known()) > 0:
        return prepared.test, list(split.test), []
    said = "the captures that it was judged on also set the alert threshold: name others as 'test'"
    return prepared.held_out, list(split.held_out), [said]


def write_model(fitted: Fitted, held_out: HeldOut, params: Params, about: dict[str, Any], path: Path) -> None:
    """The file, and its metadata beside it."""
    rest: dict[str, Any] = {}
    if held_out.alert is not None:
        techniques = {name: params.techniques[name] for name in fitted.classes if name in params.techniques}
        rest = {"benign": BENIGN, "techniques": techniques, "alert": held_out.alert.threshold,
                "weight": held_out.weight}
    export.write(fitted.estimator, path, columns=fitted.columns, metadata=about, held_out=held_out.rows, **rest)


def train(captures: Path, out: Path, *, name: str, version: str, algorithm: str = RANDOM_FOREST,
          params: Params | None = None, command: list[str] | None = None, created: float | None = None,
          license: str = "", purpose: str = "", plots: bool = True, dvc_lock_sha256: str | None = None,
          mlflow_run_id: str | None = None, annotate: Annotate | None = None) -> Trained:
    """Everything from the captures to the files in `out`. `annotate` may add to the metadata before they are written;
    it gets the folder that names of files are relative to, too."""
    check_name(name)
    check_version(version)
    params = params or Params()
    prepared = prepare(captures, params, algorithm)
    fitted = fit(prepared.train, params, algorithm)
    held_out = held_out_of(fitted, prepared, params)
    about = {"schema_version": metadata.SCHEMA_VERSION, "name": name, "version": version,
             "created": metadata.rfc3339(time.time() if created is None else created), "license": license,
             "card": f"{name}_card.md",
             **({"purpose": purpose} if purpose else {}),
             "trainer": metadata.trainer(command or [], dvc_lock_sha256, mlflow_run_id),
             **story(fitted, prepared, held_out, params, algorithm)}
    if annotate is not None:
        annotate(about, captures.parent)
    with workplace(out) as folder:
        done = judge_and_write(fitted, held_out, prepared, params, about, folder / f"{name}.eddy", plots)
        return moved(done, out)


def judge_and_write(fitted: Fitted, held_out: HeldOut, prepared: Prepared, params: Params, about: dict[str, Any],
                    path: Path, plots: bool) -> Trained:
    flows, names, said = judged_by(prepared)
    write_model(fitted, held_out, params, about, path)  # once to be judged as the sensor would
    model = predict.Model(path)
    judged = evaluate.judge(model, flows, held_out.alert.threshold if held_out.alert else None)
    metrics = evaluate.metrics_of(model, judged, evaluate.column_of(about), params.seed)
    about["metrics"] = summary(metrics, names, said)
    write_model(fitted, held_out, params, about, path)
    return write_files(path, about, judged, metrics, names, said, params, fitted.estimator, plots)


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """A folder inside `out`, for files that nobody shall see before all of them are there. It goes; and if that fails,
    so does what had to be made for it."""
    made = [one for one in (out, *out.parents) if not one.exists()]
    out.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".eddy_ml-", dir=out) as folder:
            yield Path(folder)
    except BaseException:
        with suppress(OSError):
            for one in made:
                one.rmdir()
        raise


def moved(done: Trained, out: Path) -> Trained:
    """The model comes last: whoever waits for it finds the rest."""
    for path in (done.metadata_file, done.metrics_file, done.card, *done.plots, done.model):
        os.replace(path, out / path.name)
    return replace(done, model=out / done.model.name, metadata_file=out / done.metadata_file.name,
                   metrics_file=out / done.metrics_file.name, card=out / done.card.name,
                   plots=[out / path.name for path in done.plots])


def summary(metrics: dict[str, Any], names: list[str], said: list[str]) -> dict[str, Any]:
    """What of the metrics is carried inside the file."""
    whole = {key: value for key, value in metrics["overall"].items() if key != "reliability"}
    return whole | {"captures": names, "warnings": said, "by_family": metrics["by_family"],
                    "interval": metrics["interval"], "baselines": metrics["baselines"]}


def write_files(path: Path, about: dict[str, Any], judged: evaluate.Judged, metrics: dict[str, Any],
                names: list[str], said: list[str], params: Params, estimator: Any, plots: bool) -> Trained:
    out, stem = path.parent, path.stem
    files = {kind: out / f"{stem}_{kind}" for kind in ("metadata.json", "metrics.json", "card.md")}
    sidecar = json.loads(files["metadata.json"].read_text(encoding="utf-8"))
    head = {"model": {"name": about["name"], "version": about["version"], "sha256": sidecar["artifact"]["sha256"]},
            "captures": names, "warnings": said}
    files["metrics.json"].write_text(json.dumps(head | metrics, indent=1) + "\n", encoding="utf-8")
    files["card.md"].write_text(card.card(sidecar, metrics, names), encoding="utf-8")
    drawn: list[Path] = []
    if plots:
        from eddy_ml import plots as pictures
        drawn = pictures.draw_all(judged, metrics, about, out, stem)
    return Trained(path, files["metadata.json"], files["metrics.json"], files["card.md"], drawn, sidecar,
                   head | metrics, params, estimator)


# ---- python3 -m eddy_ml train


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--captures", type=Path, required=True, metavar="YAML", help="logs and labels: captures.py")
    parser.add_argument("--params", type=Path, metavar="YAML", help="settings of the training: params.py")
    parser.add_argument("--algorithm", choices=(RANDOM_FOREST, ISOLATION_FOREST), default=RANDOM_FOREST)
    parser.add_argument("--name", required=True, help="of the model: up to 63 letters, digits, dots and dashes")
    parser.add_argument("--version", required=True, help="such as 1.0.0")
    parser.add_argument("--license", default="", help="of the model, where it is handed on")
    parser.add_argument("--purpose", default="", help="a sentence for the card")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--no-plots", action="store_true")


def check_name(name: str) -> None:
    if not name or len(name) > 63 or not all(one.isascii() and (one.isalnum() or one in "._-") for one in name):
        raise ValueError(f"name '{name}': only letters, digits, dots, dashes and underlines, up to 63: it names files")


def check_version(version: str) -> None:
    if not 1 <= len(version) <= 31 or not all(" " <= one <= "~" for one in version):
        raise ValueError(f"version '{version}': 1 to 31 printable ASCII characters")


def run(options: argparse.Namespace) -> int:
    done = train(options.captures, options.out, name=options.name, version=options.version,
                 algorithm=options.algorithm, params=read_params(options.params),
                 command=["python3", "-m", "eddy_ml", *options.words], license=options.license, purpose=options.purpose,
                 plots=not options.no_plots)
    for warning in [*done.metadata["split"]["warnings"], *done.metrics["warnings"]]:
        print(f"WARNING: {warning}", file=sys.stderr)
    evaluate.tell(done.metrics)
    for path in (done.model, done.metadata_file, done.metrics_file, done.card, *done.plots):
        print(path)
    return 0
