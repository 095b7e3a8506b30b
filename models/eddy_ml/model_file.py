# SPDX-License-Identifier: MIT
"""Reads and writes model files (.eddy): models/README.md has the format, byte by byte.

The reader distrusts what it reads: every number is checked before it is used, and the golden rows are run. The writer
checks the same, so it writes nothing that a sensor would refuse.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eddy_ml.trees import NODE4, NODE8, TREES_MOST, Counts, Doubles, ModelFileError, Trees, demand

MAGIC = b"EDDYMDL\n"
MAJOR, MINOR = 1, 1
HEADER = struct.Struct("<8sHHIQ32sQ")
ENTRY = struct.Struct("<4s4xQ")
TREE_HEAD = struct.Struct("<IIIIdII")
CLASSES_HEAD = struct.Struct("<IIdd")

ISOLATION, CLASSES, BOOSTED = 1, 2, 3
KIND_NAMES = {ISOLATION: "isolation", CLASSES: "classes", BOOSTED: "boosted"}
COLUMNS_MOST = 63
CLASSES_MOST = 64
SCORE_BINS = 1024
COLUMN_BINS = 16
FILE_MOST = 1 << 28
META_MOST = 1 << 20
META_DEPTH_MOST = 64  # of objects and arrays in each other
SECTIONS_MOST = 64
HELD_OUT_LEAST = 100
GOLDEN_MOST = 4096

# What people take for a model file, by its first bytes.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x80\x02", "a pickle"), (b"\x80\x03", "a pickle"), (b"\x80\x04", "a pickle"), (b"\x80\x05", "a pickle"),
    (b"PK\x03\x04", "a zip archive (skops, torch, joblib ...)"), (b"\x1f\x8b", "compressed by gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"), (b"\x78\x9c", "a compressed joblib dump"),
    (b"BZh", "compressed by bzip2"), (b"\xfd7zXZ", "compressed by xz"), (b"PAR1", "Parquet"),
    (b"tree\nversion=", "a text model of LightGBM"), (b"{L", "an UBJSON model of XGBoost"), (b"{", "JSON"),
    (b"\x89HDF", "HDF5"), (b"#", "text"), (b"<", "XML or HTML"),
)  # fmt: skip


@dataclass
class ClassTable:
    """The classes that a model tells apart, and what a sensor does with its scores."""

    names: list[str]
    benign: int  # which of them is no attack
    techniques: list[str] = field(default_factory=list)  # MITRE ATT&CK, "" where there is none
    alert: float = 0.5  # a flow whose score reaches it counts
    weight: float = 100.0  # flows that the share of alerts among held-out flows is worth

    def check(self) -> None:
        count = len(self.names)
        demand(2 <= count <= CLASSES_MOST, f"{count} classes: not 2..{CLASSES_MOST}")
        demand(0 <= self.benign < count, "the class that is no attack is none of its classes")
        demand(len(self.techniques) == count, "not one technique for each class")
        demand(0.0 <= self.alert <= 1.0, f"alert {self.alert}: not in 0..1")
        demand(1.0 <= self.weight <= 1e6, f"weight {self.weight}: not in 1..1e6")
        demand(len(set(self.names)) == count, "two classes of one name")
        for name in self.names:
            _demand_printable(name, 1, 63, "the name of a class")
        for technique in self.techniques:
            _demand_printable(technique, 0, 15, "a technique")


@dataclass
class ModelFile:
    """All that a model file holds."""

    metadata: dict[str, Any]
    columns: list[str]
    fingerprint: bytes
    kind: int
    normaliser: float
    trees: Trees
    classes: ClassTable | None  # not of kind 1
    base: Doubles | None  # of kind 3 only
    scores: Counts  # SCORE_BINS: held-out flows by their score
    bins: Counts  # (columns, COLUMN_BINS): held-out flows by each column
    golden_rows: Doubles
    golden_sums: Doubles

    def check(self) -> None:
        """Raises ModelFileError if anything does not fit."""
        self._check_head()
        self.trees.check(len(self.columns))
        if self.classes is not None:
            self.classes.check()
        self._check_held_out()
        self._check_golden()

    def _check_head(self) -> None:
        demand(self.kind in KIND_NAMES, f"kind {self.kind}: not 1, 2 or 3")
        demand(1 <= len(self.columns) <= COLUMNS_MOST, f"{len(self.columns)} columns: not 1..{COLUMNS_MOST}")
        demand(len(set(self.columns)) == len(self.columns), "a column comes twice")
        demand(len(self.fingerprint) == 32, "the fingerprint has not 32 bytes")
        _demand_printable(self.metadata.get("name"), 1, 63, "metadata.name")
        _demand_printable(self.metadata.get("version"), 0, 31, "metadata.version")
        trained = self.metadata.get("trained_us", 0)
        demand(isinstance(trained, int) and 0 <= trained < 1 << 63, "metadata.trained_us is no time")
        isolation = self.kind == ISOLATION
        demand((self.classes is None) == isolation, "classes belong to kinds 2 and 3, and must be there")
        demand((self.base is not None) == (self.kind == BOOSTED), "a base belongs to kind 3, and must be there")
        if isolation:
            demand(1.0 <= self.normaliser < 1e6, "its normaliser is no path length")
        else:
            demand(self.normaliser == 1.0, "a normaliser other than 1")
        demand(self.trees.outputs == self._outputs(), f"{self.trees.outputs} outputs: not one for each class")
        if self.base is not None:
            good = self.base.shape == (self.trees.outputs,) and (np.abs(self.base) <= 1e6).all()
            demand(good, "its base is beyond a million, or no numbers")
        self._check_leaves()

    def _check_leaves(self) -> None:
        """Bounded, so that no sum of them overflows."""
        values = self.trees.leaves
        demand(np.isfinite(values).all(), "a leaf's value is no number")
        if self.kind == ISOLATION:
            demand(((values >= 0.0) & (values <= 1e6)).all(), "a leaf's value is no path length")
        elif self.kind == CLASSES:
            demand(((values >= 0.0) & (values <= 1.0)).all(), "a leaf's shares are not in 0..1")
            demand((np.abs(values.sum(axis=1) - 1.0) <= 1e-6).all(), "a leaf's shares do not add up to 1")
        else:
            demand((np.abs(values) <= 1e6).all(), "a leaf's value is beyond a million")

    def _outputs(self) -> int:
        if self.classes is None:
            return 1
        count = len(self.classes.names)
        return 1 if self.kind == BOOSTED and count == 2 else count

    def _check_held_out(self) -> None:
        demand(self.scores.shape == (SCORE_BINS,), "its scores are in other bins")
        total = int(self.scores.sum(dtype=np.uint64))
        demand(total >= HELD_OUT_LEAST, f"its scores are of {total} held-out flows: at least {HELD_OUT_LEAST}")
        demand(total < 1 << 31, "its scores are of too many flows")
        demand(self.bins.shape == (len(self.columns), COLUMN_BINS), "its columns are in other bins")

    def _check_golden(self) -> None:
        rows, sums = self.golden_rows, self.golden_sums
        demand(1 <= len(rows) <= GOLDEN_MOST, f"{len(rows)} golden rows: not 1..{GOLDEN_MOST}")
        demand(rows.shape == (len(rows), len(self.columns)), "its golden rows are of another width")
        demand(sums.shape == (len(rows), self.trees.outputs), "its golden sums are of another width")
        ours = self.trees.sums(rows, self.base)
        wrong = np.flatnonzero((ours.view(np.uint64) != np.ascontiguousarray(sums).view(np.uint64)).any(axis=1))
        if len(wrong):
            row = int(wrong[0])
            raise ModelFileError(f"golden row {row} comes to {ours[row].tolist()}, not to {sums[row].tolist()}")


def _demand_printable(value: object, least: int, most: int, what: str) -> None:
    good = isinstance(value, str) and least <= len(value) <= most and all(" " <= c <= "~" for c in value)
    demand(good, f"{what} is not {least}..{most} printable ASCII characters: {value!r:.80}")


# ---- reading ----


class _Cursor:
    """Bytes that are taken from the front; never more than there are."""

    def __init__(self, data: bytes, what: str) -> None:
        self.data, self.at, self.what = data, 0, what

    def take(self, count: int) -> bytes:
        if count < 0 or count > len(self.data) - self.at:
            raise ModelFileError(f"{self.what} is cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        return form.unpack(self.take(form.size))

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def array(self, dtype: Any, count: int) -> npt.NDArray[Any]:
        kind = np.dtype(dtype)
        taken: npt.NDArray[Any] = np.frombuffer(self.take(kind.itemsize * count), dtype=kind).copy()
        return taken

    def text(self) -> str:
        raw = self.take(self.take(1)[0])
        return raw.decode("ascii", errors="replace")

    def end(self) -> None:
        if self.at != len(self.data):
            raise ModelFileError(f"{self.what} is longer than it says")


def _refuse_foreign(data: bytes) -> None:
    if data[:8] == MAGIC:
        return
    if not data:
        raise ModelFileError("not an eddy model file: it is empty")
    if (data[:1] == b"\x08" and b"ai.onnx" in data) or b"onnx" in data[:256]:
        raise ModelFileError("not an eddy model file: it looks like ONNX")
    for begin, what in _FOREIGN:
        if data.startswith(begin):
            raise ModelFileError(f"not an eddy model file: it looks like {what}; eddy_ml.export makes one")
    raise ModelFileError("not an eddy model file")


def _sections(data: bytes) -> dict[str, _Cursor]:
    _refuse_foreign(data)
    file = _Cursor(data, "the file")
    _, major, _, count, length, digest, zero = file.unpack(HEADER)
    demand(major == MAJOR, f"of version {major}: this reads {MAJOR}")
    demand(length == len(data), "cut short, or longer than it says")
    demand(hashlib.sha256(data[HEADER.size :]).digest() == digest, "not what its SHA-256 says: damaged on the way")
    demand(count <= SECTIONS_MOST and zero == 0, "a header that is none")
    table = [file.unpack(ENTRY) for _ in range(count)]
    found: dict[str, _Cursor] = {}
    for tag, size in table:
        name = tag.decode("ascii", errors="replace")
        demand(name not in found, f"the section {name} comes twice")
        found[name] = _Cursor(file.take(size), f"the section {name}")
        demand(not any(file.take(-size % 8)), f"padding after {name} that is none")
    file.end()
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON's")


def _depth(value: Any) -> int:
    """How many objects and arrays are in each other, at most."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [child for one in level for child in (one.values() if isinstance(one, dict) else one)]
    return depth


