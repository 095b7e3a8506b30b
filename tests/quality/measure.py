#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures eddy on the development sets, on days composed of them and on the lab's, and writes the tables of README.md.

usage: measure.py [BUILD_DIR]             all, about five minutes on 2 cores
       measure.py --days [BUILD_DIR]      prints the tables of days, half a minute; without scikit-learn; no writing

The text between `<!-- table NAME -->` and `<!-- end -->` is replaced; all other words are a person's.
Exit status 1 if a record was lost or the budget exceeded, 77 where the data are not there.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import baselines
import compose
import days
import daytables
import flows
import ranking
import runs
import sensors
import settables
from days import Judged
from settables import PASSES, Measured
from text import number, reasons, share, table

README = Path(__file__).with_name("README.md")
BUDGET = 20  # decide.max_incidents_per_day, as it is initially
NO_TRAINING = ("mix-day", "unsw-nb15-82k")  # copies of the others; made-up addresses and times

Odd = list[tuple[Path, int, runs.Run]]


# ---- Measuring


def measure_face(eddy: Path, one: Measured, face: str, name: str) -> None:
    path, options = one.about["files"][face], PASSES[name]
    one.runs[face, name] = runs.score(eddy, path, options=options)
    scores = runs.scores_in(runs.flow_table(eddy, path, options=options))
    one.ranks[face, name] = ranking.rank(scores, one.rankable(face))
    one.lines[face] = runs.lines_of(path)
    if (face, name) == ("eve.json", "one pass"):
        one.scores = scores


def measure_sets(eddy: Path) -> list[Measured]:
    measured = [Measured(about, runs.labels_of(about["name"]), flows.set_flows(about["name"])) for about in runs.sets()]
    tasks = [(eddy, one, face, name) for one in measured for face in one.faces() for name in PASSES]
    for _ in runs.in_parallel(measure_face, tasks):
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return measured


def measure_days(eddy: Path, folder: Path) -> tuple[list[Judged], list[Judged]]:
    """With and without a past."""
    composed = [*compose.compose(folder), *compose.lab_days(folder)]
    tasks = [(eddy, day, past) for day in composed for past in (True, False) if past or day.learn]
    judged = list(runs.in_parallel(days.judge, tasks))
    with_past = [past for _, _, past in tasks]
    return tuple([one for one, past in zip(judged, with_past) if past is wanted] for wanted in (True, False))


def add_peers(eddy: Path, measured: list[Measured], judged: list[Judged], folder: Path) -> None:
    """scikit-learn's forests on all sets and days."""
    tasks = [days.task_of(one.day) for one in judged]
    tasks += [baselines.Task(one.about["name"], [one.about["files"]["eve.json"]], one.flows,
                             trains=one.about["name"] not in NO_TRAINING)
              for one in measured if one.about["name"] != "mix-day"]
    found = baselines.run(eddy, tasks, folder)
    if found is None:
        print("skipped: the comparison with scikit-learn, which cannot be installed here; its rows are missing")
        return
    for one in judged:
        one.peers = found[one.day.name]
    for one in measured:
        name = one.about["name"]
        if name in found and name != "mix-day":
            one.peers = {"IsolationForest": found[name].iforest, "RandomForest": found[name].forest}


# ---- Tables that are about files, not about detection


def odd_files() -> list[Path]:
    return sorted((runs.DATA / "eve").glob("*.json.xz")) + sorted((runs.DEV / "format-samples").glob("*/*.gz"))


def odd_table(found: Odd) -> str:
    rows = [[path.name, str(run.status), f"{number(lines)}", number(run.read), number(run.scored),
             reasons(run.skipped), reasons(run.rejected)] for path, lines, run in found]
    return table(["file", "exit", "lines", "read", "scored", "skipped", "rejected"], rows)


