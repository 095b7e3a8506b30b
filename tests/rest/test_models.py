# SPDX-License-Identifier: MIT
"""Models over HTTP: taken up and given up, and inference: the same numbers as the library's own."""

from __future__ import annotations

import ctypes
import json
import math
import random
import shutil
import struct
from pathlib import Path
from typing import Any
from unittest import SkipTest

from harness import JSON, ROOT, Answer, Case, Eddyd, is_sanitized, program, train_model

SHIPPED = ROOT / "models" / "shipped" / "lab-attacks.eddy"
OCTETS = "application/octet-stream"


class Library:
    """eddy_model_predict() itself, by ctypes."""

    def __init__(self, path: Path):
        if is_sanitized():
            raise SkipTest("Python can't load a library with a sanitizer")
        self.lib = ctypes.CDLL(str(next(Path(program("eddy")).parents[2].glob("core/libeddy.so"))))
        self.model = ctypes.c_void_p()
        assert self.lib.eddy_model_open(str(path).encode(), ctypes.byref(self.model), None) == 0

    def predict(self, rows: list[list[float]], outputs: int = 1) -> list[float]:
        flat = [value for row in rows for value in row]
        values, out = (ctypes.c_double * len(flat))(*flat), (ctypes.c_double * (len(rows) * outputs))()
        self.lib.eddy_model_predict(self.model, values, ctypes.c_size_t(len(rows)), out)
        return list(out)


def tensor(rows: list[list[float]], kind: str = "FP64", name: str = "input") -> dict[str, Any]:
    return {"name": name, "shape": [len(rows), len(rows[0])], "datatype": kind,
            "data": [value for row in rows for value in row]}  # fmt: skip


def score(answer: Answer) -> list[float]:
    (output,) = answer.json()["outputs"]
    assert output["name"] == "score" and output["shape"] == [len(output["data"])]
    return output["data"]


class Served(Case):
    def setUp(self) -> None:
        super().setUp()
        self.models = self.folder / "models"
        self.models.mkdir()
        self.path = self.models / "office.eddy"
        train_model(self.path)
        self.served = self.start()
        self.columns = self.served.get("/v2/models/office").json()["columns"]
        dice = random.Random(1)
        self.rows = [[dice.choice((0.0, 1.0, dice.gauss(5, 9), dice.expovariate(1e-4))) for _ in self.columns]
                     for _ in range(300)]  # fmt: skip

    def start(self, **settings: object) -> Eddyd:
        return self.eddyd(rest__models=self.models, **settings).start()

    def infer(self, *inputs: dict[str, Any], **more: Any) -> Answer:
        return self.served.post("/v2/models/office/infer", {"inputs": inputs, **more})


