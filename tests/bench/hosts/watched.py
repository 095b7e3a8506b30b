# SPDX-License-Identifier: MIT
"""watched.py - Suricata reads a capture, watched from outside: CPU time of each thread, when the capture was read."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
OURS = ("eddy", "eddy-keeper")  # names of our threads
TURN_S = 0.01


@dataclass
class Run:
    wall: float           # seconds from start to the last packet, as Suricata says
    cpu: dict[str, float]  # seconds, by name of the thread
    packets: str          # Suricata's own count
    told: str             # by eddy, at the end

    def ours(self) -> float:
        return sum(seconds for name, seconds in self.cpu.items() if name in OURS)

    def suricatas(self) -> float:
        return sum(self.cpu.values()) - self.ours()


def nothing(_: Path) -> None:
    pass


@dataclass
class Variant:
    """Outputs of Suricata, and what is done to them meanwhile; @ stands for the scratch directory."""

    name: str
    outputs: list[str]
    plugin: str = ""  # eddy or sink
    before: Callable[[Path], None] = nothing
    started: Callable[[Path], None] = nothing  # the engine runs
    read: Callable[[Path], None] = nothing     # the last packet was read
    after: Callable[[Path], None] = nothing
    runs: list[Run] = field(default_factory=list)


def sample(pid: int, seen: dict[str, tuple[str, float]]) -> None:
    """CPU seconds of each thread, by its id. What a thread does in its last turn is missed."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            seen[task.name] = ((task / "comm").read_text().strip(),
                               int((task / "schedstat").read_text().split()[0]) / 1e9)
        except (FileNotFoundError, ProcessLookupError):
            continue


class Watched:
    def __init__(self, build: Path, work: Path, flows: int):
        self.work, self.flows = work, flows
        self.modules = {"eddy": build / "plugins" / "suricata" / "eddy-suricata.so", "sink": work / "sink.so"}
        self.capture = work / "flows.pcap"

    def prepare(self) -> None:
        subprocess.run([sys.executable, HERE / "capture.py", "--flows", str(self.flows), self.capture], check=True)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-I", ROOT / "plugins" / "suricata", "-o", self.modules["sink"],
                        HERE / "sink.c"], check=True)

    def yaml(self, variant: Variant) -> Path:
        text = (HERE / "suricata.yaml").read_text()
        if variant.plugin:
            text += f"plugins: [{self.modules[variant.plugin]}]\n"
        if variant.outputs:
            text += "outputs:\n" + "".join(f"  - eve-log: {o.replace('@', str(self.work))}\n" for o in variant.outputs)
        path = self.work / "suricata.yaml"
        path.write_text(text)
        return path

    def watch(self, process: subprocess.Popen, output: Path, variant: Variant) -> tuple[float, dict[str, float]]:
        """Until it ends. The moments are those of its own lines."""
        begun, wall, seen = time.monotonic(), 0.0, {}
        moments = [(b"Engine started", variant.started), (b"pcap: read", variant.read)]
        while process.poll() is None:
            sample(process.pid, seen)
            while moments and moments[0][0] in output.read_bytes():
                wall = time.monotonic() - begun
                moments.pop(0)[1](self.work)
            time.sleep(TURN_S)
        cpu: dict[str, float] = {}
        for name, seconds in seen.values():
            cpu[name] = cpu.get(name, 0.0) + seconds
        return wall, cpu

    def run(self, variant: Variant) -> Run:
        logs, output = self.work / "log", self.work / "output"
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir()
        variant.before(self.work)
        try:
            with open(output, "wb") as out:
                process = subprocess.Popen(["suricata", "-v", "-c", self.yaml(variant), "-S", "/dev/null", "-r", self.capture,
                                            "-l", logs, "--runmode", "single", "-k", "none"], stdout=out, stderr=out)
                wall, cpu = self.watch(process, output, variant)
        finally:
            variant.after(self.work)
        text = output.read_text(errors="replace")
        packets = re.search(r"\d+ packets, \d+ bytes", text)
        if process.returncode != 0 or packets is None:
            sys.exit(f"{variant.name}: Suricata ended with status {process.returncode}:\n{text}")
        told = re.search(r"\d+ records: .*|did not end .*", text)
        return Run(wall, cpu, packets[0], told[0] if told else "")

    def instructions(self, functions: dict[str, str], variant: Variant, flows: int = 5000) -> dict[str, float]:
        """Of these functions and all they call, a flow, counted by valgrind's callgrind: without any noise, but without
        the kernel and what memory costs. Empty without valgrind."""
        if shutil.which("callgrind_annotate") is None:
            return {}
        capture, logs, counted = self.work / "few.pcap", self.work / "log", self.work / "callgrind.out"
        subprocess.run([sys.executable, HERE / "capture.py", "--flows", str(flows), capture], check=True)
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir()
        subprocess.run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={counted}", "suricata", "-c",
                        self.yaml(variant), "-S", "/dev/null", "-r", capture, "-l", logs, "--runmode", "single", "-k", "none"],
                       check=True, capture_output=True)
        listed = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", counted], check=True,
                                capture_output=True, text=True).stdout
        found = {name: re.search(rf"([\d,]+) \([ \d.]+%\)  \S+:{function} \[", listed) for name, function in functions.items()}
        return {name: int(count[1].replace(",", "")) / flows for name, count in found.items() if count is not None}
