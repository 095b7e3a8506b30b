#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Models between trainers and sensors: a real MLflow server, a real DVC, a real eddyd. Started by tests/mlflow/run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import shutil
import tempfile
import unittest
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rig
from eddy_ml import data_version, lib, predict, registry

SWAP_S = 10.0  # eddyd promises 5 s; a machine that does other things at once gets twice that


class Shared:
    """One server and its folder, for all tests."""

    stack = contextlib.ExitStack()
    folder: Path
    url: str


def setUpModule() -> None:
    Shared.folder = Path(tempfile.mkdtemp(prefix="eddy-mlflow-"))
    Shared.stack.callback(shutil.rmtree, Shared.folder)
    Shared.url = Shared.stack.enter_context(rig.mlflow_server(Shared.folder))
    os.environ["MLFLOW_TRACKING_URI"] = Shared.url


def tearDownModule() -> None:
    Shared.stack.close()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def asked(model: predict.Model, rows: int = 200) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Rows of many sizes, and what libeddy says of them: all classes, or the score."""
    random = np.random.default_rng(7)
    values = np.exp(random.normal(size=(rows, len(model.columns))) * 4) * random.choice([-1, 0, 1], rows)[:, None]
    return pd.DataFrame(values, columns=model.columns), model.predict_proba(values)


class Sensors(unittest.TestCase):
    """Two versions of an isolation forest, and sensors that pull them."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=Shared.folder))
        self.client = registry.connect(Shared.url)
        self.name = self.id().rsplit(".", 1)[-1]
        self.models = []
        for seed in (1, 2):
            path = self.folder / f"office{seed}.eddy"
            rig.run(rig.EDDY, "train", "-q", "-m", path, "--name", "office", "--version", f"1.{seed}", "--trees", 20,
                    "--seed", seed, rig.DATA / "benign-conn.log.gz")
            self.models.append(path)
        self.out = self.folder / "sensor" / "office.eddy"
        self.out.parent.mkdir()

    def pull(self, *words: object, status: int = 0, at: str = "@champion") -> str:
        return rig.run(rig.EDDY, "model", "pull", f"models:/{self.name}{at}", "-o", self.out, *words, status=status)

    def register(self, model: Path) -> registry.Registered:
        return registry.register(self.client, model, self.name)

    def champion(self, model: Path) -> registry.Registered:
        done = self.register(model)
        registry.promote(self.client, self.name, done.version)
        return done

    def artifact(self, done: registry.Registered) -> Path:
        """The file where the server keeps it."""
        uri = self.client.get_model_version_download_uri(self.name, done.version)
        (path,) = (Shared.folder / "artifacts" / uri.removeprefix("mlflow-artifacts:/")).rglob("*.eddy")
        return path

    def test_a_running_sensor_follows_the_alias_there_and_back(self) -> None:
        first, second = self.champion(self.models[0]), self.register(self.models[1])
        self.pull()
        with rig.eddyd(self.folder, self.out) as in_use:
            self.assertEqual(in_use(), first.sha256)
            self.pull("--check")
            rig.run("python3", "-m", "eddy_ml", "promote", self.name, second.version)
            self.pull("--check", status=3)
            self.pull()
            took = rig.wait_for(lambda: in_use() == second.sha256, SWAP_S, "eddyd uses the new champion")
            self.assertEqual(sha256(self.out.with_name("office.eddy.1")), first.sha256)
            said = rig.run("python3", "-m", "eddy_ml", "rollback", self.name)
            self.assertIn(f"version {first.version} is champion again", said)
            self.pull()
            back = rig.wait_for(lambda: in_use() == first.sha256, SWAP_S, "eddyd uses the first champion again")
            self.assertIn("unchanged", self.pull())
        print(f"taken up after {took:.1f} s and {back:.1f} s", end=" ", flush=True)

    def test_a_version_says_what_it_is(self) -> None:
        done = self.register(self.models[0])
        version = self.client.get_model_version(self.name, done.version)
        fingerprint = predict.Model(self.models[0]).metadata["feature_schema_sha256"]
        self.assertEqual(version.tags, {"eddy.sha256": sha256(self.models[0]), "eddy.version": "1.1",
                                        "eddy.features_sha256": fingerprint})
        self.pull(at=f"/{done.version}")
        self.assertEqual(self.out.read_bytes(), self.models[0].read_bytes())

    def test_files_that_were_changed_on_the_server_are_refused(self) -> None:
        first = self.champion(self.models[0])
        self.pull()
        second = self.champion(self.models[1])
        path, whole = self.artifact(second), self.models[1].read_bytes()
        for changed in (whole[:-100], whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:],
                        self.models[0].read_bytes(), b""):
            path.write_bytes(changed)
            self.assertIn("not the file that was registered", self.pull(status=1))
            self.assertEqual(sha256(self.out), first.sha256)
        path.unlink()
        self.assertIn("has 0 .eddy files", self.pull(status=1))
        path.write_bytes(whole)
        self.pull()
        self.assertEqual(sha256(self.out), second.sha256)

    def test_a_pickle_is_refused_even_with_the_right_tag(self) -> None:
        first = self.champion(self.models[0])
        self.pull()
        path = self.folder / "evil.eddy"
        path.write_bytes(pickle.dumps(list(range(1000))))
        run_id = registry.open_run(self.client, self.name, "evil")
        self.client.log_artifact(run_id, str(path), "model")
        source = f"{self.client.get_run(run_id).info.artifact_uri}/model"
        version = self.client.create_model_version(self.name, source, run_id, tags={"eddy.sha256": sha256(path)})
        self.client.set_registered_model_alias(self.name, "champion", version.version)
        self.assertIn("model file", self.pull(status=1))
        self.assertEqual(sha256(self.out), first.sha256)
        with self.assertRaises(lib.EddyError):
            registry.register(self.client, path, self.name)

    def test_what_is_not_there_is_said_in_the_words_of_mlflow(self) -> None:
        self.assertIn(f"Registered Model with name={self.name} not found", self.pull(status=1))
        done = self.register(self.models[0])
        self.assertIn("alias champion not found", self.pull(status=1))
        self.assertIn("not found", self.pull(status=1, at="/99"))
        self.client.delete_model_version_tag(self.name, done.version, "eddy.sha256")
        self.assertIn("has no tag eddy.sha256", self.pull(status=1, at=f"/{done.version}"))
        with self.assertRaisesRegex(ValueError, "no tag eddy.sha256"):
            registry.promote(self.client, self.name, done.version)
        self.assertFalse(self.out.exists())

    def test_a_server_that_is_down_is_said(self) -> None:
        down = f"http://127.0.0.1:{rig.free_port()}"
        self.assertIn("Failed to connect", self.pull("--server", down, status=1))
        said = rig.run("python3", "-m", "eddy_ml", "promote", self.name, "--server", down, status=1)
        self.assertIn("MLflow: ", said)
        self.assertEqual(said.count("\n"), 1, said)

    def test_pyfunc_gives_the_scores_of_libeddy(self) -> None:
        import mlflow
        self.champion(self.models[0])
        rows, wanted = asked(predict.Model(self.models[0]))
        got = mlflow.pyfunc.load_model(f"models:/{self.name}@champion").predict(rows)
        self.assertEqual(list(got.columns), ["score"])
        self.assertTrue(np.array_equal(got.to_numpy(), wanted))
        self.assertGreater(len(np.unique(wanted)), 50)


