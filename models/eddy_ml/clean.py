# SPDX-License-Identifier: MIT
"""Logs -> a table of flows, one form for all sensors, and a report of what became of every record.

Counts are as the sensor logged them, with source and destination put right, and null where it logged none; `corrected`
marks flows in which something was impossible: the columns of `features` are worked out from corrected counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from eddy_ml import features
from eddy_ml.stream import Log, Report, Settings, Stream

_CLEANED = 1 << 2  # EDDY_CLEANED


def batches(
    logs: Iterable[Log], settings: Settings | None = None, log_format: str | None = None, report: Report | None = None
) -> Iterator[pa.RecordBatch]:
    """The table piece by piece, so that memory stays bounded; `report` is filled by the end."""
    with Stream(settings, log_format) as stream:
        if report is not None:
            stream.report = report
        for batch in stream.batches(logs):
            flags = np.asarray(batch.column(batch.schema.get_field_index("flags")))
            flows = features.select(batch, [*features.KEYS, *features.COUNTS])
            corrected = pa.array((flags & _CLEANED) != 0)
            yield pa.RecordBatch.from_arrays([*flows.columns, corrected], [*flows.schema.names, "corrected"])


def table(
    logs: Iterable[Log], settings: Settings | None = None, log_format: str | None = None, report: Report | None = None
) -> pa.Table:
    """One row for each flow that could be made sense of."""
    return pa.Table.from_batches(batches(logs, settings, log_format, report))


# ---- python3 -m eddy_ml clean ----

arguments = features.arguments


def run(options: argparse.Namespace) -> int:
    report = Report()
    flows = batches(options.logs, features.settings_of(options.set), options.format, report)
    return features.tell(report, features.write(flows, options.output), options.output, options.report)
