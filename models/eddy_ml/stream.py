# SPDX-License-Identifier: MIT
"""Logs on their way through libeddy into batches of columns, and what became of every record."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Mapping
from ctypes import byref, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from eddy_ml import lib
from eddy_ml.frame import Frame

Log = str | Path
Settings = Mapping[str, "str | list[str]"]

_PIECE = 64 * 1024  # of a log, compressed or not
_ROWS = 65536

# Looking at old logs adds nothing to the history of the sensor; without a thread all is done when a call returns.
_OWN_SETTINGS = {"history.path": "", "engine.thread": "off"}


@dataclass
class Reason:
    """Why records were skipped or rejected."""

    count: int
    help: str


@dataclass
class Report:
    """What became of the records: read = scored + skipped + rejected + dropped."""

    read: int = 0
    scored: int = 0
    skipped: int = 0
    rejected: int = 0
    dropped: int = 0
    skipped_by: dict[str, Reason] = field(default_factory=dict)
    rejected_by: dict[str, Reason] = field(default_factory=dict)
    corrected_by: dict[str, int] = field(default_factory=dict)  # flows in which a rule corrected something
    files: dict[str, int] = field(default_factory=dict)  # flows scored of each log
    unreadable: dict[str, str] = field(default_factory=dict)  # logs of which the rest could not be read, and why

    def as_dict(self) -> dict[str, Any]:
        reasons = {name: {key: vars(reason) for key, reason in getattr(self, name).items()}
                   for name in ("skipped_by", "rejected_by")}  # fmt: skip
        return vars(self) | reasons

    def _count(self, part: lib.Counts) -> None:
        for name, _ in lib.Counts._fields_:
            setattr(self, name, getattr(self, name) + getattr(part, name))

    def _reason(self, reason: str, help_text: str, count: int, rejected: bool) -> None:
        known = self.rejected_by if rejected else self.skipped_by
        known.setdefault(reason, Reason(0, help_text)).count += count


class Stream:
    """An engine that several logs go through as one stream of time, in the order given.

    settings: as in eddy.conf, {"nets.local": ["10.0.0.0/8"], "state.memory": "256M"}; a list is set repeatedly.
    log_format: "eve", "zeek-json" or "zeek-tsv"; found out from each log if not given, as is compression.
    """

    def __init__(self, settings: Settings | None = None, log_format: str | None = None) -> None:
        self.report = Report()
        self._library = lib.load()
        self._format = log_format.encode() if log_format else None
        self._engine = c_void_p()
        self._frame = Frame()
        try:
            self._open(_OWN_SETTINGS | dict(settings or {}))
        except BaseException:
            self._frame.close()
            raise

    def _open(self, settings: Settings) -> None:
        config = c_void_p(self._library.eddy_config_new())
        error = lib.Error()
        hooks = lib.Hooks(ctypes.sizeof(lib.Hooks), self._frame.handle, self._frame.hook, None, None, None)
        try:
            for key, value in settings.items():
                for one in [value] if isinstance(value, str) else value:
                    status = self._library.eddy_config_set(config, key.encode(), str(one).encode(), byref(error))
                    lib.check(status, error)
            status = self._library.eddy_engine_new(config, byref(hooks), byref(self._engine), byref(error))
            lib.check(status, error)
        finally:
            self._library.eddy_config_free(config)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._library.eddy_engine_free(self._engine)
        self._engine = c_void_p()
        self._frame.close()

    def batches(self, logs: Iterable[Log], rows: int = _ROWS) -> Iterator[pa.RecordBatch]:
        """The flows of the logs, in batches of about so many; the last may be empty, so that there is always one."""
        waiting = 0
        for log in logs:
            for flows in self._flows(log):
                waiting += flows
                if waiting >= rows:
                    yield self._frame.take()
                    waiting = 0
        self._read_metrics()
        yield self._frame.take()

    def _flows(self, log: Log) -> Iterator[int]:
        """Feeds one log; the number of flows after each piece."""
        worker, error = c_void_p(), lib.Error()
        with open(log, "rb") as file:
            status = self._library.eddy_worker_new(self._engine, str(log).encode(), self._format, byref(worker),
                                                   byref(error))  # fmt: skip
            lib.check(status, error)
            try:
                yield from self._feed(worker, file, str(log))
                self._count(worker, str(log))
            finally:
                self._library.eddy_worker_free(worker)

    def _feed(self, worker: c_void_p, file: BinaryIO, log: str) -> Iterator[int]:
        while piece := file.read(_PIECE):
            status = self._library.eddy_worker_feed(worker, piece, len(piece))
            if status < 0:
                self.report.unreadable[log] = lib.text(self._library.eddy_strerror(status))
                break
            self._library.eddy_engine_tick(self._engine)
            yield status
        status = self._library.eddy_worker_end(worker)
        if status < 0:
            self.report.unreadable.setdefault(log, lib.text(self._library.eddy_strerror(status)))
        yield max(status, 0)

    def _count(self, worker: c_void_p, log: str) -> None:
        counts = lib.Counts()
        self._library.eddy_worker_counts(worker, byref(counts))
        self.report._count(counts)
        self.report.files[log] = self.report.files.get(log, 0) + int(counts.scored)

        def each(reason: bytes, help_text: bytes, count: int, rejected: int, _user: object) -> int:
            self.report._reason(lib.text(reason), lib.text(help_text), count, rejected != 0)
            return 0

        self._library.eddy_worker_rejects(worker, lib.REJECT_FN(each), None)

    def _read_metrics(self) -> None:
        def each(metric: Any, _user: object) -> int:
            one = metric.contents
            if one.name == b"eddy_flows_corrected_total" and one.value > 0:
                rule = lib.text(one.labels).split('"')[1]
                self.report.corrected_by[rule] = int(one.value)
            return 0

        lib.check(self._library.eddy_engine_metrics(self._engine, lib.METRIC_FN(each), None))
