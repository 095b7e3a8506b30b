# SPDX-License-Identifier: MIT
"""LightGBM: boosted trees with two classes (binary) or more (multiclass).

Its thresholds are doubles and stay so; its sums are doubles in the order of the trees, so they are equal bit for bit.
Refused is what the file can't say: categorical splits, linear trees, zeros as missing values, averaged trees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from lightgbm import Booster, LGBMClassifier

from eddy_ml.grown import Grown
from eddy_ml.layout import RawTree
from eddy_ml.model_file import BOOSTED
from eddy_ml.trees import FLT_MAX, Doubles, ModelFileError, demand

_CATEGORICAL, _DEFAULT_LEFT = 1, 2  # bits of decision_type; bits 2 and 3: what is missing
_ZERO_MISSING, _NAN_MISSING = 1, 2  # 0: nothing
_ZERO = float(np.float32(1e-35))  # to LightGBM all numbers from -_ZERO to _ZERO are 0


def fits(estimator: object) -> bool:
    return isinstance(estimator, (Booster, LGBMClassifier))


def convert(estimator: Any, class_names: list[str] | None) -> Grown:
    booster: Booster = estimator.booster_ if isinstance(estimator, LGBMClassifier) else estimator
    if class_names is None and isinstance(estimator, LGBMClassifier):
        class_names = [str(name) for name in estimator.classes_]
    head, *blocks = _blocks(booster.model_to_string())
    outputs = int(head["num_tree_per_iteration"])
    classes = _classes(head, outputs)
    names = class_names or [str(i) for i in range(classes)]
    demand(len(names) == classes, f"{len(names)} names for {classes} classes")
    trees = [_tree(block, number % outputs, outputs) for number, block in enumerate(blocks)]

    def sums(rows: Doubles) -> Doubles:
        x = np.clip(np.asarray(rows, dtype=np.float64), -FLT_MAX, FLT_MAX)
        raw = booster.predict(x, raw_score=True, num_threads=1)
        return np.asarray(raw, dtype=np.float64).reshape(len(x), outputs)

    return Grown(BOOSTED, 1.0, 8, booster.num_feature(), names, trees, np.zeros(outputs), sums)


def _classes(head: dict[str, str], outputs: int) -> int:
    objective = head.get("objective", "").split()
    demand("average_output" not in head, "trees that are averaged (boosting=rf)")
    if objective[:1] == ["binary"]:
        demand("sigmoid:1" in objective, f"objective '{' '.join(objective)}': only with sigmoid:1")
        return 2
    demand(objective[:1] == ["multiclass"], f"objective '{' '.join(objective)}': not binary or multiclass")
    return outputs


def _blocks(text: str) -> list[dict[str, str]]:
    """The model's text as its head and one dictionary for each tree."""
    blocks: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        if line == "end of trees":
            return blocks
        if line.startswith("Tree="):
            blocks.append({})
        key, _, value = line.partition("=")
        blocks[-1][key] = value
    raise ModelFileError("a text of LightGBM without an end of its trees")


def _numbers(block: dict[str, str], key: str, dtype: type) -> npt.NDArray[Any]:
    return np.array(block.get(key, "").split(), dtype=dtype)


def _children(block: dict[str, str], key: str, splits: int) -> npt.NDArray[np.int64]:
    """Splits come first, then leaves: leaf i, which LightGBM calls -i - 1, is node `splits` + i."""
    child = _numbers(block, key, int)
    return np.where(child < 0, splits - child - 1, child)


def _tree(block: dict[str, str], output: int, outputs: int) -> RawTree:
    demand(int(block.get("num_cat", "0")) == 0, "a split by categories")
    demand(int(block.get("is_linear", "0")) == 0, "a linear tree")
    values = _numbers(block, "leaf_value", float)
    leaves, splits = len(values), len(values) - 1
    threshold = _around_zero(_numbers(block, "threshold", float)[:splits])
    none = np.full(leaves, -1)
    spread = np.zeros((splits + leaves, outputs))
    spread[splits:, output] = values
    ones = np.ones(leaves, dtype=int)
    cover = (_numbers(block, "internal_count", int), _numbers(block, "leaf_count", int)) if splits else (ones,)
    return RawTree(
        left=np.concatenate((_children(block, "left_child", splits), none)),
        right=np.concatenate((_children(block, "right_child", splits), none)),
        column=np.concatenate((_numbers(block, "split_feature", int), none)),
        threshold=np.concatenate((threshold, np.zeros(leaves))),
        missing_left=np.concatenate((_missing_left(block, threshold), np.zeros(leaves, dtype=bool))),
        cover=np.concatenate(cover),
        values=spread,
    )


def _around_zero(threshold: Doubles) -> Doubles:
    """Thresholds that do with tiny numbers what LightGBM does with 0."""
    below = np.where((threshold >= -_ZERO) & (threshold < 0.0), np.nextafter(-_ZERO, -np.inf), threshold)
    return np.asarray(np.where((below >= 0.0) & (below < _ZERO), _ZERO, below))


def _missing_left(block: dict[str, str], threshold: Doubles) -> npt.NDArray[np.bool_]:
    decision = _numbers(block, "decision_type", int)
    demand(not (decision & _CATEGORICAL).any(), "a split by categories")
    missing = decision >> 2 & 3
    demand((missing != _ZERO_MISSING).all(), "zeros as missing values (zero_as_missing)")
    default_left = (decision & _DEFAULT_LEFT) != 0
    zero_left = threshold >= 0.0  # where training met nothing missing, a missing value counts as zero
    return np.where(missing == _NAN_MISSING, default_left, zero_left)
