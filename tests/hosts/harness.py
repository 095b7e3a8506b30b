# SPDX-License-Identifier: MIT
"""What the tests of the hosts share: a scratch directory, processes that end with the test, and the
oracle, which is `eddy score` over the same records."""
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Callable

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.append(str(HERE.parent / "faults"))
from harness_common import Failed, Skipped, check, disk_that_hangs, free_port, inherited, wait_for  # noqa: E402,F401

tests: list[tuple[str, Callable, str]] = []


def test(function: Callable) -> Callable:
    """For every run."""
    tests.append((function.__name__, function, ""))
    return function


def long_test(function: Callable) -> Callable:
    """Only with --long."""
    tests.append((function.__name__, function, "long"))
    return function


def named_test(function: Callable) -> Callable:
    """Only when named: it is a step of its own in tests/run."""
    tests.append((function.__name__, function, "named"))
    return function


def need(program: str) -> str:
    """The path of a program; the test is skipped where it is not installed."""
    found = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise Skipped(f"{program} is not installed")
    return found


def incidents(lines: str) -> set[tuple[str, str, str]]:
    """(id, host, detector) of each incident in lines of JSON."""
    found = [json.loads(line) for line in lines.splitlines() if line.strip()]
    return {(i["incident_id"], i["host"], i["detector"]) for i in found}


class Bench:
    """A scratch directory, what was built, and every process a test has started."""

    def __init__(self, build: pathlib.Path, seed: int, long: bool = False):
        self.build, self.seed, self.long = build, seed, long
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="eddy-hosts-"))
        self.path.chmod(0o755)
        self.eddy = build / "plugins" / "eddy" / "eddy"
        self.eddyd = build / "plugins" / "eddyd" / "eddyd"
        self.processes: list[subprocess.Popen] = []
        self.at_end: list[Callable[[], None]] = []

    def start(self, *command: object, log: str = "log", **more) -> subprocess.Popen:
        """A process in the background; what it prints goes to the file `log`."""
        with open(self.path / log, "ab") as file:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                       stdout=file, stderr=file, **more)
        self.processes.append(process)
        return process

    def stop(self, process: subprocess.Popen, seconds: float = 20) -> int:
        """SIGTERM, and its exit status."""
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"still running {seconds} s after SIGTERM: {process.args[0]}") from None

    def run(self, *command: object, seconds: float = 120, **more) -> subprocess.CompletedProcess[str]:
        """A command to its end, with what it printed."""
        return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=seconds, check=False, **more)

    def text(self, name: str = "log") -> str:
        path = self.path / name
        return path.read_text(errors="replace") if path.exists() else ""

    def score(self, *files: object, settings: dict[str, str] | None = None) -> str:
        """The incidents of these logs as lines of JSON, by the command line."""
        sets = [word for key, value in (settings or {}).items() for word in ("-s", f"{key}={value}")]
        done = self.run(self.eddy, "score", "-q", "-o", "json", *sets, *files)
        check(done.returncode == 0, f"eddy score: {done.stderr}")
        return done.stdout

    def close(self, keep: bool) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        for action in reversed(self.at_end):
            action()
        if keep:
            print(f"   kept {self.path}", flush=True)
        else:
            shutil.rmtree(self.path, ignore_errors=True)
