# SPDX-License-Identifier: MIT
"""Floors under what a forest finds where it was not trained, well below what was measured, and what it must beat.

A forest judged on captures that it has seen is perfect and proves nothing, so all numbers here are of whole captures
that were left out, with all that was recorded in the same place. Nothing was tuned to these captures: the settings are
the initial ones, but for fewer rows and trees to save time. What was measured on 2026-11-23 stands beside each floor.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import ROOT
from made import trained_on_lab

from eddy_ml import across, evaluate, predict
from eddy_ml.captures import Capture, Flows, read_all
from eddy_ml.measures import recall_at, roc_auc, steps_of
from eddy_ml.params import Params

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


FLOORS = {"ctu50-normal40-d1": 0.80, "ctu50-normal43-d1": 0.85, "iot23-34-1-mirai": 0.75, "sme11-win7-remcos": 0.90,
          "mirai-test7-zeek": 0.75, "mirai-test7-suricata": 0.75}  # measured: .941 .972 .930 1.000 .929 .944
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
    assert mean["forest"] >= 0.75
    assert mean["forest"] > mean["eddy"] + 0.05 and mean["forest"] > mean["column"] + 0.05


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
    assert at["recall"] >= 0.80 and at["false_alarms"] <= 25
    one = done.metrics["baselines"]["one_column"]
    assert done.metrics["overall"]["pr_auc"] > one["pr_auc"] + 0.02


def test_a_forest_on_labels_that_mean_nothing_finds_nothing() -> None:
    """The measures themselves: with labels shuffled there is nothing to learn, so nothing may be found."""
    lab = trained_on_lab()
    model = predict.Model(lab.done.model)
    flows = lab.flows("late").known()
    shuffled = np.random.default_rng(1).permutation(flows.attack)
    assert abs(roc_auc(steps_of(shuffled, model.score(flows.matrix(model.columns)))) - 0.5) < 0.02
