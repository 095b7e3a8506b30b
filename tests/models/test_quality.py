# SPDX-License-Identifier: MIT
"""Floors under what a forest finds where it was not trained, well below what was measured, and what it must beat.

A forest judged on captures that it has seen is perfect and proves nothing, so all numbers here are of whole captures
that were left out, with all that was recorded in the same place. Nothing was tuned to these captures: the settings are
the initial ones, but for fewer rows and trees to save time. What was measured on 2026-11-23 stands beside each floor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from conftest import ROOT
from made import trained_on_lab

from eddy_ml import across, evaluate, train
from eddy_ml.baselines import best_column
from eddy_ml.captures import Capture, Flows, read_all
from eddy_ml.measures import Steps, pr_auc, recall_at, recall_by, roc_auc, steps_of
from eddy_ml.params import RANDOM_FOREST, Params, read_params

DEV = ROOT.parent / "shared" / "data" / "dev"
# Recorded in one place, or twice the same traffic.
PLACES = {"mirai-test7-zeek": "mirai-test7", "mirai-test7-suricata": "mirai-test7", "apt29-day2-zeek": "apt29",
          "apt29-day2-suricata": "apt29", "beacon-cc1-suricata": "beacon-cc", "beacon-cc2-suricata": "beacon-cc",
          "ctu50-normal40-d1": "ctu50", "ctu50-normal43-d1": "ctu50"}
# One name for what is of one kind.
FAMILIES = {"ctu50": {"Malicious": "scan"}, "mirai": {"Malicious": "scan"}, "nmap": {"nmap": "scan"},
            "iot23": {"C&C": "c2", "DDoS": "flood", "PartOfAHorizontalPortScan": "scan"},
            "sme11": {"Malicious": "exfil"}, "apt29": {"C2": "c2", "lateral-movement": "lateral"},
            "beacon": {"beacon-2s": "beacon", "C2-beacon-1.4s": "beacon"}}
NOT_USED = ("mix-day", "unsw-nb15-82k")  # made of the others; with made-up addresses and times
PARAMS = Params(most_rows=1000, jobs=2, random_forest=Params().random_forest | {"n_estimators": 50})


def development() -> list[Capture]:
    if not DEV.is_dir():
        pytest.skip(f"no development sets in {DEV}: what a forest finds in other places was not looked at")
    found = []
    for one in json.loads((DEV / "manifest.json").read_text()):
        name = one["name"]
        if name in NOT_USED or one["malicious"] + one["benign"] == 0:
            continue
        face = "eve.json" if name.endswith("-suricata") else "zeek.tsv"
        families = next((names for begin, names in FAMILIES.items() if name.startswith(begin)), {})
        found.append(Capture(name, (DEV / name / f"{name}.{face}.gz",), DEV / name / f"{name}.labels.csv.gz",
                             families=families, group=PLACES.get(name, name)))
    return found


@pytest.fixture(scope="module")
def elsewhere() -> tuple[evaluate.Judged, np.ndarray]:
    judged, column = across.leave_one_out(*read_all(development()), PARAMS)
    assert column is not None
    return judged, column


def areas(flows: Flows, score: np.ndarray) -> dict[str, float]:
    """ROC-AUC of each capture that has flows of both kinds."""
    found = {}
    for name in dict.fromkeys(flows.captures.tolist()):
        own = flows.captures == name
        area = roc_auc(steps_of(flows.attack[own], score[own]))
        if not np.isnan(area):
            found[name] = area
    return found


FLOORS = {"ctu50-normal40-d1": 0.88, "ctu50-normal43-d1": 0.92, "iot23-34-1-mirai": 0.85, "sme11-win7-remcos": 0.97,
          "mirai-test7-zeek": 0.85, "mirai-test7-suricata": 0.87}  # measured: .941 .972 .930 1.000 .929 .944
CHANCE = {"apt29-day2-zeek", "apt29-day2-suricata"}  # no floor: .46 here, .63 with twice as many rows and trees


def test_attacks_of_other_places_rank_above_their_benign_flows(elsewhere: tuple[evaluate.Judged, np.ndarray]) -> None:
    judged, _ = elsewhere
    found = areas(judged.flows, judged.score)
    assert set(found) == set(FLOORS) | CHANCE
    low = {name: area for name, area in found.items() if area < FLOORS.get(name, 0.0)}
    assert low == {}


def test_the_forest_beats_what_is_had_for_nothing(elsewhere: tuple[evaluate.Judged, np.ndarray]) -> None:
    """By the mean ROC-AUC of captures; measured: forest .830, eddy without it .621, the best column .659."""
    judged, column = elsewhere
    mean = {name: float(np.mean(list(areas(judged.flows, score).values())))
            for name, score in (("forest", judged.score), ("eddy", judged.flows.own_score), ("column", column))}
    print(f"mean ROC-AUC of captures: {mean}")
    assert mean["forest"] >= 0.78
    assert mean["forest"] > mean["eddy"] + 0.10 and mean["forest"] > mean["column"] + 0.10


@pytest.mark.xfail(strict=True, reason="does not hold: over all captures together the forest finds .12 of the attacks "
                   "at 200 false alarms, eddy without it .385; its scores mean other things in other places")
def test_the_forest_also_finds_more_at_few_false_alarms(elsewhere: tuple[evaluate.Judged, np.ndarray]) -> None:
    judged, _ = elsewhere
    attack = judged.flows.attack
    forest, eddy = (recall_at(steps_of(attack, score), 200) for score in (judged.score, judged.flows.own_score))
    print(f"recall at 200 false alarms: forest {forest:.3f}, eddy {eddy:.3f}")
    assert forest >= eddy


def test_what_is_learned_from_one_sensor_holds_for_the_other() -> None:
    """Only the lab: trained on Zeek's form of a recording, judged on Suricata's form of the same. It shows that both
    sensors' columns mean the same, and nothing about other days. Measured: recall 0.92, 1 false alarm of 5,132."""
    done = trained_on_lab().done
    at = done.metrics["overall"]["at_alert"]
    assert at["recall"] >= 0.87 and at["false_alarms"] <= 10
    one = done.metrics["baselines"]["one_column"]
    assert done.metrics["overall"]["pr_auc"] > one["pr_auc"] + 0.02


