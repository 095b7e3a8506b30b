# SPDX-License-Identifier: MIT
"""Tables of README.md about days: a network of many captures, with a past and, on some, with attacks."""

from __future__ import annotations

import math

import days
import episodes
import ranking
import rita
from days import Judged
from flows import MALICIOUS
from settables import verdicts
from text import by_detector, number, share, span, table

MOST_BENIGN, MOST_ERROR = 3, 1.5  # the aims: incidents of a benign day, calibration error at 1e-3
BENIGN_DAYS = ("benign-day", "office-day", "lab-benign")
ATTACK_DAYS = ("attack-day", "mix-day", "lab")


def only(judged: list[Judged], names: tuple[str, ...]) -> list[Judged]:
    return [one for one in judged if one.day.name in names]


def summary(judged: list[Judged], blind: list[Judged]) -> str:
    """`blind` are the same days without what came before."""
    rows = []
    for one, past in [(one, "yes") for one in judged] + [(one, "no") for one in blind]:
        rate = len(one.sent) / one.day.days() / one.day.hosts() * 1000
        found = f"{len(one.found(one.sent[:episodes.FIRST]))} of {len(one.episodes)}" if one.episodes else ""
        rows.append([one.day.name, past, number(len(one.day.flows)),
                     number(sum(flow.label == MALICIOUS for flow in one.day.flows)), number(one.day.hosts()),
                     by_detector([i.detector for i in one.sent]), str(len(one.withheld)),
                     " / ".join(map(str, verdicts(one.sent, one.flow_of))), found, f"{rate:.0f}"])
    return table(["day", "past", "flows", "malicious", "own hosts", "incidents", "withheld", "right / wrong / unknown",
                  "episodes found", "a day per 1,000 hosts"], rows)


def gravest(one: Judged, episode: episodes.Episode) -> str:
    """The most unusual of the episode's flows: how far a missed one is from being found."""
    own = [one.rows[flow.id] for flow in one.day.flows if flow.id in one.rows and episodes.is_of(flow, episode)]
    if not own:
        return "-"
    row = min(own, key=lambda row: float(row["p"]))
    return f"{float(row['p']):.0e} {row['detector']}"


def episode_row(one: Judged, episode: episodes.Episode, peers: dict[str, list[episodes.Incident]]) -> list[str]:
    ranks = episodes.finders(one.sent, episode, one.flow_of)
    late = episodes.finders(one.withheld, episode, one.flow_of)
    first = one.sent[:episodes.FIRST]
    after = episodes.seconds_to(first, episode, one.flow_of)
    eddy = f"{ranks[0]}: {one.sent[ranks[0] - 1].detector}" if ranks else "withheld" if late else "no"
    cells = []
    for name, incidents in peers.items():
        if name != "incidents":
            found = episodes.finders(incidents, episode, one.flow_of)
            cells.append(str(found[0]) if found else "no")
    return [one.day.name, episode.origin, episode.family, episode.attacker, number(episode.count), eddy,
            "-" if after is None else span(after), gravest(one, episode), *cells]


def episodes_table(judged: list[Judged]) -> str:
    rows, names = [], ["eddy's flows"]
    for one in only(judged, ATTACK_DAYS):
        peers = days.peer_incidents(one)
        names = [name for name in peers if name != "incidents"]
        rows += [episode_row(one, episode, peers) for episode in one.episodes]
    return table(["day", "set", "family", "attacker", "flows", "eddy: rank, detector", "after", "smallest p of a flow",
                  *names], rows)


def rank_table(judged: list[Judged]) -> str:
    rows = []
    for one in judged:
        for name, rank in days.rankings(one).items():
            if rank is not None:
                rows.append([one.day.name, name, share(rank.base_rate), share(rank.roc_auc), share(rank.pr_auc),
                             *(share(rank.recall[n]) for n in ranking.FALSE_POSITIVES)])
    return table(["day", "scores of", "base rate", "ROC-AUC", "PR-AUC",
                  *(f"recall at {n}" for n in ranking.FALSE_POSITIVES)], rows)


# ---- Calibration


