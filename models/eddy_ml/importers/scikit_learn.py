# SPDX-License-Identifier: MIT
"""scikit-learn, 1.2 and later: random forests, extra trees, single trees and isolation forests.

Its trees compare a float with a double, so thresholds are rounded down to float: nothing changes (layout.floats_below).
Nothing is renormalised that scikit-learn does not renormalise: one more division would cost the last bit.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from eddy_ml.grown import Grown
from eddy_ml.layout import RawTree
from eddy_ml.model_file import CLASSES, ISOLATION
from eddy_ml.trees import Doubles, ModelFileError, as_walked, demand

CLASSIFIERS = (RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier)


def fits(estimator: object) -> bool:
    return isinstance(estimator, (*CLASSIFIERS, IsolationForest))


def convert(estimator: Any, class_names: list[str] | None) -> Grown:
    demand(hasattr(estimator, "n_features_in_"), f"{type(estimator).__name__} is not fitted")
    if isinstance(estimator, IsolationForest):
        return _isolation(estimator)
    return _classifier(estimator, class_names)


def _raw(tree: Any, values: Doubles, columns: npt.NDArray[np.int64] | None = None) -> RawTree:
    """A tree_ with other values. `columns`: the model's, where the tree knows only some of them."""
    leaf = tree.children_left < 0
    column = np.where(leaf, 0, tree.feature)
    missing_left = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count))  # since 1.3
    return RawTree(
        left=tree.children_left,
        right=tree.children_right,
        column=column if columns is None else columns[column],
        threshold=tree.threshold,
        missing_left=np.asarray(missing_left) != 0,
        cover=tree.n_node_samples,
        values=values,
    )


# ---- classifiers ----


def _shares(tree: Any) -> Doubles:
    """For each node the share of each class, as predict_proba of one tree has it."""
    values = np.ascontiguousarray(tree.value[:, 0, :], dtype=np.float64)
    if tuple(map(int, version("scikit-learn").split(".")[:2])) >= (1, 3):
        return values  # fractions already
    total = values.sum(axis=1)[:, np.newaxis]
    total[total == 0.0] = 1.0
    return np.asarray(values / total)


def _classifier(estimator: Any, class_names: list[str] | None) -> Grown:
    demand(estimator.n_outputs_ == 1, "a classifier of several targets at once")
    names = class_names or [str(name) for name in estimator.classes_]
    demand(len(names) == estimator.n_classes_, f"{len(names)} names for {estimator.n_classes_} classes")
    demand(len(names) > 1, f"trained on one class only, '{names[0]}': there is nothing to tell apart")
    single = isinstance(estimator, DecisionTreeClassifier)
    trees = [estimator.tree_] if single else [one.tree_ for one in estimator.estimators_]
    shares = [_shares(tree) for tree in trees]

    def sums(rows: Doubles) -> Doubles:
        x = as_walked(rows, 4)
        total = np.zeros((len(x), len(names)))
        for tree, share in zip(trees, shares, strict=True):
            total += share[tree.apply(x)]
        return total

    raw = [_raw(tree, share) for tree, share in zip(trees, shares, strict=True)]
    return Grown(CLASSES, 1.0, 4, estimator.n_features_in_, names, raw, None, sums)


# ---- isolation forests ----


def average_path(samples: npt.ArrayLike) -> Doubles:
    """c(n): how long a search that finds nothing is in a tree of n, on average (Liu et al. 2008)."""
    n = np.asarray(samples, dtype=np.float64)
    more = np.maximum(n, 3.0)
    usual = 2.0 * (np.log(more - 1.0) + np.euler_gamma) - 2.0 * (more - 1.0) / more
    return np.where(n <= 1.0, 0.0, np.where(n <= 2.0, 1.0, usual))


def _splits_above(tree: Any) -> npt.NDArray[np.int64]:
    """For each node how many splits are above it; scikit-learn numbers parents before their children."""
    depth = np.zeros(tree.node_count, dtype=np.int64)
    for node in np.flatnonzero(tree.children_left >= 0):
        depth[tree.children_left[node]] = depth[tree.children_right[node]] = depth[node] + 1
    return depth


def _path_lengths(tree: Any) -> Doubles:
    """For each node: nodes on the way to it, what its samples would still need; in scikit-learn's order of adding."""
    return ((_splits_above(tree) + 1.0) + average_path(tree.n_node_samples)) - 1.0


def _isolation(estimator: Any) -> Grown:
    trees = [one.tree_ for one in estimator.estimators_]
    chosen = [np.asarray(columns) for columns in estimator.estimators_features_]
    samples = int(estimator.max_samples_)
    if samples < 2:
        raise ModelFileError("max_samples is 1: nothing is isolated, every score would be the same")
    lengths = [_path_lengths(tree)[:, np.newaxis] for tree in trees]

    def sums(rows: Doubles) -> Doubles:
        x = as_walked(rows, 4)
        total = np.zeros((len(x), 1))
        for tree, columns, length in zip(trees, chosen, lengths, strict=True):
            total += length[tree.apply(np.ascontiguousarray(x[:, columns]))]
        return total

    raw = [_raw(tree, length, columns) for tree, columns, length in zip(trees, chosen, lengths, strict=True)]
    return Grown(ISOLATION, float(average_path(samples)), 4, estimator.n_features_in_, [], raw, None, sums)
