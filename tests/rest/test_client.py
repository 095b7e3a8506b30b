# SPDX-License-Identifier: MIT
"""A real client of the Open Inference Protocol (Triton's) gets what the library itself predicts."""

from __future__ import annotations

import unittest

from harness import Case, train_model

try:
    import numpy as np
    import tritonclient.http as triton
except ImportError:
    triton = None

@unittest.skipUnless(triton, "tritonclient is not installed: tests/rest/run installs it")
class Client(Case):
    def setUp(self) -> None:
        super().setUp()
        models = self.folder / "models"
        models.mkdir()
        train_model(models / "office.eddy")
        (models / "broken.eddy").write_bytes(b"PK\x03\x04 a zip")
        self.served = self.eddyd(rest__models=models).start()
        self.client = triton.InferenceServerClient(f"127.0.0.1:{self.served.port}")
        self.addCleanup(self.client.close)

    def test_health_metadata_and_repository(self) -> None:
        client = self.client
        self.assertTrue(client.is_server_live() and client.is_server_ready() and client.is_model_ready("office"))
        self.assertFalse(client.is_model_ready("broken"))
        self.assertEqual(client.get_server_metadata()["name"], "eddyd")
        metadata = client.get_model_metadata("office", model_version="1")
        self.assertEqual(metadata["inputs"], [{"name": "input", "datatype": "FP64",
                                               "shape": [-1, len(metadata["columns"])]}])  # fmt: skip
        self.assertEqual([m["state"] for m in client.get_model_repository_index()], ["UNAVAILABLE", "READY"])
        client.unload_model("office")
        self.assertFalse(client.is_model_ready("office"))
        client.load_model("office")
        self.assertTrue(client.is_model_ready("office"))
        with self.assertRaisesRegex(triton.InferenceServerException, "ZIP archive"):
            client.load_model("broken")

    def test_every_way_of_sending_gives_the_same(self) -> None:
        width = len(self.client.get_model_metadata("office")["columns"])
        rows = np.random.default_rng(1).exponential(100, size=(64, width))
        given = triton.InferInput("input", list(rows.shape), "FP64")
        scores = []
        for sent in (True, False):
            for got in (True, False):
                given.set_data_from_numpy(rows, binary_data=sent)
                result = self.client.infer("office", [given], request_id="7", outputs=[
                    triton.InferRequestedOutput("score", binary_data=got)])  # fmt: skip
                self.assertEqual(result.get_response()["id"], "7")
                scores.append(result.as_numpy("score"))
        scores.append(self.client.infer("office", [given]).as_numpy("score"))
        self.assertEqual(scores[0].shape, (64,))
        self.assertGreater(len(set(scores[0])), 20)
        for other in scores[1:]:
            np.testing.assert_array_equal(other, scores[0])
        tasks = [self.client.async_infer("office", [given]) for _ in range(16)]
        for task in tasks:
            np.testing.assert_array_equal(task.get_result().as_numpy("score"), scores[0])

    def test_errors_arrive_in_words(self) -> None:
        given = triton.InferInput("input", [1, 2], "FP64")
        given.set_data_from_numpy(np.zeros((1, 2)))
        with self.assertRaisesRegex(triton.InferenceServerException, "shape"):
            self.client.infer("office", [given])
        with self.assertRaisesRegex(triton.InferenceServerException, "no model nowhere"):
            self.client.infer("nowhere", [given])
        text = triton.InferInput("input", [1, 1], "BYTES")
        text.set_data_from_numpy(np.array([[b"a"]], dtype=object))
        with self.assertRaisesRegex(triton.InferenceServerException, "BYTES: only FP32 and FP64"):
            self.client.infer("office", [text])


if __name__ == "__main__":
    unittest.main()
