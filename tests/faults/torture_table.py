#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rotation torture: what is lost and repeated by eddyd, and beside it by tail -F and rsyslog's imfile.

usage: tests/faults/torture_table.py [--eddyd PATH] [--runs N] [--rows WORD...] [--write]
One writer of Zeek's JSON, all readers on the same files at the same time. --write puts the table into
plugins/zeek/README.md between its markers. Exit status 1 if eddyd lost or repeated anything that its
README does not except."""

import argparse
import collections
import dataclasses
import datetime
import gzip
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Callable

import harness
from generator import record
from harness_common import Failed, wait_for

RATE = 17000  # lines a second
README = harness.HERE.parent.parent / "plugins" / "zeek" / "README.md"
MARKS = ("<!-- torture table: begin -->", "<!-- torture table: end -->")
RSYSLOG = """global(workDirectory="{work}")
module(load="imfile" mode="inotify")
template(name="raw" type="string" string="%msg%\\n")
ruleset(name="out") {{ action(type="omfile" file="{out}" template="raw") }}
input(type="imfile" File="{pattern}" Tag="x" ruleset="out" reopenOnTruncate="on" PersistStateInterval="100")
"""


class Writer(threading.Thread):
    """Writes conn.log as Zeek does (whole rows, O_TRUNC at the opening, no file until there is a row)."""

    def __init__(self, place: pathlib.Path, row: "Row", scale: float):
        super().__init__(daemon=True)
        self.place, self.row, self.scale = place, row, scale
        self.spool, self.count, self.parts, self.written = place / "spool0", 0, 0, 0.0
        self.fd, self.helpers = -1, []
        self.failure = None

    def log(self) -> pathlib.Path:
        return self.spool / "conn.log"

    def write_for(self, seconds: float) -> None:
        begun, first = time.monotonic(), self.count
        while (spent := time.monotonic() - begun) < seconds:
            due = first + int(spent * RATE)
            if due > self.count:
                if self.fd < 0:
                    flags = os.O_APPEND if self.row.rotate is copytruncate else os.O_TRUNC
                    self.fd = os.open(self.log(), os.O_WRONLY | os.O_CREAT | flags, 0o644)
                os.write(self.fd, "".join(record("zeek-json", n) for n in range(self.count, due)).encode())
                self.count = due
            time.sleep(0.002)
        self.written += seconds

    def close(self) -> None:
        os.close(self.fd)
        self.fd = -1

    def help(self, function: Callable, *arguments) -> None:
        helper = threading.Thread(target=function, args=arguments)
        helper.start()
        self.helpers.append(helper)

    def run(self) -> None:
        try:
            seconds, every = self.row.seconds * self.scale, self.row.every * self.scale
            while self.written < seconds - 0.001:
                self.write_for(every)
                if self.written < seconds - 0.001:
                    self.parts += 1
                    self.row.rotate(self)
            for helper in self.helpers:
                helper.join()
        except Exception as failure:  # told by the main thread
            self.failure = failure


# ---- how sites rotate ----


def rename(w: Writer) -> None:
    w.close()
    os.rename(w.log(), w.spool / f"conn.2026-01-01-00-00-{w.parts:02}.log")


def compress(part: pathlib.Path, to: pathlib.Path) -> None:
    with open(part, "rb") as plain, gzip.open(to, "wb", 1) as packed:
        shutil.copyfileobj(plain, packed)
    part.unlink()


def archive(w: Writer) -> None:
    """ZeekControl: renamed, then compressed into the day's directory, then unlinked."""
    rename(w)
    day = w.place / "logs" / "2026-01-01"
    w.help(
        compress, w.spool / f"conn.2026-01-01-00-00-{w.parts:02}.log", day / f"conn.00:00:{w.parts:02}-00:01:00.log.gz"
    )


def log_queue(w: Writer) -> None:
    """The management framework and the systemd generator: renamed into another directory."""
    w.close()
    os.rename(w.log(), w.place / "log-queue" / f"conn__2026-01-01-00-00-{w.parts:02}__2026-01-01-00-01-00__.log")


def restart(w: Writer) -> None:
    """Zeek dies, and when it begins again truncates what is there."""
    w.close()
    time.sleep(0.6)


def regrow(w: Writer) -> None:
    """The same, while readers stand still; the new content grows beyond where they were."""
    w.close()
    time.sleep(0.6)
    for reader in w.readers:
        reader.signal(signal.SIGSTOP)
    w.write_for(w.row.every * w.scale * 2)
    for reader in w.readers:
        reader.signal(signal.SIGCONT)


def copytruncate(w: Writer) -> None:
    """logrotate's: by somebody else, while the writer goes on. (Zeek itself must never be rotated so: it
    does not append, and would leave a hole of NULs.)"""
    program = "import os, shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2]); os.truncate(sys.argv[1], 0)"
    to = w.spool / f"conn.log-2026{w.parts:04}"
    w.help(subprocess.run, [sys.executable, "-c", program, str(w.log()), str(to)])


