# SPDX-License-Identifier: MIT
"""A Suricata with eddy inside, for the tests: its suricata.yaml, its log directory, its end."""
import collections
import json
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys
import time

import captures
from harness import Bench, Failed, Skipped, check, incidents, need, wait_for

NOBODY = "nobody"
TRUTH = {(captures.SCANNER, "fanout"), (captures.BEACON, "beacon")}
# Flows are written soon after their end, not only at the capture's; with --runmode single.
QUICK = """
flow-timeouts:
""" + "".join(f"  {kind}: {{new: 5, established: 5, closed: 1, bypassed: 5, emergency-new: 1, "
              "emergency-established: 1, emergency-closed: 0, emergency-bypassed: 1}\n" for kind in ("default", "tcp"))


def need_root() -> None:
    if os.geteuid() != 0:
        raise Skipped("only root can do this")


def give(path: pathlib.Path, user: str = NOBODY) -> None:
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)


def closed(lines: str) -> list[str]:
    """The last line about each incident, of lines of JSON."""
    return [line for line in lines.splitlines() if json.loads(line)["state"] == "closed"]


class Suricata:
    """One log directory and one suricata.yaml; `maps` are the `eddy:` maps of one eve-log each."""

    def __init__(self, bench: Bench, *maps: dict | str, name: str = "s", plugin: pathlib.Path | None = None,
                 eve_log: dict | None = None, extra: str = "", types: tuple[str, ...] = ("flow", "http", "stats")):
        self.bench, self.program = bench, need("suricata")
        self.log = bench.path / name
        self.log.mkdir(exist_ok=True)
        self.yaml = bench.path / f"{name}.yaml"
        self.said_file = f"{name}.suricata.log"  # what it prints is buffered, this is not
        self.process: subprocess.Popen | None = None
        plugin = plugin or bench.build / "plugins" / "suricata" / "eddy-suricata.so"
        if not plugin.exists():
            raise Skipped(f"{plugin} is not built")
        outputs = [{"eve-log": {"enabled": "yes", "filetype": "regular", "filename": "eve.json", "types": types}}]
        outputs += [{"eve-log": {"enabled": "yes", "filetype": "eddy", "types": types, "eddy": map, **(eve_log or {})}}
                    for map in maps or ({},)]
        self.yaml.write_text(f"%YAML 1.1\n---\nplugins: [{plugin}]\nrule-files: []\n"
                             f"outputs: {json.dumps(outputs)}\nlogging: {{outputs: [console: {{enabled: yes}}, file: "
                             f"{{enabled: yes, level: info, filename: {bench.path / self.said_file}}}]}}\n{extra}")

    def words(self, *more: object) -> list[str]:
        return [str(word) for word in (self.program, "-c", self.yaml, "-k", "none", "-l", self.log, "-v", *more)]

    def read(self, capture: pathlib.Path, *more: object, status: int = 0, seconds: float = 60, **named) -> str:
        """Reads a capture to its end; what it printed."""
        done = self.bench.run(*self.words("-r", capture, *more), seconds=seconds, **named)
        said = done.stdout + done.stderr
        check(done.returncode == status, f"suricata ended with {done.returncode}: {said[-1500:]}")
        return said

    def start(self, *more: object, until: str = " go to ", **named) -> None:
        """In the background; waits for words in its log, initially for those of the plugin."""
        self.process = self.bench.start(*self.words(*more), log=self.log.name + ".out", **named)
        self.wait_said(until)

    def said(self) -> str:
        return self.bench.text(self.said_file)

    def wait_said(self, words: str, seconds: float = 20) -> None:
        wait_for(lambda: words in self.said() or self.process.poll() is not None, seconds,
                 f"'{words}' in: {self.said()[-1500:]}")
        check(words in self.said(), f"no '{words}' in: {self.said()[-1500:]}")

    def end(self, seconds: float = 20) -> None:
        """Waits for its end, which must be a good one."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"still running after {seconds} s: {self.said()[-1500:]}") from None
        check(status == 0, f"suricata ended with {status}: {self.said()[-1500:]}")

    def wait_dead(self, seconds: float) -> None:
        """Waits until it has exited, also if a frozen thread keeps it from going away."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat")
        wait_for(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "Z", seconds, "exited: " + self.said()[-500:])

    def eve(self) -> pathlib.Path:
        return self.log / "eve.json"

    def events(self) -> collections.Counter:
        return collections.Counter(json.loads(line)["event_type"] for line in self.eve().read_text().splitlines())

    def incidents(self, file: str = "eddy.json") -> set[tuple[str, str, str]]:
        path = self.log / file
        return incidents(path.read_text()) if path.exists() else set()

    def metric(self, result: str, file: str = "eddy.prom") -> int:
        """eddy_input_records_total with this result."""
        text = (self.log / file).read_text()
        found = re.search(rf'^eddy_input_records_total{{.*result="{result}"}} (\d+)$', text, re.MULTILINE)
        check(found is not None, f"{file} has no records with result {result}")
        return int(found[1])

    def expect_all_scored(self, file: str = "eddy") -> None:
        """The records add up, and the incidents are those that `eddy score` finds in eve.json."""
        events = self.events()
        others = sum(events.values()) - events["flow"]
        counts = {r: self.metric(r, file + ".prom") for r in ("scored", "skipped", "rejected", "dropped")}
        wanted = {"scored": events["flow"], "skipped": others, "rejected": 0, "dropped": 0}
        check(counts == wanted, f"counted {counts}, eve.json has {wanted}")
        self.expect_lines(self.bench.score(self.eve()), file + ".json")

    def expect_lines(self, scored: str, file: str = "eddy.json") -> None:
        """The incidents as they were when they closed, byte for byte those of `eddy score`."""
        expected, found = sorted(scored.splitlines()), sorted(closed((self.log / file).read_text()))
        check({(host, detector) for _, host, detector in incidents(scored)} >= TRUTH, f"eddy score finds {expected}")
        check(found == expected, f"{found}, not {expected}")


