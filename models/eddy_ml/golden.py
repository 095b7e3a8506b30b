# SPDX-License-Identifier: MIT
"""Golden rows: some that were held out, and some made to hit what goes wrong first - rows on the edge of a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eddy_ml.layout import RawTree
from eddy_ml.trees import FLT_MAX, Doubles

PLAIN, ADVERSARIAL = 32, 96
_ODD = (np.nan, -0.0, 5e-324, 1e-40, -1e-40, FLT_MAX, -FLT_MAX, 1e300, -1e300)


def edges(threshold: float) -> list[float]:
    """Values around a threshold where a walk that rounds otherwise goes the other way."""
    with np.errstate(over="ignore"):
        nearest = np.float32(threshold)
    upwards = np.float32(np.inf)
    around = (threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf), nearest,
              np.nextafter(nearest, upwards), np.nextafter(nearest, -upwards))  # fmt: skip
    return [float(value) for value in around if np.isfinite(value)]


def adversarial(trees: Sequence[RawTree], rows: Doubles, count: int, random: np.random.Generator) -> Doubles:
    """Rows like those given, each with some of its columns put on the edge of a split of a tree."""
    split = [(tree, found) for tree in trees if len(found := np.flatnonzero(tree.left >= 0))]
    out = np.array(rows[random.integers(len(rows), size=count)], dtype=np.float64)
    for row in out if split else ():
        for _ in range(3):
            tree, found = split[random.integers(len(split))]
            node = found[random.integers(len(found))]
            choices = edges(float(tree.threshold[node]))
            row[tree.column[node]] = choices[random.integers(len(choices))]
    return out


def rows_for(trees: Sequence[RawTree], held_out: Doubles) -> Doubles:
    """The rows that a model file carries; the same for the same model and rows."""
    random = np.random.default_rng(1)
    plain = np.asarray(held_out[np.linspace(0, len(held_out) - 1, PLAIN).astype(int)], dtype=np.float64)
    edge = adversarial(trees, held_out, ADVERSARIAL, random)
    odd = np.resize(plain, (len(_ODD), plain.shape[1])).copy()
    for row, value in zip(odd, _ODD, strict=True):
        row[random.integers(len(row))] = value
    return np.concatenate((plain, edge, odd))