def swap(w: Writer) -> None:
    """`current` leads to a new spool directory."""
    w.close()
    w.spool = w.place / f"spool{w.parts}"
    w.spool.mkdir()
    (w.place / "next").symlink_to(w.spool.name)
    os.rename(w.place / "next", w.place / "current")


@dataclasses.dataclass
class Row:
    name: str
    rotate: Callable[[Writer], None]
    every: float  # seconds of writing between rotations
    seconds: float  # of writing
    disturb: str = ""  # "stop" or "kill": from the second second, for three
    live: str = "spool0"  # where readers look for conn.log
    racy: bool = False


ROWS = [
    Row("renamed every 0.5 s, all healthy", rename, 0.5, 6),
    Row("renamed, compressed into an archive and unlinked every 0.5 s, all healthy", archive, 0.5, 6),
    Row("stopped for 3 s (SIGSTOP), renamed every second", rename, 1, 7, "stop"),
    Row("`kill -9`, started again after 3 s, renamed every second", rename, 1, 7, "kill"),
    Row("stopped for 3 s, renamed, compressed into an archive and unlinked every second", archive, 1, 7, "stop"),
    Row("`kill -9`, started again after 3 s, renamed, compressed, unlinked every second", archive, 1, 7, "kill"),
    Row("stopped for 3 s, moved to another directory (`log-queue`) every second", log_queue, 1, 7, "stop"),
    Row("`kill -9`, started again after 3 s, moved to another directory every second", log_queue, 1, 7, "kill"),
    Row("stopped for 3 s, `current` swapped to a new directory every second", swap, 1, 7, "stop", "current"),
    Row("truncated in place every 1.5 s, when Zeek begins again after 0.6 s; all healthy", restart, 1.5, 6),
    Row("truncated and grown beyond the old end while stopped", regrow, 1.5, 6),
    Row("copytruncate every second, all healthy", copytruncate, 1, 6, racy=True),
]


# ---- the readers ----


class Reader:
    """A process that follows conn.log into a file with one line for each record."""

    def __init__(self, place: pathlib.Path, name: str, command: list[str]):
        self.name, self.command, self.out = name, command, place / f"{name}.out"
        self.place, self.process = place, None

    def start(self) -> None:
        with open(self.out, "ab") as out, open(self.place / f"{self.name}.err", "ab") as err:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=err, env={**os.environ, "LC_ALL": "C"})

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ids(self) -> list[int]:
        text = self.out.read_bytes() if self.out.exists() else b""
        return [int(n) for n in re.findall(rb'"uid":"(\d+)"', text)]


class Eddy(Reader):
    def __init__(self, bench: harness.Bench, place: pathlib.Path, log: pathlib.Path):
        super().__init__(place, "eddy", [])
        archives = "\narchive = ".join(str(place / p) for p in ("logs/20*", "log-queue", "spool*"))
        self.daemon = bench.daemon([str(log)], eddyd__archive=archives)
        self.out = self.daemon.flows

    def start(self) -> None:
        self.daemon.start(ready=False)
        self.process = self.daemon.process

    def ids(self) -> list[int]:
        return [int(line.split(b",", 1)[0]) for line in self.out.read_bytes().splitlines()[1:]]


def readers_of(bench: harness.Bench, place: pathlib.Path, log: pathlib.Path, beside: bool) -> list[Reader]:
    readers: list[Reader] = [Eddy(bench, place, log)]
    if beside:
        readers.append(Reader(place, "tail", ["tail", "-n", "+1", "-F", str(log)]))
        for name, pattern in (("imfile", log), ("imfile-glob", log.with_name("conn*.log"))):
            (place / name).mkdir()
            (place / f"{name}.conf").write_text(
                RSYSLOG.format(work=place / name, out=place / f"{name}.out", pattern=pattern)
            )
            readers.append(
                Reader(
                    place, name, ["rsyslogd", "-n", "-f", str(place / f"{name}.conf"), "-i", str(place / f"{name}.pid")]
                )
            )
    return readers


# ---- a row ----


def settle(readers: list[Reader], seconds: float) -> None:
    """Until no reader has had anything new for a while."""
    sizes, quiet, end = None, time.monotonic(), time.monotonic() + 30
    while time.monotonic() < end and time.monotonic() - quiet < seconds:
        now = [reader.out.stat().st_size if reader.out.exists() else 0 for reader in readers]
        if now != sizes:
            sizes, quiet = now, time.monotonic()
        time.sleep(0.05)


def disturb(row: Row, readers: list[Reader], scale: float) -> None:
    time.sleep(1.5 * scale)
    for reader in readers:
        reader.kill() if row.disturb == "kill" else reader.signal(signal.SIGSTOP)
    time.sleep(3 * scale)
    for reader in readers:
        reader.start() if row.disturb == "kill" else reader.signal(signal.SIGCONT)