def sensors_text(a: sensors.Agreement) -> str:
    lines = [f"- {number(a.captures)} captures, {number(a.lines)} lines; rejected: {reasons(a.rejected)}.",
             f"- {number(a.zeek_flows)} flows in Zeek's TSV; {number(a.same_json)} have the same columns, digit for "
             "digit, in its JSON.",
             f"- Incidents in {a.incidents} captures; the three logs name other hosts or detectors in {len(a.differ)}"
             + (":" if a.differ else "."), *(f"  - {words}" for words in a.differ),
             f"- {number(a.paired)} flows that both sensors logged once, with one community id and one direction:", ""]
    rows = [[column, share(a.equal[column] / a.paired), share(a.near[column] / a.paired)] for column in a.columns]
    return "\n".join(lines) + "\n" + table(["column", "equal", f"within {sensors.ABOUT_EQUAL:g}"], rows)


# ---- What must hold


def faults_of(measured: list[Measured], judged: list[Judged], odd: Odd, pairs: sensors.Agreement) -> list[str]:
    faults = [f"{log}: counters do not add up to the lines" for log in pairs.wrong_sums]
    for path, lines, run in odd:
        if run.read != lines or not run.adds_up():
            faults.append(f"{path.name}: {lines} lines, {run.read} read")
    for one in measured:
        for (face, name), run in one.runs.items():
            where = f"{one.about['name']}, {face}, {name}"
            if run.read != one.lines[face] * (1 + len(PASSES[name])) or not run.adds_up():
                faults.append(f"{where}: {one.lines[face]} lines, {run.read} read")
            if settables.most_a_day(run) > BUDGET:
                faults.append(f"{where}: {settables.most_a_day(run)} incidents within 24 hours")
    for one in judged:
        lost = sum(flow.id not in one.rows for flow in one.day.flows)
        if lost or not one.run.adds_up() or settables.most_a_day(one.run) > BUDGET:
            faults.append(f"{one.day.name}: {lost} flows without a verdict, {settables.most_a_day(one.run)} incidents")
    return faults


DAY_TABLES = {"aims": daytables.aims_table, "episodes": daytables.episodes_table, "day-ranking": daytables.rank_table,
              "calibration": daytables.calibration_table, "own-calibration": daytables.own_calibration_table,
              "beacons": daytables.beacon_table, "beacon-alarms": daytables.beacon_alarms}
SET_TABLES = {"records": settables.records_table, "truth": settables.truth_table, "sentences": settables.sentences,
              "incidents": lambda measured: settables.incidents_table(measured, "one pass"),
              "two-pass": lambda measured: settables.incidents_table(measured, "two passes"),
              "differences": settables.differences, "ranking": settables.ranking_table,
              "peers": settables.peers_table, "families": settables.families_table}


def day_tables(judged: list[Judged], blind: list[Judged]) -> dict[str, str]:
    return {"days": daytables.summary(judged, blind)} | {name: make(judged) for name, make in DAY_TABLES.items()}


def write_readme(tables: dict[str, str]) -> None:
    text = README.read_text()
    for name, words in tables.items():
        place = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = place.subn(lambda match, words=words: f"{match[1]}{words}\n{match[2]}", text)
        if count != 1:
            sys.exit(f"{README}: {count} places for table {name}")
    README.write_text(text)


def print_days(eddy: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        judged, blind = measure_days(eddy, Path(temporary))
    for name, words in day_tables(judged, blind).items():
        print(f"{name}\n\n{words}\n")


def main() -> None:
    arguments = [argument for argument in sys.argv if argument != "--days"]
    eddy = runs.eddy_of(arguments)
    if not runs.DEV.is_dir():
        print(f"skipped: no development sets in {runs.DEV}")
        sys.exit(runs.SKIPPED)
    if arguments != sys.argv:
        return print_days(eddy)
    with tempfile.TemporaryDirectory() as temporary:
        judged, blind = measure_days(eddy, Path(temporary))
        measured = measure_sets(eddy)
        add_peers(eddy, measured, judged, Path(temporary))
    odd = [(path, runs.lines_of(path), runs.score(eddy, path)) for path in odd_files()]
    pairs = sensors.measure(eddy)
    tables = {name: make(measured) for name, make in SET_TABLES.items()}
    write_readme(day_tables(judged, blind) | tables | {"odd": odd_table(odd), "sensors": sensors_text(pairs)})
    faults = faults_of(measured, judged + blind, odd, pairs)
    for fault in faults:
        print(f"FAIL {fault}")
    print(f"{README.name}: tables written; {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
