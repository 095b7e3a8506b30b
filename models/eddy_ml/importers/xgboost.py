# SPDX-License-Identifier: MIT
"""XGBoost: boosted trees with two classes (binary:logistic) or more (multi:softprob, multi:softmax).

It goes left where x < threshold, both floats, which is x <= the next lower float. Every row ends in the same leaves;
but XGBoost adds their values up as floats and libeddy as doubles: sums agree to about six digits, not bit for bit.
Refused is what the file can't say: categorical splits, dart, linear boosters, trees of several targets.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from xgboost import Booster, DMatrix, XGBClassifier

from eddy_ml.grown import Grown
from eddy_ml.layout import RawTree
from eddy_ml.model_file import BOOSTED
from eddy_ml.trees import Doubles, as_walked, demand

_BINARY, _MULTI = ("binary:logistic",), ("multi:softprob", "multi:softmax")


def fits(estimator: object) -> bool:
    return isinstance(estimator, (Booster, XGBClassifier))


def convert(estimator: Any, class_names: list[str] | None) -> Grown:
    booster = _booster(estimator)
    if class_names is None and isinstance(estimator, XGBClassifier):
        class_names = [str(name) for name in estimator.classes_]
    learner = json.loads(booster.save_raw("json"))["learner"]
    gradient, objective = learner["gradient_booster"], learner["objective"]["name"]
    demand(gradient["name"] == "gbtree", f"booster '{gradient['name']}': not gbtree")
    demand(objective in _BINARY + _MULTI, f"objective '{objective}': not one of {', '.join(_BINARY + _MULTI)}")
    outputs = 1 if objective in _BINARY else int(learner["learner_model_param"]["num_class"])
    names = class_names or [str(i) for i in range(max(2, outputs))]
    demand(len(names) == max(2, outputs), f"{len(names)} names for {max(2, outputs)} classes")
    model = gradient["model"]
    target = [int(i) for i in model["tree_info"]]
    trees = [_tree(tree, output, outputs) for tree, output in zip(model["trees"], target, strict=True)]
    base = _base(learner["learner_model_param"]["base_score"], objective in _BINARY, outputs)

    def sums(rows: Doubles) -> Doubles:
        matrix = DMatrix(as_walked(rows, 4), missing=np.nan, feature_names=booster.feature_names,
                         feature_types=booster.feature_types)  # fmt: skip
        reached = booster.predict(matrix, pred_leaf=True).astype(np.int64).reshape(len(rows), len(trees))
        total = np.zeros((len(rows), outputs)) + base
        for tree, leaf in zip(trees, reached.T, strict=True):
            total += tree.values[leaf]
        return total

    return Grown(BOOSTED, 1.0, 4, booster.num_features(), names, trees, base, sums)


def _booster(estimator: Any) -> Any:
    if isinstance(estimator, Booster):
        return estimator
    demand(np.isnan(estimator.missing), f"missing={estimator.missing}: only NaN is a missing value here")
    booster = estimator.get_booster()
    best = booster.attr("best_iteration")
    return booster if best is None else booster[: int(best) + 1]


def _base(text: str, binary: bool, outputs: int) -> Doubles:
    """What sums begin with: one number, or since 3.1 a list of them; a probability where there are two classes."""
    told = json.loads(text) if text.startswith("[") else [text]
    base = np.array([float(one) for one in told])
    demand(len(base) in (1, outputs), f"{len(base)} base scores for {outputs} outputs")
    if binary:
        base = np.log(base / (1.0 - base))
    return np.asarray(np.broadcast_to(base, (outputs,)).copy(), dtype=np.float64)


def _tree(tree: dict[str, Any], output: int, outputs: int) -> RawTree:
    demand(int(tree["tree_param"].get("size_leaf_vector", "1")) <= 1, "trees of several targets (multi_strategy)")
    demand(not any(tree.get("split_type", [])) and not tree.get("categories_nodes"), "a split by categories")
    left = np.array(tree["left_children"], dtype=np.int64)
    condition = np.array(tree["split_conditions"], dtype=np.float32)  # of a leaf: its value
    values = np.zeros((len(left), outputs))
    values[:, output] = condition
    cover = np.maximum(np.rint(np.array(tree["sum_hessian"], dtype=np.float64)), 1.0).astype(np.int64)
    return RawTree(
        left=left,
        right=np.array(tree["right_children"], dtype=np.int64),
        column=np.array(tree["split_indices"], dtype=np.int64),
        threshold=np.nextafter(condition, np.float32(-np.inf)).astype(np.float64),
        missing_left=np.array(tree["default_left"]) != 0,
        cover=cover,
        values=values,
    )
