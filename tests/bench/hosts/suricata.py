#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""suricata.py - what eddy inside Suricata costs, and that trouble of eddy's is none of Suricata's.

    tests/bench/hosts/suricata.py [--build DIR] [--flows N] [--rounds N] [--write]

The real Suricata 7 reads a capture of many short connections, again and again with different outputs. CPU time is
split between Suricata's threads and eddy's. --write puts the tables into plugins/suricata/README.md. Exit status 1 if
eddy alone costs more than writing eve.json does, or takes more than 2 microseconds a flow of Suricata's threads (above a
file type that throws the records away), or if trouble behind eddy changes what Suricata reads or how long it takes;
77 if there is no Suricata, or no root. Takes some minutes; on a shared machine only the ratios mean something."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from watched import HERE, ROOT, Run, Variant, Watched

sys.path.append(str(HERE.parent))
from measure import machine, median  # noqa: E402

README = ROOT / "plugins" / "suricata" / "README.md"
MARKS = ("<!-- cost: remade by tests/bench/hosts/suricata.py --write -->\n", "<!-- end of cost -->\n")
MOST_US = 2.0     # a flow, of Suricata's threads
MOST_WALL = 1.25  # of the wall time without trouble: the noise of two equal runs is about as much here
FILE = "{enabled: yes, filetype: regular, filename: eve.json, types: [flow]}"
PLUGIN = "{enabled: yes, filetype: %s, types: [flow], eddy: {%s}}"
# Much to write, and often.
LOUD = "decide: {p: 0.5, max-incidents-per-day: 100000}, emit: {interval: 1s}, "


def eddy(settings: str = "") -> str:
    return PLUGIN % ("eddy", settings)


# ---- What is done to eddy


class Daemon:
    """An eddyd at the other end of `isolate`."""

    def __init__(self, build: Path, frozen: bool):
        self.program, self.frozen = build / "plugins" / "eddyd" / "eddyd", frozen
        self.process: subprocess.Popen | None = None
        self.cpu: list[float] = []

    def start(self, work: Path) -> None:
        socket = work / "eddyd.sock"
        socket.unlink(missing_ok=True)
        settings = {"eddyd.listen": f"eve:unix_dgram:{socket}", "eddyd.http": "off", "eddyd.checkpoint": "",
                    "jsonl.path": str(work / "eddyd.json")}
        (work / "eddyd.conf").write_text("")
        command = [str(self.program), "-c", str(work / "eddyd.conf")]
        for key, value in settings.items():
            command += ["-s", f"{key}={value}"]
        with open(work / "eddyd.log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + 10
        while not socket.exists():
            if time.monotonic() > end:
                sys.exit(f"eddyd does not listen: {(work / 'eddyd.log').read_text()}")
            time.sleep(0.01)
        if self.frozen:
            self.process.send_signal(signal.SIGSTOP)

    def stop(self, _: Path) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        self.cpu.append(usage.ru_utime + usage.ru_stime)


class Disk:
    """A file system of its own that can be frozen: whoever writes to it waits."""

    def __init__(self, work: Path, slow: bool):
        self.folder, self.image, self.slow = work / "disk", work / "disk.img", slow
        self.thread: threading.Thread | None = None
        self.over = threading.Event()

    def possible(self) -> bool:
        self.folder.mkdir(exist_ok=True)
        try:
            self.mount(self.folder)
            self.freeze("-f")
            self.freeze("-u")
        except (subprocess.CalledProcessError, FileNotFoundError):
            return False
        finally:
            subprocess.run(["umount", str(self.folder)], capture_output=True, check=False)
        return True

    def mount(self, _: Path) -> None:
        with open(self.image, "wb") as image:
            image.truncate(64 << 20)
        for command in (["mkfs.ext4", "-q", str(self.image)], ["mount", "-o", "loop", str(self.image), str(self.folder)]):
            subprocess.run(command, check=True, capture_output=True)

    def freeze(self, way: str) -> None:
        subprocess.run(["fsfreeze", way, str(self.folder)], check=True, capture_output=True)

    def hang(self, _: Path) -> None:
        self.over.clear()
        if not self.slow:
            self.freeze("-f")
            return
        self.thread = threading.Thread(target=self.stutter)
        self.thread.start()

    def stutter(self) -> None:
        while not self.over.is_set():
            self.freeze("-f")
            self.over.wait(0.4)
            self.freeze("-u")
            self.over.wait(0.1)

    def go_on(self, _: Path) -> None:
        self.over.set()
        if self.thread is None:
            self.freeze("-u")
        else:
            self.thread.join()
            self.thread = None

    def unmount(self, _: Path) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)


# ---- Tables


def costs(variants: list[Variant], flows: int, base: Variant) -> list[str]:
    """The least of each: what else a machine does only adds."""
    rows = ["| outputs | Suricata's threads, s | eddy's threads, s | both, us a flow over none |", "|---|--:|--:|--:|"]
    none = least_total(base)
    for v in variants:
        rows.append(f"| {v.name} | {least(v, Run.suricatas):.2f} | {least(v, Run.ours):.2f} | "
                    f"{(least_total(v) - none) / flows * 1e6:.1f} |")
    return rows


def least(variant: Variant, part) -> float:
    return min(part(run) for run in variant.runs)


def least_total(variant: Variant) -> float:
    return min(run.ours() + run.suricatas() for run in variant.runs)


def troubles(variants: list[Variant], base: Variant) -> list[str]:
    rows = ["| trouble | wall time | CPU of Suricata's threads | packets, bytes | eddy, of its last run |",
            "|---|--:|--:|---|---|"]
    for v in variants:
        same = {run.packets for run in v.runs} == {run.packets for run in base.runs}
        rows.append(f"| {v.name} | {wall_ratio(v, base):.2f} x | {least(v, Run.suricatas) / least(base, Run.suricatas):.2f} x | "
                    f"{'equal' if same else 'DIFFERENT'} | {v.runs[-1].told} |")
    return rows


