# SPDX-License-Identifier: MIT
"""How parity is tested: data that hurts, rows on the edges of splits, and equality of every bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from conftest import compared

from eddy_ml import export, golden, lib, model_file
from eddy_ml.grown import Grown
from eddy_ml.predict import Model
from eddy_ml.trees import FLT_MAX

Doubles = npt.NDArray[np.float64]

KINDS_OF_DATA = ("usual", "ties", "constant", "huge", "tiny", "mixed")
ODD = (0.0, -0.0, 5e-324, -5e-324, 1e-45, 1.1754942e-38, -1e-40, FLT_MAX, -FLT_MAX)


def data(kind: str, rows: int, columns: int, random: np.random.Generator) -> Doubles:
    """Columns as they come in logs, and as nobody would wish for."""
    usual = random.normal(size=(rows, columns)) * 7.3 + 0.1
    if kind == "ties":
        return np.round(usual)
    if kind == "constant":
        return np.full((rows, columns), 0.1)
    if kind == "huge":
        return usual * 1e36
    if kind == "tiny":
        return usual * 1e-41
    if kind == "mixed":
        usual[:, 0] = random.integers(0, 2, rows)
        usual[:, -1] = np.exp(usual[:, -1])
    return usual


def with_missing(x: Doubles, share: float, random: np.random.Generator) -> Doubles:
    out = x.copy()
    out[random.random(x.shape) < share] = np.nan
    return out


def rows_to_ask(grown: Grown, x: Doubles, missing: bool, random: np.random.Generator, count: int = 1500) -> Doubles:
    """Rows of training, rows on the edges of splits, odd numbers, and missing values if the trainer takes them."""
    edge = golden.adversarial(grown.trees, x, count, random)
    odd = np.array(x[random.integers(len(x), size=200)])
    for row in odd:
        row[random.integers(len(row))] = ODD[random.integers(len(ODD))]
    parts = [x[:500], np.nan_to_num(edge) if not missing else edge, odd]
    if missing:
        parts.append(with_missing(edge[:300], 0.3, random))
    return np.ascontiguousarray(np.clip(np.concatenate(parts), -FLT_MAX, FLT_MAX))


def written(estimator: Any, x: Doubles, path: Path, **rest: Any) -> Model:
    """The estimator as a file that libeddy has taken up; the file must come through the Python reader unchanged."""
    held_out = np.resize(np.nan_to_num(x), (max(100, len(x)), x.shape[1]))
    metadata = {"name": "drawn", "version": "1", "trained_us": 1}
    names = lib.feature_names()[: x.shape[1]]
    export.write(estimator, path, columns=names, metadata=metadata, held_out=held_out, **rest)
    assert model_file.to_bytes(model_file.read(path)) == path.read_bytes()
    return Model(path)


def bits(numbers: Doubles) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(numbers, dtype=np.float64).view(np.uint64)


def assert_same_bits(ours: Doubles, theirs: Doubles, what: str) -> None:
    assert ours.shape == theirs.shape
    wrong = np.flatnonzero((bits(ours) != bits(theirs)).reshape(len(ours), -1).any(axis=1))
    compared[what] = compared.get(what, 0) + len(ours)
    assert len(wrong) == 0, f"{what}: {len(wrong)} of {len(ours)} rows differ, first row {wrong[0]}: " \
        f"{ours[wrong[0]]} and not {theirs[wrong[0]]}"  # fmt: skip


def assert_within_ulps(ours: Doubles, theirs: Doubles, ulps: int, what: str) -> None:
    apart = np.abs(ours - theirs) / np.spacing(np.abs(theirs))
    compared[what] = compared.get(what, 0) + len(ours)
    assert apart.max() <= ulps, f"{what}: {apart.max()} ulps apart"


def read_by_python(path: Path, rows: Doubles) -> Doubles:
    """The sums of the second implementation, which shares nothing with libeddy but the file."""
    model = model_file.read(path)
    return model.trees.sums(rows, model.base)