class Inference(Served):
    def test_scores_are_the_librarys_to_the_last_bit(self) -> None:
        wanted = Library(self.path).predict(self.rows)
        self.assertEqual(score(self.expect(self.infer(tensor(self.rows)), 200)), wanted)
        nested = {**tensor(self.rows), "data": self.rows}
        self.assertEqual(score(self.expect(self.infer(nested), 200)), wanted)
        apart = [{"name": name, "shape": [len(self.rows), 1][: 1 + i % 2], "datatype": "FP64",
                  "data": [row[i] for row in self.rows]} for i, name in enumerate(self.columns)]  # fmt: skip
        self.assertEqual(score(self.expect(self.infer(*reversed(apart)), 200)), wanted)
        self.assertGreater(len(set(wanted)), 100)

    def test_tensors_may_be_bytes_behind_the_json(self) -> None:
        wanted = Library(self.path).predict(self.rows)
        flat = [value for row in self.rows for value in row]
        packed = struct.pack(f"<{len(flat)}d", *flat)
        head = json.dumps({"inputs": [{"name": "input", "shape": [300, len(self.columns)], "datatype": "FP64",
                                       "parameters": {"binary_data_size": len(packed)}}],
                           "parameters": {"binary_data_output": True}}).encode()  # fmt: skip
        answer = self.expect(self.bytes(head, packed), 200)
        at = int(answer.headers["Inference-Header-Content-Length"])
        (output,) = json.loads(answer.body[:at])["outputs"]
        self.assertEqual(output["parameters"]["binary_data_size"], len(answer.body) - at)
        self.assertEqual(list(struct.unpack("<300d", answer.body[at:])), wanted)
        self.expect(self.bytes(head, packed[:-1]), 400, "are missing")
        self.expect(self.bytes(head, packed + b"x"), 400, "belong to no tensor")
        wrong = head.replace(str(len(packed)).encode(), b"8")
        self.expect(self.bytes(wrong, packed), 400, "binary_data_size")
        self.expect(self.served.ask("POST", "/v2/models/office/infer", head, OCTETS,
                                    Inference_Header_Content_Length="99999"), 400, "more than the body")  # fmt: skip

    def bytes(self, head: bytes, tail: bytes) -> Answer:
        return self.served.ask("POST", "/v2/models/office/infer", head + tail, OCTETS,
                               Inference_Header_Content_Length=str(len(head)))  # fmt: skip

    def test_floats_are_rounded_and_null_is_missing(self) -> None:
        single = [[struct.unpack("<f", struct.pack("<f", v))[0] for v in row] for row in self.rows]
        library = Library(self.path)
        got = score(self.expect(self.infer(tensor(self.rows, "FP32")), 200))
        self.assertEqual(got, library.predict(single))
        holes: list[list[Any]] = [[None, *row[1:]] for row in self.rows[:5]]
        nans = [[math.nan, *row[1:]] for row in self.rows[:5]]
        self.assertEqual(score(self.expect(self.infer(tensor(holes)), 200)), library.predict(nans))

    def test_id_and_parameters_come_back(self) -> None:
        more = {"id": "a\u20ac\n", "parameters": {"x": 1.5, "y": True, "z": "\u0000"}}
        got = self.expect(self.infer(tensor(self.rows[:2]), **more), 200).json()
        self.assertEqual({k: got[k] for k in more}, more)
        self.assertEqual((got["model_name"], got["model_version"]), ("office", "1"))

    def test_what_is_wrong_is_said(self) -> None:
        good, n = tensor(self.rows[:2]), len(self.columns)
        for bad, words in (
            ({**good, "datatype": "BYTES"}, "BYTES: only FP32 and FP64"),
            ({**good, "datatype": "INT64"}, "only FP32 and FP64"),
            ({**good, "shape": [2, n + 1]}, f"not [n, {n}]"),
            ({**good, "shape": [2]}, f"not [n, {n}]"),
            ({**good, "shape": [1, n]}, f"{2 * n} values"),
            ({**good, "shape": [3, n]}, f"{2 * n} values"),
            ({**good, "shape": [-1, n]}, "not whole numbers"),
            ({**good, "shape": [1.5, n]}, "not whole numbers"),
            ({**good, "shape": []}, "shape"),
            ({**good, "data": ["a"] * 2 * n}, "not numbers"),
            ({**good, "data": {}}, "not an array"),
            ({"name": "input", "datatype": "FP64"}, "shape"),
            ({"shape": [1, n], "datatype": "FP64"}, "without name"),
            ({**good, "name": self.columns[0]}, "not [n] or [n, 1]"),
        ):
            self.expect(self.infer(bad), 400, words)
        self.expect(self.infer(), 400, "not an array of tensors")
        one = {"name": self.columns[0], "shape": [1], "datatype": "FP64", "data": [1]}
        self.expect(self.infer(one), 400, f"{n - 1} of the model's {n} columns are missing")
        self.expect(self.infer(one, one), 400, "twice")
        self.expect(self.infer(one, {**one, "name": "nothing"}), 400, "no such column")
        self.expect(self.infer(one, {**one, "name": self.columns[1], "shape": [2], "data": [1, 2]}), 400, "2 rows")
        self.expect(self.infer(good, outputs=[{"name": "label"}]), 400, "no output 'label'")
        self.expect(self.infer(good, id=5), 400, "id")
        for body, words in ((b"[]", "an object"), (b"{", "bad JSON"), (b"", "bad JSON"), (b"[" * 90, "nested")):
            self.expect(self.served.ask("POST", "/v2/models/office/infer", body, JSON), 400, words)
        self.expect(self.infer(good), 200)

    def test_too_many_rows_and_other_versions_are_refused(self) -> None:
        self.served.stop()
        self.served = self.start(rest__max_batch=299)
        self.expect(self.infer(tensor(self.rows)), 413, "300 rows, more than the 299")
        self.expect(self.infer({**tensor(self.rows[:1]), "shape": [10**9, 10**9]}), 413, "rows")
        body = {"inputs": [tensor(self.rows[:299])]}
        self.expect(self.served.post("/v2/models/office/versions/1/infer", body), 200)
        self.expect(self.served.post("/v2/models/office/versions/2/infer", body), 404, "in version 1")
        self.expect(self.served.get("/v2/models/office/versions/2"), 404, "in version 1")
        self.expect(self.served.get("/v2/models/office/versions/1/ready"), 200)