# ---- In every clone: the lab's recordings, whose attacks are the same programs each time


@dataclass(frozen=True)
class LabForest:
    prepared: train.Prepared
    params: Params
    test: Flows
    forest: train.Fitted

    def steps(self, score: np.ndarray) -> Steps:
        return steps_of(self.test.attack, score)


@pytest.fixture(scope="module")
def lab_forest() -> LabForest:
    """Trained on three recordings, judged on the latest one, in both of its forms: 16,444 flows, 6,522 of attacks."""
    shipped = ROOT / "models" / "shipped"
    params = read_params(shipped / "params.yaml")
    params = replace(params, most_rows=1500, jobs=2, random_forest=params.random_forest | {"n_estimators": 40})
    prepared = train.prepare(shipped / "captures.yaml", params, RANDOM_FOREST)
    return LabForest(prepared, params, prepared.test.known(), train.fit(prepared.train, params, RANDOM_FOREST))


def test_another_recording_of_the_lab_is_told_from_its_benign_flows(lab_forest: LabForest) -> None:
    """Measured, forest / eddy without it / the best column of training: ROC-AUC .979 / .942 / .825, PR-AUC .975 /
    .937 / .875, recall at 50 false alarms .897 / .725 / .765."""
    one = best_column(lab_forest.prepared.train, lab_forest.forest.columns)
    assert one is not None
    forest, eddy, column = (lab_forest.steps(score) for score in (
        lab_forest.forest.scores(lab_forest.test), lab_forest.test.own_score, one.score(lab_forest.test)))
    assert roc_auc(forest) >= 0.96 and pr_auc(forest) >= 0.95 and recall_at(forest, 50) >= 0.85
    for other in (eddy, column):
        assert roc_auc(forest) > roc_auc(other) + 0.02 and pr_auc(forest) > pr_auc(other) + 0.02
        assert recall_at(forest, 50) > recall_at(other, 50) + 0.05


def test_its_threshold_keeps_most_of_that(lab_forest: LabForest) -> None:
    """Measured: 18 of 9,922 benign flows (0.001 was wanted); of scans .996, guessed passwords 1, tunnels .917, floods
    .742 are found, of beacons none."""
    found = train.held_out_of(lab_forest.forest, lab_forest.prepared, lab_forest.params)
    assert found.alert is not None
    test, alarm = lab_forest.test, lab_forest.forest.scores(lab_forest.test) >= found.alert.threshold
    assert (alarm & ~test.attack).sum() <= 0.003 * (~test.attack).sum()
    recall = {name: one["recall"] for name, one in recall_by(test.classes[test.attack], alarm[test.attack]).items()}
    floors = {"scan": 0.97, "password_guessing": 0.97, "dns_tunnel": 0.85, "flood": 0.65}
    assert {name: recall[name] for name, floor in floors.items() if recall[name] < floor} == {}


def test_a_forest_on_labels_that_mean_nothing_finds_nothing(lab_forest: LabForest) -> None:
    """Trained on labels that were dealt out anew, judged on true ones: if it found something, answers would have got
    into the columns, or the measures would flatter. Measured with eight seeds, recall at 50 false alarms: 0 to .013;
    by chance it would be .005, with true labels it is .897. ROC-AUC was .55 to .71 and not .5. Why was not looked into;
    likely because attacks here are thousands of flows alike, which fall together on one side or the other, and because
    rare classes weigh more, so that what is odd looks like one of them."""
    rows, areas_of = lab_forest.prepared.train, []
    for seed in range(3):
        dealt = replace(rows, classes=np.random.default_rng(seed).permutation(rows.classes))
        steps = lab_forest.steps(train.fit(dealt, lab_forest.params, RANDOM_FOREST).scores(lab_forest.test))
        assert recall_at(steps, 50) <= 0.05, seed
        areas_of.append(roc_auc(steps))
    assert np.mean(areas_of) <= 0.78
