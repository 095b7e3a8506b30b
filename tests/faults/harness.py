# SPDX-License-Identifier: MIT
"""What the fault tests share: a scratch directory, an eddyd in it, generators, and the oracle."""
import collections
import contextlib
import http.client
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Callable, Iterator

from harness_common import Failed, Skipped, check, disk_that_hangs, free_port, inherited, wait_for  # noqa: F401

HERE = pathlib.Path(__file__).resolve().parent
tests: list[tuple[str, Callable]] = []


def test(function: Callable) -> Callable:
    tests.append((function.__name__, function))
    return function


class Eddyd:
    """One eddyd and its files, all in one scratch directory."""

    def __init__(self, bench: "Bench", follow: list[str] = (), listen: list[str] = (), **more: str):
        self.bench, self.process, self.port = bench, None, free_port()
        self.counted = (0, -1, 0, 0)  # of the flows file: bytes, lines, inode, pid of eddyd
        self.flows = bench.path / "flows.csv"
        self.checkpoint = bench.path / "state" / "checkpoint"
        self.checkpoint.parent.mkdir(exist_ok=True)
        self.log = bench.path / "eddyd.log"
        self.follow, self.listen = list(follow), list(listen)
        self.settings = {"eddyd.http": f"127.0.0.1:{self.port}", "eddyd.flows": str(self.flows),
                         "eddyd.checkpoint": str(self.checkpoint),
                         "eddyd.checkpoint_interval": "100ms", "state.memory": "16M"}
        self.settings.update({key.replace("__", "."): value for key, value in more.items()})
        self.conf = bench.path / "eddy.conf"

    def write_conf(self, extra: str = "") -> None:
        sections = collections.defaultdict(list)
        for key, value in self.settings.items():
            section, name = key.split(".", 1)
            sections[section].append(f"{name} = {value}")
        for key, values in (("follow", self.follow), ("listen", self.listen)):
            sections["eddyd"] += [f"{key} = {value}" for value in values]
        text = "".join(f"[{s}]\n" + "\n".join(lines) + "\n" for s, lines in sections.items())
        self.conf.write_text(text + extra)

    def start(self, ready: bool = True, env: dict | None = None) -> None:
        if not self.conf.exists():
            self.write_conf()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.bench.eddyd, "-c", str(self.conf)], stderr=log,
                                            stdout=log, env={**os.environ, **(env or {})})
        if ready:
            wait_for(lambda: self.get("/readyz")[0] == 200, 10, "ready; log: " + self.tail())

    def tail(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return " | ".join(text.splitlines()[-4:])

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        check(self.process.poll() is None,
              f"eddyd has ended with status {self.process.poll()}: {self.tail()}")
        try:
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            client.request(method, path)
            answer = client.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str, default: float = 0) -> float:
        """The sum of all samples of a metric."""
        lines = [l for l in self.get("/metrics")[1].splitlines()
                 if l.startswith((name + " ", name + "{"))]
        return sum(float(l.rsplit(" ", 1)[1]) for l in lines) if lines else default

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 15) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"still running {seconds} s after SIGTERM") from None
        check(status == 0, f"ended with status {status} after SIGTERM: {self.tail()}")

    def lines(self) -> int:
        """Lines in the flows file; reads on where it stopped, for it is asked often."""
        try:
            with open(self.flows, "rb") as f:
                size, ino = os.fstat(f.fileno()).st_size, os.fstat(f.fileno()).st_ino
                if (ino, self.process.pid) != self.counted[2:] or size < self.counted[0]:
                    self.counted = (0, -1, ino, self.process.pid)  # the header is no line
                f.seek(self.counted[0])
                text = f.read(size - self.counted[0])
                self.counted = (size, self.counted[1] + text.count(b"\n"), *self.counted[2:])
                return self.counted[1]
        except FileNotFoundError:
            return -1

    def wait_lines(self, count: int, seconds: float = 20) -> None:
        wait_for(lambda: self.process.poll() is not None or self.lines() >= count, seconds,
                 f"{count} lines in the flows file (has {self.lines()}); log: {self.tail()}")

    def expect_exactly(self, count: int) -> None:
        """The oracle: records 0 .. count-1 have one line each."""
        with open(self.flows, encoding="utf-8") as f:
            header = next(f)
            seen = collections.Counter(int(line.split(",", 1)[0]) for line in f)
        check(header == "id,score,p,detector\n", f"header is {header!r}")
        lost = [n for n in range(count) if n not in seen]
        twice = [n for n, times in seen.items() if times > 1]
        strange = [n for n in seen if not 0 <= n < count]
        check(not lost and not twice and not strange,
              f"of {count} records {len(lost)} lost (first {lost[:3]}), {len(twice)} repeated "
              f"(first {sorted(twice)[:3]}), {len(strange)} never written; log: {self.tail()}")


class Bench:
    """A scratch directory, a seeded die, and everything started in a test."""

    def __init__(self, eddyd: str, seed: int):
        self.eddyd, self.seed, self.dice = eddyd, seed, random.Random(seed)
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="eddy-faults-"))
        self.daemons: list[Eddyd] = []
        self.others: list[subprocess.Popen] = []

    def daemon(self, *arguments, **named) -> Eddyd:
        d = Eddyd(self, *arguments, **named)
        self.daemons.append(d)
        return d

    def generator(self, path: os.PathLike, form: str, count: int, rate: float, rotate_s: float,
                  style: str) -> subprocess.Popen:
        process = subprocess.Popen([sys.executable, str(HERE / "generator.py"), str(path), form,
                                    str(count), str(rate), str(rotate_s), style, str(self.seed)])
        self.others.append(process)
        return process

    def finish(self, process: subprocess.Popen, seconds: float = 90) -> None:
        check(process.wait(seconds) == 0, "the generator failed")

    def close(self, keep: bool) -> None:
        for process in [d.process for d in self.daemons if d.process] + self.others:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        if keep:
            print(f"   kept {self.path}", flush=True)
        else:
            shutil.rmtree(self.path, ignore_errors=True)


@contextlib.contextmanager
def small_disk(bench: Bench, size: str) -> Iterator[pathlib.Path]:
    """A file system of this size; skips where mounting is not allowed."""
    place = bench.path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skipped("mounting a tmpfs is not permitted here")
    try:
        yield place
    finally:
        for d in bench.daemons:
            if d.process and d.process.poll() is None:
                d.kill()
        subprocess.run(["umount", str(place)], check=False)