def _metadata_of(data: bytes) -> dict[str, Any]:
    demand(len(data) <= META_MOST, "its metadata is longer than 1 MiB")
    demand(b"\n" not in data, "its metadata is not on one line")
    try:
        metadata = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"its metadata is no JSON: {error}") from None
    demand(isinstance(metadata, dict), "its metadata is no JSON object")
    demand(_depth(metadata) <= META_DEPTH_MOST, f"its metadata is nested more than {META_DEPTH_MOST} deep")
    return dict(metadata)


def _read_features(feat: _Cursor) -> tuple[list[str], bytes]:
    count, _ = feat.u32(), feat.u32()
    demand(1 <= count <= COLUMNS_MOST, f"{count} columns: not 1..{COLUMNS_MOST}")
    fingerprint = feat.take(32)
    names = [feat.text() for _ in range(count)]
    feat.end()
    return names, fingerprint


def _read_trees(tree: _Cursor) -> tuple[int, float, Trees]:
    kind, count, nodes, leaves, normaliser, threshold_bytes, outputs = tree.unpack(TREE_HEAD)
    demand(kind in KIND_NAMES, f"kind {kind}: not 1, 2 or 3")
    demand(threshold_bytes in (4, 8), f"thresholds of {threshold_bytes} bytes: not 4 or 8")
    demand(1 <= outputs <= CLASSES_MOST, f"{outputs} outputs: not 1..{CLASSES_MOST}")
    demand(1 <= count <= TREES_MOST, f"{count} trees: not 1..{TREES_MOST}")
    first = tree.array("<u4", count)
    node = tree.array(NODE8 if threshold_bytes == 8 else NODE4, nodes)
    if threshold_bytes == 8:
        demand(not node["zero"].any(), "a node with something after its end")
    values = tree.array("<f8", leaves * outputs).reshape(leaves, outputs)
    tree.end()
    return kind, normaliser, Trees(first, node, values)


