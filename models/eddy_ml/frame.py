# SPDX-License-Identifier: MIT
"""Scored flows as columns: libeddy gathers them, Arrow takes them over without a copy or a call for each flow."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_int64, c_void_p

import pyarrow as pa

from eddy_ml import lib


class _Schema(ctypes.Structure):
    """struct ArrowSchema of the Arrow C data interface; only pyarrow looks inside."""

    _fields_ = (
        ("format", c_void_p),
        ("name", c_void_p),
        ("metadata", c_void_p),
        ("flags", c_int64),
        ("n_children", c_int64),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


class _Array(ctypes.Structure):
    """struct ArrowArray, likewise."""

    _fields_ = (
        ("length", c_int64),
        ("null_count", c_int64),
        ("offset", c_int64),
        ("n_buffers", c_int64),
        ("n_children", c_int64),
        ("buffers", c_void_p),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


class Frame:
    """An eddy_frame. `hook` is the function that fills it, `handle` the `user` to give it."""

    def __init__(self) -> None:
        self._library = lib.load()
        error, out = lib.Error(), c_void_p()
        lib.check(self._library.eddy_frame_new(byref(out), byref(error)), error)
        self.handle = out
        self.hook = ctypes.cast(self._library.eddy_frame_scored, c_void_p)

    def take(self) -> pa.RecordBatch:
        """The rows gathered since the last call."""
        schema, array, error = _Schema(), _Array(), lib.Error()
        status = self._library.eddy_frame_export(self.handle, byref(schema), byref(array), byref(error))
        lib.check(status, error)
        return pa.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))

    def close(self) -> None:
        self._library.eddy_frame_free(self.handle)
        self.handle = c_void_p()
