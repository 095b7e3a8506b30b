# SPDX-License-Identifier: MIT
"""662 captures, each logged by the real Zeek and the real Suricata: does eddy see the same in both?"""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import runs

ARCHIVE = runs.DATA / "zeek-suricata-pairs.tar.xz"
LOGS = ("conn.log", "conn.json.log", "eve.json")
ABOUT_EQUAL = 0.1  # in log2 columns 7 %; in shares and flags less than they can differ by


@dataclass
class Seen:
    """What eddy made of one log."""

    named: set[tuple[str, str]]  # (host, detector)
    rows: dict[str, dict[str, str]]  # columns of each flow, by the sensor's id
    adds_up: bool
    rejected: dict[str, int]


@dataclass
class Agreement:
    captures: int = 0
    lines: int = 0
    wrong_sums: list[str] = field(default_factory=list)
    rejected: Counter = field(default_factory=Counter)
    incidents: int = 0  # captures in which a log has any
    differ: list[str] = field(default_factory=list)
    same_json: int = 0  # flows whose columns are all the same in Zeek's two formats
    zeek_flows: int = 0
    paired: int = 0  # flows that both sensors have once, by community id and direction
    equal: Counter = field(default_factory=Counter)  # by column
    near: Counter = field(default_factory=Counter)
    columns: list[str] = field(default_factory=list)


def look(eddy: Path, log: Path) -> Seen:
    found, metrics = log.with_suffix(".found"), log.with_suffix(".prom")
    command = [str(eddy), "features", "-q", "-s", "state.memory=4M", "-s", f"jsonl.path={found}",
               "-s", f"textfile.path={metrics}", str(log)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    run = runs.Run(done.returncode, done.stderr, [], [])
    runs.read_metrics(run, metrics)
    named = {(i["host"], i["detector"]) for i in map(json.loads, found.read_text().splitlines())}
    rows = {row["id"]: row for row in csv.DictReader(done.stdout.splitlines())}
    return Seen(named, rows, run.adds_up() and run.read == runs.lines_of(log), run.rejected)


def names_of(log: Path) -> dict[str, tuple[str, str]]:
    """Id of each flow -> community id and source, for those of which the log has just one."""
    found: dict[tuple[str, str], list[str]] = {}
    for line in log.read_text().splitlines():
        row = json.loads(line)
        source = row.get("id.orig_h", row.get("src_ip"))
        name = (row.get("community_id", ""), source)
        if name[0]:
            found.setdefault(name, []).append(str(row.get("uid", row.get("flow_id"))))
    return {ids[0]: name for name, ids in found.items() if len(ids) == 1}


def compare_columns(a: dict[str, str], b: dict[str, str], into: Agreement) -> None:
    for column in into.columns:
        into.equal[column] += a[column] == b[column]
        into.near[column] += a[column] == b[column] or abs(float(a[column]) - float(b[column])) <= ABOUT_EQUAL
    into.paired += 1


def compare_capture(folder: Path, seen: list[Seen], into: Agreement) -> None:
    tsv, zeek_json, eve = seen
    into.captures += 1
    into.lines += sum(runs.lines_of(folder / log) for log in LOGS)
    for log, one in zip(LOGS, seen):
        into.rejected.update(one.rejected)
        if not one.adds_up:
            into.wrong_sums.append(f"{folder.name}/{log}")
    into.incidents += any(one.named for one in seen)
    if tsv.named != eve.named or tsv.named != zeek_json.named:
        words = "; ".join(f"{log}: {', '.join(f'{h} {d}' for h, d in sorted(one.named)) or 'none'}"
                          for log, one in zip(LOGS, seen))
        into.differ.append(f"`{folder.name}`: {words}")
    into.zeek_flows += len(tsv.rows)
    into.same_json += sum(zeek_json.rows.get(uid) == row for uid, row in tsv.rows.items())
    zeek_names = names_of(folder / "conn.json.log")
    eve_ids = {name: flow_id for flow_id, name in names_of(folder / "eve.json").items()}
    for uid, name in zeek_names.items():
        if name in eve_ids and uid in tsv.rows and eve_ids[name] in eve.rows:
            row = tsv.rows[uid]
            into.columns = into.columns or [column for column in row if column != "id"]
            compare_columns(row, eve.rows[eve_ids[name]], into)


def measure(eddy: Path) -> Agreement:
    into = Agreement()
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run(["tar", "-xJf", str(ARCHIVE), "-C", temporary], check=True)
        folders = sorted(path for path in (Path(temporary) / "pairs").iterdir() if path.is_dir())
        tasks = [(eddy, folder / log) for folder in folders for log in LOGS]
        seen = list(runs.in_parallel(look, tasks))
        for i, folder in enumerate(folders):
            compare_capture(folder, seen[3 * i:3 * i + 3], into)
    return into