def _read_classes(clas: _Cursor) -> ClassTable:
    count, benign, alert, weight = clas.unpack(CLASSES_HEAD)
    demand(2 <= count <= CLASSES_MOST, f"{count} classes: not 2..{CLASSES_MOST}")
    both = [(clas.text(), clas.text()) for _ in range(count)]
    clas.end()
    return ClassTable([name for name, _ in both], benign, [technique for _, technique in both], alert, weight)


def _read_counts(section: _Cursor, shape: tuple[int, ...]) -> Counts:
    for size in shape:
        demand(section.u32() == size, f"{section.what} is of another size")
    counts = section.array("<u4", int(np.prod(shape))).reshape(shape)
    section.end()
    return counts


def _read_golden(gold: _Cursor, outputs: int) -> tuple[Doubles, Doubles]:
    rows, columns = gold.u32(), gold.u32()
    demand(1 <= rows <= GOLDEN_MOST, f"{rows} golden rows: not 1..{GOLDEN_MOST}")
    demand(1 <= columns <= COLUMNS_MOST, "its golden rows are of another width")
    both = gold.array("<f8", rows * (columns + outputs)).reshape(rows, columns + outputs)
    gold.end()
    return np.ascontiguousarray(both[:, :columns]), np.ascontiguousarray(both[:, columns:])


