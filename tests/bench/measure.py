# SPDX-License-Identifier: MIT
"""measure.py - runs programs and says what they took: CPU time, memory."""
from __future__ import annotations

import array
import fcntl
import os
import platform
import resource
import statistics
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C"}


def machine(compiler: str) -> str:
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    load = os.getloadavg()[0]
    return (f"{model}, {os.cpu_count()} cores, {version.splitlines()[0] if version else compiler}, "
            f"Linux {platform.release().split('-')[0]}, load {load:.1f} at the start")


@dataclass
class Took:
    cpu: float      # user and system seconds
    out: str        # standard output, if asked for
    err: str


def took(command: list[str], keep: bool = False) -> Took:
    """Runs it to its end; a failure ends the benchmark."""
    sink = subprocess.PIPE if keep else subprocess.DEVNULL
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, stdout=sink, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}: status {run.returncode}\n{run.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(cpu, run.stdout or "", run.stderr)


def median(values: list[float]) -> float:
    return statistics.median(values)


# ---- Memory ------------------------------------------------------------------------------------

def memory_kb(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


@dataclass
class Memory:
    at_fifth_kb: int  # resident after 20 % of the input
    at_end_kb: int
    peak_kb: int      # after its last word, the result printed
    out: str
    cpu: float


def drained(pipe: int) -> None:
    """Waits until the reader has taken all that was written."""
    left = array.array("i", [1])
    while left[0] > 0:
        fcntl.ioctl(pipe, termios.FIONREAD, left)
        time.sleep(0.01)
    time.sleep(0.2)  # for what it took last


def memory_of(command: list[str], source: list[str], lines: int) -> Memory:
    """Pipes `lines` lines from source into command, and watches the command's memory."""
    begin = time.monotonic()
    writer = subprocess.Popen(source, stdout=subprocess.PIPE)
    reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=ENVIRONMENT)
    seen, fifth = 0, 0
    while piece := writer.stdout.read(1 << 20):
        reader.stdin.write(piece)
        seen += piece.count(b"\n")
        if fifth == 0 and seen >= lines / 5:
            reader.stdin.flush()
            fifth = memory_kb(reader.pid, "VmRSS")
    reader.stdin.flush()
    drained(reader.stdin.fileno())
    end, peak = memory_kb(reader.pid, "VmRSS"), memory_kb(reader.pid, "VmHWM")
    reader.stdin.close()
    out = reader.stdout.read().decode()
    _, status, usage = os.wait4(reader.pid, 0)
    reader.returncode = os.waitstatus_to_exitcode(status)
    if writer.wait() != 0 or reader.returncode != 0 or seen < lines:
        sys.exit(f"bench: {' '.join(command)}: status {reader.returncode} after {seen} of {lines} lines, "
                 f"{time.monotonic() - begin:.0f} s")
    # ru_maxrss also knows the end, but of this process before exec, too: it is no smaller than ours.
    ours = memory_kb(os.getpid(), "VmHWM")
    if usage.ru_maxrss > ours:
        peak = max(peak, usage.ru_maxrss)
    return Memory(fifth, end, peak, out, usage.ru_utime + usage.ru_stime)
