# SPDX-License-Identifier: MIT
"""libeddy by ctypes: finds it, declares what of core/eddy.h this package uses, turns errors into exceptions.

Which library: $EDDY_LIBRARY if that is set; else the newest of the build trees, where this package lies in a clone;
else the one that the system's loader finds.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterator
from ctypes import POINTER, c_char, c_char_p, c_double, c_int, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

from eddy_ml import __version__

FEATURE_BINS = 16
_SONAME = "libeddy.so.0"
_INSTRUMENTED = ("asan", "tsan", "fuzz", "cov")  # builds that only programs built alike can load


class EddyError(Exception):
    """What libeddy said went wrong, in words for the person who set it up."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Error(ctypes.Structure):
    _fields_ = (("code", c_int), ("message", c_char * 252))


class Hooks(ctypes.Structure):
    """The functions are those of a library, or NULL: nothing of Python runs for each flow."""

    _fields_ = (
        ("size", c_size_t),
        ("user", c_void_p),
        ("scored", c_void_p),
        ("incident", c_void_p),
        ("log", c_void_p),
        ("housekeeping", c_void_p),
    )


class Counts(ctypes.Structure):
    _fields_ = (("read", c_uint64), ("scored", c_uint64), ("skipped", c_uint64), ("rejected", c_uint64),
                ("dropped", c_uint64))  # fmt: skip


class Metric(ctypes.Structure):
    _fields_ = (("name", c_char_p), ("help", c_char_p), ("labels", c_char_p), ("value", c_double), ("kind", c_int))


class Feature(ctypes.Structure):
    _fields_ = (("name", c_char_p), ("help", c_char_p))


class ModelInfo(ctypes.Structure):
    _fields_ = (
        ("size", c_size_t),
        ("name", c_char_p),
        ("version", c_char_p),
        ("kind", c_char_p),
        ("sha256", c_char_p),
        ("metadata", c_char_p),
        ("trees", c_size_t),
        ("columns", c_size_t),
        ("outputs", c_size_t),
        ("column", POINTER(c_uint8)),
        ("output", POINTER(c_char_p)),
        ("benign", c_size_t),
    )


METRIC_FN = ctypes.CFUNCTYPE(c_int, POINTER(Metric), c_void_p)
FEATURE_FN = ctypes.CFUNCTYPE(c_int, POINTER(Feature), c_void_p)
REJECT_FN = ctypes.CFUNCTYPE(c_int, c_char_p, c_char_p, c_uint64, c_int, c_void_p)

_OUT = POINTER(c_void_p)
_ERR = POINTER(Error)
_DOUBLES = POINTER(c_double)

# name: (result, arguments), as core/eddy.h has them
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "eddy_version": (c_char_p, ()),
    "eddy_strerror": (c_char_p, (c_int,)),
    "eddy_config_new": (c_void_p, ()),
    "eddy_config_free": (None, (c_void_p,)),
    "eddy_config_set": (c_int, (c_void_p, c_char_p, c_char_p, _ERR)),
    "eddy_engine_new": (c_int, (c_void_p, POINTER(Hooks), _OUT, _ERR)),
    "eddy_engine_free": (None, (c_void_p,)),
    "eddy_engine_tick": (c_int, (c_void_p,)),
    "eddy_engine_metrics": (c_int, (c_void_p, METRIC_FN, c_void_p)),
    "eddy_worker_new": (c_int, (c_void_p, c_char_p, c_char_p, _OUT, _ERR)),
    "eddy_worker_free": (None, (c_void_p,)),
    "eddy_worker_feed": (c_int, (c_void_p, c_char_p, c_size_t)),
    "eddy_worker_end": (c_int, (c_void_p,)),
    "eddy_worker_counts": (None, (c_void_p, POINTER(Counts))),
    "eddy_worker_rejects": (c_int, (c_void_p, REJECT_FN, c_void_p)),
    "eddy_features": (c_int, (FEATURE_FN, c_void_p)),
    "eddy_feature_bins": (c_int, (c_size_t, _DOUBLES, c_size_t, POINTER(c_uint32))),
    "eddy_feature_fingerprint": (c_int, (POINTER(c_uint8), c_size_t, POINTER(c_char))),
    "eddy_frame_new": (c_int, (_OUT, _ERR)),
    "eddy_frame_free": (None, (c_void_p,)),
    "eddy_frame_export": (c_int, (c_void_p, c_void_p, c_void_p, _ERR)),
    "eddy_model_open": (c_int, (c_char_p, _OUT, _ERR)),
    "eddy_model_free": (None, (c_void_p,)),
    "eddy_model_describe": (None, (c_void_p, POINTER(ModelInfo))),
    "eddy_model_predict": (None, (c_void_p, _DOUBLES, c_size_t, _DOUBLES)),
    "eddy_model_sums": (None, (c_void_p, _DOUBLES, c_size_t, _DOUBLES)),
}


