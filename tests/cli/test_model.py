#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""eddy model info, verify, dump and diff as a user would call them; $EDDY is the program."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import os
import pickle
import pty
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib
from pathlib import Path

EDDY = os.environ["EDDY"]
DATA = Path(__file__).resolve().parents[2] / "examples" / "data"
LEAF, MISSING_LEFT = 0xFFFFFFFF, 0x80000000


def sections_of(data: bytes) -> dict[str, bytes]:
    count = struct.unpack_from("<I", data, 12)[0]
    at, found = 64 + 16 * count, {}
    for i in range(count):
        tag, length = struct.unpack_from("<4s4xQ", data, 64 + 16 * i)
        found[tag.decode()] = data[at : at + length]
        at += length + -length % 8
    return found


def assemble(parts: dict[str, bytes]) -> bytes:
    rest = b"".join(struct.pack("<4s4xQ", tag.encode(), len(body)) for tag, body in parts.items())
    rest += b"".join(body + bytes(-len(body) % 8) for body in parts.values())
    digest = hashlib.sha256(rest).digest()
    return struct.pack("<8sHHIQ32sQ", b"EDDYMDL\n", 1, 1, len(parts), 64 + len(rest), digest, 0) + rest


class Forest:
    """A random forest of two stumps: does the first column exceed `threshold`, is the second missing?"""

    def __init__(self, features: bytes, threshold: float, shares: tuple[float, float] = (0.75, 0.25)) -> None:
        self.features, self.threshold, self.shares = features, threshold, shares
        self.width = struct.unpack_from("<I", features)[0]
        self.meta: dict = {"schema_version": 1, "name": "stumps", "version": "1", "algorithm": "random_forest",
                           "hyperparameters": {"n_estimators": 2}}  # fmt: skip

    def sums(self, row: list[float]) -> list[float]:
        first = self.shares if row[0] <= self.threshold else (0.0, 1.0)
        second = (0.5, 0.5) if math.isnan(row[1]) or row[1] <= 3.0 else (1.0, 0.0)
        return [first[0] + second[0], first[1] + second[1]]

    def bytes(self) -> bytes:
        nodes = [(self.threshold, 0, 1, 10), (0, LEAF, 0, 6), (0, LEAF, 1, 4),
                 (3.0, 1 | MISSING_LEFT, 4, 10), (0, LEAF, 2, 5), (0, LEAF, 3, 5)]  # fmt: skip
        leaves = [*self.shares, 0.0, 1.0, 0.5, 0.5, 1.0, 0.0]
        tree = struct.pack("<IIIIdII", 2, 2, len(nodes), 4, 1.0, 8, 2) + struct.pack("<II", 0, 3)
        tree += b"".join(struct.pack("<dIIII", *node, 0) for node in nodes) + struct.pack("<8d", *leaves)
        classes = struct.pack("<IIdd", 2, 0, 0.5, 100.0) + b"\6benign\0\4scan\5T1046"
        rows = [[first, second] + [0.0] * (self.width - 2) for first in (0.0, 1.0, 5.0) for second in (1.0, math.nan, 9.0)]
        gold = struct.pack("<II", len(rows), self.width)
        gold += b"".join(struct.pack(f"<{self.width + 2}d", *row, *self.sums(row)) for row in rows)
        return assemble({"META": json.dumps(self.meta).encode(), "FEAT": self.features, "TREE": tree, "CLAS": classes,
                         "SCOR": struct.pack("<1025I", 1024, *[1] * 1024),
                         "BINS": struct.pack(f"<{2 + 16 * self.width}I", self.width, 16, *[1] * 16 * self.width),
                         "GOLD": gold})  # fmt: skip


