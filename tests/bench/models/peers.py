# SPDX-License-Identifier: MIT
"""Those that walk the same forest: each answers all rows in batches of a size, with one thread.

A peer that is called by Python for each batch says so with `call`: what a call costs that does next to nothing, so that
it can be taken off. The others are called by loops.c.
"""

from __future__ import annotations

import ctypes
import subprocess
import time
from ctypes import byref, c_double, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import onnxruntime
import tl2cgen
import treelite
from eddy_ml.predict import Model
from skl2onnx import to_onnx
from sklearn.ensemble import IsolationForest, RandomForestClassifier

from forests import Forest

Array = npt.NDArray[Any]


def address(array: Array) -> c_void_p:
    return array.ctypes.data_as(c_void_p)


def pointer(function: Any) -> c_void_p:
    return ctypes.cast(function, c_void_p)


class Peer:
    """answers(rows, batch): one probability of an attack (or score) for each row; exact: equal to the trainer's."""

    name = ""
    exact = False
    call = 0.0  # seconds that a call by Python takes before anything is done

    def answers(self, rows: Array, batch: int) -> Array:
        raise NotImplementedError


class Eddy(Peer):
    name, exact = "eddy (C)", True

    def __init__(self, forest: Forest, loops: ctypes.CDLL) -> None:
        self.model, self.loops = Model(forest.path), loops
        self.outputs = len(self.model.outputs)
        self.predict = pointer(self.model._library.eddy_model_predict)

    def answers(self, rows: Array, batch: int) -> Array:
        out = np.empty((len(rows), self.outputs))
        self.loops.loop_eddy(
            self.predict,
            self.model._model,
            address(rows),
            c_size_t(rows.shape[1]),
            c_size_t(len(rows)),
            c_size_t(batch),
            address(out),
            c_size_t(self.outputs),
        )
        return out[:, -1]


class EddyFromPython(Eddy):
    name = "eddy (ctypes)"

    def answers(self, rows: Array, batch: int) -> Array:
        out = np.empty((len(rows), self.outputs))
        predict, model, width = self.model._library.eddy_model_predict, self.model._model, rows.shape[1] * 8
        doubles, begin, end = ctypes.POINTER(c_double), rows.ctypes.data, out.ctypes.data
        for i in range(0, len(rows), batch):
            predict(
                model, ctypes.cast(begin + i * width, doubles), batch, ctypes.cast(end + i * self.outputs * 8, doubles)
            )
        return out[:, -1]


class ScikitLearn(Peer):
    name, exact = "scikit-learn", True

    def __init__(self, forest: Forest) -> None:
        self.estimator = forest.estimator

    def answers(self, rows: Array, batch: int) -> Array:
        ask = (
            self.estimator.score_samples
            if isinstance(self.estimator, IsolationForest)
            else self.estimator.predict_proba
        )
        parts = [ask(rows[i : i + batch]) for i in range(0, len(rows), batch)]
        whole = np.concatenate(parts)
        return -whole if whole.ndim == 1 else whole[:, -1]


class OnnxRuntime(Peer):
    """Asked for the probabilities alone, input and output bound beforehand: of its ways from Python the fastest by far
    (run() takes 8 us more a call, run_with_ort_values() 70)."""

    name = "ONNX Runtime"

    def __init__(self, forest: Forest) -> None:
        one = forest.rows[:1].astype(np.float32)
        self.offset = getattr(forest.estimator, "offset_", None)
        self.outputs = 1 if self.offset is not None else len(forest.estimator.classes_)
        self.session = self._session(forest.estimator, one)
        small = RandomForestClassifier(1, max_depth=1, random_state=1).fit(forest.rows[:500], forest.rows[:500, 0] > 0)
        self.call = self._least(self._session(small, one), one)

    def _session(self, estimator: Any, one: Array) -> onnxruntime.InferenceSession:
        zipmap = {} if isinstance(estimator, IsolationForest) else {id(estimator): {"zipmap": False}}
        model = to_onnx(estimator, one, options=zipmap, target_opset={"": 17, "ai.onnx.ml": 3})
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    @staticmethod
    def _bound(session: onnxruntime.InferenceSession, x: Array, out: Array) -> Any:
        binding, name = session.io_binding(), session.get_outputs()[-1].name
        binding.bind_cpu_input("X", x)
        binding.bind_output(name, "cpu", 0, np.float32, out.shape, out.ctypes.data)
        return binding

    def _least(self, session: onnxruntime.InferenceSession, one: Array) -> float:
        """A tree with one split: what is left is the call and the session."""
        binding, times = self._bound(session, one, np.empty((1, 2), np.float32)), []
        for _ in range(20):
            begin = time.thread_time()
            for _ in range(200):
                session.run_with_iobinding(binding)
            times.append((time.thread_time() - begin) / 200)
        return min(times)

    def prepare(self, rows: Array, batch: int) -> tuple[Array, Array, list[Any]]:
        x, out = rows.astype(np.float32), np.empty((len(rows), self.outputs), np.float32)
        return (
            x,
            out,
            [self._bound(self.session, x[i : i + batch], out[i : i + batch]) for i in range(0, len(x), batch)],
        )

    def run(self, bindings: list[Any]) -> None:
        for binding in bindings:
            self.session.run_with_iobinding(binding)

    def answers(self, rows: Array, batch: int) -> Array:
        _, out, bindings = self.prepare(rows, batch)
        self.run(bindings)
        return -(out[:, 0] + self.offset) if self.offset is not None else out[:, -1]


