# SPDX-License-Identifier: MIT
"""From captures to a model: labels, splits, thresholds worked out by hand, and the same file twice."""

from __future__ import annotations

import dataclasses
import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from made import DATA, LAB_PARAMS, flows_of, trained_on_lab

from eddy_ml import across, captures, evaluate, labels, measures, model_file, predict, split, thresholds, train
from eddy_ml.captures import Capture, Rule, Source, read_captures
from eddy_ml.params import LEFT_OUT, Params, params_of, read_params
from eddy_ml.stream import Report

HOUR = 3_600_000_000


# ---- labels


def joined(tmp_path: Path, text: str, ids: list[str], unlabelled: str | None = None) -> labels.Joined:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return labels.join(path, ids, unlabelled)


def test_labels_of_marks_are_joined_by_id(tmp_path: Path) -> None:
    found = joined(tmp_path, "id,label,family\nC1,1,beacon\nC2,0,beacon\nC9,1,scan\n", ["C1", "C2", "C3"])
    assert found.classes == ["beacon", "benign", None]
    assert (found.by, found.labelled, found.without_flow) == ("id", 2, 1)


def test_flows_without_a_label_are_left_out_or_benign_as_asked(tmp_path: Path) -> None:
    text = "id,label,family\nC1,1,beacon\nC2,-1,\n"
    assert joined(tmp_path, text, ["C1", "C2", "C3"], "benign").classes == ["beacon", None, "benign"]


def test_the_column_that_names_flows_is_found(tmp_path: Path) -> None:
    text = "line,uid,flow_id,label,family\n1,Ca,77,1,DDoS\n2,Cb,78,1,\n"
    assert joined(tmp_path, text, ["77", "78"]).classes == ["DDoS", "attack"]
    assert joined(tmp_path, text, ["Cb"]).by == "uid"


def test_ids_with_two_labels_are_left_out_and_counted(tmp_path: Path) -> None:
    found = joined(tmp_path, "id,label,family\nC1,1,scan\nC1,0,\nC2,1,scan\nC2,1,scan\n", ["C1", "C1", "C2"])
    assert found.classes == [None, None, "scan"] and found.disputed == 2


@pytest.mark.parametrize(("text", "fault"), [
    ("a,b\n1,2\n", "no labels"), ("id,label\nC1,2\n", "label '2': not 1, 0 or -1"), ("", "no labels"),
    ("id,label\nother,1\n", "names no flow of the log")])
