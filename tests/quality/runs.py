# SPDX-License-Identifier: MIT
"""Runs eddy over logs and gives what it said; finds the development sets beside the repository."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.pool import ThreadPool
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"  # real captures: not ours to ship, so they lie beside the repository
DEV = DATA / "dev"
FACES = ("zeek.tsv", "zeek.json", "eve.json")
SKIPPED = 77  # exit status, as of automake's tests


def eddy_of(arguments: list[str]) -> Path:
    """The program in the build directory that was named, else in the usual one."""
    build = Path(arguments[1]) if len(arguments) > 1 else ROOT / "build" / "dev"
    eddy = Path(os.environ.get("EDDY", build / "plugins" / "eddy" / "eddy")).resolve()
    if not eddy.is_file():
        sys.exit(f"{eddy}: not built; usage: {arguments[0]} [BUILD_DIR]")
    return eddy


@dataclass
class Run:
    """One `eddy score`."""

    status: int
    messages: str
    incidents: list[dict]  # sent ones, most unusual first
    withheld: list[dict]
    read: int = 0
    scored: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    hosts: int = 0
    calibration: dict[tuple[str, str], float] = field(default_factory=dict)  # eddy's own, by detector and level

    def adds_up(self) -> bool:
        return self.read == self.scored + sum(self.skipped.values()) + sum(self.rejected.values())

    def named(self) -> set[tuple[str, str]]:
        """(host, detector) of all sent incidents."""
        return {(i["host"], i["detector"]) for i in self.incidents}


def text_of(path: Path) -> bytes:
    """The plain bytes of a log: eddy does not read xz."""
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def lines_of(path: Path) -> int:
    """Counted without eddy's help; a last line may have no newline."""
    text = text_of(path)
    return text.count(b"\n") + (not text.endswith(b"\n") and text != b"")


def read_metrics(run: Run, path: Path) -> None:
    by_reason = {"eddy_records_skipped_total": run.skipped, "eddy_records_rejected_total": run.rejected}
    for line in path.read_text().splitlines():
        match = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
        if match is None or line.startswith("#"):
            continue
        name, value = match[1], float(match[3])
        labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
        if name in by_reason and value > 0:
            by_reason[name][labels["reason"]] = int(value)
        elif name == "eddy_input_records_total":
            run.read += int(value)
            run.scored += int(value) if labels["result"] == "scored" else 0
        elif name == "eddy_hosts_tracked":
            run.hosts = int(value)
        elif name == "eddy_calibration_error":
            run.calibration[labels["detector"], labels.get("level", "0.01")] = value


def openings(told: Path) -> dict[str, str]:
    """When each incident was first told, by the time of the flows. Told again later, it has grown or closed."""
    first: dict[str, str] = {}
    for line in told.read_text().splitlines() if told.exists() else []:
        incident = json.loads(line)
        first.setdefault(incident["incident_id"], incident["timestamp"])
    return first


def score(eddy: Path, *paths: Path, options: tuple[str, ...] = ()) -> Run:
    """Incidents by the command a user would type; counters from the metrics it leaves."""
    packed = paths[0].suffix == ".xz"
    with tempfile.TemporaryDirectory() as folder:
        metrics, told = Path(folder) / "eddy.prom", Path(folder) / "told.json"
        command = [str(eddy), "score", "-q", "-o", "json", "--withheld", "-s", f"textfile.path={metrics}",
                   "-s", f"jsonl.path={told}", "-s", "jsonl.withheld=on", *options]
        done = subprocess.run([*command, *(["-"] if packed else map(str, paths))], capture_output=True, check=False,
                              input=text_of(paths[0]) if packed else None)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        opened = openings(told)
        for incident in found:
            incident["opened"] = opened.get(incident["incident_id"], incident["timestamp"])
        run = Run(done.returncode, done.stderr.decode(errors="replace"),
                  [i for i in found if not i["withheld"]], [i for i in found if i["withheld"]])
        if metrics.exists():
            read_metrics(run, metrics)
    return run


def flow_table(eddy: Path, *paths: Path, options: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Every flow's verdict."""
    done = subprocess.run([str(eddy), "score", "-q", "-o", "flows", *options, *map(str, paths)], capture_output=True,
                          check=True, text=True)
    return list(csv.DictReader(done.stdout.splitlines()))


def scores_in(table: list[dict[str, str]]) -> dict[str, float]:
    """The score of each flow by its id; of several flows with one id, the highest."""
    scores: dict[str, float] = {}
    for row in table:
        scores[row["id"]] = max(float(row["score"]), scores.get(row["id"], float("-inf")))
    return scores


def write_features(eddy: Path, out: Path, *paths: Path) -> None:
    """The columns that models are trained on."""
    with open(out, "wb") as to:
        subprocess.run([str(eddy), "features", "-q", *map(str, paths)], stdout=to, check=True)


def sets() -> list[dict]:
    """The manifest's sets, with the files of each: set["files"][face]."""
    found = json.loads((DEV / "manifest.json").read_text())
    for one in found:
        paths = {face: DEV / one["name"] / f"{one['name']}.{face}.gz" for face in FACES}
        one["files"] = {face: path for face, path in paths.items() if path.exists()}
    return found


def labels_of(name: str) -> list[dict[str, str]]:
    with gzip.open(DEV / name / f"{name}.labels.csv.gz", "rt") as text:
        return list(csv.DictReader(text))


def in_parallel(work, tasks: list) -> Iterator:
    """work(*task) for each task, results in order; the time goes into eddy, so threads will do."""
    with ThreadPool(os.cpu_count() or 1) as pool:
        yield from pool.imap(lambda task: work(*task), tasks)
