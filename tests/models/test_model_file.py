# SPDX-License-Identifier: MIT
"""The Python reader and writer of model files: what is written is read; what must be refused is, with the reason."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eddy_ml import layout, lib, model_file, predict
from eddy_ml.layout import RawTree
from eddy_ml.model_file import BOOSTED, CLASSES, ISOLATION, ClassTable, ModelFile
from eddy_ml.trees import LEAF, MISSING_LEFT, ModelFileError

COLUMNS = ["duration", "bytes_out", "rate"]


def tree(outputs: int) -> RawTree:
    """         0: rate <= 1.5, missing left
              1: duration <= 0.1     2: leaf
            3: leaf   4: leaf                       """  # fmt: skip
    values = np.zeros((5, outputs))  # shares of classes; of one output: lengths of paths, or log-odds
    values[2:, 0] = (1.0, 0.75, 0.5)
    values[2:, -1] += 1.0 - values[2:, 0] if outputs > 1 else 1.5
    return RawTree(
        left=np.array([1, 3, -1, -1, -1]),
        right=np.array([2, 4, -1, -1, -1]),
        column=np.array([2, 0, 0, 0, 0]),
        threshold=np.array([1.5, 0.1, 0.0, 0.0, 0.0]),
        missing_left=np.array([True, False, False, False, False]),
        cover=np.array([9, 3, 6, 2, 1]),
        values=values,
    )


def model_of(kind: int, threshold_bytes: int = 4, classes: int = 3, trees: int = 2) -> ModelFile:
    outputs = 1 if kind == ISOLATION or (kind == BOOSTED and classes == 2) else classes
    arranged = layout.arrange([tree(outputs)] * trees, threshold_bytes)
    rows = np.array([[0.1, 0.0, 1.5], [0.2, 0.0, 1.0], [0.0, 0.0, 2.0], [np.nan, 1.0, np.nan]] * 20)
    base = np.full(outputs, 0.25) if kind == BOOSTED else None
    scores = np.zeros(model_file.SCORE_BINS, dtype=np.uint32)
    scores[3] = 200
    return ModelFile(
        metadata={"name": "made by hand", "version": "1", "trained_us": 5, "note": "ü"},
        columns=COLUMNS,
        fingerprint=lib.fingerprint(COLUMNS),
        kind=kind,
        normaliser=3.5 if kind == ISOLATION else 1.0,
        trees=arranged,
        classes=None if kind == ISOLATION else ClassTable(
            [f"class {i}" for i in range(classes)], 1, ["T1046", "", "T1110"][:classes], 0.25, 50.0),
        base=base,
        scores=scores,
        bins=np.arange(48, dtype=np.uint32).reshape(3, 16),
        golden_rows=rows,
        golden_sums=arranged.sums(rows, base),
    )  # fmt: skip


KINDS = [(ISOLATION, 4, 3), (ISOLATION, 8, 3), (CLASSES, 4, 2), (CLASSES, 8, 3), (BOOSTED, 4, 2), (BOOSTED, 8, 3)]


@pytest.mark.parametrize(("kind", "threshold_bytes", "classes"), KINDS)
def test_what_is_written_is_read(kind: int, threshold_bytes: int, classes: int, tmp_path: Path) -> None:
    model = model_of(kind, threshold_bytes, classes)
    path = tmp_path / "m.eddy"
    digest = model_file.write(model, path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o644
    again = model_file.read(path)
    assert again.metadata == model.metadata and again.columns == COLUMNS and again.classes == model.classes
    assert model_file.to_bytes(again) == path.read_bytes()


@pytest.mark.parametrize(("kind", "threshold_bytes", "classes"), KINDS)
def test_libeddy_reads_it_and_comes_to_the_same(kind: int, threshold_bytes: int, classes: int, tmp_path: Path) -> None:
    model = model_of(kind, threshold_bytes, classes)
    model_file.write(model, tmp_path / "m.eddy")
    ours = predict.Model(tmp_path / "m.eddy")
    sums = ours.sums(model.golden_rows)[:, : model.trees.outputs]
    assert (sums.view(np.uint64) == model.golden_sums.view(np.uint64)).all()
    assert ours.columns == COLUMNS and ours.trees == 2
    assert (ours.name, ours.version, ours.metadata["note"]) == ("made by hand", "1", "ü")
    if kind != ISOLATION:
        assert ours.outputs == [f"class {i}" for i in range(classes)] and ours.benign == 1


def test_a_file_that_libeddy_grew_is_read(root: Path, eddy: Path, tmp_path: Path) -> None:
    path = tmp_path / "grown.eddy"
    log = root / "examples" / "data" / "benign-conn.log.gz"
    assert os.spawnl(os.P_WAIT, eddy, "eddy", "train", "-q", "-m", str(path), "--name", "lab", str(log)) == 0
    model = model_file.read(path)
    assert model.kind == ISOLATION and model.metadata["name"] == "lab" and len(model.golden_rows) >= 64
    rows = np.random.default_rng(1).normal(size=(5000, len(model.columns))) * 10
    assert (predict.Model(path).sums(rows) == model.trees.sums(rows)).all()


# ---- layout ----


def test_thresholds_are_rounded_down_not_to_the_nearest() -> None:
    thresholds = np.array([0.1, 0.3, -0.1, 1e-46, -1e-46, 0.0, 3.4e38, 1.5])
    below = layout.floats_below(thresholds)
    assert (below.astype(float) <= thresholds).all()
    above = np.nextafter(below, np.float32(np.inf)).astype(float)
    assert (above > thresholds).all()
    assert (below != thresholds.astype(np.float32)).any(), "the nearest is higher for some of them"


def test_the_heavier_child_comes_first_and_siblings_stay_together() -> None:
    left = np.array([1, 3, 5, -1, -1, -1, -1])
    right = np.array([2, 4, 6, -1, -1, -1, -1])
    one = RawTree(left, right, np.zeros(7, int), np.zeros(7), np.zeros(7, bool), np.array([9, 2, 7, 1, 1, 3, 4]),
                  np.arange(7.0)[:, np.newaxis])  # fmt: skip
    assert layout.order(one).tolist() == [0, 1, 2, 5, 6, 3, 4]


def test_leaves_with_the_same_bits_share_a_value() -> None:
    model = model_of(CLASSES, trees=4)
    assert len(model.trees.nodes) == 20 and len(model.trees.leaves) == 3
    zeros = tree(1)
    zeros.values[3], zeros.values[4] = 0.0, -0.0
    assert len(layout.arrange([zeros]).leaves) == 3, "zero and minus zero are two values"


# ---- what is refused ----


def refused_by_both(data: bytes, tmp_path: Path) -> str:
    """The reader's message; libeddy must refuse it too."""
    path = tmp_path / "bad.eddy"
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as said:
        model_file.read(path)
    with pytest.raises(lib.EddyError):
        predict.Model(path)
    return str(said.value)


