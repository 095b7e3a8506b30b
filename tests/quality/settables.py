# SPDX-License-Identifier: MIT
"""Tables of README.md about single sets, each read as it is, with an empty memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import episodes
import ranking
import runs
from flows import Flow, seconds
from text import by_detector, number, share, span, table

PASSES = {"one pass": (), "two passes": ("--two-pass",)}
KEYS = {"eve.json": "flow_id"}  # the other faces: uid


@dataclass
class Measured:
    """One set: what came out for each (face, pass)."""

    about: dict
    labels: list[dict[str, str]]
    flows: list[Flow]
    runs: dict[tuple[str, str], runs.Run] = field(default_factory=dict)
    ranks: dict[tuple[str, str], ranking.Ranking | None] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)  # of the EVE face, one pass
    peers: dict[str, dict[str, float]] = field(default_factory=dict)  # of other programs, the same

    def faces(self) -> list[str]:
        return [face for face in runs.FACES if face in self.about["files"]]

    def first_pass(self) -> list[tuple[str, runs.Run]]:
        return [(face, self.runs[face, "one pass"]) for face in self.faces()]

    def rankable(self, face: str) -> list[tuple[str, int, str]]:
        return [(row[KEYS.get(face, "uid")], int(row["label"]), row["family"]) for row in self.labels]

    def flow_of(self, face: str) -> dict[str, Flow]:
        """Flows by the ids of a face."""
        id_of = {row["flow_id"]: row[KEYS.get(face, "uid")] for row in self.labels}
        return {id_of[flow.id]: replace(flow, id=id_of[flow.id]) for flow in self.flows}


def named(run: runs.Run) -> str:
    return by_detector([incident["detector"] for incident in run.incidents])


def most_a_day(run: runs.Run) -> int:
    """Incidents that began within any 24 hours."""
    starts = sorted(seconds(incident["start"]) for incident in run.incidents)
    return max((sum(1 for other in starts if 0 <= other - start < 86400) for start in starts), default=0)


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
                     *(named(one.runs[face, name]) if face in one.faces() else "-" for face in runs.FACES),
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
            words = "none"
            if top is not None:
                words = f"{top['detector']}, {top['severity']}, p {top['p']:.1e}: {top['summary']}"
            said.setdefault(words, []).append(face)
        lines.append(f"- **{one.about['name']}**")
        lines += [f"  - {', '.join(faces)}: {words}" for words, faces in said.items()]
    return "\n".join(lines)


def differences(measured: list[Measured]) -> str:
    lines = []
    for one in measured:
        named_by = {face: run.named() for face, run in one.first_pass()}
        common = set.intersection(*named_by.values())
        odd = {face: sorted(names - common) for face, names in named_by.items()}
        if any(odd.values()):
            said = {face: ", ".join(f"{host} {detector}" for host, detector in names) for face, names in odd.items()}
            words = "; ".join(f"{face}: {names}" for face, names in said.items() if names)
            lines.append(f"- {one.about['name']}, in some faces only: {words}")
    return "\n".join(lines) or "None: all faces of every set name the same hosts and detectors."


def verdicts(incidents: list[episodes.Incident], flow_of: dict[str, Flow]) -> list[int]:
    """How many are right, wrong and unknown."""
    count = Counter(episodes.is_right(one, flow_of) for one in incidents)
    return [count[verdict] for verdict in (True, False, None)]


def truth_cells(one: Measured, face: str, found: list[episodes.Episode]) -> tuple[str, str, str]:
    """Verdicts, episodes in the first 20 incidents, and how long the slowest of them took."""
    flow_of = one.flow_of(face)
    told = [episodes.from_json(incident) for incident in one.runs[face, "one pass"].incidents]
    times = [episodes.seconds_to(told[:episodes.FIRST], episode, flow_of) for episode in found]
    known = [time for time in times if time is not None]
    return (" / ".join(map(str, verdicts(told, flow_of))), f"{len(known)}", span(max(known)) if known else "-")


def truth_table(measured: list[Measured]) -> str:
    rows, total = [], Counter()
    for one in (one for one in measured if not one.about["name"].startswith("unsw")):
        found, left = episodes.stretches(one.flows)
        cells = {face: truth_cells(one, face, found) for face in one.faces()}
        for face, (verdict, hit, _) in cells.items():
            total.update({(face, n): int(count) for n, count in enumerate([*verdict.split(" / "), hit])})
        total["episodes"] += len(found)
        rows.append([one.about["name"], str(len(found)), number(left),
                     *(cells[face][0] for face in one.faces()),
                     "/".join(cells[face][1] for face in one.faces()) if found else "",
                     " / ".join(cells[face][2] for face in one.faces()) if found else ""])
    rows.append(["**all**", str(total["episodes"]), "",
                 *(" / ".join(str(total[face, n]) for n in range(3)) for face in runs.FACES),
                 "/".join(str(total[face, 3]) for face in runs.FACES), ""])
    return table(["set", "episodes", "other malicious flows", *runs.FACES, "episodes found", "slowest"], rows)


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


def peers_table(measured: list[Measured]) -> str:
    """The EVE face in one pass, beside the forests."""
    rows = []
    for one in measured:
        for name, scores in {"eddy": one.scores, **one.peers}.items():
            rank = ranking.rank(scores, one.rankable("eve.json"))
            if rank is not None:
                rows.append([one.about["name"], name, share(rank.base_rate), share(rank.roc_auc), share(rank.pr_auc),
                             *(share(rank.recall[n]) for n in ranking.FALSE_POSITIVES)])
    return table(["set", "scores of", "base rate", "ROC-AUC", "PR-AUC",
                  *(f"recall at {n}" for n in ranking.FALSE_POSITIVES)], rows)


def families_table(measured: list[Measured]) -> str:
    one = next(one for one in measured if one.about["name"] == "mix-day")
    rows = []
    for family in sorted({row["family"] for row in one.labels if row["label"] == "1"}):
        cells = []
        for face in one.faces():
            rank, key = one.ranks[face, "one pass"], KEYS.get(face, "uid")
            flows = {row[key] for row in one.labels if row["label"] == "1" and row["family"] == family}
            shown = any(flows & set(i["flow_ids"]) for i in one.runs[face, "one pass"].incidents)
            assert rank is not None
            cells.append(f"{rank.by_family[family][0]} of {rank.by_family[family][1]}{', incident' if shown else ''}")
        rows.append([family, *cells])
    return table(["family", *one.faces()], rows)