class Tl2cgen(Peer):
    """Generated C, compiled with -O3, its function called directly."""

    name = "TL2cgen, gcc -O3"

    def __init__(self, forest: Forest, loops: ctypes.CDLL, folder: Path) -> None:
        model = treelite.sklearn.import_model(forest.estimator)
        begin = time.monotonic()
        source = folder / (forest.path.stem + "-c")
        tl2cgen.generate_c_code(model, dirpath=str(source), params={"parallel_comp": 8})
        library = source / "forest.so"
        for unit in source.glob("*.c"):
            subprocess.run(
                ["cc", "-O3", "-std=c99", "-fPIC", "-w", "-c", str(unit), "-o", str(unit) + ".o"], check=True
            )
        subprocess.run(["cc", "-shared", "-o", str(library), *map(str, source.glob("*.o")), "-lm"], check=True)
        self.name += f" ({time.monotonic() - begin:.0f} s to make)"
        self.outputs, self.loops = len(forest.estimator.classes_), loops
        self.predict = pointer(ctypes.CDLL(str(library)).predict)

    def answers(self, rows: Array, batch: int) -> Array:
        out = np.empty((len(rows), self.outputs))
        self.loops.loop_tl2cgen(
            self.predict,
            address(rows),
            c_size_t(rows.shape[1]),
            c_size_t(len(rows)),
            address(out),
            c_size_t(self.outputs),
        )
        return out[:, -1]


class Treelite(Peer):
    """GTIL, its interpreter."""

    name = "treelite GTIL"

    def __init__(self, forest: Forest) -> None:
        self.model = treelite.sklearn.import_model(forest.estimator)

    def answers(self, rows: Array, batch: int) -> Array:
        parts = [treelite.gtil.predict(self.model, rows[i : i + batch], nthread=1) for i in range(0, len(rows), batch)]
        return np.concatenate(parts).reshape(len(rows), -1)[:, -1]


class LightGbm(Peer):
    """Its C interface: one row by the fast call, batches by the usual one."""

    name = "LightGBM (C)"

    def __init__(self, forest: Forest, loops: ctypes.CDLL) -> None:
        self.booster, self.loops, self.library = forest.estimator.booster_, loops, lightgbm.basic._LIB
        self.handle, self.fast = self.booster._handle, c_void_p()
        status = self.library.LGBM_BoosterPredictForMatSingleRowFastInit(
            self.handle,
            c_int(0),
            c_int(0),
            c_int(0),
            c_int(1),
            c_int(forest.rows.shape[1]),
            b"num_threads=1",
            byref(self.fast),
        )
        if status != 0:
            raise OSError("LightGBM does not take its own model")

    def answers(self, rows: Array, batch: int) -> Array:
        out = np.empty(len(rows))
        if batch == 1:
            self.loops.loop_lightgbm_one(
                pointer(self.library.LGBM_BoosterPredictForMatSingleRowFast),
                self.fast,
                address(rows),
                c_size_t(rows.shape[1]),
                c_size_t(len(rows)),
                address(out),
                c_size_t(1),
            )
            return out
        length = c_int64()
        for i in range(0, len(rows), batch):
            part = rows[i : i + batch]
            self.library.LGBM_BoosterPredictForMat(
                self.handle,
                address(part),
                c_int(1),
                c_int(len(part)),
                c_int(part.shape[1]),
                c_int(1),
                c_int(0),
                c_int(0),
                c_int(0),
                b"num_threads=1",
                byref(length),
                address(out[i:]),
            )
        return out


def peers_of(forest: Forest, loops: ctypes.CDLL, folder: Path, generate: bool) -> list[Peer]:
    ours: list[Peer] = [Eddy(forest, loops), EddyFromPython(forest, loops)]
    if isinstance(forest.estimator, lightgbm.LGBMClassifier):
        return [*ours, LightGbm(forest, loops)]
    peers = [*ours, ScikitLearn(forest), OnnxRuntime(forest)]
    if not isinstance(forest.estimator, IsolationForest):
        peers.append(Treelite(forest))  # its isolation forests have another formula
        if forest.generated and generate:
            peers.append(Tl2cgen(forest, loops, folder))
    return peers
