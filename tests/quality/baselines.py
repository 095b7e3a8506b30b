#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scikit-learn's IsolationForest and RandomForest on eddy's own columns.

No flow is ever scored by a forest that has seen its capture, or one made in the same way by the same
people. For every flow the random forest is trained on the labels of all other captures; the isolation
forest has no labels and is trained on what came before (a day with a past), else on all other captures.

Run as a program by a Python that has scikit-learn: baselines.py FOLDER. There lie NAME.features.csv, made by
`eddy features`, and NAME.truth.csv (id,label,origin,part); NAME.scores.csv (id,iforest,forest) is written for
what is judged.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import runs
from flows import Flow

VENV = runs.ROOT / "build" / "quality-venv"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
TREES, SAMPLES = 100, 256  # of Liu et al. 2008, and scikit-learn's own
MOST = 5000  # flows of one label and set that train, so that no capture outweighs all others
SEED = 1
LEARN, JUDGE, TRAIN = "learn", "judge", "train"  # a set trains for the others and is judged itself
TOGETHER = {"mirai-test7-zeek": "mirai-test7", "mirai-test7-suricata": "mirai-test7", "apt29-day2-zeek": "apt29",
            "apt29-day2-suricata": "apt29", "beacon-cc1-suricata": "beacon-cc", "beacon-cc2-suricata": "beacon-cc",
            "ctu50-normal40-d1": "ctu50", "ctu50-normal43-d1": "ctu50"}  # one capture, or one set-up


@dataclass
class Task:
    """A log to be judged; a development set is trained from, too."""

    name: str
    logs: list[Path]
    flows: list[Flow]
    learned: list[str] = field(default_factory=list)  # ids of flows that came before
    trains: bool = False


@dataclass
class Scores:
    iforest: dict[str, float] = field(default_factory=dict)
    forest: dict[str, float] = field(default_factory=dict)


# ---- Where measure.py runs


def python_with_sklearn() -> str | None:
    """This Python if it has scikit-learn, else one made for it; None, with the reason told, if that fails."""
    asked = [sys.executable, "-c", "import sklearn"]
    if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
        return sys.executable
    python, stamp = VENV / "bin" / "python", VENV / "made-from.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        print(f"making {VENV} with scikit-learn ...", file=sys.stderr, flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        for command in ([sys.executable, "-m", "venv", str(VENV)],
                        [str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)]):
            done = subprocess.run(command, capture_output=True, check=False, text=True)
            if done.returncode != 0:
                print(f"no scikit-learn: {' '.join(command)}: {done.stderr.strip()}", file=sys.stderr)
                return None
        stamp.write_text(REQUIREMENTS.read_text())
    return str(python)


def write_truth(task: Task, path: Path) -> None:
    with open(path, "w", encoding="utf-8", newline="") as text:
        table = csv.writer(text)
        table.writerow(["id", "label", "origin", "part"])
        table.writerows([flow, "-1", "", LEARN] for flow in task.learned)
        part = TRAIN if task.trains else JUDGE
        table.writerows([flow.id, flow.label, flow.origin, part] for flow in task.flows)


def run(eddy: Path, tasks: list[Task], folder: Path) -> dict[str, Scores] | None:
    """Scores by task; None if there is no scikit-learn."""
    python = python_with_sklearn()
    if python is None:
        return None
    for task in tasks:
        write_truth(task, folder / f"{task.name}.truth.csv")
    for _ in runs.in_parallel(lambda task: runs.write_features(eddy, folder / f"{task.name}.features.csv", *task.logs),
                              [(task,) for task in tasks]):
        pass
    subprocess.run([python, __file__, str(folder)], check=True)
    found = {}
    for task in tasks:
        scores = found[task.name] = Scores()
        with open(folder / f"{task.name}.scores.csv", encoding="utf-8") as text:
            for row in csv.DictReader(text):
                scores.iforest[row["id"]] = float(row["iforest"])
                scores.forest[row["id"]] = float(row["forest"])
    return found


