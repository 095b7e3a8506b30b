#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures eddy on the development sets and writes the tables of README.md.

usage: measure.py [BUILD_DIR]      (about a minute and a half on 2 cores)

The text between `<!-- table NAME -->` and `<!-- end -->` is replaced; all other words are a person's.
Exit status 1 if a record was lost or the budget exceeded, 77 where the data are not there.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import ranking
import runs
import sensors

README = Path(__file__).with_name("README.md")
DETECTORS = ("tail", "fanout", "beacon")
PASSES = {"one pass": (), "two passes": ("--two-pass",)}
VERDICTS = ("right", "wrong", "unknown")  # of an incident, by the labels of its sample flows
BUDGET = 20  # decide.max_incidents_per_day, as it is initially
KEYS = {"eve.json": "flow_id"}  # the other faces: uid


@dataclass
class Measured:
    """One set: what came out for each (face, pass)."""

    about: dict
    labels: list[dict[str, str]]
    runs: dict[tuple[str, str], runs.Run] = field(default_factory=dict)
    ranks: dict[tuple[str, str], ranking.Ranking | None] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def faces(self) -> list[str]:
        return [face for face in runs.FACES if face in self.about["files"]]

    def first_pass(self) -> list[tuple[str, runs.Run]]:
        return [(face, self.runs[face, "one pass"]) for face in self.faces()]


# ---- measuring


def measure_face(eddy: Path, one: Measured, face: str, name: str) -> None:
    path, options = one.about["files"][face], PASSES[name]
    one.runs[face, name] = runs.score(eddy, path, *options)
    one.ranks[face, name] = ranking.rank(runs.flow_scores(eddy, path, *options), one.labels, KEYS.get(face, "uid"))
    one.lines[face] = runs.lines_of(path)


def measure_sets(eddy: Path) -> list[Measured]:
    measured = [Measured(about, runs.labels_of(about["name"])) for about in runs.sets()]
    tasks = [(eddy, one, face, name) for one in measured for face in one.faces() for name in PASSES]
    for _ in runs.in_parallel(measure_face, tasks):
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return measured


# ---- words


def number(value: float) -> str:
    return f"{value:,.0f}"