class Model(unittest.TestCase):
    folder: Path
    trained: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.trained = cls.folder / "office.eddy"
        subprocess.run([EDDY, "train", "-q", "-m", cls.trained, "--trees", "9", "--samples", "64", "--name", "office",
                        DATA / "conn.log.gz"], check=True, timeout=120)  # fmt: skip
        cls.features = sections_of(cls.trained.read_bytes())["FEAT"]

    def eddy(self, *words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        run = subprocess.run([EDDY, "model", *map(str, words)], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(run.returncode, status, run.stderr)
        return run

    def forest(self, name: str, forest: Forest) -> Path:
        path = self.folder / name
        path.write_bytes(forest.bytes())
        return path

    def test_info_is_json_in_a_pipe_and_a_table_on_a_terminal(self) -> None:
        told = json.loads(self.eddy("info", self.trained).stdout)
        self.assertEqual((told["metadata"]["name"], told["trees"]), ("office", 9))
        master, slave = pty.openpty()
        run = subprocess.run([EDDY, "model", "info", self.trained], stdout=slave, timeout=60, check=False)
        os.close(slave)
        shown = os.read(master, 65536).decode()
        os.close(master)
        self.assertEqual(run.returncode, 0)
        for words in ("office 1", "kind 'isolation'", told["sha256"], "duration", "conn.log.gz"):
            self.assertIn(words, shown)
        self.assertEqual(self.eddy("info", "--table", self.trained).stdout.split()[0], "office")

    def test_the_table_tells_of_classes_and_of_any_metadata(self) -> None:
        forest = Forest(self.features, 1.0)
        forest.meta |= {"metrics": {"per_class": {"scan": {"recall": 0.5}}}, "odd": [], "nothing": None,
                        "evil": "\x1b[2J", "training_data": [{"role": "train"}, {"role": "test"}]}  # fmt: skip
        shown = self.eddy("info", "--table", self.forest("a.eddy", forest)).stdout
        for words in ("benign (no attack), scan T1046", "thresholds are doubles", "per_class.scan.recall=0.5",
                      "n_estimators=2", "role=train", "role=test", "from a score of 0.5 on"):  # fmt: skip
            self.assertIn(words, shown)
        self.assertNotIn("\x1b", shown)

    def test_a_dump_reads_back_as_the_same_numbers(self) -> None:
        path = self.forest("dump.eddy", Forest(self.features, 0.1 + 0.2, (1 / 3, 2 / 3)))
        told = json.loads(self.eddy("dump", path).stdout)
        self.assertEqual((told["kind"], told["outputs"], told["benign"]), ("classes", ["benign", "scan"], "benign"))
        self.assertEqual((told["techniques"], told["threshold_bytes"]), (["", "T1046"], 8))
        first, second = told["trees"]
        self.assertEqual(first["nodes"][0], {"node": 0, "column": told["columns"][0], "threshold": 0.1 + 0.2,
                                             "missing": "right", "left": 1, "right": 2, "cover": 10})  # fmt: skip
        self.assertEqual(first["nodes"][1], {"node": 1, "leaf": [1 / 3, 2 / 3], "cover": 6})
        self.assertEqual((second["tree"], second["nodes"][0]["missing"], second["nodes"][0]["left"]), (1, "left", 1))
        self.assertEqual(told["metadata"]["algorithm"], "random_forest")

    def test_a_dump_has_every_node_of_the_file(self) -> None:
        tree = sections_of(self.trained.read_bytes())["TREE"]
        _, trees, nodes, leaves = struct.unpack_from("<IIII", tree)
        told = json.loads(self.eddy("dump", self.trained).stdout)
        every = [node for one in told["trees"] for node in one["nodes"]]
        self.assertEqual((len(told["trees"]), len(every)), (trees, nodes))
        self.assertEqual(sum("leaf" in node for node in every), leaves)
        for i, node in enumerate(every):
            threshold, column, _, cover = struct.unpack_from("<fIII", tree, 32 + 4 * trees + 16 * i)
            self.assertEqual(node["cover"], cover)
            if "leaf" not in node:
                self.assertEqual(struct.pack("<f", node["threshold"]), struct.pack("<f", threshold))
                self.assertEqual(node["column"], told["columns"][column])

    def test_one_tree_is_shown_to_be_read(self) -> None:
        path = self.forest("one.eddy", Forest(self.features, 1.5))
        lines = self.eddy("dump", "--tree", 1, path).stdout.splitlines()
        second = json.loads(self.eddy("dump", path).stdout)["columns"][1]
        self.assertEqual(lines[1:], [f"|-- {second} <= 3 or missing  (5)", "|   |-- benign 0.5, scan 0.5  (5)",
                                     f"|-- {second} >  3  (5)", "|   |-- benign 1  (5)"])  # fmt: skip
        only = json.loads(self.eddy("dump", "--tree", 1, "--json", path).stdout)["trees"]
        self.assertEqual([tree["tree"] for tree in only], [1])
        self.assertIn("0 to 1", self.eddy("dump", "--tree", 2, path, status=2).stderr)

    def test_the_same_file_does_not_differ(self) -> None:
        self.assertEqual(self.eddy("diff", self.trained, self.trained).stdout, "the same file\n")
        self.assertIs(json.loads(self.eddy("diff", "--json", self.trained, self.trained).stdout)["same"], True)

    def test_what_differs_is_told(self) -> None:
        a, b = Forest(self.features, 1.0), Forest(self.features, 2.0)
        b.meta = b.meta | {"version": "2", "hyperparameters": {"n_estimators": 2, "max_depth": 1}, "license": "MIT"}
        paths = self.forest("a.eddy", a), self.forest("b.eddy", b)
        told = json.loads(self.eddy("diff", "--json", *paths, status=1).stdout)
        found = {one["where"]: (one["a"], one["b"]) for one in told["differences"]}
        self.assertEqual(found, {"version": ("1", "2"), "hyperparameters.max_depth": (None, 1), "license": (None, "MIT"),
                                 "trees that are the same": ("1 of 2", "1 of 2")})  # fmt: skip
        self.assertEqual((told["same"], told["answers"][0]["rows"], told["answers"][0]["differ"]), (False, 9, 0))
        text = self.eddy("diff", *paths, status=1).stdout
        self.assertIn("hyperparameters.max_depth", text)
        self.assertIn("0 of 9 differ", text)

    def test_answers_that_differ_are_counted(self) -> None:
        paths = (self.forest("a.eddy", Forest(self.features, 1.0)),
                 self.forest("b.eddy", Forest(self.features, 1.0, (0.25, 0.75))))  # fmt: skip
        log = DATA / "benign-conn.log.gz"
        told = json.loads(self.eddy("diff", "--json", "-q", "--on", log, *paths, status=1).stdout)
        golden, _, flows = told["answers"]
        self.assertEqual((golden["rows"], golden["differ"], golden["most"], golden["other_class"]), (9, 6, 0.25, 4))
        self.assertEqual((golden["alerts_a"], golden["alerts_b"], golden["alerts_both"]), (3, 7, 3))
        scored = subprocess.run([EDDY, "features", "-q", log], capture_output=True, text=True, check=True).stdout
        self.assertEqual(flows["rows"], scored.count("\n") - 1)
        told = json.loads(self.eddy("diff", "--json", self.trained, paths[0], status=1).stdout)
        self.assertIn("no probabilities", told["answers"][0]["not_compared"])

    def test_what_is_no_model_is_refused_and_named_by_every_command(self) -> None:
        path = self.folder / "model_version1.pkl"
        dumped = pickle.dumps({"not": "run"})
        for data, words in ((dumped, "a Python pickle, which is a program; export it where it was trained"),
                            (zlib.compress(dumped), "compressed by zlib, as joblib's pickles are"),
                            (gzip.compress(dumped), "compressed by gzip"), (b"", "empty"),
                            (b'{"learner":{}}', "a model of XGBoost (JSON)")):  # fmt: skip
            path.write_bytes(data)
            for command in (("info",), ("info", "--table"), ("verify",), ("dump",)):
                run = self.eddy(*command, path, status=1)
                self.assertIn(f"{path}: not an eddy model file: {words}", run.stderr)
                self.assertEqual(run.stdout, "")
            self.assertIn(words, self.eddy("diff", self.trained, path, status=2).stderr)

    def test_wrong_usage_is_said(self) -> None:
        for words in ((), ("eat", self.trained), ("info",), ("info", "-x"), ("verify",), ("dump",), ("dump", self.trained, "x"),
                      ("dump", "--tree", "many", self.trained), ("diff", self.trained), ("diff", "--on")):
            run = self.eddy(*words, status=2)
            self.assertIn("--help", run.stderr)
        for words in (("--help",), ("info", "--help"), ("verify", "-h"), ("dump", "--help"), ("diff", "-h")):
            self.assertIn("Usage: eddy model", self.eddy(*words).stdout)


if __name__ == "__main__":
    unittest.main()