class Classes(Served):
    """The shipped model tells several classes apart."""

    def setUp(self) -> None:
        super().setUp()
        shutil.copy(SHIPPED, self.models / "attacks.eddy")
        self.expect(self.served.post("/v1/models/attacks/load"), 200)
        self.about = self.served.get("/v2/models/attacks").json()
        dice = random.Random(2)
        self.rows = [[dice.choice((0.0, 1.0, dice.gauss(5, 9), dice.expovariate(1e-4))) for _ in self.about["columns"]]
                     for _ in range(500)]  # fmt: skip

    def test_probabilities_are_the_librarys_and_labels_the_most_probable(self) -> None:
        classes = self.about["classes"]
        self.assertGreater(len(classes), 1)
        self.assertEqual([(o["name"], o["datatype"], o["shape"]) for o in self.about["outputs"]],
                         [("probabilities", "FP64", [-1, len(classes)]), ("label", "BYTES", [-1])])  # fmt: skip
        flat = Library(SHIPPED).predict(self.rows, len(classes))
        wanted = [flat[i : i + len(classes)] for i in range(0, len(flat), len(classes))]
        got = self.expect(self.served.post("/v2/models/attacks/infer", {"inputs": [tensor(self.rows)]}), 200).json()
        outputs = {o["name"]: o for o in got["outputs"]}
        self.assertEqual(outputs["probabilities"]["shape"], [500, len(classes)])
        self.assertEqual(outputs["probabilities"]["data"], flat)
        self.assertEqual(outputs["label"]["data"], [classes[p.index(max(p))] for p in wanted])
        self.assertGreater(len(set(outputs["label"]["data"])), 1)

    def test_labels_may_be_bytes(self) -> None:
        body = {"inputs": [tensor(self.rows)], "outputs": [{"name": "label"}]}
        (plain,) = self.expect(self.served.post("/v2/models/attacks/infer", body), 200).json()["outputs"]
        body["outputs"] = [{"name": "label", "parameters": {"binary_data": True}}]
        answer = self.expect(self.served.post("/v2/models/attacks/infer", body), 200)
        at, labels = int(answer.headers["Inference-Header-Content-Length"]), []
        while at < len(answer.body):
            (length,) = struct.unpack_from("<I", answer.body, at)
            labels.append(answer.body[at + 4 : at + 4 + length].decode())
            at += 4 + length
        self.assertEqual(labels, plain["data"])

    def test_a_model_of_another_kind_is_no_isolation_forest(self) -> None:
        before = self.served.get("/v1/models").json()["in_use"]
        self.expect(self.served.post("/v1/models/attacks/load", {"use": "iforest.model"}), 422)
        self.assertEqual(self.served.get("/v1/models").json()["in_use"], before)
        self.expect(self.served.post("/v1/models/attacks/load", {"use": "forest.model"}), 200)
        (use,) = self.served.get("/v1/models").json()["in_use"]
        self.assertEqual((use["detector"], use["kind"], use["role"]), ("forest", "classes", "champion"))


