# SPDX-License-Identifier: MIT
"""schemathesis asks for everything that /openapi.yaml describes, and for much that it does not."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

from harness import Case, train_model

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
SECONDS = 20
# A request may be as described and still make no sense for a model: other columns, a shape that its data has not.
NOT_CHECKED = "positive_data_acceptance"


@unittest.skipUnless(SCHEMATHESIS.exists(), "schemathesis is not installed: tests/rest/run installs it")
class Schema(Case):
    def explore(self, *arguments: str, settings: str = "", **more: object) -> None:
        models = self.folder / "models"
        models.mkdir()
        train_model(models / "office.eddy")
        train_model(models / "lab.eddy")
        eddyd = self.eddyd(rest__models=models, **more)
        conf = self.folder / "schemathesis.toml"
        conf.write_text(settings)
        eddyd.token = "0123456789abcdef" if "rest__token_file" in more else None
        eddyd.start()
        done = subprocess.run([str(SCHEMATHESIS), "--config-file", str(conf), "run",
                               f"http://127.0.0.1:{eddyd.port}/openapi.yaml", "--seed", "1", "--max-time", str(SECONDS),
                               "--exclude-checks", NOT_CHECKED, "--no-color", *arguments],
                              capture_output=True, text=True, cwd=self.folder, timeout=8 * SECONDS,
                              check=False)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-1000:])
        self.assertGreater(eddyd.metric(r'eddyd_http_requests_total\{.*code="200"\}'), 50)
        self.assertEqual(eddyd.metric(r'eddyd_http_requests_total\{.*code="500"\}'), 0)
        eddyd.stop()

    def test_any_names(self) -> None:
        self.explore()

    def test_a_name_that_is_served(self) -> None:
        self.explore(settings='[parameters]\nname = "office"\nversion = "1"\n')


if __name__ == "__main__":
    unittest.main()