def share(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if value < 1 else "1.0"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def by_detector(run: runs.Run) -> str:
    count = Counter(i["detector"] for i in run.incidents)
    return " ".join(f"{count[name]} {name}" for name in DETECTORS if count[name]) or "none"


def reasons(counted: dict[str, int]) -> str:
    return ", ".join(f"{number(count)} {reason}" for reason, count in sorted(counted.items())) or "none"


def start_of(incident: dict) -> float:
    return datetime.strptime(incident["start"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def most_a_day(run: runs.Run) -> int:
    """Incidents that began within any 24 hours."""
    starts = sorted(map(start_of, run.incidents))
    return max((sum(1 for other in starts if 0 <= other - start < 86400) for start in starts), default=0)


# ---- tables


def records_table(measured: list[Measured]) -> str:
    rows = []
    for one in measured:
        cells = []
        for face in runs.FACES:
            run = one.runs.get((face, "one pass"))
            cells.append("-" if run is None else f"{number(run.read)} = {number(run.scored)} + "
                         f"{number(sum(run.skipped.values()))} + {number(sum(run.rejected.values()))}")
        rows.append([one.about["name"], number(one.about["rows"]), *cells])
    return table(["set", "flows", *runs.FACES], rows)


def incidents_table(measured: list[Measured], name: str) -> str:
    rows = []
    for one in measured:
        found = [one.runs[face, name] for face in one.faces()]
        days = max(one.about["hours"] / 24, 1.0)
        rows.append([one.about["name"], f"{one.about['hours']:g}", number(max(run.hosts for run in found)),
                     *(by_detector(one.runs[face, name]) if face in one.faces() else "-" for face in runs.FACES),
                     "/".join(str(len(run.withheld)) for run in found), str(max(map(most_a_day, found))),
                     f"{max(len(run.incidents) / days / max(run.hosts, 1) for run in found):.3f}",
                     "yes" if len({frozenset(run.named()) for run in found}) == 1 else "no"])
    return table(["set", "hours", "hosts", *runs.FACES, "withheld", "most in 24 h", "a day and host",
                  "faces agree"], rows)


def sentences(measured: list[Measured]) -> str:
    lines = []
    for one in measured:
        said: dict[str, list[str]] = {}
        for face, run in one.first_pass():
            top = run.incidents[0] if run.incidents else None
            words = "none" if top is None else f"{top['detector']}, {top['severity']}, p {top['p']:.1e}: {top['summary']}"
            said.setdefault(words, []).append(face)
        lines.append(f"- **{one.about['name']}**")
        lines += [f"  - {', '.join(faces)}: {words}" for words, faces in said.items()]
    return "\n".join(lines)


def differences(measured: list[Measured]) -> str:
    lines = []
    for one in measured:
        named = {face: run.named() for face, run in one.first_pass()}
        common = set.intersection(*named.values())
        odd = {face: sorted(names - common) for face, names in named.items()}
        if any(odd.values()):
            words = "; ".join(f"{face}: {', '.join(f'{h} {d}' for h, d in names)}" for face, names in odd.items() if names)
            lines.append(f"- {one.about['name']}, in some faces only: {words}")
    return "\n".join(lines) or "None: all faces of every set name the same hosts and detectors."


def verdict(one: Measured, face: str, incident: dict) -> str:
    """By the labels of the incident's sample flows: right, wrong, or unknown if none is labelled."""
    label_of = {row[KEYS.get(face, "uid")]: row["label"] for row in one.labels}
    labels = Counter(label_of.get(flow) for flow in incident["flow_ids"])
    if labels["1"] + labels["0"] == 0:
        return "unknown"
    return "right" if labels["1"] >= labels["0"] else "wrong"


def truth_table(measured: list[Measured]) -> str:
    rows, missed, total = [], [], Counter()
    for one in measured:
        cells = []
        for face in runs.FACES:
            if face not in one.faces():
                cells.append("-")
                continue
            count = Counter(verdict(one, face, i) for i in one.runs[face, "one pass"].incidents)
            total.update({(face, what): n for what, n in count.items()})
            cells.append(" / ".join(str(count[what]) for what in VERDICTS))
        malicious = sum(row["label"] == "1" for row in one.labels)
        rows.append([one.about["name"], number(malicious), *cells])
        if malicious and not any(cell.startswith(tuple("123456789")) for cell in cells):
            missed.append(one.about["name"])
    rows.append(["**all**", "", *(" / ".join(str(total[face, what]) for what in VERDICTS) for face in runs.FACES)])
    words = f"Sets with malicious flows and no right incident in any face: {', '.join(missed) or 'none'}."
    return table(["set", "malicious flows", *runs.FACES], rows) + "\n\n" + words


def ranking_table(measured: list[Measured]) -> str:
    rows = []
    for one in measured:
        for name in PASSES:
            for face in (f for f in one.faces() if f != "zeek.json"):
                rank = one.ranks[face, name]
                if rank is not None:
                    rows.append([one.about["name"], face, name, share(rank.base_rate), share(rank.roc_auc),
                                 share(rank.pr_auc), *(share(rank.recall[n]) for n in ranking.FALSE_POSITIVES)])
    return table(["set", "face", "", "base rate", "ROC-AUC", "PR-AUC",
                  *(f"recall at {n}" for n in ranking.FALSE_POSITIVES)], rows)


def families_table(measured: list[Measured]) -> str:
    one = next(one for one in measured if one.about["name"] == "mix-day")
    rows = []
    for family in sorted({row["family"] for row in one.labels if row["label"] == "1"}):
        cells = []
        for face in one.faces():
            rank, key = one.ranks[face, "one pass"], KEYS.get(face, "uid")
            flows = {row[key] for row in one.labels if row["label"] == "1" and row["family"] == family}
            named = any(flows & set(i["flow_ids"]) for i in one.runs[face, "one pass"].incidents)
            assert rank is not None
            cells.append(f"{rank.by_family[family][0]} of {rank.by_family[family][1]}{', incident' if named else ''}")
        rows.append([family, *cells])
    return table(["family", *one.faces()], rows)


def odd_files() -> list[Path]:
    return sorted((runs.DATA / "eve").glob("*.json.xz")) + sorted((runs.DEV / "format-samples").glob("*/*.gz"))


def odd_table(found: list[tuple[Path, int, runs.Run]]) -> str:
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


# ---- what must hold


def faults_of(measured: list[Measured], odd: list[tuple[Path, int, runs.Run]], pairs: sensors.Agreement) -> list[str]:
    faults = [f"{log}: counters do not add up to the lines" for log in pairs.wrong_sums]
    for path, lines, run in odd:
        if run.read != lines or not run.adds_up():
            faults.append(f"{path.name}: {lines} lines, {run.read} read")
    for one in measured:
        for (face, name), run in one.runs.items():
            where = f"{one.about['name']}, {face}, {name}"
            if run.read != one.lines[face] * (1 + len(PASSES[name])) or not run.adds_up():
                faults.append(f"{where}: {one.lines[face]} lines, {run.read} read")
            if most_a_day(run) > BUDGET:
                faults.append(f"{where}: {most_a_day(run)} incidents within 24 hours")
    return faults


def write_readme(tables: dict[str, str]) -> None:
    text = README.read_text()
    for name, words in tables.items():
        place = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = place.subn(lambda match, words=words: f"{match[1]}{words}\n{match[2]}", text)
        if count != 1:
            sys.exit(f"{README}: {count} places for table {name}")
    README.write_text(text)


def main() -> None:
    eddy = runs.eddy_of(sys.argv)
    if not runs.DEV.is_dir():
        print(f"skipped: no development sets in {runs.DEV}")
        sys.exit(runs.SKIPPED)
    measured = measure_sets(eddy)
    odd = [(path, runs.lines_of(path), runs.score(eddy, path)) for path in odd_files()]
    pairs = sensors.measure(eddy)
    write_readme({"records": records_table(measured), "incidents": incidents_table(measured, "one pass"),
                  "two-pass": incidents_table(measured, "two passes"), "sentences": sentences(measured),
                  "differences": differences(measured), "truth": truth_table(measured),
                  "ranking": ranking_table(measured), "families": families_table(measured),
                  "odd": odd_table(odd), "sensors": sensors_text(pairs)})
    faults = faults_of(measured, odd, pairs)
    for fault in faults:
        print(f"FAIL {fault}")
    print(f"{README.name}: tables written; {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
