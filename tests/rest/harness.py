# SPDX-License-Identifier: MIT
"""What the tests of the REST interface share: an eddyd in a scratch directory, and requests to it."""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "examples" / "data"
LINES = "application/x-ndjson"
JSON = "application/json"


def program(name: str) -> str:
    """A built program; tests/rest/run and ctest say where: BUILD."""
    return str(Path(os.environ["BUILD"]) / "plugins" / name / name)


def is_sanitized() -> bool:
    """With a sanitizer: slower, with more memory, and its library can't be loaded by Python."""
    return b"__asan_init" in Path(program("eddyd")).read_bytes()


def many(count: int) -> int:
    """Of lines or bytes: less with a sanitizer."""
    return count // 10 if is_sanitized() else count


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.02)


def lines_of(name: str, begin: int = 0, end: int | None = None) -> list[bytes]:
    """Lines of a log in examples/data."""
    with gzip.open(DATA / name) as log:
        return log.readlines()[begin:end]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str):
        super().__init__("localhost")
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, got: http.client.HTTPResponse):
        self.status, self.headers, self.body = got.status, got.headers, got.read()

    def json(self) -> Any:
        return json.loads(self.body)

    def error(self) -> str:
        assert self.headers["Content-Type"] == JSON, self.headers["Content-Type"]
        said = self.json()["error"]
        assert isinstance(said, str) and said
        return said


class Eddyd:
    """One eddyd with settings of its own; `section__name` stands for section.name."""

    def __init__(self, folder: Path, **settings: object):
        self.folder, self.port = folder, free_port()
        self.settings: dict[str, object] = {
            "eddyd.http": f"127.0.0.1:{self.port}", "eddyd.checkpoint": "", "state.memory": "16M",
            "eddyd.listen": f"unix_stream:{folder}/lines.sock", "rest.timeout": "5s"}  # fmt: skip
        self.settings.update({key.replace("__", "."): value for key, value in settings.items()})
        self.log, self.conf = folder / "eddyd.log", folder / "eddy.conf"
        self.process: subprocess.Popen[bytes] | None = None
        self.tls: ssl.SSLContext | None = None
        self.token: str | None = None

    def write_conf(self) -> None:
        text = ""
        for key, value in self.settings.items():
            section, name = key.split(".", 1)
            text += f"[{section}]\n{name} = {value}\n"
        self.conf.write_text(text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs it to its end, which has to come soon."""
        self.write_conf()
        return subprocess.run([program("eddyd"), "-c", str(self.conf), *arguments], capture_output=True, text=True,
                              timeout=20, check=False)  # fmt: skip

    def start(self) -> Eddyd:
        self.write_conf()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program("eddyd"), "-c", str(self.conf)], stdout=log, stderr=log)
        wait_for(self.is_up, 20, "eddyd is ready")
        return self

    def is_up(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"eddyd has ended with status {self.process.poll()}: {self.said()}")
        try:
            return self.get("/readyz").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        assert status == 0, f"ended with status {status}: {self.said()[-2000:]}"
        self.process = None

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def connect(self, timeout: float = 30) -> http.client.HTTPConnection:
        if "unix_stream:" in str(self.settings["eddyd.http"]):
            return UnixConnection(str(self.settings["eddyd.http"]).removeprefix("unix_stream:"))
        if self.tls is not None:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method: str, path: str, body: Any = None, kind: str | None = None, **headers: str) -> Answer:
        """One request; `Content_Type` stands for Content-Type."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if kind is not None:
            sent["Content-Type"] = kind
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, sent)
            return Answer(connection.getresponse())

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, what: object = None, **headers: str) -> Answer:
        """JSON, or nothing."""
        return self.ask("POST", path, None if what is None else json.dumps(what), JSON, **headers)

    def score(self, lines: bytes, **headers: str) -> Answer:
        return self.ask("POST", "/v1/score", lines, LINES, **headers)

    def metric(self, sample: str) -> float:
        """The sum of the samples whose name and labels match."""
        text = self.get("/metrics").body.decode()
        return sum(float(v) for v in re.findall(rf"^{sample} (\S+)$", text, flags=re.MULTILINE))

    def memory_peak(self) -> int:
        """In bytes; nothing, where a sanitizer keeps what was freed."""
        assert self.process is not None
        if is_sanitized():
            return 0
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) * 1024  # type: ignore[index]


class Case(unittest.TestCase):
    """A scratch directory for each test; every eddyd in it ends with it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="eddy-rest-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def eddyd(self, **settings: object) -> Eddyd:
        made = Eddyd(self.folder, **settings)
        self.addCleanup(made.close)
        return made

    def expect(self, answer: Answer, status: int, words: str = "") -> Answer:
        self.assertEqual(answer.status, status, answer.body[:300])
        if status >= 400:
            self.assertIn(words, answer.error())
        return answer


@contextlib.contextmanager
def raw(eddyd: Eddyd) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", eddyd.port), 30) as s:
        yield s


@functools.cache
def trained(log: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="eddy-rest-") as folder:
        path = Path(folder) / "model.eddy"
        subprocess.run([program("eddy"), "train", "-m", str(path), str(DATA / log)], check=True, capture_output=True)
        return path.read_bytes()


def train_model(path: Path, log: str = "benign-eve.json.gz") -> None:
    """An isolation forest of a log in examples/data."""
    path.write_bytes(trained(log))
