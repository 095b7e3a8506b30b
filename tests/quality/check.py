#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Floors of detection: what must be found, and what must stay quiet, in the lab's data and the development sets.

usage: check.py [BUILD_DIR]      Exit status 77 if neither is there.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import compose
import days
import episodes
import ranking
import runs
from compose import LAB

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
MOST_BENIGN = 3  # incidents of a benign day: the aim
BENIGN_DAYS = {"benign-day": 4, "office-day": 3}  # composed, see compose.py; the aim is 3, README.md says why not
CLEAR = 1e-5  # a tenth of decide.p: what one face names with less, all must name
DAY_FLOORS = {"attack-day": 4}  # attack episodes found
LAB_LOGS = ("eve.json.gz", "conn.log.gz")
# Attacks of the lab's truth.csv that must be found, by kind. What is not here is not found yet: told, not promised.
LAB_FLOORS = {"scan": 2, "beacon": 1, "dns_tunnel": 1, "upload": 1, "flood": 1, "password_guessing": 1}
LAB_WRONG = 0  # incidents about benign flows in the whole recording
LAB_QUIET = 2  # incidents in its benign part, withheld ones too: a thing calls its maker, a backup leaves, on purpose
# How many benign flows may have a p up to a level, over what chance would give: and three standard deviations of a
# Poisson count. And some must: if p is never small, it says nothing. The aim is 1.5; in the long recording it is
# missed (README.md says by how much and why), so there the band only shows when it gets worse.
LEAST_ERROR = 0.1
SHORT_ERRORS, LONG_ERRORS = {1e-2: 1.5, 1e-3: 1.5}, {1e-2: 5.0, 1e-3: 20.0}


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
    clear = {(i["host"], i["detector"]) for run in seen.values() for i in run.incidents if i["p"] <= CLEAR}
    tally.check(all(clear <= run.named() for run in seen.values()), f"{name}: what one face clearly names, all name",
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
            tally.check(len(run.incidents) <= MOST_BENIGN,
                        f"{name} {face}: {len(run.incidents)} incidents, at most {MOST_BENIGN}",
                        words(run))


def check_days(tally: Tally, eddy: Path) -> None:
    """The composed days, each with its past."""
    with tempfile.TemporaryDirectory() as temporary:
        tasks = [(eddy, day) for day in compose.compose(Path(temporary))]
        for one in runs.in_parallel(days.judge, tasks):
            name, count = one.day.name, len(one.sent)
            tally.check(one.run.status == 0 and one.run.adds_up() and len(one.rows) == len(one.day.flows),
                        f"{name}: every flow has a verdict", f"exit {one.run.status}, {one.run.messages}")
            if name in BENIGN_DAYS:
                tally.check(count <= BENIGN_DAYS[name],
                            f"{name}: {count} incidents, at most {BENIGN_DAYS[name]}", judged_words(one))
            if name in DAY_FLOORS:
                found, floor = len(one.found(one.sent[:episodes.FIRST])), DAY_FLOORS[name]
                tally.check(found >= floor, f"{name}: {found} of {len(one.episodes)} episodes in the first "
                            f"{episodes.FIRST} incidents, floor {floor}", judged_words(one))


# ---- the lab's own recording


def check_kinds(tally: Tally, log: str, judged: days.Judged) -> None:
    """Kinds are those of truth.csv: one that is new is told, one that is gone fails."""
    found = Counter(episode.family for episode in judged.found(judged.sent[:episodes.FIRST]))
    kinds = Counter(episode.family for episode in judged.episodes)
    for kind in sorted(kinds | Counter(LAB_FLOORS)):
        floor, told = LAB_FLOORS.get(kind, 0), f"lab {log}: {kind}, {found[kind]} of {kinds[kind]} found"
        if floor > 0:
            tally.check(found[kind] >= floor, f"{told}, floor {floor}", judged_words(judged))
        if found[kind] > floor:
            print(f"   {told}: its floor may be raised from {floor}")
        elif floor == 0:
            print(f"   {told}: not promised yet")


def judged_words(judged: days.Judged) -> str:
    return ", ".join(f"{one.detector} {one.host}" for one in judged.sent) or "no incident"


def check_lab_log(tally: Tally, log: str, judged: days.Judged) -> None:
    run = judged.run
    tally.check(run.status == 0 and run.read > 0 and run.adds_up(), f"lab {log}: every record is accounted for",
                f"exit {run.status}, {run.messages}")
    check_kinds(tally, log, judged)
    wrong = [one for one in judged.sent if episodes.is_right(one, judged.flow_of) is not True]
    tally.check(len(wrong) <= LAB_WRONG, f"lab {log}: {len(wrong)} incidents about benign flows, at most {LAB_WRONG}",
                judged_words(judged))


def check_benign(tally: Tally, eddy: Path, log: str, quiet: int, errors: dict[float, float]) -> None:
    run = runs.score(eddy, LAB / log)
    count = len(run.incidents) + len(run.withheld)
    tally.check(run.status == 0 and run.scored > 0 and count <= quiet,
                f"lab {log}: {count} incidents, at most {quiet}", f"exit {run.status}, {words(run)}")
    values = [float(row["p"]) for row in runs.flow_table(eddy, LAB / log)]
    for level, error in errors.items():
        seen = ranking.calibration(values, level)
        expected = seen.count * level
        least, most = LEAST_ERROR * expected - 1, error * expected + 3 * expected**0.5
        tally.check(least <= seen.seen <= most, f"lab {log}: {seen.seen} of {seen.count} flows have p <= {level:g}, "
                    f"the band is {max(least, 0):.0f} to {most:.0f}")


def check_lab(tally: Tally, eddy: Path) -> None:
    for log in LAB_LOGS:
        check_lab_log(tally, log, days.judge(eddy, compose.lab_day(log)))
        check_benign(tally, eddy, f"benign-{log}", LAB_QUIET, SHORT_ERRORS)
    check_benign(tally, eddy, compose.LAB_BENIGN.name, MOST_BENIGN, LONG_ERRORS)


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
        check_days(tally, eddy)
    else:
        print("   the development sets are not beside the repository: not checked")
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
