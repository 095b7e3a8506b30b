# SPDX-License-Identifier: MIT
"""Asks a model file through libeddy: the numbers that a sensor has."""

from __future__ import annotations

import ctypes
import json
from ctypes import POINTER, byref, c_double, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eddy_ml import lib

Doubles = npt.NDArray[np.float64]


class Model:
    """A model file that libeddy has checked and taken up. Rows have `columns` in their order."""

    def __init__(self, path: str | Path) -> None:
        self._model = c_void_p()
        self._library = lib.load()
        error = lib.Error()
        lib.check(self._library.eddy_model_open(str(path).encode(), byref(self._model), byref(error)), error)
        info = lib.ModelInfo(size=ctypes.sizeof(lib.ModelInfo))
        self._library.eddy_model_describe(self._model, byref(info))
        names = lib.feature_names()
        self.name, self.version, self.kind = lib.text(info.name), lib.text(info.version), lib.text(info.kind)
        self.sha256 = lib.text(info.sha256)
        self.metadata: dict[str, Any] = json.loads(lib.text(info.metadata))
        self.trees = int(info.trees)
        self.columns = [names[info.column[i]] for i in range(info.columns)]
        self.outputs = [lib.text(info.output[i]) for i in range(info.outputs)]
        self.benign = int(info.benign) if info.benign < info.outputs else None

    def __del__(self) -> None:
        if self._model:
            self._library.eddy_model_free(self._model)

    def _ask(self, function: Any, rows: npt.ArrayLike) -> Doubles:
        """Rows of doubles in C order are read where they are."""
        x = np.ascontiguousarray(rows, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != len(self.columns):
            raise ValueError(f"rows of {len(self.columns)} columns are wanted, not an array of shape {x.shape}")
        out = np.empty((len(x), len(self.outputs)))
        doubles = POINTER(c_double)
        function(self._model, x.ctypes.data_as(doubles), len(x), out.ctypes.data_as(doubles))
        return out

    def predict_proba(self, rows: npt.ArrayLike) -> Doubles:
        """The probability of each class; of an isolation forest one column, the score."""
        return self._ask(self._library.eddy_model_predict, rows)

    def sums(self, rows: npt.ArrayLike) -> Doubles:
        """What the leaves add up to, before the last step."""
        return self._ask(self._library.eddy_model_sums, rows)

    def score(self, rows: npt.ArrayLike) -> Doubles:
        """How much of an attack each row is, 0..1."""
        answers = self.predict_proba(rows)
        return answers[:, 0] if self.benign is None else 1.0 - answers[:, self.benign]

    def predict(self, rows: npt.ArrayLike) -> list[str]:
        """The most probable class of each row, the first of equals."""
        if self.benign is None:
            raise ValueError(f"{self.name} is an isolation forest: it has no classes")
        return [self.outputs[i] for i in self.predict_proba(rows).argmax(axis=1)]
