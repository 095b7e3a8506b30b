# SPDX-License-Identifier: MIT
"""What an importer makes of a fitted estimator: everything of a model that its trainer knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eddy_ml.layout import RawTree
from eddy_ml.model_file import BOOSTED, ISOLATION
from eddy_ml.trees import Doubles


@dataclass
class Grown:
    """`sums` is the trainer's own arithmetic: leaves of rows, added tree by tree, as doubles. Golden sums are its."""

    kind: int
    normaliser: float
    threshold_bytes: int
    columns: int
    class_names: list[str]  # empty for an isolation forest
    trees: list[RawTree]
    base: Doubles | None
    sums: Callable[[Doubles], Doubles]

    def probabilities(self, sums: Doubles) -> Doubles:
        """Of each class; of an isolation forest one column, the score."""
        if self.kind == ISOLATION:
            return np.asarray(2.0 ** (-sums / (len(self.trees) * self.normaliser)))
        if self.kind != BOOSTED:
            return sums / len(self.trees)
        if sums.shape[1] == 1:
            second = 1.0 / (1.0 + np.exp(-sums))
            return np.concatenate((1.0 - second, second), axis=1)
        powers = np.exp(sums - sums.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def scores(self, sums: Doubles, benign: int) -> Doubles:
        """How much of an attack each row is, 0..1, as a sensor sees it."""
        answers = self.probabilities(sums)
        return answers[:, 0] if self.kind == ISOLATION else 1.0 - answers[:, benign]
