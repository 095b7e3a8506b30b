# SPDX-License-Identifier: MIT
"""Logs -> a table of columns: what models are trained on.

libeddy works the columns out, the same code as on the sensor; nothing is worked out again here. Several logs are one
stream of time, in the order given: windows, pairs and the detectors' pasts go on from one to the next.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from eddy_ml import lib
from eddy_ml.stream import Log, Report, Settings, Stream

KEYS = ("id", "start", "src", "dst", "src_port", "dst_port", "proto", "state", "app")
COUNTS = ("duration_us", "flow_bytes_out", "flow_bytes_in", "flow_packets_out", "flow_packets_in")
VERDICT = ("score", "p", "detector", "flags")


def names() -> list[str]:
    """The feature columns, in libeddy's order."""
    return lib.feature_names()


def select(batch: pa.RecordBatch, wanted: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.column(batch.schema.get_field_index(name)) for name in wanted], wanted)


def batches(
    logs: Iterable[Log], settings: Settings | None = None, log_format: str | None = None, report: Report | None = None
) -> Iterator[pa.RecordBatch]:
    """The table piece by piece, so that memory stays bounded; `report` is filled by the end."""
    kept = [*KEYS, *names(), *VERDICT]
    with Stream(settings, log_format) as stream:
        if report is not None:
            stream.report = report
        for batch in stream.batches(logs):
            yield select(batch, kept)


def table(
    logs: Iterable[Log], settings: Settings | None = None, log_format: str | None = None, report: Report | None = None
) -> pa.Table:
    """Keys of each flow, all feature columns, and the verdict of the engine's own detectors."""
    return pa.Table.from_batches(batches(logs, settings, log_format, report))


def matrix(flows: pa.Table, columns: list[str] | None = None) -> npt.NDArray[np.float64]:
    """Feature columns as rows of doubles, for a trainer or for predict.Model; all of them unless named."""
    wanted = columns or names()
    out = np.empty((flows.num_rows, len(wanted)))
    for i, name in enumerate(wanted):
        out[:, i] = flows.column(name).to_numpy()
    return out


def write(batches_of: Iterator[pa.RecordBatch], path: Log) -> int:
    """Batches as a Parquet file; returns the number of rows."""
    first = next(batches_of)
    rows: int = first.num_rows
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_batch(first)
        for batch in batches_of:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


# ---- python3 -m eddy_ml features ----


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("logs", nargs="+", metavar="LOG", help="eve.json or conn.log, .gz and .zst too")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the Parquet file to write")
    parser.add_argument("-s", "--set", action="append", default=[], metavar="SECTION.NAME=VALUE",
                        help="one setting, as in eddy.conf; may be repeated")  # fmt: skip
    parser.add_argument("-f", "--format", choices=("eve", "zeek-json", "zeek-tsv"), help="found out if not given")
    parser.add_argument("-r", "--report", type=Path, help="where to write what became of every record, as JSON")


def settings_of(words: list[str]) -> dict[str, list[str]]:
    """["nets.local=10.0.0.0/8", ...] as a dictionary; one that comes again is a list's next entry."""
    found: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"-s {word}: not section.name=value")
        found.setdefault(key, []).append(value)
    return found


def tell(report: Report, rows: int, output: Path, where: Path | None) -> int:
    """Says what became of the records; the exit status."""
    if where is not None:
        where.write_text(json.dumps(report.as_dict(), indent=2) + "\n")
    print(f"{output}: {rows} flows; {report.read} records read, {report.skipped} skipped, {report.rejected} rejected")
    for name, reason in {**report.rejected_by, **report.skipped_by}.items():
        print(f"  {reason.count:9} {name}: {reason.help}")
    for name, flows in report.corrected_by.items():
        print(f"  {flows:9} flows corrected: {name}")
    for log, why in report.unreadable.items():
        print(f"{log}: {why}", file=sys.stderr)
    return 1 if report.unreadable or rows == 0 else 0


def run(options: argparse.Namespace) -> int:
    report = Report()
    rows = write(batches(options.logs, settings_of(options.set), options.format, report), options.output)
    return tell(report, rows, options.output, options.report)
