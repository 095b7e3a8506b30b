# SPDX-License-Identifier: MIT
"""Trees of any trainer, brought into the order of the file: parents first, siblings side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eddy_ml.trees import FLT_MAX, LEAF, MISSING_LEFT, NODE4, NODE8, Counts, Doubles, Trees, demand

COVER_MOST = 0xFFFFFFFF


@dataclass
class RawTree:
    """One tree as its trainer numbers the nodes; the root is node 0."""

    left: npt.NDArray[np.int64]  # child; negative: a leaf
    right: npt.NDArray[np.int64]
    column: npt.NDArray[np.int64]  # of the model's columns
    threshold: Doubles  # goes left where x <= threshold
    missing_left: npt.NDArray[np.bool_]
    cover: npt.NDArray[np.int64]  # training samples that came by
    values: Doubles  # (nodes, outputs); only those of leaves matter


def within(thresholds: Doubles) -> Doubles:
    """A threshold above all floats (scikit-learn's where only missing values go right) is the largest float."""
    return np.minimum(thresholds, FLT_MAX)


def floats_below(thresholds: Doubles) -> npt.NDArray[np.float32]:
    """The largest float that is not above each threshold: for any float x, x <= it just where x <= threshold."""
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest.astype(np.float64) > thresholds, below, nearest).astype(np.float32)


def order(tree: RawTree) -> npt.NDArray[np.int64]:
    """The trainer's numbers of the nodes in the file's order.

    The children of a node are a pair. The pair below the child that more samples went to follows first, so that the
    usual way down is a run through memory.
    """
    left, right, cover = tree.left.tolist(), tree.right.tolist(), tree.cover.tolist()
    out = [0]
    waiting = [0] if left[0] >= 0 else []
    while waiting:
        node = waiting.pop()
        pair = (left[node], right[node])
        out.extend(pair)
        light, heavy = pair if cover[pair[0]] <= cover[pair[1]] else pair[::-1]
        waiting.extend(child for child in (light, heavy) if left[child] >= 0)
    demand(len(out) == len(left), "a tree has nodes that its root does not lead to")
    return np.array(out, dtype=np.int64)


def arrange(trees: Sequence[RawTree], threshold_bytes: int = 4) -> Trees:
    """All trees one after the other. Leaves with the same values share them."""
    first: Counts = np.cumsum([0, *(len(tree.left) for tree in trees[:-1])]).astype(np.uint32)
    placed = [_place(tree, int(root), threshold_bytes) for tree, root in zip(trees, first, strict=True)]
    nodes = np.concatenate([nodes for nodes, _ in placed])
    values = np.ascontiguousarray(np.concatenate([values for _, values in placed]), dtype=np.float64)
    kept, number = _shared(values)
    nodes["left"][nodes["column"] == LEAF] = number
    return Trees(first, nodes, kept)


def _place(tree: RawTree, root: int, threshold_bytes: int) -> tuple[npt.NDArray[np.void], Doubles]:
    """The nodes of one tree that begins at `root`, and the values of its leaves in their order."""
    source = order(tree)
    place = np.empty(len(source), dtype=np.int64)
    place[source] = np.arange(len(source))
    nodes = np.zeros(len(source), dtype=NODE8 if threshold_bytes == 8 else NODE4)
    leaf = tree.left[source] < 0
    split = source[~leaf]
    thresholds = within(tree.threshold[split])
    nodes["cover"] = np.clip(tree.cover[source], 0, COVER_MOST)
    nodes["column"][leaf] = LEAF
    bits = np.where(tree.missing_left[split], MISSING_LEFT, 0)
    nodes["column"][~leaf] = tree.column[split] | bits
    nodes["threshold"][~leaf] = thresholds if threshold_bytes == 8 else floats_below(thresholds)
    nodes["left"][~leaf] = place[tree.left[split]] + root
    return nodes, tree.values[source[leaf]]


def _shared(values: Doubles) -> tuple[Doubles, npt.NDArray[np.int64]]:
    """Every value once, in the order they first come, and for each leaf which it is. Equal means: of the same bits."""
    bits = values.view(np.dtype((np.void, values.dtype.itemsize * values.shape[1]))).ravel()
    _, begins, number = np.unique(bits, return_index=True, return_inverse=True)
    by_place = np.argsort(begins, kind="stable")
    rank = np.empty_like(by_place)
    rank[by_place] = np.arange(len(by_place))
    return values[begins[by_place]], rank[number.ravel()]
