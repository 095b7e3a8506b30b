# SPDX-License-Identifier: MIT
"""libeddy and scikit-learn come to the same bits, for forests and rows drawn to make them differ.

n_jobs is 1 throughout: with more, scikit-learn itself adds in the order in which its threads finish.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import (
    KINDS_OF_DATA,
    assert_same_bits,
    assert_within_ulps,
    data,
    read_by_python,
    rows_to_ask,
    with_missing,
    written,
)
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier
from sklearn.ensemble._iforest import _average_path_length
from sklearn.tree import DecisionTreeClassifier

from eddy_ml import export
from eddy_ml.trees import FLT_MAX, ModelFileError

Doubles = npt.NDArray[np.float64]
FORESTS = (RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier)


@functools.cache
def takes_missing(kind: type, **how: Any) -> bool:
    """Whether this version of scikit-learn takes missing values in such trees."""
    try:
        kind(**how).fit(np.array([[np.nan], [1.0], [2.0], [3.0]]), [0, 1, 0, 1])
    except ValueError:
        return False
    return True


def labels(random: np.random.Generator, x: Doubles, classes: int) -> npt.NDArray[np.str_]:
    """Rare classes among them: in a bootstrap some tree sees only one."""
    number = np.minimum(random.geometric(0.5, len(x)) - 1 + (np.nan_to_num(x[:, 0]) > 1), classes - 1)
    number[:2] = (0, 1)
    return np.array([f"family {i}" for i in range(classes)])[number]


def forest_of(draw: st.DataObject, kind: type, classes: int, seed: int) -> Any:
    how: dict[str, Any] = {
        "max_depth": draw.draw(st.sampled_from([None, 1, 2, 4, 9])),
        "max_features": draw.draw(st.sampled_from(["sqrt", 1, None])),
        "class_weight": draw.draw(st.sampled_from([None, "balanced"])),
        "min_samples_leaf": draw.draw(st.sampled_from([1, 3])),
        "ccp_alpha": draw.draw(st.sampled_from([0.0, 0.0, 0.01])),
        "random_state": seed,
    }
    if kind is not DecisionTreeClassifier:
        how["n_estimators"] = draw.draw(st.integers(1, 17))
        how["bootstrap"] = draw.draw(st.booleans())
        if how["bootstrap"]:
            how["class_weight"] = draw.draw(st.sampled_from([None, "balanced", "balanced_subsample"]))
            how["max_samples"] = draw.draw(st.sampled_from([None, 0.3]))
    return kind(**how)


def shares_in_order(forest: Any, rows: Doubles) -> Doubles:
    """The sum of what each tree says, by its own public predict_proba, in the order of the trees."""
    total = np.zeros((len(rows), forest.n_classes_))
    for tree in getattr(forest, "estimators_", [forest]):
        total += tree.predict_proba(rows)
    return total


@given(draw=st.data(), kind=st.sampled_from(FORESTS), form=st.sampled_from(KINDS_OF_DATA), classes=st.integers(2, 12),
       seed=st.integers(0, 2**31), missing=st.booleans())  # fmt: skip
def test_classes_come_to_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject, kind: type, form: str, classes: int, seed: int,
    missing: bool,
) -> None:  # fmt: skip
    random = np.random.default_rng(seed)
    x = data(form, draw.draw(st.integers(12, 400)), draw.draw(st.integers(1, 8)), random)
    accepts = takes_missing(kind)
    if missing and accepts:
        x = with_missing(x, 0.1, random)
    forest = forest_of(draw, kind, classes, seed).fit(x, labels(random, x, classes))
    path = tmp_path_factory.mktemp("forest") / "drawn.eddy"
    model = written(forest, x, path, benign="family 0")
    rows = rows_to_ask(export.convert(forest), x, accepts, random)
    theirs = forest.predict_proba(rows)
    assert_same_bits(model.predict_proba(rows), theirs, "probabilities, libeddy and scikit-learn")
    assert_same_bits(model.sums(rows), shares_in_order(forest, rows), "sums of shares, libeddy and scikit-learn")
    assert_same_bits(read_by_python(path, rows), model.sums(rows), "sums of shares, Python reader and libeddy")
    assert model.predict(rows) == list(forest.predict(rows)), "the most probable class, the first of equals"


def depths_in_order(forest: IsolationForest, rows: Doubles) -> Doubles:
    """The sum inside score_samples, put together from scikit-learn's own parts as it does it."""
    x = rows.astype(np.float32)
    total = np.zeros(len(rows))
    for tree, columns in zip(forest.estimators_, forest.estimators_features_, strict=True):
        part = x[:, columns]
        steps = np.ravel(tree.decision_path(part).sum(axis=1))
        samples = tree.tree_.n_node_samples[tree.apply(part)]
        total += steps + _average_path_length(samples) - 1.0
    return total