def foreign(tmp_path: Path) -> dict[str, bytes]:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("schema.json", "{}")
    return {
        "a pickle": pickle.dumps({"a": 1}, protocol=4),
        "a zip archive": archive.read_bytes(),
        "ONNX": b"\x08\x09\x12\x08skl2onnx\x1a\x05" + b"ai.onnx.ml" * 3,
        "UBJSON": b"{L\x00\x00\x00\x00\x00\x00\x00\x02",
        "JSON": b'{"learner":{}}',
        "LightGBM": b"tree\nversion=v4\n",
        "gzip": b"\x1f\x8b\x08" + bytes(20),
        "empty": b"",
        "not an eddy model file": b"\x7fELF" + bytes(100),
    }


@pytest.mark.parametrize("what", ["a pickle", "a zip archive", "ONNX", "UBJSON", "JSON", "LightGBM", "gzip", "empty",
                                  "not an eddy model file"])  # fmt: skip
def test_foreign_files_are_called_by_name(what: str, tmp_path: Path) -> None:
    assert what in refused_by_both(foreign(tmp_path)[what], tmp_path)


def test_a_pickle_is_not_executed(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "executed"),)

    assert "pickle" in refused_by_both(pickle.dumps(Hostile()), tmp_path)
    assert not (tmp_path / "executed").exists()


def test_every_cut_and_every_flipped_byte_is_refused(tmp_path: Path) -> None:
    data = model_file.to_bytes(model_of(CLASSES))
    for length in (*range(0, 200), *range(200, len(data), 97)):
        with pytest.raises(ModelFileError):
            model_file.from_bytes(data[:length])
    for at in (*range(0, 64), *range(64, len(data), 41)):
        if at in (10, 11):  # the minor version: later ones are read
            continue
        with pytest.raises(ModelFileError):
            model_file.from_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])


def cycle(m: ModelFile) -> None:
    m.trees.nodes["left"][1] = 0


def shared_child(m: ModelFile) -> None:
    m.trees.nodes["left"][0] = m.trees.nodes["left"][1]


def over_the_end(m: ModelFile) -> None:
    m.trees.nodes["left"][0] = 4  # its right sibling would be in the next tree