def calibration_table(judged: list[Judged]) -> str:
    rows = []
    for one in judged:
        found = days.calibrated(one)
        if found.levels[0].count:
            cells = [f"{level.ratio():.2f} ({number(level.seen)} of {number(pairs)} pairs)"
                     for level, pairs in zip(found.levels, found.pairs)]
            rows.append([one.day.name, number(found.levels[0].count), *cells,
                         ", ".join(f"{number(count)} {name}" for name, count in found.by_detector[-1].most_common())])
    return table(["day", "benign flows", *(f"at {level:g}" for level in days.LEVELS),
                  f"which, at {days.LEVELS[-1]:g}"], rows)


def own_calibration_table(judged: list[Judged]) -> str:
    """What eddy says of itself."""
    benign = only(judged, BENIGN_DAYS)
    names = sorted({key for one in benign for key in one.run.calibration})
    rows = [[detector, level, *(f"{one.run.calibration.get((detector, level), math.nan):.2f}".replace("nan", "-")
                                for one in benign)] for detector, level in names]
    return table(["detector", "level", *(one.day.name for one in benign)], rows)


# ---- Beacons


def pair_rows(one: Judged) -> list[list[str]]:
    eddy, theirs = days.eddy_pairs(one), days.rita_pairs(one)
    rows = []
    for pair in days.true_beacons(one.day.flows):
        key = pair.src, pair.dst
        ours = [i for i in one.sent if i.host == pair.src and i.peer == pair.dst and i.detector == "beacon"]
        rows.append([one.day.name, pair.origin, f"{pair.src} {pair.dst}", number(pair.calls),
                     f"{theirs[key]:.2f}" if key in theirs else "-", str(days.rank_of(pair, theirs) or "-"),
                     f"{eddy[key]:.1f}" if key in eddy else "-", str(days.rank_of(pair, eddy) or "-"),
                     "yes" if ours else "no"])
    return rows


def beacon_table(judged: list[Judged]) -> str:
    return table(["day", "set", "pair", "calls", "RITA's score", "its rank", "eddy's -log10 p", "its rank", "incident"],
                 [row for one in only(judged, ATTACK_DAYS) for row in pair_rows(one)])


def beacon_alarms(judged: list[Judged]) -> str:
    rows = []
    for one in judged:
        theirs, eddy = days.rita_pairs(one), days.eddy_pairs(one)
        beacons = [[i for i in incidents if i.detector == "beacon"] for incidents in (one.sent, one.withheld)]
        rows.append([one.day.name, number(len(theirs)), number(sum(score >= rita.LISTED for score in theirs.values())),
                     number(sum(score >= rita.HIGH for score in theirs.values())), number(len(eddy)),
                     number(len(beacons[0])), number(len(beacons[1]))])
    return table(["day", "pairs RITA judges", f"at least {rita.LISTED}", f"at least {rita.HIGH}", "pairs eddy judges",
                  "beacon incidents", "withheld"], rows)


# ---- The aims


def met(good: bool, by: str) -> str:
    return "met" if good else f"**missed** by {by}"


def too_many(error: float) -> str:
    return met(error < MOST_ERROR, f"a factor of {error / MOST_ERROR:.2f}")


def aims_table(judged: list[Judged]) -> str:
    rows = []
    for one in only(judged, ATTACK_DAYS):
        found, wanted = len(one.found(one.sent[:episodes.FIRST])), len(one.episodes)
        rows.append([f"every episode of {one.day.name} among its first {episodes.FIRST} incidents",
                     f"{found} of {wanted}", met(found == wanted, str(wanted - found))])
    for one in only(judged, BENIGN_DAYS):
        rows.append([f"at most {MOST_BENIGN} incidents on {one.day.name}", str(len(one.sent)),
                     met(len(one.sent) <= MOST_BENIGN, str(len(one.sent) - MOST_BENIGN))])
    for one in only(judged, ("benign-day", "lab-benign")):
        last = days.calibrated(one).levels[-1]
        rows.append([f"calibration error under {MOST_ERROR} at {last.level:g}, verdicts of {one.day.name}",
                     f"{last.ratio():.2f}", too_many(last.ratio())])
        for (detector, level), error in sorted(one.run.calibration.items()):
            if float(level) == last.level and not math.isnan(error):
                rows.append([f"the same by eddy's own metric, {detector} on {one.day.name}", f"{error:.2f}",
                             too_many(error)])
    return table(["aim", "measured", ""], rows)
