#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files that `eddy report` and `eddy train` write: a link stays a link, a pipe a pipe, a device a device.

The program is $EDDY.
"""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

EDDY = os.environ["EDDY"]
LOG = Path(__file__).parents[2] / "examples" / "data" / "benign-eve.json.gz"
COMMANDS = (["report", "-q", str(LOG), "-o"], ["train", "-q", str(LOG), "-m"])


class Output(unittest.TestCase):
    def setUp(self) -> None:
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.path = Path(self.scratch.name)
        (self.path / "tmp").mkdir()

    def run_eddy(self, words: list[str], out: Path, status: int = 0) -> str:
        environment = {**os.environ, "TMPDIR": str(self.path / "tmp")}
        done = subprocess.run([EDDY, *words, str(out)], capture_output=True, text=True, timeout=300, env=environment)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(list((self.path / "tmp").iterdir()), [])
        return done.stderr

    def test_a_link_goes_on_leading_to_the_file(self) -> None:
        for words in COMMANDS:
            with self.subTest(words=words):
                real, link = self.path / "real" / words[0], self.path / words[0]
                real.parent.mkdir(exist_ok=True)
                link.symlink_to(real)
                self.run_eddy(words, link)  # to what is not there yet
                self.assertTrue(link.is_symlink())
                whole = real.stat().st_size
                self.assertGreater(whole, 1000)
                real.write_text("before", encoding="utf-8")
                real.chmod(0o640)
                self.run_eddy(words, link)
                self.assertTrue(link.is_symlink())
                self.assertGreater(real.stat().st_size, whole / 2)
                self.assertEqual(stat.S_IMODE(real.stat().st_mode), 0o640)
        self.assertEqual(sorted(p.name for p in (self.path / "real").iterdir()), ["report", "train"])
        names = ["real", "report", "tmp", "train", "train_metadata.json"]
        self.assertEqual(sorted(p.name for p in self.path.iterdir()), names)

    def test_a_pipe_gets_the_bytes(self) -> None:
        for words in COMMANDS:
            with self.subTest(words=words):
                pipe = self.path / (words[0] + ".pipe")
                os.mkfifo(pipe)
                got: list[bytes] = []
                reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
                reader.start()
                self.run_eddy(words, pipe)
                reader.join(20)
                self.assertFalse(reader.is_alive())
                self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))
                if words[0] == "report":
                    self.assertTrue(got[0].startswith(b"<!doctype html>") and got[0].endswith(b"</html>\n"))
                self.assertGreater(len(got[0]), 1000)

    def test_a_device_stays_one(self) -> None:
        """Nodes of our own: 1, 3 is null and 1, 7 is full (Linux, devices.txt)."""
        for minor, status in ((3, 0), (7, 1)):
            for words in COMMANDS:
                with self.subTest(words=words, minor=minor):
                    node = self.path / f"{words[0]}{minor}"
                    try:
                        os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
                        node.open("wb").close()
                    except PermissionError:
                        self.skipTest("making device nodes needs root, and a file system that has them")
                    said = self.run_eddy(words, node, status)
                    self.assertTrue(stat.S_ISCHR(node.lstat().st_mode))
                    if status != 0:
                        self.assertIn(f"{node}: No space left on device", said)

    def test_a_directory_is_refused(self) -> None:
        for words in COMMANDS:
            self.assertIn("Is a directory", self.run_eddy(words, self.path / "tmp", status=1))


if __name__ == "__main__":
    unittest.main()