def no_column(m: ModelFile) -> None:
    m.trees.nodes["column"][0] = 3 | MISSING_LEFT


def nan_threshold(m: ModelFile) -> None:
    m.trees.nodes["threshold"][0] = np.nan


def no_leaf(m: ModelFile) -> None:
    m.trees.nodes["left"][m.trees.nodes["column"] == LEAF] = 99


def infinite_leaf(m: ModelFile) -> None:
    m.trees.leaves[0] = np.inf


def shares_of_more_than_all(m: ModelFile) -> None:
    m.trees.leaves[0] = (0.5, 0.75, 0.0)


def share_below_nothing(m: ModelFile) -> None:
    m.trees.leaves[0] = (1.5, -0.5, 0.0)


def trees_overlap(m: ModelFile) -> None:
    m.trees.first[1] = 0


def wrong_golden(m: ModelFile) -> None:
    m.golden_sums[7] = np.nextafter(m.golden_sums[7], 9)


def few_held_out(m: ModelFile) -> None:
    m.scores[3] = 99


def no_name(m: ModelFile) -> None:
    m.metadata["name"] = ""


def strange_name(m: ModelFile) -> None:
    m.metadata["name"] = "a\x1b[2J"


def alert_above_one(m: ModelFile) -> None:
    assert m.classes is not None
    m.classes.alert = 1.5


def benign_is_none(m: ModelFile) -> None:
    assert m.classes is not None
    m.classes.benign = 3


def other_columns(m: ModelFile) -> None:
    m.fingerprint = bytes(32)


BREAKS: tuple[tuple[Callable[[ModelFile], None], str], ...] = (
    (cycle, "do not come after it"), (shared_child, "no parent, or several"), (over_the_end, "do not come after it"),
    (no_column, "what is no column"), (nan_threshold, "threshold is no number"), (no_leaf, "a leaf has no value"),
    (infinite_leaf, "a leaf's"), (shares_of_more_than_all, "do not add up to 1"), (share_below_nothing, "not in 0..1"),
    (trees_overlap, "one after the other"), (wrong_golden, "golden row 7"),
    (few_held_out, "99 held-out flows"), (no_name, "metadata.name"), (strange_name, "metadata.name"),
    (alert_above_one, "alert 1.5"), (benign_is_none, "none of its classes"),
)  # fmt: skip


@pytest.mark.parametrize(("broken", "reason"), BREAKS, ids=[broken.__name__ for broken, _ in BREAKS])
def test_lies_in_a_healthy_file_are_refused(broken: Callable[[ModelFile], None], reason: str, tmp_path: Path) -> None:
    model = copy.deepcopy(model_of(CLASSES))
    broken(model)
    with pytest.raises(ModelFileError, match=reason):
        model_file.to_bytes(model)  # the writer writes nothing that a sensor would refuse
    if broken is strange_name:
        return  # libeddy shows such a name with '?'
    assert reason in refused_by_both(model_file.assemble(model_file.sections_of(model)), tmp_path)


def test_other_columns_are_refused_by_libeddy(tmp_path: Path) -> None:
    model = model_of(CLASSES)
    other_columns(model)
    model_file.write(model, tmp_path / "m.eddy")
    with pytest.raises(lib.EddyError, match="differently"):
        predict.Model(tmp_path / "m.eddy")


def test_sections_missing_twice_and_unknown(tmp_path: Path) -> None:
    parts = model_file.sections_of(model_of(CLASSES))
    for i, (tag, _) in enumerate(parts):
        said = refused_by_both(model_file.assemble(parts[:i] + parts[i + 1 :]), tmp_path)
        assert tag.decode() in said and "missing" in said
        assert "comes twice" in refused_by_both(model_file.assemble([*parts, parts[i]]), tmp_path)
    assert model_file.from_bytes(model_file.assemble([*parts, (b"NEWS", b"of a later version")])).kind == CLASSES


def test_claims_of_4_gib_allocate_nothing(tmp_path: Path) -> None:
    parts = dict(model_file.sections_of(model_of(CLASSES)))
    for at in (4, 8, 12, 28):  # trees, nodes, leaves, outputs
        tree_bytes = bytearray(parts[b"TREE"])
        struct.pack_into("<I", tree_bytes, at, 0xFFFFFFFF)
        refused_by_both(model_file.assemble(list((parts | {b"TREE": bytes(tree_bytes)}).items())), tmp_path)
    gold = struct.pack("<II", 0xFFFFFFFF, 3)
    said = refused_by_both(model_file.assemble(list((parts | {b"GOLD": gold}).items())), tmp_path)
    assert "4294967295 golden rows" in said


