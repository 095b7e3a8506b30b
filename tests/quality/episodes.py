# SPDX-License-Identifier: MIT
"""Attack episodes, and which of them a list of incidents finds.

An episode is what one attacker does of one kind without a long pause: malicious flows of one family, one source and
one set, each beginning at most PAUSE_S after the one before. Stretches of fewer than LEAST flows are background
noise of the Internet (one knock at a door) that nobody wants an incident for; how many flows are in them is told.

An incident finds an episode if
  - it names the attacker, as its host or as its peer, or as its host the victim, to which at least half of the
    flows go,
  - their times overlap, and
  - of its sample flows that are labelled at least half are malicious, and one at least is of the attacker and family.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from flows import BENIGN, FORWARDED, MALICIOUS, UNKNOWN, Flow, seconds

PAUSE_S = 3600
LEAST = 10
FIRST = 20  # incidents of a day that an analyst reads
QUIET_S = 4 * 3600  # decide.quiet, as it is initially


@dataclass(frozen=True)
class Episode:
    origin: str
    family: str
    attacker: str
    victim: str  # "" if none has half of the flows
    start: float
    end: float
    count: int


@dataclass
class Incident:
    """One of eddy's, or a group of flows made by the same rules of another program's scores."""

    host: str
    peer: str
    detector: str
    start: float
    end: float
    opened: float  # when it was first told
    score: float
    flow_ids: list[str]
    withheld: bool = False
    port: int = 0


def from_json(line: dict) -> Incident:
    return Incident(line["host"], line.get("peer", ""), line["detector"], seconds(line["start"]), seconds(line["end"]),
                    seconds(line.get("opened", line["timestamp"])), line["score"], line["flow_ids"], line["withheld"],
                    line.get("peer_port", 0))


# ---- Episodes


def victim_of(flows: list[Flow]) -> str:
    address, count = Counter(flow.dst for flow in flows).most_common(1)[0]
    return address if 2 * count >= len(flows) else ""


def episode_of(flows: list[Flow]) -> Episode:
    one = flows[0]
    end = max(flow.end for flow in flows)
    return Episode(one.origin, one.family, one.src, victim_of(flows), one.start, end, len(flows))


def stretches(flows: list[Flow]) -> tuple[list[Episode], int]:
    """Episodes in order of time, and how many malicious flows are in none."""
    of_kind: dict[tuple[str, str, str], list[Flow]] = defaultdict(list)
    for flow in sorted(flows, key=lambda flow: flow.start):
        if flow.label == MALICIOUS:
            of_kind[flow.origin, flow.family, flow.src].append(flow)
    found, left = [], 0
    for of_one in of_kind.values():
        begin = 0
        for i in range(1, len(of_one) + 1):
            if i == len(of_one) or of_one[i].start - of_one[i - 1].start > PAUSE_S:
                if i - begin >= LEAST:
                    found.append(episode_of(of_one[begin:i]))
                else:
                    left += i - begin
                begin = i
    return sorted(found, key=lambda episode: episode.start), left


def told_by_lab(truth: Path, flows: list[Flow]) -> list[Episode]:
    """The lab knows what it did: one episode for each of its attacks."""
    found = []
    with open(truth, encoding="utf-8") as text:
        for row in csv.DictReader(text):
            if row["kind"].endswith(FORWARDED):
                continue
            start, end = float(row["start"]), float(row["end"])
            own = [flow for flow in flows if flow.family == row["kind"] and start - 1 <= flow.start <= end + 1]
            victim = victim_of(own) if own else ""
            found.append(Episode("lab", row["kind"], row["src"], victim, start, end, len(own)))
    return found


# ---- What finds them


def is_right(incident: Incident, flow_of: dict[str, Flow]) -> bool | None:
    """By the labels of its sample flows; None if none is labelled."""
    labels = Counter(flow_of[flow].label if flow in flow_of else UNKNOWN for flow in incident.flow_ids)
    if labels[MALICIOUS] + labels[BENIGN] == 0:
        return None
    return labels[MALICIOUS] >= labels[BENIGN]


def is_of(flow: Flow, episode: Episode) -> bool:
    """A flow of the attacker and family, within the episode's time."""
    return (flow.label == MALICIOUS and (flow.origin, flow.family) == (episode.origin, episode.family)
            and episode.attacker in (flow.src, flow.dst)
            and flow.start <= episode.end and flow.end >= episode.start)


def finds(incident: Incident, episode: Episode, flow_of: dict[str, Flow]) -> bool:
    names = episode.attacker in (incident.host, incident.peer) or episode.victim == incident.host
    if not names or incident.end < episode.start or incident.start > episode.end:
        return False
    samples = (flow_of[flow] for flow in incident.flow_ids if flow in flow_of)
    own = any(flow.label == MALICIOUS and (flow.origin, flow.family) == (episode.origin, episode.family)
              and episode.attacker in (flow.src, flow.dst) for flow in samples)
    return own and is_right(incident, flow_of) is True


def finders(incidents: list[Incident], episode: Episode, flow_of: dict[str, Flow]) -> list[int]:
    """Ranks, from 1, of the incidents that find it."""
    return [rank for rank, one in enumerate(incidents, 1) if finds(one, episode, flow_of)]


def seconds_to(incidents: list[Incident], episode: Episode, flow_of: dict[str, Flow]) -> float | None:
    """From the first malicious flow's begin to the first telling of an incident that finds it, by the flows' time."""
    times = [max(one.opened - episode.start, 0.0) for one in incidents if finds(one, episode, flow_of)]
    return min(times, default=None)


# ---- Incidents of programs that only score flows


def groups(flows: list[Flow], scores: dict[str, float], most: int = FIRST) -> list[Incident]:
    """By the same rules: flows from the highest score down, each joins its source's group within QUIET_S of it or opens
    one; ends where one more would be opened. That is kind to such a program: it has a perfect threshold."""
    of_host: dict[str, list[Incident]] = defaultdict(list)
    found: list[Incident] = []
    for flow in sorted(flows, key=lambda flow: (-scores.get(flow.id, float("-inf")), flow.start, flow.id)):
        if flow.id not in scores:
            break
        near = [one for one in of_host[flow.src]
                if one.start - QUIET_S <= flow.end and flow.start <= one.end + QUIET_S]
        if near:
            one = near[0]
            one.start, one.end = min(one.start, flow.start), max(one.end, flow.end)
            one.flow_ids.append(flow.id)
        elif len(found) == most:
            break
        else:
            one = Incident(flow.src, "", "", flow.start, flow.end, flow.end, scores[flow.id], [flow.id])
            found.append(one)
            of_host[flow.src].append(one)
    return found
