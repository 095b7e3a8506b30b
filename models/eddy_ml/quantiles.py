# SPDX-License-Identifier: MIT
"""How each column was distributed in training: what later data are compared with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SHARES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def quantiles(values: npt.NDArray[np.float64], columns: list[str]) -> dict[str, dict[str, float]]:
    """Of each column, missing values left out; a column that never had a value is not there."""
    found = {}
    for i, name in enumerate(columns):
        present = values[:, i][~np.isnan(values[:, i])]
        if len(present) > 0:
            points = np.quantile(present, SHARES)
            found[name] = {f"{share:g}": float(point) for share, point in zip(SHARES, points, strict=True)}
    return found