@given(draw=st.data(), form=st.sampled_from(KINDS_OF_DATA), seed=st.integers(0, 2**31), missing=st.booleans())
def test_isolation_comes_to_the_same_depths(
    tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject, form: str, seed: int, missing: bool
) -> None:
    random = np.random.default_rng(seed)
    x = data(form, draw.draw(st.integers(12, 700)), draw.draw(st.integers(1, 8)), random)
    accepts = takes_missing(IsolationForest)
    if missing and accepts:
        x = with_missing(x, 0.1, random)
    forest = IsolationForest(
        n_estimators=draw.draw(st.integers(1, 40)),
        max_samples=draw.draw(st.sampled_from(["auto", 2, 3, 0.5])),
        max_features=draw.draw(st.sampled_from([1.0, 0.5])),
        contamination=draw.draw(st.sampled_from(["auto", 0.1])),
        bootstrap=draw.draw(st.booleans()),
        random_state=seed,
    ).fit(x)
    path = tmp_path_factory.mktemp("forest") / "drawn.eddy"
    model = written(forest, x, path)
    rows = rows_to_ask(export.convert(forest), x, accepts, random)
    assert_same_bits(model.sums(rows)[:, 0], depths_in_order(forest, rows), "path lengths, libeddy and scikit-learn")
    assert_same_bits(read_by_python(path, rows), model.sums(rows), "path lengths, Python reader and libeddy")
    assert_within_ulps(model.score(rows), -forest.score_samples(rows), 2, "scores within 2 ulp")


@pytest.mark.parametrize("depth", [10, None])
def test_a_hundred_trees_of_usual_size(tmp_path: Path, depth: int | None) -> None:
    random = np.random.default_rng(20)
    x = data("mixed", 6000, 24, random)
    y = np.where(x[:, 1] + random.normal(size=len(x)) * 4 > 5, "scan", np.where(x[:, 2] > 9, "flood", "benign"))
    forest = RandomForestClassifier(100, max_depth=depth, random_state=1).fit(x, y)
    model = written(forest, x, tmp_path / "usual.eddy", techniques={"scan": "T1046"})
    rows = rows_to_ask(export.convert(forest), x, takes_missing(RandomForestClassifier), random, 12000)
    assert_same_bits(model.predict_proba(rows), forest.predict_proba(rows), "probabilities, libeddy and scikit-learn")


def test_infinities_are_clamped_where_scikit_learn_raises(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    x = data("huge", 400, 4, random)
    forest = RandomForestClassifier(10, random_state=1).fit(x, labels(random, x, 3))
    model = written(forest, x, tmp_path / "m.eddy", benign="family 0")
    beyond = np.resize(x, (200, 4))
    beyond[:, 1] = np.resize([np.inf, -np.inf, 1e300, -3.5e38], 200)
    with pytest.raises(ValueError, match=r"infinity|too large"):
        forest.predict_proba(beyond)
    within = forest.predict_proba(np.clip(beyond, -FLT_MAX, FLT_MAX))
    assert_same_bits(model.predict_proba(beyond), within, "infinities, as the largest float")


def test_no_thresholds_at_all(tmp_path: Path) -> None:
    """Trees that are one leaf each."""
    x = np.full((150, 3), 0.25)
    y = np.where(np.arange(150) % 3, "benign", "scan")
    forest = RandomForestClassifier(5, random_state=1).fit(x, y)
    model = written(forest, x, tmp_path / "m.eddy")
    assert_same_bits(model.predict_proba(x), forest.predict_proba(x), "probabilities, libeddy and scikit-learn")


def test_refused_with_the_reason() -> None:
    x = np.arange(20.0).reshape(10, 2)
    with pytest.raises(ModelFileError, match="one class only, 'benign'"):
        export.convert(RandomForestClassifier(2).fit(x, ["benign"] * 10))
    with pytest.raises(ModelFileError, match="several targets"):
        export.convert(RandomForestClassifier(2).fit(x, np.arange(20).reshape(10, 2) % 2))
    with pytest.raises(ModelFileError, match="not fitted"):
        export.convert(RandomForestClassifier(2))
    with pytest.raises(ModelFileError, match="nothing is isolated"):
        export.convert(IsolationForest(max_samples=1).fit(x))
    with pytest.raises(ModelFileError, match="dict is none of the estimators"):
        export.convert({})