def test_bad_labels_are_refused_with_the_reason(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        joined(tmp_path, text, ["C1"])


def test_the_truth_of_the_lab_is_read_for_both_sensors() -> None:
    with gzip.open(DATA / "truth-flows.csv.gz", "rt") as text:
        rows = [line.rstrip().split(",") for line in text][1:]
    for sensor in ("zeek", "suricata"):
        own = [row for row in rows if row[2] == sensor]
        found = labels.join(DATA / "truth-flows.csv.gz", [row[1] for row in own], None)
        assert found.classes == [row[4] for row in own] and found.disputed == 0


# ---- captures


def test_a_captures_file_is_read_and_its_paths_are_relative_to_it(tmp_path: Path) -> None:
    path = tmp_path / "captures.yaml"
    path.write_text("captures:\n  - {name: a, logs: [x/conn.log], labels: l.csv, group: g, unlabelled: benign,\n"
                    "     rules: [{family: scan, src: 10.0.0.0/8, dst_port: 22, start: 2026-11-20T10:00:00Z}]}\n")
    found = read_captures(path)[0]
    assert found.logs == (tmp_path / "x/conn.log",) and found.labels == tmp_path / "l.csv" and found.group == "g"
    assert found.rules == (Rule("scan", "10.0.0.0/8", "", 22, 1_795_168_800_000_000, None),)


@pytest.mark.parametrize(("text", "fault"), [
    ("{}", "no list 'captures'"), ("captures: [{logs: [a]}]", "needs a name"),
    ("captures: [{name: a}]", "logs: a list of paths"), ("captures: [{name: a, logs: b}]", "logs: a list of paths"),
    ("captures: [{name: a, logs: [b], label: c}]", "label: there are only"),
    ("captures: [{name: a, logs: [b], unlabelled: scan}]", "unlabelled can only be benign"),
    ("captures: [{name: a, logs: [b], rules: [{src: 1.2.3.4}]}]", "a rule has a family"),
    ("captures: [{name: a, logs: [b], rules: [{family: x, src: here}]}]", "'here'"),
    ("captures: [{name: a, logs: [b]}, {name: a, logs: [c]}]", "two captures are named a")])
def test_bad_captures_files_are_refused_with_the_reason(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "captures.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=fault):
        read_captures(path)


def test_rules_and_names_of_families_act_on_flows() -> None:
    log = DATA / "conn.log.gz"
    plain, source = captures.read_capture(Capture("lab", (log,), DATA / "truth-flows.csv.gz"))
    assert source.classes["scan"] == 1771 and source.classes["dns_tunnel_forwarded"] == 263
    changed, _ = captures.read_capture(Capture(
        "lab", (log,), DATA / "truth-flows.csv.gz", families={"scan": "probe"}, leave_out=frozenset({"flood"}),
        rules=(Rule("tunnel", "10.20.1.53", "198.51.100.0/24", 53, int(plain.start_us.min()), None),)))
    assert (changed.classes[plain.classes == "scan"] == "probe").all()
    assert (changed.classes[plain.classes == "flood"] == captures.LEFT_OUT).all()
    assert (changed.classes[plain.classes == "dns_tunnel_forwarded"] == "tunnel").all()
    assert len(changed.known()) == len(plain) - (plain.classes == "flood").sum()


# ---- split


def source(name: str, first: int, last: int, group: str = "") -> Source:
    return Source(Capture(name, (Path(name),), group=group), 10, first, last, {}, {}, Report())


def test_the_latest_captures_are_held_out() -> None:
    sources = [source("c", 20, 30), source("a", 0, 9), source("d", 31, 40), source("b", 10, 19)]
    found = split.split_of(Params(), sources)
    assert (found.train, found.held_out, found.method) == (("c", "a", "b"), ("d",), "by_capture")
    assert found.warnings == ()


def test_groups_are_never_cut() -> None:
    sources = [source("a", 0, 9), source("b", 10, 19, "one"), source("c", 20, 30, "one")]
    assert split.split_of(Params(), sources).held_out == ("b", "c")
    with pytest.raises(ValueError, match="group 'one' would be cut"):
        split.split_of(Params(held_out=("c",)), sources)
    with pytest.raises(ValueError, match="group 'one' would be cut"):
        split.split_of(Params(test=("b",)), [*sources, source("d", 0, 1)])


def test_what_is_older_than_the_training_is_said() -> None:
    sources = [source("a", 10, 19), source("b", 0, 9)]
    assert "b: began before" in split.split_of(Params(held_out=("b",)), sources).warnings[0]


def test_a_single_capture_is_cut_by_time_and_that_is_said_aloud() -> None:
    found = split.split_of(Params(held_out_share=0.25), [source("a", 0, 100)])
    assert (found.method, found.cut_us) == ("by_time_within_one_capture", 75)
    assert "only one capture" in found.warnings[0]
    flows = flows_of(np.zeros((4, 1)), ["x"], ["benign"] * 4, captures=["a"] * 4,
                     start_us=[0, 70, 75, 99], end_us=[74, 80, 76, 100])
    before, after, test = split.parts_of(found, flows)
    assert before.start_us.tolist() == [0] and after.start_us.tolist() == [75, 99] and len(test) == 0


@pytest.mark.parametrize(("params", "fault"), [
    (Params(held_out=("x",)), "no capture 'x'"), (Params(train=("a",), test=("a",)), "named twice"),
    (Params(held_out=("a", "b")), "nothing is left to train on")])
def test_splits_that_cannot_be_are_refused(params: Params, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        split.split_of(params, [source("a", 0, 9), source("b", 10, 19)])


def test_no_capture_outweighs_others_and_the_seed_decides() -> None:
    names = ["a"] * 900 + ["b"] * 50
    flows = flows_of(np.arange(950.0)[:, None], ["x"], ["benign"] * 950, captures=names)
    one, two = (split.thinned(flows, 100, seed) for seed in (1, 1))
    assert (one.values == two.values).all() and (one.captures == "a").sum() == 100 and (one.captures == "b").sum() == 50
    assert (split.thinned(flows, 100, 2).values != one.values).any()


# ---- thresholds


def test_alert_is_the_smallest_score_that_few_enough_reach() -> None:
    scores = np.array([0.1] * 995 + [0.6, 0.7, 0.8, 0.9, 0.9])
    for rate, reach in ((0.002, 2), (0.003, 3), (0.0039, 3), (0.001, 0)):  # 0.001: the two ties would be one too many
        alert = thresholds.alert_of(scores, rate, 0.0)
        assert (scores >= alert.threshold).sum() == reach and alert.rate == reach / 1000
        assert (scores >= np.nextafter(alert.threshold, 0.0)).sum() > rate * 1000  # no smaller one would do


def test_few_held_out_flows_prove_no_rate() -> None:
    alert = thresholds.alert_of(np.full(100, 0.01), 0.001, 0.5)
    assert (alert.threshold, alert.rate, alert.established) == (0.5, 0.0, False)
    assert not thresholds.alert_of(np.full(9999, 0.01), 0.001, 0.5).established
    assert thresholds.alert_of(np.full(10000, 0.01), 0.001, 0.5).established
    assert not thresholds.alert_of(np.ones(10000), 0.001, 0.5).established
    full = thresholds.alert_of(np.ones(5000), 0.001, 0.5)
    assert (full.threshold, full.rate, full.established) == (1.0, 1.0, False)
    with pytest.raises(ValueError, match="no benign flow"):
        thresholds.alert_of(np.array([]), 0.001, 0.5)


def weight(flows: list[int], alerts: list[int]) -> float:
    return thresholds.weight_of(np.array(flows), np.array(alerts))


def test_weight_by_hand() -> None:
    # 10 hours of 10 flows, 5 with none and 5 with 4 alerts: s = 0.2, S = 10 * 10 * 0.04 = 4, S / s(1-s) = 25,
    # m - 1 = 9, N - sum n^2 / N - 9 = 100 - 10 - 9 = 81: r = 16 / 81, a + b = 81 / 16 - 1
    assert weight([10] * 10, [0, 4] * 5) == pytest.approx(81 / 16 - 1)
    # of 20 flows and of 5: s = 28 / 250, S = 10 * 20 * (0.14 - s)^2 + 10 * 5 * s^2 / ... worked out in fractions below
    share, count = 28 / 250, 19
    spread = (10 * 20 * (0.14 - share) ** 2 + 10 * 5 * (0.0 - share) ** 2) / (share * (1 - share))
    room = 250 - (10 * 400 + 10 * 25) / 250 - count
    assert spread < count  # chance alone would spread more: as sure as can be
    assert weight([20] * 10 + [5] * 10, [3, 2, 3, 3, 3, 3, 3, 3, 2, 3] + [0] * 10) == 28.0 and room > 0  # alerts


def test_weight_where_nothing_can_be_told() -> None:
    assert weight([100] * 9, [5] * 9) == 20.0  # few hours
    assert weight([100] * 50, [1] * 9 + [0] * 41) == 20.0  # few alerts
    assert weight([1] * 50, [1] * 25 + [0] * 25) == 20.0  # one flow each
    assert weight([10] * 50, [10] * 50) == 20.0  # all of them
    assert weight([10] * 20, [10, 0] * 10) == 1.0  # all or nothing
    assert weight([10] * 20, [1] * 20) == 20.0  # all alike, but few
    assert weight([10] * 200, [1] * 200) == 200.0
    assert weight([10] * 2000, [1] * 2000) == 1000.0


def test_weight_finds_the_beta_that_shares_were_drawn_from() -> None:
    random = np.random.default_rng(1)
    flows = random.integers(5, 200, 4000)
    alerts = random.binomial(flows, random.beta(0.6, 29.4, 4000))
    assert thresholds.weight_of(flows, alerts) == pytest.approx(30.0, rel=0.15)


def test_hours_of_hosts_are_counted_apart() -> None:
    hosts = np.array(["a", "a", "a", "b"], dtype=object)
    start, alert = np.array([0, 1, HOUR, 0]), np.array([True, True, False, False])
    one, two = (np.array(names, dtype=object) for names in (["x"] * 4, ["x", "y", "x", "x"]))
    flows, alerts = thresholds.by_host_and_hour(one, hosts, start, alert)
    assert sorted(zip(flows.tolist(), alerts.tolist(), strict=True)) == [(1, 0), (1, 0), (2, 2)]
    flows, alerts = thresholds.by_host_and_hour(two, hosts, start, alert)  # address a of y is another host
    assert sorted(zip(flows.tolist(), alerts.tolist(), strict=True)) == [(1, 0), (1, 0), (1, 1), (1, 1)]
    assert thresholds.rates_by_capture(two, alert) == {"x": 1 / 3, "y": 1.0}


# ---- settings


def test_the_params_file_has_the_initial_values() -> None:
    assert read_params(ROOT / "models" / "sklearn" / "params.yaml") == Params()


def test_a_forest_keeps_what_the_file_does_not_name() -> None:
    params = params_of({"random_forest": {"n_estimators": 7}, "jobs": 2})
    assert params.random_forest == Params().random_forest | {"n_estimators": 7} and params.jobs == 2


@pytest.mark.parametrize(("given", "fault"), [
    ({"sed": 1}, "no setting 'sed'"), ({"seed": "one"}, "seed = 'one': not a number"), ({"seed": 1.5}, "not a number"),
    ({"seed": True}, "not a number"), ({"test": "a"}, "not a list"), ({"random_forest": 3}, "not a table"),
    ({"false_rate": 0.9}, "not in 0..0.5"), ({"random_forest": {"random_state": 2}}, "set by seed and jobs")])
def test_bad_params_are_refused_with_the_reason(given: dict, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        params_of(given)


def test_the_columns_left_out_are_those_that_iforest_leaves_out() -> None:
    text = (ROOT / "core" / "score" / "iforest.c").read_text()
    used = text.split("static const enum column columns[] = {")[1].split("};")[0]
    named = {word.strip().removeprefix("COLUMN_") for word in used.split(",") if word.strip()}
    assert set(captures.features.names()) - named == set(LEFT_OUT)


# ---- training


def test_rare_families_become_one_class_or_none() -> None:
    classes = np.array(["benign"] * 9 + ["scan"] * 6 + ["a"] * 3 + ["b"] * 2, dtype=object)
    assert train.merged(classes, 5).tolist() == ["benign"] * 9 + ["scan"] * 6 + ["attack"] * 5
    assert train.merged(classes, 6).tolist() == ["benign"] * 9 + ["scan"] * 6 + [""] * 5


def test_the_same_seed_gives_the_same_file_but_for_its_date(tmp_path: Path) -> None:
    lab = trained_on_lab()
    again = train.train(lab.captures, tmp_path, name="lab", version="1.0", command=["test"], created=1.9e9,
                        params=dataclasses.replace(LAB_PARAMS, jobs=2), license="MIT", plots=False)
    one, two = model_file.read(lab.done.model), model_file.read(again.model)
    assert one.metadata["created"] != two.metadata["created"] and two.metadata["params"].pop("jobs") == 2
    for metadata in (one.metadata, two.metadata):
        metadata.pop("created")
        metadata["trainer"].pop("git_commit")  # somebody may have committed between the two
    one.metadata["params"].pop("jobs")
    assert model_file.to_bytes(one) == model_file.to_bytes(two)
    other = train.train(lab.captures, tmp_path, name="lab", version="1.0", command=["test"], created=1.8e9,
                        params=dataclasses.replace(LAB_PARAMS, seed=2), license="MIT", plots=False)
    assert model_file.read(other.model).trees.nodes.tobytes() != one.trees.nodes.tobytes()


def test_no_row_of_held_out_or_test_captures_teaches() -> None:
    lab = trained_on_lab()
    prepared = train.prepare(lab.captures, LAB_PARAMS, "random_forest")
    assert set(prepared.train.captures) == {"early"} and set(prepared.held_out.captures) == {"quiet"}
    assert sum(lab.done.metadata["training_rows"].values()) == len(prepared.train)
    assert lab.done.metadata["trained_us"] == int(prepared.train.end_us.max())


def test_the_alert_in_the_file_is_that_of_held_out_benign_flows() -> None:
    lab = trained_on_lab()
    file = model_file.read(lab.done.model)
    model = predict.Model(lab.done.model)
    quiet = lab.flows("quiet")
    score = model.score(quiet.matrix(model.columns))
    assert file.classes is not None and int(file.scores.sum()) == len(quiet)
    assert (score >= file.classes.alert).mean() <= LAB_PARAMS.false_rate
    assert lab.done.metadata["thresholds"]["alert"] == file.classes.alert == evaluate.alert_in(lab.done.model)
    assert file.classes.names[file.classes.benign] == "benign"
    assert dict(zip(file.classes.names, file.classes.techniques, strict=True))["scan"] == "T1046"


def test_an_isolation_forest_needs_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "captures.yaml"
    path.write_text(f"captures:\n  - {{name: a, logs: [{DATA}/benign-eve.json.gz]}}\n"
                    f"  - {{name: b, logs: [{DATA}/eve.json.gz], labels: {DATA}/truth-flows.csv.gz}}\n")
    done = train.train(path, tmp_path / "out", name="odd", version="1", algorithm="isolation_forest",
                       params=Params(train=("a",), held_out=("b",)), plots=False)
    model = predict.Model(done.model)
    assert model.kind == "isolation" and model.benign is None and "classes" not in done.metadata
    assert done.metadata["training_rows"] == {"benign": 1836}
    assert int(model_file.read(done.model).scores.sum()) == 5132  # those labelled benign
    assert done.metrics["overall"]["roc_auc"] > 0.5 and "brier" not in done.metrics["overall"]


def test_what_cannot_be_trained_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "captures.yaml"
    path.write_text(f"captures:\n  - {{name: a, logs: [{DATA}/benign-eve.json.gz], unlabelled: benign}}\n"
                    f"  - {{name: b, logs: [{DATA}/benign-conn.log.gz]}}\n  - {{name: c, logs: [none.log]}}\n")
    with pytest.raises(ValueError, match=r"none\.log: no such file"):
        train.train(path, tmp_path, name="x", version="1")
    path.write_text(path.read_text().split("  - {name: c")[0])
    with pytest.raises(ValueError, match="needs benign flows and attacks"):
        train.train(path, tmp_path, name="x", version="1", params=Params(held_out=("b",)))
    with pytest.raises(ValueError, match="no column 'age'"):
        train.train(path, tmp_path, name="x", version="1", params=Params(held_out=("b",), leave_out=("age",)))
    with pytest.raises(ValueError, match="only letters"):
        train.check_name("../office")


def test_the_entry_points_run(tmp_path: Path) -> None:
    lab = trained_on_lab()
    params = tmp_path / "params.yaml"
    params.write_text("{train: [early], held_out: [quiet], test: [late], random_forest: {n_estimators: 5}}\n")
    sklearn = ROOT / "models" / "sklearn"
    subprocess.run([sys.executable, sklearn / "train_model.py", "--captures", lab.captures, "--params", params,
                    "--name", "small", "--version", "1.0.0", "--out", tmp_path], check=True, capture_output=True)
    for name in ("small.eddy", "small_metadata.json", "small_metrics.json", "small_card.md", "small_roc.png"):
        assert (tmp_path / name).stat().st_size > 0
    done = subprocess.run([sys.executable, sklearn / "evaluate_model.py", tmp_path / "small.eddy", "--captures",
                           lab.captures, "--no-plots", "--out", tmp_path / "again"], check=True, capture_output=True,
                          text=True)
    again = json.loads((tmp_path / "again" / "small_metrics.json").read_text())
    assert again["captures"] == ["late"]
    assert again["overall"] == json.loads((tmp_path / "small_metrics.json").read_text())["overall"]
    assert "at alert" in done.stdout
    failed = subprocess.run([sys.executable, sklearn / "train_model.py", "--captures", tmp_path / "none.yaml", "--name",
                             "x", "--version", "1", "--out", tmp_path], check=False, capture_output=True, text=True)
    assert failed.returncode == 1 and "none.yaml" in failed.stderr and "Traceback" not in failed.stderr


# ---- across places


def test_every_group_is_judged_by_a_forest_that_did_not_see_it() -> None:
    """Each place has a benign habit at its own value: only a forest that has seen the place could know it."""
    random = np.random.default_rng(1)
    places, values, classes = ["a", "b", "c"], [], []
    for place in range(3):
        values += [[10.0 * place + 5 * attack, random.normal()] for attack in (0, 1) for _ in range(60)]
        classes += ["benign"] * 60 + ["scan"] * 60
    flows = flows_of(np.array(values), ["duration", "rate"], classes, captures=[p for p in places for _ in range(120)])
    sources = [source("a", 0, 1), source("b", 2, 3), source("c", 4, 5)]
    params = Params(leave_out=(), random_forest={"n_estimators": 10})
    judged, column = across.leave_one_out(flows, sources, params)
    assert len(judged.flows) == 360 and column is not None
    own = train.fitted_of(train.fit(flows, params, "random_forest").estimator, ["duration", "rate"]).scores(flows)
    area = measures.roc_auc(measures.steps_of(flows.attack, own))
    assert area > 0.99 > 0.9 > measures.roc_auc(measures.steps_of(judged.flows.attack, judged.score))
    with pytest.raises(ValueError, match="all captures are of one group"):
        across.leave_one_out(flows, [source("a", 0, 1, "g"), source("b", 2, 3, "g"), source("c", 4, 5, "g")], params)


def test_an_isolation_forest_across_places_has_no_column_to_compare_with() -> None:
    flows = flows_of(np.random.default_rng(1).normal(size=(1200, 2)), ["duration", "rate"], ["benign", "scan"] * 600,
                     captures=["a"] * 600 + ["b"] * 600)
    judged, column = across.leave_one_out(flows, [source("a", 0, 1), source("b", 2, 3)], Params(leave_out=()),
                                          "isolation_forest")
    assert len(judged.flows) == 1200 and column is None
    assert "one_column" not in across.numbers(judged, column, 1)["baselines"]