def capture(bench: Bench, name: str = "a.pcap", **more) -> pathlib.Path:
    return captures.write(bench.path / name, captures.packets(**more))


class Pipe:
    """A capture that Suricata reads as we write it."""

    def __init__(self, bench: Bench, name: str = "pipe.pcap", **more):
        self.path = bench.path / name
        os.mkfifo(self.path)
        self.packets = (capture(bench, "whole.pcap", **more)).read_bytes()
        self.file = None

    def write(self, begin: float, end: float) -> None:
        """This part of the capture, cut anywhere."""
        if self.file is None:
            self.file = open(self.path, "wb", buffering=0)  # waits for the reader
        view = memoryview(self.packets)[int(len(self.packets) * begin):int(len(self.packets) * end)]
        while view:
            view = view[self.file.write(view):]

    def close(self) -> None:
        self.file.close()


FREEZE = """
import ctypes, os, sys
ptrace = ctypes.CDLL(None).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
thread = int(sys.argv[1])
if ptrace(0x4206, thread, None, None) != 0:  # PTRACE_SEIZE
    sys.exit(1)
ptrace(0x4207, thread, None, None)  # PTRACE_INTERRUPT
os.waitpid(thread, 0x40000000)  # __WALL
print("frozen", flush=True)
sys.stdin.read()
"""


class Frozen:
    """One thread of a process, stopped by ptrace while all others go on; until thaw()."""

    def __init__(self, bench: Bench, process: subprocess.Popen, name: str):
        frozen = thread(process, name).name
        # A process of its own: when it ends, however it ends, the thread runs on. Ended first of all, for
        # a process with a frozen thread does not go away.
        self.tracer = subprocess.Popen([sys.executable, "-c", FREEZE, frozen], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        bench.processes.insert(0, self.tracer)
        if self.tracer.stdout.readline() != "frozen\n":
            raise Skipped("ptrace is not permitted here")

    def thaw(self) -> None:
        self.tracer.kill()
        self.tracer.wait()


def thread(process: subprocess.Popen, name: str) -> pathlib.Path:
    """The directory in /proc of the process's thread with this name."""
    found: list[pathlib.Path] = []

    def look() -> bool:
        found.extend(task for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir()
                     if (task / "comm").read_text().strip() == name)
        return bool(found)

    wait_for(look, 10, f"a thread named {name}")
    return found[0]


class Disk:
    """A small file system of its own that can be made to hang."""

    def __init__(self, bench: Bench):
        if os.geteuid() != 0:
            raise Skipped("only root can do this")
        self.bench, self.folder = bench, bench.path / "disk"
        image = bench.path / "disk.img"
        self.folder.mkdir()
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        for words in (("mkfs.ext4", "-q", image), ("mount", "-o", "loop", image, self.folder)):
            if bench.run(need(words[0]), *words[1:]).returncode != 0:
                raise Skipped(f"no {words[0]} here")
        bench.at_end.append(lambda: bench.run("umount", self.folder))

    def __enter__(self) -> None:
        """From here on who writes to it waits."""
        if self.bench.run(need("fsfreeze"), "-f", self.folder).returncode != 0:
            raise Skipped("fsfreeze is not permitted here")

    def __exit__(self, *_: object) -> None:
        self.bench.run(need("fsfreeze"), "-u", self.folder)


class Command:
    """Suricata's command socket: one request, one answer."""

    def __init__(self, path: pathlib.Path):
        wait_for(path.exists, 20, f"{path}")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.ask({"version": "0.2"})

    def ask(self, request: dict) -> object:
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        text = b""
        while True:
            text += self.socket.recv(65536)
            try:
                answer = json.loads(text)
            except ValueError:
                continue
            check(answer["return"] == "OK", f"{request}: {answer}")
            return answer.get("message")

    def read(self, file: pathlib.Path, folder: pathlib.Path) -> None:
        """Queues a capture whose logs go to `folder`."""
        folder.mkdir(exist_ok=True)
        self.ask({"command": "pcap-file", "arguments": {"filename": str(file), "output-dir": str(folder)}})

    def wait_idle(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        idle = 0
        while idle < 2:  # between two captures nothing is current for a moment
            waiting = self.ask({"command": "pcap-file-number"})
            current = self.ask({"command": "pcap-current"})
            idle = idle + 1 if waiting == 0 and current == "None" else 0
            if time.monotonic() > end:
                raise Failed(f"after {seconds} s still reading {current}")
            time.sleep(0.02)