class Repository(Served):
    def test_a_refused_file_leaves_what_was_served(self) -> None:
        (self.models / "broken.eddy").write_bytes(b"\x80\x04 a pickle")
        self.expect(self.served.post("/v1/models/broken/load"), 422, "pickle")
        before = self.expect(self.infer(tensor(self.rows)), 200).json()
        whole = self.path.read_bytes()
        self.path.write_bytes(whole[:-100])
        for path in ("/v1/models/office/load", "/v2/repository/models/office/load"):
            self.expect(self.served.post(path), 422, "office.eddy")
        self.assertEqual(self.expect(self.infer(tensor(self.rows)), 200).json(), before)
        index = {m["name"]: m for m in self.served.post("/v2/repository/index").json()}
        self.assertEqual((index["broken"]["state"], index["office"]["state"]), ("UNAVAILABLE", "READY"))
        self.assertIn("pickle", index["broken"]["reason"])
        ready = self.served.post("/v2/repository/index", {"ready": True}).json()
        self.assertEqual([m["name"] for m in ready], ["office"])
        train_model(self.path, "eve.json.gz")
        self.expect(self.served.post("/v1/models/office/load"), 200)
        self.assertNotEqual(self.expect(self.infer(tensor(self.rows)), 200).json(), before)

    def test_unloaded_is_not_served(self) -> None:
        self.expect(self.served.post("/v1/models/office/unload"), 200)
        self.expect(self.infer(tensor(self.rows)), 404, "no model office")
        self.expect(self.served.get("/v2/models/office/ready"), 404)
        self.expect(self.served.post("/v1/models/office/unload"), 404)
        self.expect(self.served.post("/v2/repository/models/office/load", {}), 200)
        self.expect(self.infer(tensor(self.rows)), 200)
        self.path.unlink()
        self.expect(self.served.post("/v1/models/office/load"), 404, "no model file")
        self.expect(self.infer(tensor(self.rows)), 200)

    def test_names_never_lead_elsewhere(self) -> None:
        shutil.copy(self.path, self.folder / "outside.eddy")
        for name in ("../outside", "..%2foutside", "%2e%2e%2foutside", "a%00b", ".", "..", "x" * 65, "a b", ""):
            self.expect(self.served.post(f"/v1/models/{name}/load".replace(" ", "%20")), 404)
        self.expect(self.served.post(f"/v1/models/{'x' * 64}/load"), 404, "no model file")

    def test_a_detector_takes_a_model_up_and_gives_it_up(self) -> None:
        self.assertEqual(self.served.get("/v1/models").json()["in_use"], [])
        for use, role in (("iforest.model", "champion"), ("iforest.challenger", "challenger")):
            if use == "iforest.challenger" and not self.knows(use):
                continue
            self.expect(self.served.post("/v1/models/office/load", {"use": use}), 200)
            used = {m["setting"]: m for m in self.served.get("/v1/models").json()["in_use"]}
            self.assertEqual((used[use]["detector"], used[use]["role"]), ("iforest", role))
            self.assertEqual(used[use]["path"], str(self.path))
            self.assertEqual(len(used[use]["sha256"]), 64)
            self.expect(self.served.post("/v1/models/other/unload", {"use": use}), 409, "does not use other")
            self.expect(self.served.post("/v1/models/office/unload", {"use": use}), 200)
            self.assertNotIn(use, [m["setting"] for m in self.served.get("/v1/models").json()["in_use"]])
            self.expect(self.served.post("/v1/models/office/unload", {"use": use}), 409)
        self.expect(self.infer(tensor(self.rows)), 200)  # still served

    def knows(self, setting: str) -> bool:
        return self.served.run("-t", "-s", f"{setting}=").returncode == 0

    def test_other_uses_are_refused(self) -> None:
        for body in ({"use": "geoip.asn"}, {"use": 5}, {"path": "/etc/passwd"}, {"use": "iforest.model", "x": 1}, []):
            self.expect(self.served.post("/v1/models/office/load", body), 400)
        self.expect(self.served.ask("POST", "/v1/models/office/load", "{", JSON), 400, "bad JSON")
        self.expect(self.served.ask("POST", "/v1/models/office/load", "x", "text/plain"), 415, "application/json")
        self.assertEqual(self.served.get("/v1/models").json()["in_use"], [])


class Without(Case):
    def test_without_a_directory_there_are_no_models(self) -> None:
        eddyd = self.eddyd().start()
        self.assertEqual(eddyd.get("/v1/models").json(), {"in_use": [], "served": []})
        self.assertEqual(eddyd.post("/v2/repository/index").json(), [])
        self.expect(eddyd.post("/v1/models/office/load"), 404, "rest.models is not set")
        eddyd.stop()
