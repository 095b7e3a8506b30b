# SPDX-License-Identifier: MIT
"""What eddy, and the programs it is compared with, make of a day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import baselines
import compose
import episodes
import ranking
import rita
import runs
from episodes import FIRST, Episode, Incident
from flows import BENIGN, MALICIOUS, Flow, is_own

LEVELS = (1e-2, 1e-3)
COVERED = 1e6  # a flow of an incident comes before all others


@dataclass
class Judged:
    day: compose.Day
    run: runs.Run
    sent: list[Incident]  # of the day itself, not of what came before; most unusual first
    withheld: list[Incident]
    rows: dict[str, dict[str, str]]  # verdict by flow id
    episodes: list[Episode]
    left: int  # malicious flows in no episode
    flow_of: dict[str, Flow] = field(default_factory=dict)
    peers: baselines.Scores | None = None

    def scores(self) -> dict[str, float]:
        return {flow: float(row["score"]) for flow, row in self.rows.items()}

    def rankable(self) -> list[tuple[str, int, str]]:
        return [(flow.id, flow.label, flow.family) for flow in self.day.flows]

    def found(self, incidents: list[Incident]) -> list[Episode]:
        return [one for one in self.episodes if episodes.finders(incidents, one, self.flow_of)]


def judge(eddy: Path, day: compose.Day, past: bool = True) -> Judged:
    logs = [*(day.learn if past else []), day.log]
    run = runs.score(eddy, *logs)
    rows = {row["id"]: row for row in runs.flow_table(eddy, *logs)}
    found, left = (episodes.told_by_lab(day.truth, day.flows), 0) if day.truth else episodes.stretches(day.flows)
    sent, withheld = ([one for one in map(episodes.from_json, incidents) if one.opened >= day.begin]
                      for incidents in (run.incidents, run.withheld))
    return Judged(day, run, sent, withheld, {flow.id: rows[flow.id] for flow in day.flows if flow.id in rows}, found,
                  left, {flow.id: flow for flow in day.flows})


def task_of(day: compose.Day) -> baselines.Task:
    learned = list(day.learned)
    for log in day.learn:
        learned += [str(record["flow_id"]) for record in compose.flows.records_of(log)]
    return baselines.Task(day.name, [*day.learn, day.log], day.flows, learned)


# ---- Flows by the incident they are in


def covers(incident: Incident, flow: Flow) -> bool:
    """Whether the flow is part of the incident, as its host, peer and time tell: eddy names a few flows of it."""
    if incident.host not in (flow.src, flow.dst) or flow.end < incident.start or flow.start > incident.end:
        return False
    return not incident.peer or incident.peer in (flow.src, flow.dst)


def incident_scores(one: Judged) -> dict[str, float]:
    """Each flow by the gravest incident it is in; those in none come after, by their own score."""
    scores = one.scores()
    for flow in one.day.flows:
        best = max((i.score for i in one.sent if covers(i, flow)), default=None)
        if best is not None:
            scores[flow.id] = COVERED + best
    return scores


# ---- p-values of benign flows


@dataclass
class Calibrated:
    """The verdict's p of benign flows."""

    levels: list[ranking.Calibration]  # at LEVELS
    pairs: list[int]  # how many different source and destination the flows at or below each level have
    by_detector: list[Counter]  # which detector gave them, at each level


def calibrated(one: Judged) -> Calibrated:
    benign = [(one.rows[flow.id], flow) for flow in one.day.flows if flow.label == BENIGN and flow.id in one.rows]
    below = [[(row, flow) for row, flow in benign if float(row["p"]) <= level] for level in LEVELS]
    return Calibrated([ranking.calibration([float(row["p"]) for row, _ in benign], level) for level in LEVELS],
                      [len({(flow.src, flow.dst) for _, flow in found}) for found in below],
                      [Counter(row["detector"] for row, _ in found) for found in below])


# ---- Beacons

BEACONS = {"beacon", "beacon-2s", "C2-beacon-1.4s", "C&C", "C2"}  # families that call home
BEACON_SETS = {"sme11-win7-remcos"}  # "Malicious" means that here
BEACON_LEAST = 10  # calls of a pair before it is one


@dataclass
class Pair:
    src: str
    dst: str
    family: str
    origin: str
    calls: int


def true_beacons(flows: list[Flow]) -> list[Pair]:
    found: dict[tuple[str, str], Pair] = {}
    for flow in flows:
        if flow.label == MALICIOUS and is_own(flow.src) and (flow.family in BEACONS or flow.origin in BEACON_SETS):
            found.setdefault((flow.src, flow.dst), Pair(flow.src, flow.dst, flow.family, flow.origin, 0)).calls += 1
    return [pair for pair in found.values() if pair.calls >= BEACON_LEAST]


def eddy_pairs(one: Judged) -> dict[tuple[str, str], float]:
    """-log10 p of each pair of which the beacon detector found a flow more unusual than all others did: the highest."""
    found: dict[tuple[str, str], float] = {}
    for flow in one.day.flows:
        row = one.rows.get(flow.id)
        if row is not None and row["detector"] == "beacon":
            pair = flow.src, flow.dst
            found[pair] = max(float(row["score"]), found.get(pair, 0.0))
    return found


def rank_of(pair: Pair, scores: dict[tuple[str, str], float]) -> int | None:
    """From 1; ties count against it."""
    own = scores.get((pair.src, pair.dst))
    return None if own is None else sum(score >= own for score in scores.values())


def rita_pairs(one: Judged) -> dict[tuple[str, str], float]:
    return rita.pairs(one.day.flows, one.day.begin)


# ---- The first incidents of the others


def peer_incidents(one: Judged) -> dict[str, list[Incident]]:
    """The first of each way to rank: eddy's incidents, and groups of flows by the scores of eddy and the forests."""
    found = {"incidents": one.sent[:FIRST], "eddy's flows": episodes.groups(one.day.flows, one.scores())}
    if one.peers is not None:
        found["IsolationForest"] = episodes.groups(one.day.flows, one.peers.iforest)
        found["RandomForest"] = episodes.groups(one.day.flows, one.peers.forest)
    return found


def rankings(one: Judged) -> dict[str, ranking.Ranking | None]:
    scores = {"eddy's flows": one.scores(), "incidents": incident_scores(one)}
    if one.peers is not None:
        scores.update({"IsolationForest": one.peers.iforest, "RandomForest": one.peers.forest})
    return {name: ranking.rank(values, one.rankable()) for name, values in scores.items()}
