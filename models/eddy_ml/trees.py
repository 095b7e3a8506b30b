# SPDX-License-Identifier: MIT
"""The trees of a model file: nodes as the file has them, what must hold of them, and what rows come to in them.

This is the second implementation of the file's rules beside the C one: plain, slow, for tests and tools. Sensors and
servers ask libeddy (eddy_ml.predict).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint32]

LEAF = 0xFFFFFFFF  # as a node's column
MISSING_LEFT = 0x80000000  # in a node's column: a missing value goes left

TREES_MOST = 1024
NODES_MOST = (1 << 24) - 1
DEEPEST = 255
DEPTHS_MOST = 65536
FLT_MAX = float(np.finfo(np.float32).max)

NODE4 = np.dtype([("threshold", "<f4"), ("column", "<u4"), ("left", "<u4"), ("cover", "<u4")])
NODE8 = np.dtype([("threshold", "<f8"), ("column", "<u4"), ("left", "<u4"), ("cover", "<u4"), ("zero", "<u4")])


class ModelFileError(ValueError):
    """What is wrong with a model file, or with a model that is to become one."""


def demand(holds: object, what: str) -> None:
    if not holds:
        raise ModelFileError(what)


@dataclass
class Trees:
    """All trees of a model, in the layout of the file."""

    first: Counts  # node of each tree
    nodes: npt.NDArray[np.void]  # NODE4 or NODE8
    leaves: Doubles  # (leaves, outputs)

    @property
    def outputs(self) -> int:
        return int(self.leaves.shape[1])

    @property
    def threshold_bytes(self) -> int:
        return 8 if self.nodes.dtype == NODE8 else 4

    def ends(self) -> Counts:
        """The node after the last of each tree."""
        return np.append(self.first[1:], np.uint32(len(self.nodes))).astype(np.uint32)

    def check(self, columns: int) -> None:
        """Raises ModelFileError unless every walk stays inside and ends, as the C reader demands."""
        n = len(self.nodes)
        demand(1 <= len(self.first) <= TREES_MOST, f"{len(self.first)} trees: not 1..{TREES_MOST}")
        demand(1 <= n <= NODES_MOST, f"{n} nodes: not 1..{NODES_MOST}")
        demand(1 <= len(self.leaves) <= n, "no leaves, or more than nodes")
        first, ends = self.first.astype(np.int64), self.ends().astype(np.int64)
        demand(first[0] == 0 and (first < ends).all() and (ends <= n).all(), "its trees are not one after the other")
        column, left = self.nodes["column"], self.nodes["left"].astype(np.int64)
        leaf = column == LEAF
        demand((left[leaf] < len(self.leaves)).all(), "a leaf has no value")
        split = np.flatnonzero(~leaf)
        place = column[split] & ~np.uint32(MISSING_LEFT)
        demand((place < columns).all(), "a node splits on what is no column")
        demand(np.isfinite(self.nodes["threshold"][split]).all(), "a threshold is no number")
        end_of = np.repeat(ends, ends - first)
        own = (left[split] > split) & (left[split] + 1 < end_of[split])
        demand(own.all(), "a node's children do not come after it in its tree")
        child = np.concatenate((left[split], left[split] + 1))
        parents = np.bincount(child, minlength=n)
        wanted = np.ones(n, dtype=np.int64)
        wanted[first] = 0
        demand((parents == wanted).all(), "a node has no parent, or several")
        self._check_depths(split, left, first, ends)

    def _check_depths(self, split: npt.NDArray[np.int64], left: npt.NDArray[np.int64],
                      first: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> None:  # fmt: skip
        depth = np.zeros(len(self.nodes), dtype=np.int64)
        level = first[np.isin(first, split, assume_unique=True)]
        is_split = np.zeros(len(self.nodes), dtype=bool)
        is_split[split] = True
        for below in range(1, DEEPEST + 2):
            if len(level) == 0:
                break
            demand(below <= DEEPEST, f"a leaf is more than {DEEPEST} splits below its root")
            children = np.concatenate((left[level], left[level] + 1))
            depth[children] = below
            level = children[is_split[children]]
        total = int(np.maximum.reduceat(depth, first).sum())
        demand(total <= DEPTHS_MOST, f"the trees' depths add up to {total}: more than {DEPTHS_MOST}")

    def leaf_numbers(self, rows: Doubles) -> npt.NDArray[np.int64]:
        """For each row and tree, the number of the leaf's value."""
        x = as_walked(rows, self.threshold_bytes)
        out = np.empty((len(x), len(self.first)), dtype=np.int64)
        column, left = self.nodes["column"], self.nodes["left"].astype(np.int64)
        threshold = self.nodes["threshold"]
        for tree, root in enumerate(self.first):
            at = np.full(len(x), root, dtype=np.int64)
            going = np.flatnonzero(column[at] != LEAF)
            while len(going):
                node = at[going]
                value = x[going, column[node] & ~np.uint32(MISSING_LEFT)]
                missing_left = np.isnan(value) & ((column[node] & np.uint32(MISSING_LEFT)) != 0)
                goes_left = (value <= threshold[node]) | missing_left
                at[going] = left[node] + ~goes_left
                going = going[column[at[going]] != LEAF]
            out[:, tree] = left[at]
        return out

    def sums(self, rows: Doubles, base: Doubles | None = None) -> Doubles:
        """What the leaves of each row add up to, tree by tree."""
        total = np.zeros((len(rows), self.outputs))
        if base is not None:
            total += base
        for leaf in self.leaf_numbers(rows).T:
            total += self.leaves[leaf]
        return total


def as_walked(rows: Doubles, threshold_bytes: int) -> npt.NDArray[np.float32] | Doubles:
    """Rows as thresholds of that size are compared with; what is beyond a float is the largest float."""
    clamped = np.clip(np.asarray(rows, dtype=np.float64), -FLT_MAX, FLT_MAX)
    return clamped if threshold_bytes == 8 else clamped.astype(np.float32)
