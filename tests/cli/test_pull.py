#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""eddy model pull against a server that answers as MLflow does, or lies; $EDDY is the program.

tests/mlflow has the real MLflow."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from fake_mlflow import API, FILES, FakeMlflow, Handler

EDDY = os.environ["EDDY"]
DATA = Path(__file__).resolve().parents[2] / "examples" / "data"


class Pull(unittest.TestCase):
    models: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.models = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.models)
        for seed in (1, 2, 3):
            subprocess.run([EDDY, "train", "-q", "-m", cls.models / f"{seed}.eddy", "--trees", "20", "--seed",
                            str(seed), DATA / "benign-conn.log.gz"], check=True, timeout=120)
        cls.first, cls.second, cls.third = ((cls.models / f"{n}.eddy").read_bytes() for n in (1, 2, 3))

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "office.eddy"
        self.server = FakeMlflow()
        self.addCleanup(self.server.stop)
        self.server.has(self.first)

    def eddy(self, *words: object, status: int, name: str = "models:/office@champion") -> str:
        """Returns what was said, on both streams."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        run = subprocess.run([EDDY, "model", "pull", name, "-o", self.out, "--server", self.server.url,
                              *map(str, words)], capture_output=True, text=True, timeout=60, env=environment,
                             check=False)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def refused(self, *says: str, words: tuple[object, ...] = ()) -> None:
        """With a model there already: it stays as it was, and nothing else is left behind."""
        self.out.write_bytes(self.third)
        before = self.out.stat()
        said = self.eddy(*words, status=1)
        for each in says:
            self.assertIn(each, said)
        self.assertEqual((self.out.read_bytes(), self.out.stat().st_ino), (self.third, before.st_ino))
        self.assertEqual([p.name for p in self.folder.iterdir() if p.suffix != ".secret"], ["office.eddy"])

    def secret(self, text: str, mode: int = 0o600) -> Path:
        path = self.folder / "mlflow.secret"
        path.write_text(text)
        path.chmod(mode)
        return path

    def lie(self, start: str, body: bytes, **how: str | int) -> None:
        self.server.lies[start] = lambda to: Handler.answer(to, body, **how)

    # ---- what it does ----

    def test_the_version_of_an_alias_takes_the_place_of_the_one_before(self) -> None:
        self.assertIn("office version 1 (@champion)", self.eddy(status=0))
        self.assertEqual(self.out.read_bytes(), self.first)
        self.server.has(self.second, version="2")
        self.eddy(status=0)
        self.assertEqual(self.out.read_bytes(), self.second)
        self.assertEqual((self.folder / "office.eddy.1").read_bytes(), self.first)

    def test_what_is_there_already_is_not_fetched_nor_written(self) -> None:
        self.eddy(status=0)
        before = self.out.stat()
        self.server.asked.clear()
        self.assertIn("unchanged", self.eddy(status=0))
        self.assertEqual(len(self.server.asked), 1)
        self.assertEqual((self.out.stat().st_ino, self.out.stat().st_mtime_ns), (before.st_ino, before.st_mtime_ns))

    def test_force_fetches_again_and_does_not_lose_the_one_before(self) -> None:
        self.eddy(status=0)
        self.server.has(self.second)
        self.eddy(status=0)
        before = self.out.stat()
        self.eddy("--force", status=0)
        self.assertNotEqual(self.out.stat().st_ino, before.st_ino)
        self.assertEqual((self.folder / "office.eddy.1").read_bytes(), self.first)

    def test_check_only_says_whether_there_is_another(self) -> None:
        self.assertIn("not what is in", self.eddy("--check", status=3))
        self.assertEqual(list(self.folder.iterdir()), [])
        self.eddy(status=0)
        self.eddy("--check", status=0)
        self.server.stop()
        self.eddy("--check", status=1)

    def test_as_many_as_wanted_are_kept(self) -> None:
        for body in (self.first, self.second, self.third, self.first):
            self.server.has(body)
            self.eddy("--keep", 2, status=0)
        kept = [(self.folder / f"office.eddy.{n}").read_bytes() for n in (1, 2)]
        self.assertEqual(kept, [self.third, self.second])
        self.assertEqual(len(list(self.folder.iterdir())), 3)
        self.server.has(self.second)
        self.eddy("--keep", 0, status=0)
        self.assertEqual((self.folder / "office.eddy.1").read_bytes(), self.third)

    def test_a_version_by_number_is_asked_for(self) -> None:
        self.eddy(status=0, name="models:/office two/12")
        self.assertEqual(self.server.asked[0], f"{API}/model-versions/get?name=office%20two&version=12")
        self.eddy(status=0, name="models:/office@champion")
        self.assertEqual(self.server.asked[-1], f"{API}/registered-models/alias?name=office&alias=champion")

    def test_credentials_are_sent_as_bearer_or_basic(self) -> None:
        said = self.eddy("--token-file", self.secret("abc\n"), status=0)
        self.assertIn("plain text", said)
        self.eddy("--user-file", self.secret("ann:secret"), "--force", status=0)
        self.assertEqual(set(self.server.credentials), {"Bearer abc", "Basic YW5uOnNlY3JldA=="})

    # ---- what it refuses ----

    def test_another_file_than_the_one_registered_is_refused(self) -> None:
        self.server.body = self.second
        self.refused("office version 1: not the file that was registered", self.server.tags["eddy.sha256"][:16])

    def test_a_pickle_is_refused_though_it_was_registered(self) -> None:
        self.server.has(pickle.dumps({"trees": list(range(1000))}))
        self.refused("office version 1: ", "model file")

    def test_a_damaged_model_is_refused_though_it_was_registered(self) -> None:
        self.server.has(self.first[:-1] + bytes([self.first[-1] ^ 1]))
        self.refused("office version 1: ")

    def test_a_cut_off_answer_is_refused(self) -> None:
        self.server.lies[f"{FILES}/"] = self.cut_off
        self.refused("transfer closed")

    def cut_off(self, to: Handler) -> None:
        to.answer(self.first[:5000], length=str(len(self.first)))
        to.close_connection = True

    def test_an_answer_longer_than_it_says_is_refused(self) -> None:
        self.lie(f"{FILES}/", self.first, length="5000")
        self.refused("not the file that was registered")

    def test_a_file_that_says_it_is_too_long_is_not_read(self) -> None:
        self.lie(f"{FILES}/", b"", length=str(1 << 40))
        self.refused("longer than 67108864 bytes")

    def test_a_file_that_does_not_end_is_cut_off(self) -> None:
        def endless(to: Handler) -> None:
            to.send_response(200)
            to.end_headers()
            for _ in range(1000):
                to.wfile.write(bytes(100_000))
        self.server.lies[f"{FILES}/"] = endless
        self.refused("longer than 1048576 bytes", words=("--max-size", "1M"))

    def test_a_slow_server_is_not_waited_for(self) -> None:
        def slow(to: Handler) -> None:
            to.send_response(200)
            to.end_headers()
            for _ in range(100):
                to.wfile.write(b"x")
                time.sleep(0.1)
        self.server.lies[f"{FILES}/"] = slow
        begun = time.monotonic()
        self.refused("timed out", words=("--timeout", "1s"))
        self.assertLess(time.monotonic() - begun, 5)

    def test_html_is_no_answer_of_mlflow(self) -> None:
        for start in (f"{API}/registered-models", f"{API}/model-versions/get-download-uri", FILES + "?"):
            self.server.lies.clear()
            self.lie(start, b"<html>Sign in</html>", kind="text/html")
            self.refused("no answer of an MLflow server (text/html)")

    def test_strange_json_is_refused(self) -> None:
        for body in (b"", b"[]", b"{}", b"[" * 100_000, b'{"model_version": {"version": "../../x"}}',
                     b'{"model_version": {"version": 3}}', b'{"model_version": {"version": "1", "tags": {"a": 1}}}',
                     b'{"model_version": {"version": "1", "tags": [{"key": "eddy.sha256", "value": "AB"}]}}',
                     b'{"model_version": {"version": "1", "status": "PENDING_REGISTRATION", "tags": []}}',
                     b'{"x": "' + b"y" * (1 << 21) + b'"}'):
            self.lie(f"{API}/registered-models", body)
            self.refused("eddy: ")

    def test_a_redirect_is_not_followed_and_credentials_do_not_leave(self) -> None:
        other = FakeMlflow()
        self.addCleanup(other.stop)
        other.has(self.first)
        for start in (f"{API}/registered-models", f"{FILES}/"):
            self.server.lies.clear()
            self.server.lies[start] = lambda to: to.answer(b"", 302, Location=other.url + to.path)
            self.refused("HTTP 302", other.url, words=("--token-file", self.secret("abc")))
        self.assertEqual(other.asked, [])

    def test_a_server_that_wants_credentials_is_told_so(self) -> None:
        self.lie("/", b"Unauthorized", status=401, kind="text/html")
        self.refused("HTTP 401: wants credentials: --token-file or --user-file")
        self.refused("HTTP 401: these credentials are not enough", words=("--token-file", self.secret("abc")))

    def test_an_alias_that_does_not_exist_is_said_as_mlflow_says_it(self) -> None:
        message = b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "Registered model alias nope not found."}'
        self.lie(f"{API}/registered-models", message, status=400)
        self.refused("HTTP 400: Registered model alias nope not found.")

    def test_words_of_the_server_do_not_reach_the_terminal_raw(self) -> None:
        self.lie("/", b'{"message": "\\u001b[31mred\\u0007"}', status=500)
        self.refused("\\x1b[31mred\\x07")

    def test_a_server_that_is_down_is_said(self) -> None:
        self.out.write_bytes(self.third)
        said = self.eddy("--server", "http://127.0.0.1:1", status=1)
        self.assertIn("http://127.0.0.1:1: Failed to connect", said)
        self.assertEqual(self.out.read_bytes(), self.third)

    def test_an_untagged_version_is_refused_unless_allowed(self) -> None:
        self.server.tags = {}
        self.refused("office version 1 has no tag eddy.sha256")
        self.refused("no tag", words=("--check", "--allow-untagged"))
        self.eddy("--allow-untagged", status=0)
        self.assertEqual(self.out.read_bytes(), self.first)
        before = self.out.stat()
        self.assertIn("unchanged", self.eddy("--allow-untagged", status=0))
        self.assertEqual(self.out.stat().st_ino, before.st_ino)
        self.assertEqual((self.folder / "office.eddy.1").read_bytes(), self.third)

    def test_files_that_are_not_on_the_server_are_said(self) -> None:
        for place in ("s3://bucket/1/models/m-1", "mlflow-artifacts://elsewhere:5000/1", "file:///etc"):
            self.server.place = place
            self.refused(place, "--serve-artifacts")

    def test_which_of_two_model_files_is_not_guessed(self) -> None:
        self.server.names = ["a.eddy", "b.eddy"]
        self.refused("has 2 .eddy files")
        self.server.names = []
        self.refused("has 0 .eddy files")

    def test_secrets_that_others_can_read_are_refused(self) -> None:
        self.refused("others can read it", words=("--token-file", self.secret("abc", 0o604)))
        self.refused("more than one line", words=("--token-file", self.secret("abc\r\nX-Evil: 1")))
        self.refused("empty", words=("--user-file", self.secret("\n")))
        self.refused("No such file", words=("--user-file", self.folder / "none"))
        self.assertEqual(self.server.asked, [])

    def test_wrong_words_are_refused_before_anything_is_asked(self) -> None:
        for name in ("office", "models:/office", "models:/@champion", "models:/office/latest", "models:/office/1/2",
                     "models:/office@", "models:/" + "x" * 300 + "@champion"):
            self.eddy(status=2, name=name)
        for words in (("--keep", "100"), ("--keep", "-1"), ("--timeout", "60"), ("--max-size", "0"),
                      ("--max-size", "5G"), ("--max-size", "4MB"), ("--server", "ftp://localhost"),
                      ("--server", "http://"), ("--server", "http://ann:pw@localhost"), ("extra",), ("--nonsense",),
                      ("--token-file", "a", "--user-file", "b")):
            self.eddy(*words, status=2)
        run = subprocess.run([EDDY, "model", "pull", "models:/..@champion", "--server", self.server.url],
                             capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((run.returncode, "--out" in run.stderr), (2, True))
        self.assertEqual(self.server.asked, [])

    def test_a_folder_that_is_not_there_is_said(self) -> None:
        self.assertIn("No such file", self.eddy("-o", self.folder / "none" / "office.eddy", status=1))

    # ---- TLS ----

    @unittest.skipUnless(shutil.which("openssl"), "no openssl program to make a certificate with")
    def test_only_a_certificate_that_is_trusted_is_talked_to(self) -> None:
        certificate = self.folder / "server.secret"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", certificate, "-out",
                        self.folder / "ca.secret", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-days", "2"], check=True, capture_output=True)
        with certificate.open("ab") as both:
            both.write((self.folder / "ca.secret").read_bytes())
        self.server.stop()
        self.server = FakeMlflow(certificate)
        self.addCleanup(self.server.stop)
        self.server.has(self.first)
        self.refused("certificate")
        self.eddy("--ca", self.folder / "ca.secret", "--token-file", self.secret("abc"), status=0)
        self.assertEqual(self.out.read_bytes(), self.first)
        self.assertEqual(set(self.server.credentials), {"Bearer abc"})


if __name__ == "__main__":
    if "without libcurl" in subprocess.run([EDDY, "model", "pull", "--help"], capture_output=True, text=True,
                                           check=True).stdout:
        raise SystemExit(77)
    unittest.main()