def run_row(
    row: Row, eddyd: str, seed: int, beside: bool = True, scale: float = 1
) -> tuple[int, dict[str, tuple[int, int]]]:
    """Records written; of each reader, how many it lost and how many too many it has."""
    bench = harness.Bench(eddyd, seed)
    readers: list[Reader] = []
    try:
        for name in ("spool0", "logs/2026-01-01", "log-queue"):
            (bench.path / name).mkdir(parents=True)
        (bench.path / "current").symlink_to("spool0")
        (
            bench.path / "spool0" / "conn.log"
        ).touch()  # GNU tail 9.1 never notices a rename of a file that was not there at its start
        readers = readers_of(bench, bench.path, bench.path / row.live / "conn.log", beside)
        for reader in readers:
            reader.start()
        wait_for(lambda: readers[0].daemon.get("/readyz")[0] == 200, 10, "eddyd is ready")
        time.sleep(0.5 if beside else 0)
        writer = Writer(bench.path, row, scale)
        writer.readers = readers
        writer.start()
        if row.disturb:
            disturb(row, readers, scale)
        writer.join()
        if writer.failure is not None:
            raise writer.failure
        settle(readers, 3 if beside else 0.7)
        result = {}
        for reader in readers:
            seen = collections.Counter(reader.ids())
            result[reader.name] = (writer.count - len(seen), sum(seen.values()) - len(seen))
        return writer.count, result
    finally:
        for reader in readers[1:]:
            if reader.process is not None and reader.process.poll() is None:
                reader.signal(signal.SIGCONT)
                reader.kill()
        bench.close(keep=False)


# ---- the table ----


def part(count: int, of: int) -> str:
    return "0" if count == 0 else f"{count} ({count / of * 100:.2g} %)"


def cell(results: list[tuple[int, int, int]]) -> str:
    """Of several runs the worst."""
    written, lost, twice = max(results, key=lambda r: (r[1] + r[2]) / r[0])
    return (
        "**0**"
        if lost == twice == 0
        else f"{part(lost, written)} lost" * (lost > 0)
        + ", " * (lost > 0 and twice > 0)
        + f"{part(twice, written)} repeated" * (twice > 0)
    )


def version(command: str, pattern: str) -> str:
    text = subprocess.run(
        [command, "--version" if command != "rsyslogd" else "-v"], capture_output=True, text=True, check=False
    ).stdout
    return re.search(pattern, text)[1]


def table(rows: list[tuple[Row, dict[str, list[tuple[int, int, int]]]]], runs: int) -> str:
    names = {"eddy": "eddyd", "tail": "`tail -F`", "imfile": "imfile, `conn.log`", "imfile-glob": "imfile, `conn*.log`"}
    head = f"| what happens | {' | '.join(names.values())} |\n|---|{'---|' * len(names)}\n"
    tail, rsyslog = version("tail", r"coreutils[)] (\S+)"), version("rsyslogd", r"rsyslogd +(\S+)")
    body = "".join(f"| {row.name} | {' | '.join(cell(found[name]) for name in names)} |\n" for row, found in rows)
    return (
        f"\n{head}{body}\n"
        f"Made on {datetime.date.today()} by `tests/faults/torture_table.py --runs {runs} --write`: Zeek's JSON at "
        f"{RATE:,} lines a second,\n{rows[0][0].seconds} to 7 s a row, all readers on the same files at the same time, "
        f"{os.cpu_count()} cores; of {runs} runs the worst. GNU tail {tail},\nrsyslog {rsyslog} (inotify, "
        f"`reopenOnTruncate`, state kept every 100 lines), "
        f"Linux {os.uname().release.split('-')[0]}.\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--eddyd")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--rows", nargs="*", help="only rows with one of these words in their names")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    eddyd = options.eddyd or str(harness.HERE.parent.parent / "build" / "dev" / "plugins" / "eddyd" / "eddyd")
    wanted = [row for row in ROWS if not options.rows or any(word in row.name for word in options.rows)]
    done, faults = [], 0
    for row in wanted:
        found = collections.defaultdict(list)
        for run in range(options.runs):
            count, result = run_row(row, eddyd, run)
            for name, (lost, twice) in result.items():
                found[name].append((count, lost, twice))
            print(
                f"{row.name}: of {count}: "
                + ", ".join(f"{name} {lost}/{twice}" for name, (lost, twice) in result.items()),
                flush=True,
            )
            faults += any(result["eddy"]) and not row.racy
        done.append((row, found))
    if options.write:
        text = README.read_text()
        before, after = text.split(MARKS[0])[0], text.split(MARKS[1])[1]
        README.write_text(before + MARKS[0] + table(done, options.runs) + MARKS[1] + after)
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as why:
        sys.exit(f"torture_table.py: {why}")
