# SPDX-License-Identifier: MIT
"""Boosted trees of LightGBM (every bit) and XGBoost (every leaf; it adds floats) in libeddy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import compared, max_examples
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import KINDS_OF_DATA, Doubles, assert_same_bits, data, read_by_python, rows_to_ask, with_missing, written

from eddy_ml import export
from eddy_ml.trees import FLT_MAX, ModelFileError

lightgbm = pytest.importorskip("lightgbm")
xgboost = pytest.importorskip("xgboost")


def labels(random: np.random.Generator, x: Doubles, classes: int) -> Any:
    number = (np.nan_to_num(x[:, 0]) > 1).astype(int) + random.integers(0, classes - 1, len(x))
    number[:classes] = range(classes)
    return number


@settings(max_examples=max_examples(0.5))
@given(draw=st.data(), form=st.sampled_from(KINDS_OF_DATA), classes=st.integers(2, 5), seed=st.integers(0, 2**31),
       missing=st.booleans())  # fmt: skip
def test_lightgbm_comes_to_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject, form: str, classes: int, seed: int, missing: bool
) -> None:
    random = np.random.default_rng(seed)
    x = data(form, draw.draw(st.integers(20, 400)), draw.draw(st.integers(1, 8)), random)
    x = with_missing(x, 0.1, random) if missing else x
    model = lightgbm.LGBMClassifier(
        n_estimators=draw.draw(st.integers(1, 25)),
        num_leaves=draw.draw(st.sampled_from([2, 7, 31])),
        min_child_samples=draw.draw(st.sampled_from([1, 10])),
        use_missing=draw.draw(st.booleans()),
        random_state=seed % 1000, n_jobs=1, verbose=-1,
    ).fit(x, labels(random, x, classes))  # fmt: skip
    path = tmp_path_factory.mktemp("boosted") / "drawn.eddy"
    ours = written(model, x, path, benign="0")
    rows = rows_to_ask(export.convert(model), x, True, random)
    outputs = 1 if classes == 2 else classes
    raw = np.asarray(model.booster_.predict(rows, raw_score=True, num_threads=1)).reshape(len(rows), outputs)
    assert_same_bits(ours.sums(rows)[:, :outputs], raw, "raw scores, libeddy and LightGBM")
    assert_same_bits(read_by_python(path, rows), raw, "raw scores, Python reader and LightGBM")
    assert np.allclose(ours.predict_proba(rows), model.predict_proba(rows), rtol=1e-12, atol=1e-15)


@settings(max_examples=max_examples(0.5))
@given(draw=st.data(), form=st.sampled_from(("usual", "ties", "mixed", "constant")), classes=st.integers(2, 5),
       seed=st.integers(0, 2**31), missing=st.booleans())  # fmt: skip
def test_xgboost_comes_to_the_same_leaves(
    tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject, form: str, classes: int, seed: int, missing: bool
) -> None:
    random = np.random.default_rng(seed)
    x = data(form, draw.draw(st.integers(20, 400)), draw.draw(st.integers(1, 8)), random)
    x = with_missing(x, 0.1, random) if missing else x
    model = xgboost.XGBClassifier(
        n_estimators=draw.draw(st.integers(1, 25)),
        max_depth=draw.draw(st.sampled_from([1, 3, 8])),
        tree_method=draw.draw(st.sampled_from(["exact", "hist"])),
        num_parallel_tree=draw.draw(st.sampled_from([1, 3])),
        random_state=seed % 1000, n_jobs=1,
    ).fit(x, labels(random, x, classes))  # fmt: skip
    path = tmp_path_factory.mktemp("boosted") / "drawn.eddy"
    ours = written(model, x, path, benign="0")
    grown = export.convert(model)
    rows = rows_to_ask(grown, x, True, random)
    rows = rows[(np.abs(np.nan_to_num(rows)) < FLT_MAX).all(axis=1)]
    outputs = 1 if classes == 2 else classes
    assert_same_bits(ours.sums(rows)[:, :outputs], grown.sums(rows), "sums of the leaves that XGBoost names")
    margin = np.asarray(model.predict(rows, output_margin=True), dtype=np.float64).reshape(len(rows), outputs)
    apart = np.abs(ours.sums(rows)[:, :outputs] - margin) / np.maximum(1.0, np.abs(margin))
    compared["margins of XGBoost within 2e-6"] = compared.get("margins of XGBoost within 2e-6", 0) + len(rows)
    assert apart.max() < 2e-6
    assert np.abs(ours.predict_proba(rows) - model.predict_proba(rows)).max() < 2e-6


def small(random: np.random.Generator) -> tuple[Doubles, Any]:
    x = np.abs(np.round(data("usual", 400, 3, random)))
    return x, labels(random, x, 2)


@pytest.mark.parametrize(("how", "reason"), [
    ({"zero_as_missing": True}, "zeros as missing"),
    ({"linear_tree": True}, "a linear tree"),
    ({"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "averaged"),
    ({"objective": "cross_entropy"}, "not binary or multiclass"),
    ({"sigmoid": 2.0}, "only with sigmoid:1"),
])  # fmt: skip
def test_what_lightgbm_can_and_the_file_cannot(how: dict[str, Any], reason: str) -> None:
    x, y = small(np.random.default_rng(3))
    with pytest.raises(ModelFileError, match=reason):
        export.convert(lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, **how).fit(x, y))


def test_categories_of_lightgbm_are_refused() -> None:
    x, _ = small(np.random.default_rng(3))
    y = (x[:, 0] % 3 == 1).astype(int)
    with pytest.raises(ModelFileError, match="a split by categories"):
        model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, min_data_per_group=1, cat_smooth=0)
        export.convert(model.fit(x, y, categorical_feature=[0]))


@pytest.mark.parametrize(("how", "reason"), [
    ({"booster": "dart"}, "'dart': not gbtree"),
    ({"booster": "gblinear"}, "'gblinear': not gbtree"),
    ({"objective": "binary:hinge"}, "objective 'binary:hinge'"),
    ({"missing": 0.0}, "only NaN is a missing value"),
])  # fmt: skip
def test_what_xgboost_can_and_the_file_cannot(how: dict[str, Any], reason: str) -> None:
    x, y = small(np.random.default_rng(3))
    with pytest.raises(ModelFileError, match=reason):
        export.convert(xgboost.XGBClassifier(n_estimators=3, **how).fit(x, y))


def test_the_best_iteration_is_what_is_written(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    x, y = small(random)
    model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=2, n_jobs=1)
    model.fit(x, y, eval_set=[(x[::-1], random.permutation(y))], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    ours = written(model, x, tmp_path / "m.eddy", benign="0")
    assert ours.trees == model.best_iteration + 1
    assert np.abs(ours.predict_proba(x) - model.predict_proba(x)).max() < 2e-6