# ---- Where scikit-learn is


def group_of(origin: str) -> str:
    return TOGETHER.get(origin, origin)


class Table:
    """Columns of one log, with what is known of each flow. Ids that come twice keep their last flow."""

    def __init__(self, folder: Path, name: str) -> None:
        import numpy
        self.name = name
        with open(folder / f"{name}.truth.csv", encoding="utf-8") as text:
            truth = {row["id"]: row for row in csv.DictReader(text)}
        with open(folder / f"{name}.features.csv", encoding="utf-8") as text:
            lines = csv.reader(text)
            next(lines)
            columns = {line[0]: line[1:] for line in lines if line[0] in truth}
        self.ids = numpy.array(list(columns))
        self.columns = numpy.array(list(columns.values()), dtype=numpy.float64)
        rows = [truth[flow] for flow in columns]
        self.labels = numpy.array([int(row["label"]) for row in rows])
        self.groups = numpy.array([group_of(row["origin"]) for row in rows])
        self.parts = numpy.array([row["part"] for row in rows])


def training(tables: list[Table], without: str, labelled: bool):
    """Columns and labels of all sets that are not of this group, at most MOST of each label and set."""
    import numpy
    random = numpy.random.default_rng(SEED)
    columns, labels = [], []
    for table in tables:
        for label in (0, 1) if labelled else (0, 1, -1):
            rows = numpy.flatnonzero((table.parts == TRAIN) & (table.groups != without) & (table.labels == label))
            rows = numpy.sort(random.choice(rows, min(MOST, len(rows)), replace=False))
            columns.append(table.columns[rows])
            labels.append(table.labels[rows])
    return numpy.concatenate(columns), numpy.concatenate(labels)


def judge(tables: list[Table]) -> dict[str, dict[str, tuple[float, float]]]:
    """(iforest, forest) by table and id."""
    import numpy
    from sklearn.ensemble import IsolationForest, RandomForestClassifier

    jobs = os.cpu_count()
    odd = {table.name: numpy.zeros(len(table.ids)) for table in tables}
    known = {table.name: numpy.zeros(len(table.ids)) for table in tables}
    for table in tables:
        if (table.parts == LEARN).any():
            forest = IsolationForest(n_estimators=TREES, max_samples=SAMPLES, random_state=SEED, n_jobs=jobs)
            forest.fit(table.columns[table.parts == LEARN])
            odd[table.name] = -forest.score_samples(table.columns)
    for group in sorted({group for table in tables for group in table.groups if group != ""}):
        columns, labels = training(tables, group, labelled=True)
        forest = RandomForestClassifier(n_estimators=TREES, min_samples_leaf=3, class_weight="balanced_subsample",
                                        random_state=SEED, n_jobs=jobs).fit(columns, labels)
        blind = IsolationForest(n_estimators=TREES, max_samples=SAMPLES, random_state=SEED, n_jobs=jobs)
        blind.fit(training(tables, group, labelled=False)[0])
        for table in tables:
            own = table.groups == group
            if own.any():
                known[table.name][own] = forest.predict_proba(table.columns[own])[:, 1]
            if own.any() and not (table.parts == LEARN).any():
                odd[table.name][own] = -blind.score_samples(table.columns[own])
    return {table.name: dict(zip(table.ids, zip(odd[table.name], known[table.name]))) for table in tables}


def main() -> None:
    folder = Path(sys.argv[1])
    names = sorted(path.name.removesuffix(".truth.csv") for path in folder.glob("*.truth.csv"))
    tables = [Table(folder, name) for name in names]
    judged = judge(tables)
    for table in tables:
        with open(folder / f"{table.name}.scores.csv", "w", encoding="utf-8", newline="") as text:
            out = csv.writer(text)
            out.writerow(["id", "iforest", "forest"])
            judged_ids = table.ids[table.parts != LEARN]
            out.writerows([flow, *judged[table.name][flow]] for flow in judged_ids)


if __name__ == "__main__":
    main()