def from_bytes(data: bytes) -> ModelFile:
    """A model of a file's bytes; ModelFileError says what is wrong with them."""
    part = _sections(data)
    for tag in ("META", "FEAT", "TREE", "SCOR", "BINS", "GOLD"):
        demand(tag in part, f"the section {tag} is missing")
    columns, fingerprint = _read_features(part["FEAT"])
    kind, normaliser, trees = _read_trees(part["TREE"])
    for tag, wanted in (("CLAS", kind != ISOLATION), ("BASE", kind == BOOSTED)):
        demand((tag in part) == wanted, f"the section {tag} is missing, or there without need")
    rows, sums = _read_golden(part["GOLD"], trees.outputs)
    model = ModelFile(
        metadata=_metadata_of(part["META"].data),
        columns=columns,
        fingerprint=fingerprint,
        kind=kind,
        normaliser=normaliser,
        trees=trees,
        classes=_read_classes(part["CLAS"]) if "CLAS" in part else None,
        base=part["BASE"].array("<f8", trees.outputs) if "BASE" in part else None,
        scores=_read_counts(part["SCOR"], (SCORE_BINS,)),
        bins=_read_counts(part["BINS"], (len(columns), COLUMN_BINS)),
        golden_rows=rows,
        golden_sums=sums,
    )
    if "BASE" in part:
        part["BASE"].end()
    model.check()
    return model


