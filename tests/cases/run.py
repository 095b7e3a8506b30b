#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs `eddy score` and `eddy features` on every case and compares with what it expects.

usage: run.py [BUILD_DIR [CASE...]]

A case is a folder: input files, or a program `make` that makes them (from source.*); README.md, which says what and why;
perhaps an eddy.conf; and expected.json:

    files      arguments, in order; initially all input files by name
    options    further arguments
    stdin      a file that is standard input
    exit       exit status; initially 0
    scored, skipped {reason: n}, rejected {reason: n}    what became of the records; initially none
    first      {reason: byte}: where the first record of that reason begins
    messages   lines of standard error beyond those about rejected records, without "eddy: "
    flows      {id: {column: value}}; counts and duration as counts and microseconds, not as log2
    incidents  [[detector, host], ...], most unusual first; initially none
    names      {detector: [[kind, value], ...]} of incidents; those of other detectors don't matter
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from multiprocessing.pool import ThreadPool
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parents[1] / "build" / "dev").resolve()
EDDY = Path(os.environ.get("EDDY", BUILD / "plugins" / "eddy" / "eddy"))
NOT_INPUT = {"README.md", "expected.json", "eddy.conf", "make", "source.json", "source.log", "eddy.prom"}
LOGARITHMS = {"duration", "bytes_out", "bytes_in", "packets_out", "packets_in", "window_flows", "pair_flows", "pair_gap"}
REJECTED = re.compile(r"eddy: (\d+) records? rejected, (\w+): ")
FIRST = re.compile(r"eddy: .*: record at byte (\d+) rejected \((\w+)\): ")


def run_eddy(folder: Path, expected: dict, *command: str) -> subprocess.CompletedProcess[bytes]:
    files = expected.get("files", sorted(path.name for path in folder.iterdir() if path.name not in NOT_INPUT))
    conf = ["-c", "eddy.conf"] if (folder / "eddy.conf").exists() else []
    stdin = (folder / expected["stdin"]).read_bytes() if "stdin" in expected else b""
    return subprocess.run([str(EDDY), *command, "-q", "-s", "state.memory=4M", *conf, *expected.get("options", []), *files], cwd=folder,
                          input=stdin, capture_output=True, check=False, timeout=60)


def counters(metrics: Path) -> tuple[int, int, dict[str, int], dict[str, int]]:
    read = scored = 0
    by_reason: dict[str, dict[str, int]] = {"skipped": {}, "rejected": {}}
    for line in metrics.read_text().splitlines():
        if match := re.match(r'eddy_input_records_total\{.*result="(\w+)"\} (\d+)', line):
            read += int(match[2])
            scored += int(match[2]) if match[1] == "scored" else 0
        elif (match := re.match(r'eddy_records_(\w+)_total\{reason="(\w+)"\} (\d+)', line)) and match[3] != "0":
            by_reason[match[1]][match[2]] = int(match[3])
    return read, scored, by_reason["skipped"], by_reason["rejected"]


def messages_of(stderr: bytes) -> tuple[dict[str, int], dict[str, int], list[str]]:
    """Rejected by reason, byte of the first by reason, and all other lines."""
    rejected: dict[str, int] = {}
    first: dict[str, int] = {}
    others = []
    for line in stderr.decode(errors="replace").splitlines():
        if match := REJECTED.match(line):
            rejected[match[2]] = int(match[1])
        elif match := FIRST.match(line):
            first.setdefault(match[2], int(match[1]))
        else:
            others.append(line.removeprefix("eddy: "))
    return rejected, first, others


def check_score(folder: Path, expected: dict) -> list[str]:
    done = run_eddy(folder, expected, "score", "-o", "json", "--withheld", "-s", "textfile.path=eddy.prom")
    faults = []

    def compare(what: str, want: object, got: object) -> None:
        if want != got:
            faults.append(f"{what}: expected {want}, got {got}")

    rejected, first, others = messages_of(done.stderr)
    compare("exit", expected.get("exit", 0), done.returncode)
    compare("messages", expected.get("messages", []), others)
    compare("rejected, as told", expected.get("rejected", {}), rejected)
    compare("reasons whose first record is told", sorted(rejected), sorted(first))
    compare("first", expected.get("first", {}), {reason: first.get(reason) for reason in expected.get("first", {})})
    incidents = [json.loads(line) for line in done.stdout.splitlines()]
    compare("incidents", expected.get("incidents", []), [[i["detector"], i["host"]] for i in incidents])
    names = {i["detector"]: [[n["kind"], n["value"]] for n in i.get("names", [])] for i in incidents}
    compare("names", expected.get("names", {}), {detector: names.get(detector) for detector in expected.get("names", {})})
    if not (folder / "eddy.prom").exists():
        return [*faults, "no metrics were written"]
    read, scored, skipped, rejected = counters(folder / "eddy.prom")
    compare("scored", expected.get("scored", 0), scored)
    compare("skipped", expected.get("skipped", {}), skipped)
    compare("rejected", expected.get("rejected", {}), rejected)
    compare("read", read, scored + sum(skipped.values()) + sum(rejected.values()))
    return faults


def plain(column: str, text: str) -> float:
    value = float(text)
    return round(2**value - 1, 6) if column in LOGARITHMS else value


def check_features(folder: Path, expected: dict) -> list[str]:
    """The columns of each flow that `flows` names, and no other flow."""
    done = run_eddy(folder, expected, "features")
    rows = {row["id"]: row for row in csv.DictReader(done.stdout.decode().splitlines())}
    faults = []
    if done.returncode != expected.get("exit", 0):
        faults.append(f"features: exit status {done.returncode}")
    if "flows" in expected and sorted(rows) != sorted(expected["flows"]):
        faults.append(f"flows: expected {sorted(expected['flows'])}, got {sorted(rows)}")
    for flow, columns in expected.get("flows", {}).items():
        for column, want in columns.items():
            if flow in rows and abs(plain(column, rows[flow][column]) - want) > 1e-6 * max(1, abs(want)):
                faults.append(f"flow {flow}: {column}: expected {want}, got {plain(column, rows[flow][column]):g}")
    return faults


def check_case(case: Path) -> list[str]:
    if not (case / "README.md").is_file():
        return ["no README.md"]
    expected = json.loads((case / "expected.json").read_text())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / case.name
        shutil.copytree(case, folder)
        if (folder / "make").exists():
            subprocess.run(["./make"], cwd=folder, check=True)
        return check_score(folder, expected) + check_features(folder, expected)


def main() -> None:
    if not EDDY.is_file():
        sys.exit(f"{EDDY}: not built; usage: {sys.argv[0]} [BUILD_DIR [CASE...]]")
    cases = [HERE / name for name in sys.argv[2:]] or sorted(path.parent for path in HERE.glob("*/expected.json"))
    passed = failed = 0
    for case, faults in zip(cases, ThreadPool(os.cpu_count()).imap(check_case, cases)):
        print(f"FAIL {case.name}" if faults else f"ok {case.name}")
        for fault in faults:
            print(f"     {fault}")
        passed += not faults
        failed += bool(faults)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