def wall_ratio(variant: Variant, base: Variant) -> float:
    return min(run.wall for run in variant.runs) / min(run.wall for run in base.runs)


def counted(watched: Watched) -> list[str]:
    """The same without noise, but only of the processor's work in user space."""
    both = Variant("", [FILE, eddy()], "eddy")
    per_flow = watched.instructions({"eddy": "write_record", "writing": "LogFileWrite", "all": "OutputFlowLog"}, both)
    if len(per_flow) < 3:
        return ["(Instructions were not counted: there is no valgrind.)"]
    file = per_flow["writing"] - per_flow["eddy"]  # Suricata hands both kinds of output over there
    return [f"Counted by valgrind, Suricata's threads spend {per_flow['eddy']:,.0f} instructions a flow in eddy, {file:,.0f} in "
            f"writing to a file (without the kernel's), {(per_flow['all'] - per_flow['writing']) / 2:,.0f} in making the record."]


def write(text: str) -> None:
    before, mark, rest = README.read_text().partition(MARKS[0])
    if not mark:
        sys.exit(f"{README}: there is no line {MARKS[0]}")
    README.write_text(before + MARKS[0] + text + MARKS[1] + rest.partition(MARKS[1])[2])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="one made with the preset release")
    parser.add_argument("--flows", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if shutil.which("suricata") is None or os.geteuid() != 0:
        print("skipped: there is no Suricata, or this is not root")
        return 77
    with tempfile.TemporaryDirectory(prefix="eddy-bench-") as scratch:
        return compare(Watched(options.build.resolve(), Path(scratch), options.flows), options)


def compare(watched: Watched, options: argparse.Namespace) -> int:
    build, work = options.build.resolve(), watched.work
    serving, frozen = Daemon(build, False), Daemon(build, True)
    isolated = eddy("isolate: yes, socket: 'unix_dgram:@/eddyd.sock'")
    none, sink = Variant("none", []), Variant("a file type that throws records away", [PLUGIN % ("sink", "")], "sink")
    file, alone = Variant("eve.json to a file", [FILE]), Variant("eddy", [eddy()], "eddy")
    cost = [none, sink, file, alone,
            Variant("eddy, `isolate: yes`", [isolated], "eddy", before=serving.start, after=serving.stop),
            Variant("eve.json to a file, and eddy", [FILE, eddy()], "eddy")]
    loud = Variant("none", [eddy(LOUD)], "eddy")
    trouble = [loud, Variant("a ring of 64K", [eddy(LOUD + "ring: 64K")], "eddy"),
               Variant("eddyd stopped, `isolate: yes`, a ring of 1M", [isolated.replace("socket:", "ring: 1M, socket:")], "eddy",
                       before=frozen.start, after=frozen.stop)]
    disks = Disk(work, False), Disk(work, True)
    if disks[0].possible():
        path = "jsonl: {path: @/disk/eddy.json}, textfile: {path: @/disk/eddy.prom}"
        for disk, name in zip(disks, ("a disk that hangs", "a disk that hangs for 0.4 s of 0.5 s")):
            trouble.append(Variant(name, [eddy(LOUD + path)], "eddy", before=disk.mount, started=disk.hang, read=disk.go_on,
                                   after=disk.unmount))
    else:
        print("left out: a disk that hangs; no loop devices, or no fsfreeze")
    watched.prepare()
    for turn in range(options.rounds):  # alternated: what else the machine does hits all alike
        for variant in [*cost, *trouble]:
            variant.runs.append(watched.run(variant))
            print(f"{turn} {variant.name}: {variant.runs[-1]}", flush=True)
    return judge(watched, options, cost, trouble, serving)


def judge(watched: Watched, options: argparse.Namespace, cost: list[Variant], trouble: list[Variant], serving: Daemon) -> int:
    none, sink, file, alone = cost[:4]
    version = subprocess.run(["suricata", "-V"], capture_output=True, text=True, check=True).stdout.strip().removeprefix("This is ")
    spread = max(run.suricatas() for run in none.runs) / least(none, Run.suricatas)
    in_threads = (least(alone, Run.suricatas) - least(sink, Run.suricatas)) / watched.flows * 1e6
    text = "\n".join([
        f"{time.strftime('%Y-%m-%d')}, {version}, {machine('cc')}. {watched.flows:,} flows, {none.runs[0].packets}, runmode "
        f"single, no rules;", f"the least of {options.rounds} alternated runs. Equal runs without any output differed by up to "
        f"{(spread - 1) * 100:.0f} %, so look at ratios.", "", *costs(cost, watched.flows, none), "",
        f"eddy takes {in_threads:.1f} us a flow of Suricata's threads: what it takes more than a file type that throws "
        f"records away.", f"With `isolate: yes` eddyd took {min(serving.cpu):.2f} s in its own process.", *counted(watched), "",
        *troubles(trouble, trouble[0])]) + "\n"
    print("\n" + text)
    if options.write:
        write(text)
    claims = [(least_total(alone) < least_total(file), "eddy alone costs less than eve.json to a file"),
              (in_threads <= MOST_US, f"at most {MOST_US:g} us a flow of Suricata's threads"),
              *((wall_ratio(v, trouble[0]) <= MOST_WALL, f"{v.name}: Suricata takes as long") for v in trouble),
              *(({r.packets for r in v.runs} == {r.packets for r in none.runs}, f"{v.name}: Suricata reads the same")
                for v in [*cost, *trouble])]
    for good, claim in claims:
        print(f"{'ok  ' if good else 'FAIL'} {claim}")
    return 0 if all(good for good, _ in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
