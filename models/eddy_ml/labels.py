# SPDX-License-Identifier: MIT
"""Labels: CSV, a row for each flow, joined by the sensor's id of the flow.

Read are what `eddy mark --export` writes (id,label,family), the truth-flows.csv of tests/lab
(uid-or-flow_id,label,kind) and tables with several ids (uid,flow_id,label,family): the id column is the one that names
most flows of the log.
label: 1 attack, 0 benign, -1 not known, which is left out.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BENIGN, ATTACK = "benign", "attack"  # names of classes; ATTACK: of a family without a name
IDS = ("id", "uid-or-flow_id", "uid", "flow_id", "community_id")
FAMILIES = ("family", "kind")


@dataclass(frozen=True)
class Joined:
    """The class of each flow in its order; None: left out."""

    classes: list[str | None]
    by: str  # the id column
    labelled: int  # flows with a label, also -1
    disputed: int  # flows whose id has labels that differ: left out
    without_flow: int  # labels that name no flow of the log


def text_of(path: Path) -> str:
    """Without the mark that spreadsheets begin a file with."""
    packed = path.read_bytes()
    try:
        return (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode("utf-8-sig")
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None


def rows_of(text: str) -> list[dict[str, str]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    if "label" not in header or not set(header) & set(IDS):
        raise ValueError(f"no labels: a header with 'label' and one of {', '.join(IDS)} is needed")
    rows = []
    for row in filter(None, reader):
        if len(row) != len(header):
            raise ValueError(f"line {reader.line_num} has {len(row)} values, the header {len(header)}")
        rows.append(dict(zip(header, row, strict=True)))
    return rows


def read_rows(path: Path) -> list[dict[str, str]]:
    text = text_of(path)
    try:
        rows = rows_of(text)
    except (csv.Error, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    if not rows:
        raise ValueError(f"{path}: no labels: nothing follows the header")
    return rows


def id_column(rows: list[dict[str, str]], ids: set[str], path: Path) -> str:
    hits = {name: sum(row[name] in ids for row in rows) for name in IDS if name in rows[0]}
    best = max(hits, key=lambda name: hits[name])
    if hits[best] == 0:
        raise ValueError(f"{path}: names no flow of the log (looked at {', '.join(hits)})")
    return best


def class_of(row: dict[str, str], where: str) -> str | None:
    label = row["label"].strip()
    if label not in ("0", "1", "-1"):
        raise ValueError(f"{where}: label '{label}': not 1, 0 or -1")
    if label == "-1":
        return None
    if label == "0":
        return BENIGN
    family = next((row[name].strip() for name in FAMILIES if row.get(name)), "")
    return family if family not in ("", BENIGN) else ATTACK


def join(path: Path, ids: Iterable[str], unlabelled: str | None) -> Joined:
    """`unlabelled`: the class of flows that no label names."""
    flows = list(ids)
    rows = read_rows(path)
    known = set(flows)
    by = id_column(rows, known, path)
    class_by: dict[str, set[str | None]] = {}
    for line, row in enumerate(rows, 2):
        class_by.setdefault(row[by], set()).add(class_of(row, f"{path}:{line}"))
    disputed = {flow for flow, found in class_by.items() if len(found) > 1}
    classes = [unlabelled if flow not in class_by else None if flow in disputed else next(iter(class_by[flow]))
               for flow in flows]
    return Joined(classes, by, sum(flow in class_by for flow in flows), sum(flow in disputed for flow in flows),
                  len(class_by.keys() - known))
