# SPDX-License-Identifier: MIT
"""The forests that are measured: trained on made-up rows, the same each time, and written as model files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from eddy_ml import export, lib
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.ensemble import IsolationForest, RandomForestClassifier

Doubles = npt.NDArray[np.float64]

COLUMNS, TRAINED_ON, TREES = 24, 50_000, 100
ASKED = 4096  # rows that are measured: none of them was trained on


@dataclass
class Forest:
    name: str
    estimator: Any
    rows: Doubles  # ASKED of them; floats, so that all peers are asked the same
    path: Path  # the model file
    nodes: int
    depth: int
    generated: bool  # small enough for a C compiler


def rows_of(classes: int) -> tuple[Doubles, npt.NDArray[np.int64]]:
    """Two thirds of the columns bear on the class; one label in ten is wrong. Some columns are counts."""
    x, y = make_classification(
        n_samples=TRAINED_ON + ASKED,
        n_features=COLUMNS,
        n_informative=14,
        n_redundant=4,
        n_classes=classes,
        n_clusters_per_class=3,
        flip_y=0.1,
        random_state=3,
    )
    x *= 3.0
    x[:, :6] = np.round(x[:, :6])
    return x.astype(np.float32).astype(np.float64), y


def estimators() -> dict[str, tuple[Any, int, bool]]:
    """name: estimator, classes (0: it takes no labels), is a C compiler fed with it"""

    def random_forest(depth: int | None) -> RandomForestClassifier:
        return RandomForestClassifier(TREES, max_depth=depth, n_jobs=2, random_state=1)

    return {
        "random forest, depth 10, 2 classes": (random_forest(10), 2, True),
        "random forest, depth 10, 4 classes": (random_forest(10), 4, True),
        "random forest, no limit, 2 classes": (random_forest(None), 2, False),
        "random forest, no limit, 4 classes": (random_forest(None), 4, False),
        "isolation forest, 256 samples": (
            IsolationForest(n_estimators=TREES, max_samples=256, random_state=1),
            0,
            False,
        ),
        "LightGBM, 255 leaves, 2 classes": (
            LGBMClassifier(n_estimators=TREES, num_leaves=255, n_jobs=2, random_state=1, verbose=-1),
            2,
            False,
        ),
    }


def size_of(estimator: Any) -> tuple[int, int]:
    """Nodes of all trees, and the deepest one's depth; 0 where the trainer does not say."""
    if isinstance(estimator, LGBMClassifier):
        text = estimator.booster_.model_to_string()
        leaves = [int(line.split("=")[1]) for line in text.splitlines() if line.startswith("num_leaves=")]
        return sum(2 * n - 1 for n in leaves), 0
    trees = [one.tree_ for one in estimator.estimators_]
    return sum(tree.node_count for tree in trees), max(tree.max_depth for tree in trees)


def make(names: list[str], folder: Path) -> Iterator[Forest]:
    """One after the other: the large ones take a while, and memory."""
    known = estimators()
    for number, name in enumerate(names):
        estimator, classes, generated = known[name]
        x, y = rows_of(max(classes, 2))
        trained, asked = x[:TRAINED_ON], np.ascontiguousarray(x[TRAINED_ON:])
        estimator.fit(trained, y[:TRAINED_ON] if classes else None)
        if not isinstance(estimator, LGBMClassifier):
            estimator.set_params(n_jobs=1)
        path = folder / f"{number}.eddy"
        export.write(
            estimator,
            path,
            columns=lib.feature_names()[:COLUMNS],
            metadata={"name": "bench", "version": "1", "trained_us": 0},
            held_out=trained[:1000],
            **({"benign": "0"} if classes else {}),
        )
        yield Forest(name, estimator, asked, path, *size_of(estimator), generated)
