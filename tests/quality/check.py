#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Floors of detection: what must be found, and what must stay quiet, in the lab's data and the development sets.

usage: check.py [BUILD_DIR]      Exit status 77 if neither is there.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import runs

BUDGET = 20  # decide.max_incidents_per_day, as it is initially
LAB = runs.ROOT / "examples" / "data"

# What the sets' own documents say is in them: set, detector, host.
MUST_FIND = (
    ("nmap-lan-scans", "fanout", "172.16.1.11"),
    ("mirai-test7-zeek", "fanout", "192.168.2.16"),
    ("mirai-test7-suricata", "fanout", "192.168.2.16"),
    ("beacon-cc1-suricata", "beacon", "147.32.80.37"),
    ("beacon-cc2-suricata", "beacon", "147.32.80.37"),
    ("beacon-win1-binetflow", "beacon", "192.168.1.112"),
    ("sme11-win7-remcos", "beacon", "192.168.1.107"),
)
BENIGN = ("sme11-ubuntu-0220-benign", "p2p-normal7-benign")  # none is longer than a day
LAB_LOGS = ("eve.json.gz", "conn.log.gz")
LAB_TOP = {"scan": "fanout", "beacon": "beacon"}  # these two come before all others
LAB_TOLD = ("password_guessing", "upload")  # no detector is made for these yet


class Tally:
    def __init__(self) -> None:
        self.passed = self.failed = 0

    def check(self, good: bool, claim: str, instead: str = "") -> None:
        print(f"ok {claim}" if good else f"FAIL {claim}: {instead}")
        self.passed += good
        self.failed += not good


def words(run: runs.Run) -> str:
    return ", ".join(f"{i['detector']} {i['host']}" for i in run.incidents) or "no incident"


# ---- the development sets


def check_set(tally: Tally, name: str, seen: dict[str, runs.Run]) -> None:
    for face, run in seen.items():
        tally.check(run.status == 0 and run.read > 0 and run.adds_up(), f"{name} {face}: every record is accounted for",
                    f"exit {run.status}, {run.read} read, {run.scored} scored, {run.messages}")
    named = {frozenset(run.named()) for run in seen.values()}
    tally.check(len(named) == 1, f"{name}: all faces name the same",
                "; ".join(f"{face}: {words(run)}" for face, run in seen.items()))


def check_dev(tally: Tally, eddy: Path) -> None:
    wanted = sorted({name for name, _, _ in MUST_FIND} | set(BENIGN))
    sets = {one["name"]: one for one in runs.sets()}
    tasks = [(name, face) for name in wanted for face in sets[name]["files"]]
    done = dict(zip(tasks, runs.in_parallel(lambda name, face: runs.score(eddy, sets[name]["files"][face]), tasks)))
    for name in wanted:
        check_set(tally, name, {face: run for (other, face), run in done.items() if other == name})
    for name, detector, host in MUST_FIND:
        for face in sets[name]["files"]:
            run = done[name, face]
            tally.check((host, detector) in run.named(), f"{name} {face}: {detector} finds {host}", words(run))
    for name in BENIGN:
        for face in sets[name]["files"]:
            run = done[name, face]
            tally.check(len(run.incidents) <= BUDGET, f"{name} {face}: {len(run.incidents)} incidents, at most {BUDGET}",
                        words(run))


# ---- the lab's own recording


def flow_kinds(log: str) -> dict[str, str]:
    """Kind of each labelled flow of this log, by the sensor's id."""
    sensor = "suricata" if log.startswith("eve") else "zeek"
    rows = csv.DictReader(runs.text_of(LAB / "truth-flows.csv.gz").decode().splitlines())
    return {row["uid-or-flow_id"]: row["kind"] for row in rows if row["sensor"] == sensor}


def kind_of(incident: dict, kinds: dict[str, str]) -> str:
    """What most of the incident's sample flows are."""
    of_flows = [kinds.get(flow, "unlabelled") for flow in incident["flow_ids"]]
    return max(sorted(set(of_flows)), key=of_flows.count, default="unlabelled")


def check_lab_log(tally: Tally, log: str, run: runs.Run) -> None:
    kinds = flow_kinds(log)
    found = [(kind_of(i, kinds), i["detector"]) for i in run.incidents]
    tally.check(run.status == 0 and run.read > 0 and run.adds_up(), f"lab {log}: every record is accounted for",
                f"exit {run.status}, {run.messages}")
    tally.check(set(found[:len(LAB_TOP)]) == set(LAB_TOP.items()), f"lab {log}: scan and call-home come first",
                f"{found}: {words(run)}")
    wrong = [kind for kind, _ in found if kind in ("benign", "unlabelled")]
    tally.check(not wrong, f"lab {log}: no incident is about benign flows", f"{found}: {words(run)}")
    for kind in LAB_TOLD:
        print(f"   lab {log}: {kind} {'found' if kind in dict(found) else 'not found'} (no promise)")


def check_lab(tally: Tally, eddy: Path) -> None:
    for log in LAB_LOGS:
        check_lab_log(tally, log, runs.score(eddy, LAB / log))
        quiet = runs.score(eddy, LAB / f"benign-{log}")
        tally.check(quiet.status == 0 and quiet.scored > 0 and not quiet.incidents and not quiet.withheld,
                    f"lab benign-{log}: no incident", f"exit {quiet.status}, {words(quiet)}")


def main() -> None:
    eddy = runs.eddy_of(sys.argv)
    has_lab, has_dev = (LAB / "truth-flows.csv.gz").is_file(), runs.DEV.is_dir()
    if not has_lab and not has_dev:
        print(f"skipped: neither {LAB} has a recording nor is there {runs.DEV}")
        sys.exit(runs.SKIPPED)
    tally = Tally()
    if has_lab:
        check_lab(tally, eddy)
    else:
        print("   the lab's recording is not there: not checked")
    if has_dev:
        check_dev(tally, eddy)
    else:
        print("   the development sets are not beside the repository: not checked")
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
