#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The programs in examples/ do what they say: $EMBED and $HOST, beside $EDDY."""

from __future__ import annotations

import os
import signal
import subprocess
import unittest
from pathlib import Path

from test_eddy import LOG, Eddy

ROOT = Path(__file__).resolve().parents[2]
EMBED, HOST = os.environ["EMBED"], os.environ["HOST"]


class Examples(Eddy):
    def test_embed_finds_what_eddy_finds(self) -> None:
        run = subprocess.run([EMBED], input=LOG, capture_output=True, check=True)
        expected = self.ok("score", self.log).splitlines()
        self.assertTrue(expected)
        self.assertEqual(sorted(run.stdout.decode().splitlines()), sorted(expected))
        self.assertIn(b"flows scored", run.stderr)

    def test_host_takes_settings_reloads_and_tells_metrics(self) -> None:
        conf = self.write("eddy.conf", b"[host]\ngreeting = hello")
        process = subprocess.Popen(
            [HOST, conf, "decide.p=1e-4"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(LOG)
        process.stdin.flush()
        self.assertTrue(process.stdout.readline().startswith(b"10.0.0.66 "))
        process.send_signal(signal.SIGUSR1)
        told_of = process.stdout.readline()
        while told_of.startswith(b"10.0.0.66 "):  # other detectors have found it, too
            told_of = process.stdout.readline()
        self.assertTrue(told_of.startswith(b"eddy_"), told_of)
        self.write("eddy.conf", b"[host]\ngreting = x\n")
        process.send_signal(signal.SIGHUP)
        told = process.stderr.readline()
        while b"host.greting" not in told and told:
            told = process.stderr.readline()
        self.assertIn(b"eddy.conf:2: host.greting: no such setting; did you mean host.greeting?", told)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_host_says_what_is_wrong_with_its_settings(self) -> None:
        run = subprocess.run([HOST, self.write("eddy.conf", b"[emit]\ninterval = 9h\n")], capture_output=True, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"eddy.conf:2: emit.interval = '9h'", run.stderr)


class Suppress(Eddy):
    def test_from_an_incident_to_its_silence(self) -> None:
        run = subprocess.run([ROOT / "examples" / "suppress", os.environ["EDDY"]], capture_output=True, check=False)
        out = run.stdout.decode()
        self.assertEqual(run.returncode, 0, run.stderr.decode() + out)
        self.assertIn("hides 1 incident\n", out)
        self.assertIn(", 1 suppressed (--suppressed lists them)", out)
        self.assertIn("hid 1 incident with ", out)
        self.assertTrue(out.endswith("the incident is told of again.\n"))


del Eddy  # its subclasses here are enough


if __name__ == "__main__":
    unittest.main()
