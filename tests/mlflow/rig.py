# SPDX-License-Identifier: MIT
"""A real MLflow server, a real eddyd, and the programs of a build."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["EDDY_BUILD"])
EDDY, EDDYD = BUILD / "plugins/eddy/eddy", BUILD / "plugins/eddyd/eddyd"
DATA = ROOT / "examples" / "data"
os.environ.setdefault("EDDY_LIBRARY", str(BUILD / "core/libeddy.so.0"))
# Jobs of the server that nothing here asks for: seven processes with 230 MiB each.
os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DVC_NO_ANALYTICS"] = "true"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """How long it took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(0.1)
    return time.monotonic() - begun


def answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
        return True
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """The process and those it has begun."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def program(words: list[object], log: Path, ready: str, seconds: float) -> Iterator[None]:
    """Runs until the block ends; begins when the address answers."""
    with log.open("wb") as out:
        process = subprocess.Popen(list(map(str, words)), stdout=out, stderr=out, start_new_session=True)
    try:
        wait_for(lambda: answers(ready) or process.poll() is not None, seconds, f"{words[0]} answers")
        if process.poll() is not None:
            raise AssertionError(f"{words[0]} ended: {log.read_text()[-2000:]}")
        yield
    finally:
        stop(process)


@contextlib.contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    port = free_port()
    words = ["mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination",
             folder / "artifacts", "--serve-artifacts", "--host", "127.0.0.1", "--port", port, "--workers", 1]
    url = f"http://127.0.0.1:{port}"
    with program(words, folder / "mlflow.log", f"{url}/health", 180):
        yield url


@contextlib.contextmanager
def mlflow_serve(model: str, folder: Path) -> Iterator[str]:
    port = free_port()
    words = ["mlflow", "models", "serve", "-m", model, "--env-manager", "local", "--host", "127.0.0.1", "--port", port]
    with program(words, folder / "serve.log", f"http://127.0.0.1:{port}/ping", 180):
        yield f"http://127.0.0.1:{port}/invocations"


@contextlib.contextmanager
def eddyd(folder: Path, model: Path) -> Iterator[Callable[[], str]]:
    """A daemon that uses a model file. Gives the SHA-256 of the one in use, by its metrics."""
    port = free_port()
    conf = folder / "eddy.conf"
    conf.write_text(f"[eddyd]\nhttp = 127.0.0.1:{port}\nlisten = unix_stream:{folder}/eve.sock\n"
                    f"checkpoint = {folder}/checkpoint\n"
                    f"[iforest]\nmodel = {model}\n[state]\nmemory = 32M\n[history]\npath = {folder}/history.jsonl\n")

    def in_use() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
            text = reply.read().decode()
        return "".join(re.findall(r'^eddy_model_info\{.*sha256="([0-9a-f]+)".*\} 1$', text, re.MULTILINE))

    with program([EDDYD, "-c", conf], folder / "eddyd.log", f"http://127.0.0.1:{port}/healthz", 20):
        yield in_use


def run(*words: object, status: int = 0, cwd: Path | None = None, seconds: float = 120) -> str:
    """What a program said, on both streams."""
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd,
                          timeout=seconds, check=False)
    if done.returncode != status:
        raise AssertionError(f"{' '.join(map(str, words))}: status {done.returncode}, not {status}\n{done.stdout}")
    return done.stdout
