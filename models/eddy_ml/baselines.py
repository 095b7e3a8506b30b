# SPDX-License-Identifier: MIT
"""What a model must beat to be worth having: eddy's own score without it, and the best single column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eddy_ml.captures import Flows
from eddy_ml.measures import roc_auc, steps_of


@dataclass(frozen=True)
class OneColumn:
    name: str
    rising: bool  # the higher, the more likely an attack
    roc_auc: float  # on the flows that it was chosen by

    def score(self, flows: Flows) -> npt.NDArray[np.float64]:
        """A missing value counts as the least suspicious."""
        values = flows.matrix([self.name])[:, 0]
        score = values if self.rising else -values
        return np.where(np.isnan(score), -np.inf, score)


def best_column(flows: Flows, columns: list[str]) -> OneColumn | None:
    """By its ROC-AUC on flows with a label, as a rule on that column alone would be made. None: of one class only."""
    attack = flows.attack
    found: list[OneColumn] = []
    for name in columns:
        rising = OneColumn(name, True, 0.0)
        area = roc_auc(steps_of(attack, rising.score(flows)))
        if np.isnan(area):
            return None
        found.append(OneColumn(name, area >= 0.5, max(area, 1.0 - area)))
    return max(found, key=lambda one: one.roc_auc)
