#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""eddy train and eddy model as a user would call them: logs to a model to verdicts; $EDDY is the program."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from datetime import datetime
from pathlib import Path

EDDY = os.environ["EDDY"]
DATA = Path(__file__).resolve().parents[2] / "examples" / "data"


class Train(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.model = self.folder / "office.eddy"

    def eddy(self, *words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        run = subprocess.run([EDDY, *map(str, words)], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(run.returncode, status, run.stderr)
        return run

    def train(self, *words: object) -> dict:
        self.eddy("train", "-q", "-m", self.model, *words, DATA / "conn.log.gz")
        return json.loads(self.eddy("model", "info", self.model).stdout)

    def test_a_model_says_where_it_comes_from(self) -> None:
        told = self.train("--trees", 30, "--samples", 64, "--seed", 7, "--name", "office", "--version", "2.1")
        meta = told["metadata"]
        self.assertEqual((meta["name"], meta["version"], told["trees"]), ("office", "2.1", 30))
        self.assertEqual(meta["hyperparameters"], {"trees": 30, "samples": 64, "seed": 7})
        log = DATA / "conn.log.gz"
        data = meta["training_data"][0]
        self.assertEqual(data["files"][0]["sha256"], hashlib.sha256(log.read_bytes()).hexdigest())
        self.assertEqual(data["files"][0]["bytes"], log.stat().st_size)
        self.assertEqual(told["sha256"], hashlib.sha256(self.model.read_bytes()).hexdigest())
        flows = self.eddy("features", "-q", log).stdout.count("\n") - 1
        self.assertEqual((data["flows"], data["files"][0]["flows"]), (flows, flows))
        columns = self.eddy("features", "-q", DATA / "benign-conn.log.gz").stdout.split("\n", 1)[0].split(",")
        self.assertLess({one["name"] for one in meta["features"]}, set(columns))
        self.assertTrue(all(one["meaning"] for one in meta["features"]))

    def test_the_time_range_is_that_of_each_log(self) -> None:
        logs = DATA / "conn.log.gz", DATA / "benign-conn.log.gz"
        self.eddy("train", "-q", "-m", self.model, *logs)
        meta = json.loads(self.eddy("model", "info", self.model).stdout)["metadata"]
        for log, data in zip(logs, meta["training_data"], strict=True):
            lines = gzip.decompress(log.read_bytes()).decode().splitlines()
            names = next(line for line in lines if line.startswith("#fields")).split("\t")[1:]
            at = names.index("ts")
            times = [float(line.split("\t")[at]) for line in lines if not line.startswith("#")]
            first, last = (datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() for text in data["time_range"])
            self.assertAlmostEqual(first, min(times), delta=1.0)
            self.assertAlmostEqual(last, max(times), delta=1.0)

    def test_quantiles_are_those_of_the_flows_as_far_as_bins_tell(self) -> None:
        meta = self.train()["metadata"]
        rows = self.eddy("features", "-q", DATA / "conn.log.gz").stdout.splitlines()
        names = rows[0].split(",")
        for column, slack in (("bytes_out", 2.0), ("duration", 2.0), ("balance", 2.0)):
            values = sorted(float(row.split(",")[names.index(column)] or 0) for row in rows[1:])
            told = meta["baseline_distribution"][column]
            for share in ("0.25", "0.5", "0.75"):
                real = values[int(float(share) * len(values))]
                self.assertLessEqual(abs(told[share] - real), slack, f"{column} {share}: {told[share]}, not {real}")
            self.assertLessEqual(told["0"], told["0.5"])
            self.assertLessEqual(told["0.5"], told["1"])
        flag = meta["baseline_distribution"]["tcp"]
        self.assertEqual((flag["0"], flag["1"], set(flag.values())), (0, 1, {0, 1}))

    def test_the_metadata_are_beside_the_model_too(self) -> None:
        meta = self.train()["metadata"]
        beside = json.loads((self.folder / "office_metadata.json").read_text())
        artifact = beside.pop("artifact")
        self.assertEqual(beside, meta)
        whole = self.model.read_bytes()
        self.assertEqual(artifact, {"file": "office.eddy", "bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()})

    def test_standard_input_has_no_hash(self) -> None:
        log = gzip.decompress((DATA / "conn.log.gz").read_bytes())
        subprocess.run([EDDY, "train", "-q", "-m", self.model, "-"], input=log, timeout=120, check=True)
        meta = json.loads(self.eddy("model", "info", self.model).stdout)["metadata"]
        self.assertEqual(meta["training_data"][0]["files"], [{"uri": "-", "flows": meta["training_data"][0]["flows"]}])

    def test_the_same_logs_give_the_same_trees(self) -> None:
        first, other = self.train(), self.folder / "other.eddy"
        trees = self.model.read_bytes()
        shutil.move(self.model, other)
        self.train()
        at = trees.index(b"}]}") + 8  # behind the metadata, which has the time of day
        self.assertEqual(trees[at:], self.model.read_bytes()[at:])
        self.assertGreater(len(trees) - at, 50_000)
        self.assertNotEqual(self.train("--seed", 2)["sha256"], first["sha256"])

    def test_the_sensor_uses_it(self) -> None:
        self.train()
        flows = ("score", "-q", "-o", "flows", DATA / "benign-conn.log.gz")
        own = self.eddy(*flows).stdout
        theirs = self.eddy(*flows, "-s", f"iforest.model={self.model}").stdout
        self.assertEqual(own.count("\n"), theirs.count("\n"))
        self.assertNotEqual(own, theirs)

    def test_what_is_no_model_is_refused_with_a_reason(self) -> None:
        self.train()
        whole = self.model.read_bytes()
        for bytes_, reason in ((b"\x80\x04\x95pickle" * 20, "not an eddy model file"), (whole[:-9], "cut short"),
                               (whole[:-9] + b"\xff" + whole[-8:], "SHA-256"), (b"", "not an eddy model file")):
            self.model.write_bytes(bytes_)
            self.assertIn(reason, self.eddy("model", "verify", self.model, status=1).stderr)
            run = self.eddy("score", "-q", "-s", f"iforest.model={self.model}", DATA / "benign-conn.log.gz", status=1)
            self.assertIn(reason, run.stderr)
            self.assertIn(str(self.model), run.stderr)

    def test_too_little_leaves_what_was_there(self) -> None:
        self.model.write_bytes(b"precious")
        small = self.folder / "small.log"
        head = subprocess.run(["zcat", str(DATA / "conn.log.gz")], capture_output=True, check=True).stdout
        small.write_bytes(b"\n".join(head.split(b"\n")[:200]) + b"\n")
        self.assertIn("too little", self.eddy("train", "-q", "-m", self.model, small, status=1).stderr)
        self.assertEqual(self.model.read_bytes(), b"precious")

    def test_wrong_usage_is_said(self) -> None:
        log = DATA / "conn.log.gz"
        for words in (("train", log), ("train", "-m", self.model), ("train", "-m", self.model, "--trees", "0", log),
                      ("train", "-m", self.model, "--trees", "many", log), ("model",), ("model", "eat", self.model),
                      ("model", "info"), ("train", "-m", self.model, "--seed", "x" * 100, log)):
            run = self.eddy(*words, status=2)
            self.assertIn("--help", run.stderr)
        self.assertFalse(self.model.exists())

    def test_a_place_that_can_not_be_written_is_said(self) -> None:
        run = self.eddy("train", "-q", "-m", self.folder / "nowhere" / "x.eddy", DATA / "conn.log.gz", status=1)
        self.assertIn("nowhere", run.stderr)


if __name__ == "__main__":
    unittest.main()