def _bytes_of(path: str | Path) -> bytes:
    """Asks how large it is before any of it is read. A pipe without a writer would otherwise be waited for."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        about = os.fstat(file.fileno())
        good = stat.S_ISREG(about.st_mode) and about.st_size <= FILE_MOST
        demand(good, f"no plain file of at most {FILE_MOST >> 20} MiB")
        return file.read(about.st_size + 1)


def read(path: str | Path) -> ModelFile:
    """A model from a file. Nothing in it is ever executed."""
    try:
        return from_bytes(_bytes_of(path))
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from None


# ---- writing ----


def _text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode("ascii")


def _metadata_bytes(model: ModelFile) -> bytes:
    try:
        line = json.dumps(model.metadata, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelFileError(f"its metadata cannot be JSON: {error}") from None
    _metadata_of(line)  # refuses what a sensor would
    return line


def _feature_bytes(model: ModelFile) -> bytes:
    return struct.pack("<II", len(model.columns), 0) + model.fingerprint + b"".join(map(_text, model.columns))


def _tree_bytes(model: ModelFile) -> bytes:
    trees = model.trees
    head = TREE_HEAD.pack(model.kind, len(trees.first), len(trees.nodes), len(trees.leaves), model.normaliser,
                          trees.threshold_bytes, trees.outputs)  # fmt: skip
    return head + trees.first.astype("<u4").tobytes() + trees.nodes.tobytes() + trees.leaves.astype("<f8").tobytes()


def _class_bytes(model: ModelFile) -> bytes:
    table = model.classes
    assert table is not None
    head = CLASSES_HEAD.pack(len(table.names), table.benign, table.alert, table.weight)
    return head + b"".join(_text(n) + _text(t) for n, t in zip(table.names, table.techniques, strict=True))


def _base_bytes(model: ModelFile) -> bytes:
    assert model.base is not None
    return model.base.astype("<f8").tobytes()


def _score_bytes(model: ModelFile) -> bytes:
    return struct.pack("<I", SCORE_BINS) + model.scores.astype("<u4").tobytes()


def _bin_bytes(model: ModelFile) -> bytes:
    return struct.pack("<II", *model.bins.shape) + model.bins.astype("<u4").tobytes()


def _golden_bytes(model: ModelFile) -> bytes:
    both = np.concatenate((model.golden_rows, model.golden_sums), axis=1)
    return struct.pack("<II", *model.golden_rows.shape) + both.astype("<f8").tobytes()


_PARTS: tuple[tuple[bytes, Callable[[ModelFile], bytes], tuple[int, ...]], ...] = (
    (b"META", _metadata_bytes, (1, 2, 3)), (b"FEAT", _feature_bytes, (1, 2, 3)), (b"TREE", _tree_bytes, (1, 2, 3)),
    (b"CLAS", _class_bytes, (2, 3)), (b"BASE", _base_bytes, (3,)), (b"SCOR", _score_bytes, (1, 2, 3)),
    (b"BINS", _bin_bytes, (1, 2, 3)), (b"GOLD", _golden_bytes, (1, 2, 3)),
)  # fmt: skip


def assemble(parts: list[tuple[bytes, bytes]]) -> bytes:
    """Sections as a file, with whatever in them: for the writer, and for tests that write what must be refused."""
    table = b"".join(ENTRY.pack(tag, len(body)) for tag, body in parts)
    rest = table + b"".join(body + bytes(-len(body) % 8) for _, body in parts)
    digest = hashlib.sha256(rest).digest()
    return HEADER.pack(MAGIC, MAJOR, MINOR, len(parts), HEADER.size + len(rest), digest, 0) + rest


def sections_of(model: ModelFile) -> list[tuple[bytes, bytes]]:
    return [(tag, render(model)) for tag, render, kinds in _PARTS if model.kind in kinds]


def to_bytes(model: ModelFile) -> bytes:
    """The file's bytes; ModelFileError if the model is not fit for one."""
    model.check()
    data = assemble(sections_of(model))
    demand(len(data) <= FILE_MOST, f"larger than {FILE_MOST >> 20} MiB: fewer trees, or more flows in a leaf")
    return data


def write(model: ModelFile, path: str | Path) -> str:
    """Writes the file whole or not at all, so that a sensor that watches it may take it up. Returns its SHA-256."""
    data = to_bytes(model)
    target = Path(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    return hashlib.sha256(data).hexdigest()