class Pipeline(unittest.TestCase):
    """models/pipelines, copied: DVC writes beside its files."""

    @classmethod
    def setUpClass(cls) -> None:
        top = Path(tempfile.mkdtemp(dir=Shared.folder))
        cls.folder = top / "models" / "pipelines"
        shutil.copytree(rig.ROOT / "models" / "pipelines", cls.folder,
                        ignore=shutil.ignore_patterns("out", ".dvc", "dvc.lock", ".gitignore"))
        (top / "examples").mkdir()
        shutil.copytree(rig.DATA, top / "examples" / "data")
        cls.dvc("init", "--no-scm", "-q")
        cls.said = cls.dvc("repro", seconds=300)
        cls.model = cls.folder / "out" / "model" / "lab.eddy"
        cls.metadata = json.loads((cls.folder / "out/model/lab_metadata.json").read_text())

    @classmethod
    def dvc(cls, *words: object, seconds: float = 60) -> str:
        return rig.run(os.environ["DVC"], *words, cwd=cls.folder, seconds=seconds)

    def test_a_second_time_nothing_is_done(self) -> None:
        self.assertEqual(self.said.count("Running stage"), 5, self.said)
        before = self.model.stat().st_mtime_ns
        said = self.dvc("repro")
        self.assertIn("Data and pipelines are up to date.", said)
        self.assertNotIn("Running stage", said)
        self.assertEqual(self.model.stat().st_mtime_ns, before)

    def test_what_has_changed_is_done_again(self) -> None:
        params = self.folder / "params.yaml"
        text = params.read_text()
        self.addCleanup(params.write_text, text)
        params.write_text(text.replace("seed: 1", "seed: 2"))
        status = json.loads(self.dvc("status", "--json"))
        self.assertEqual(set(status), {"train"})

    def test_versions_of_the_data_are_in_the_metadata(self) -> None:
        (one,) = self.metadata["training_data"]
        for file in [*one["files"], one["labels"]]:
            path = self.folder / file["uri"]
            self.assertEqual((file["dvc_md5"], file["sha256"]),
                             (hashlib.md5(path.read_bytes()).hexdigest(), sha256(path)))
        told = rig.run("python3", "-m", "eddy_ml", "version", "dvc.lock", "clean", cwd=self.folder)
        self.assertEqual(told.split()[0], self.metadata["trainer"]["dvc_lock_sha256"])
        self.assertEqual(predict.Model(self.model).metadata["trainer"], self.metadata["trainer"])

    def test_data_that_changed_behind_dvc_are_noticed(self) -> None:
        log = self.folder / "../../examples/data/eve.json.gz"
        whole = log.read_bytes()
        self.addCleanup(log.write_bytes, whole)
        log.write_bytes(whole + b"\0")
        with self.assertRaisesRegex(ValueError, "has changed since dvc.lock was written"):
            data_version.read_lock(self.folder / "dvc.lock", "clean")

    def test_the_run_has_everything(self) -> None:
        client = registry.connect(Shared.url)
        run = client.get_run(self.metadata["trainer"]["mlflow_run_id"])
        self.assertEqual(run.info.status, "FINISHED")
        self.assertEqual(run.data.params["params.random_forest.max_depth"], "10")
        judged = json.loads((self.folder / "out/model/lab_metrics.json").read_text())
        self.assertEqual(run.data.metrics["overall.roc_auc"], judged["overall"]["roc_auc"])
        (one,) = self.metadata["training_data"]
        digests = {each.dataset.digest for each in run.inputs.dataset_inputs}
        self.assertEqual(digests, {one["files"][0]["sha256"][:36], one["labels"]["sha256"][:36]})
        files = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "training")}
        self.assertLessEqual({"lab.eddy", "lab_metadata.json", "lab_card.md", "lab_roc.png", "lab_pr.png"}, files)

    def test_the_challenger_is_what_a_sensor_gets(self) -> None:
        out = self.folder / "pulled.eddy"
        rig.run(rig.EDDY, "model", "pull", "models:/lab@challenger", "-o", out)
        self.assertEqual(sha256(out), self.metadata["artifact"]["sha256"])
        parity = json.loads((self.folder / "out" / "parity.json").read_text())
        self.assertEqual((parity["sha256"], parity["differing"]), (sha256(out), 0))
        self.assertGreater(parity["rows"], 8000)

    def test_mlflow_serves_the_scores_of_libeddy(self) -> None:
        model = predict.Model(self.model)
        rows, wanted = asked(model)
        body = json.dumps({"dataframe_split": rows.to_dict(orient="split", index=False)}).encode()
        with rig.mlflow_serve("models:/lab@challenger", Shared.folder) as url:
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=30) as reply:
                got = pd.DataFrame(json.loads(reply.read())["predictions"])
        self.assertTrue(np.array_equal(got[model.outputs].to_numpy(), wanted))
        self.assertTrue(np.array_equal(got["score"].to_numpy(), model.score(rows.to_numpy())))


if __name__ == "__main__":
    unittest.main()