def nested(depth: int) -> dict[str, object]:
    found: dict[str, object] = {"name": "deep", "version": ""}
    for _ in range(depth - 1):
        found = {"name": "deep", "version": "", "in": found}
    return found


@pytest.mark.parametrize("inside", [b'"x": NaN', b'"x": -Infinity', b'"x": ' + b"[" * 64 + b"]" * 64,
                                    b'"x": ' + b"[" * 900 + b"]" * 900, b'"x": "\xff"', b'"x": 1} {"y": 2'])
def test_metadata_that_libeddy_refuses_is_refused(inside: bytes, tmp_path: Path) -> None:
    parts = dict(model_file.sections_of(model_of(CLASSES)))
    broken = parts | {b"META": b'{"name": "a", "version": "", ' + inside + b"}"}
    assert "metadata" in refused_by_both(model_file.assemble(list(broken.items())), tmp_path)


def test_metadata_as_deep_as_libeddy_reads_it_and_no_deeper(tmp_path: Path) -> None:
    model = model_of(CLASSES)
    model.metadata = nested(64)
    model_file.write(model, tmp_path / "m.eddy")
    assert predict.Model(tmp_path / "m.eddy").name == model_file.read(tmp_path / "m.eddy").metadata["name"] == "deep"
    for told in (nested(65), {"name": "a", "version": "", "x": float("nan")}, {"name": "a", "version": "\ud800"},
                 {"name": "a", "version": "", "x": "\ud800"}):
        model.metadata = told
        with pytest.raises(ModelFileError, match="metadata"):
            model_file.to_bytes(model)


def test_files_of_more_than_256_mib_are_neither_read_nor_written(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = tmp_path / "large.eddy"
    large.write_bytes(model_file.MAGIC)
    os.truncate(large, (256 << 20) + 1)
    with pytest.raises(lib.EddyError, match="256 MiB"):
        predict.Model(large)
    tracemalloc.start()
    with pytest.raises(ModelFileError, match="256 MiB"):
        model_file.read(large)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20, "it was refused by its size alone"
    tracemalloc.stop()
    data = model_file.to_bytes(model_of(CLASSES))
    monkeypatch.setattr(model_file, "FILE_MOST", len(data))
    assert model_file.to_bytes(model_of(CLASSES)) == data
    monkeypatch.setattr(model_file, "FILE_MOST", len(data) - 1)
    with pytest.raises(ModelFileError, match="larger than"):
        model_file.to_bytes(model_of(CLASSES))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.eddy")
    with pytest.raises(ModelFileError, match="no plain file"):
        model_file.read(tmp_path / "pipe.eddy")


def test_golden_rows_are_at_most_4096(tmp_path: Path) -> None:
    model = model_of(CLASSES)
    model.golden_rows, model.golden_sums = (np.resize(one, (4096, 3)) for one in (model.golden_rows, model.golden_sums))
    model_file.write(model, tmp_path / "m.eddy")
    assert predict.Model(tmp_path / "m.eddy").trees == 2
    assert len(model_file.read(tmp_path / "m.eddy").golden_rows) == 4096
    model.golden_rows, model.golden_sums = (np.resize(one, (4097, 3)) for one in (model.golden_rows, model.golden_sums))
    with pytest.raises(ModelFileError, match="4097 golden rows"):
        model_file.to_bytes(model)
    with pytest.raises(ModelFileError, match="4097 golden rows"):
        model_file.from_bytes(model_file.assemble(model_file.sections_of(model)))


def test_a_tree_too_deep_is_refused() -> None:
    depth = 256
    left = np.full(2 * depth + 1, -1)
    right = left.copy()
    left[np.arange(depth) * 2] = np.arange(depth) * 2 + 1
    right[np.arange(depth) * 2] = np.arange(depth) * 2 + 2
    n = len(left)
    one = RawTree(left, right, np.zeros(n, int), np.zeros(n), np.zeros(n, bool), np.ones(n, int), np.ones((n, 1)))
    with pytest.raises(ModelFileError, match="more than 255 splits"):
        layout.arrange([one]).check(1)


def test_metadata_lies_beside_the_file(tmp_path: Path) -> None:
    from eddy_ml import export

    model = model_of(CLASSES)
    digest = model_file.write(model, tmp_path / "office.eddy")
    beside = export.write_metadata(model.metadata, tmp_path / "office.eddy")
    told = json.loads(beside.read_text())
    assert beside.name == "office_metadata.json" and told["artifact"]["sha256"] == digest and told["note"] == "ü"