def _candidates() -> Iterator[str]:
    named = os.environ.get("EDDY_LIBRARY")
    if named:
        yield named
        return
    clone = Path(__file__).resolve().parents[2]
    built = [path for path in clone.glob(f"build/*/core/{_SONAME}")
             if not any(word in path.parts[-3] for word in _INSTRUMENTED)]  # fmt: skip
    yield from map(str, sorted(built, key=lambda path: path.stat().st_mtime, reverse=True))
    yield _SONAME


def _declare(library: ctypes.CDLL, path: str) -> None:
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise EddyError(-2, f"{path}: has no {name}: it is older than this package") from None
        function.restype = result
        function.argtypes = arguments


def _check_version(library: ctypes.CDLL, path: str) -> None:
    version = library.eddy_version().decode()
    if version.split(".")[:2] != __version__.split(".")[:2]:
        raise EddyError(-2, f"{path}: eddy {version}, but this package is of {__version__}")


@functools.cache
def load() -> ctypes.CDLL:
    """libeddy, once for the process."""
    faults = []
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
        except OSError as error:
            faults.append(str(error))
            continue
        _declare(library, path)
        _check_version(library, path)
        return library
    raise EddyError(-3, "libeddy was not found: install eddy, or set EDDY_LIBRARY to the path of libeddy.so\n  "
                    + "\n  ".join(faults))  # fmt: skip


def check(status: int, error: Error | None = None) -> int:
    """A result of libeddy's; raises EddyError if it is a failure."""
    if status >= 0:
        return status
    message = error.message.decode(errors="replace") if error is not None else ""
    raise EddyError(status, message or load().eddy_strerror(status).decode())


def text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


@functools.cache
def feature_helps() -> dict[str, str]:
    """The names of all columns in libeddy's order, with what they mean."""
    found: dict[str, str] = {}

    def each(feature: Any, _user: object) -> int:
        found[text(feature.contents.name)] = text(feature.contents.help)
        return 0

    check(load().eddy_features(FEATURE_FN(each), None))
    return found


def feature_names() -> list[str]:
    """The names of all columns, in libeddy's order."""
    return list(feature_helps())


def feature_place(name: str) -> int:
    """The place of a column among all; ValueError if there is no such column."""
    try:
        return feature_names().index(name)
    except ValueError:
        raise ValueError(f"'{name}' is no column of libeddy's: it has {', '.join(feature_names())}") from None


def fingerprint(columns: list[str]) -> bytes:
    """The 32 bytes that stand for names and formulas of these columns, in this order."""
    places = (c_uint8 * len(columns))(*map(feature_place, columns))
    out = ctypes.create_string_buffer(65)
    check(load().eddy_feature_fingerprint(places, len(columns), out))
    return bytes.fromhex(out.value.decode())


def bins(column: str, values: Any) -> list[int]:
    """How many of the values (an array of doubles) are in each of the bins that model files keep of a column."""
    import numpy

    doubles = numpy.ascontiguousarray(values, dtype=numpy.float64)
    out = (c_uint32 * FEATURE_BINS)()
    status = load().eddy_feature_bins(feature_place(column), doubles.ctypes.data_as(_DOUBLES), len(doubles), out)
    check(status)
    return list(out)
