# SPDX-License-Identifier: MIT
"""The measures, against scikit-learn's and against numbers worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as theirs
from made import DATA, flows_of, trained_on_lab
from scipy.stats import binom

from eddy_ml import evaluate, measures
from eddy_ml.__main__ import main
from eddy_ml.baselines import best_column
from eddy_ml.captures import Capture

SEEDS = range(20)


def drawn(seed: int, ties: bool = True) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    count = int(random.integers(20, 400))
    attack = random.random(count) < random.uniform(0.05, 0.95)
    attack[:2] = True, False
    score = np.clip(random.normal(attack * 0.3, 0.4), 0, 1)
    return attack, np.round(score, 1 if ties else 12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ties", [True, False])
def test_areas_equal_those_of_scikit_learn(seed: int, ties: bool) -> None:
    attack, score = drawn(seed, ties)
    steps = measures.steps_of(attack, score)
    assert measures.roc_auc(steps) == pytest.approx(theirs.roc_auc_score(attack, score), abs=1e-12)
    assert measures.pr_auc(steps) == pytest.approx(theirs.average_precision_score(attack, score), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_decisions_equal_those_of_scikit_learn(seed: int) -> None:
    attack, score = drawn(seed)
    alarm = score >= 0.5
    ours = measures.at_threshold(attack, alarm)
    for name, measure in (("accuracy", theirs.accuracy_score), ("precision", theirs.precision_score),
                          ("recall", theirs.recall_score), ("f1", theirs.f1_score)):
        if name == "precision" and not alarm.any():
            assert np.isnan(ours[name])
        else:
            assert ours[name] == pytest.approx(measure(attack, alarm), abs=1e-12)
    assert measures.brier(attack, score) == pytest.approx(theirs.brier_score_loss(attack, score), abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_confusion_equals_that_of_scikit_learn(seed: int) -> None:
    random, names = np.random.default_rng(seed), ["a", "b", "c"]
    truth, told = (np.array(random.choice(names, 50), dtype=object) for _ in range(2))
    counts = measures.confusion(truth, told, names)
    assert counts.tolist() == theirs.confusion_matrix(list(truth), list(told), labels=names).tolist()
    assert measures.macro_f1(counts) == pytest.approx(
        theirs.f1_score(list(truth), list(told), labels=names, average="macro"), abs=1e-12)


def test_recall_at_false_alarms_by_hand() -> None:
    # from the top: attack, attack, benign, attack + benign tied, benign, attack
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.6, 0.5, 0.4])
    attack = np.array([True, True, False, True, False, False, True])
    steps = measures.steps_of(attack, score)
    assert [measures.recall_at(steps, most) for most in (0, 1, 2, 3, 200)] == [0.5, 0.5, 0.75, 1.0, 1.0]
    assert measures.threshold_at(steps, 0) == 0.8
    assert measures.threshold_at(steps, 1) == 0.7  # the tie would bring a second false alarm
    # average precision: 2/4 at precision 1, 1/4 at 3/5, 1/4 at 4/7
    assert measures.pr_auc(steps) == pytest.approx(0.5 + 0.25 * 3 / 5 + 0.25 * 4 / 7)
    # 12 pairs: the first two attacks win 3 each, the tied one 1.5, the last none
    assert measures.roc_auc(steps) == pytest.approx(7.5 / 12)


def test_the_order_of_rows_makes_no_difference() -> None:
    attack, score = drawn(3)
    order = np.random.default_rng(1).permutation(len(score))
    assert measures.pr_auc(measures.steps_of(attack, score)) == measures.pr_auc(
        measures.steps_of(attack[order], score[order]))


def test_reliability_by_hand() -> None:
    probability = np.array([0.05, 0.15, 0.15, 0.95, 1.0])
    attack = np.array([False, True, False, True, True])
    curve = measures.reliability(attack, probability)
    assert [(one["flows"], one["told"], one["seen"]) for one in curve] == [
        (1, 0.05, 0.0), (2, 0.15, 0.5), (2, pytest.approx(0.975), 1.0)]
    assert measures.calibration_error(curve) == pytest.approx((1 * 0.05 + 2 * 0.35 + 2 * 0.025) / 5)


def test_one_class_alone_has_no_area() -> None:
    steps = measures.steps_of(np.zeros(5, dtype=bool), np.arange(5.0))
    assert np.isnan(measures.roc_auc(steps)) and np.isnan(measures.pr_auc(steps))
    assert np.isnan(measures.recall_at(steps, 10))


def test_days_are_added_up_over_captures() -> None:
    hour = 3_600_000_000
    names = np.array(["a", "a", "b"], dtype=object)
    start, end = np.array([0, 5 * hour, 900 * hour]), np.array([hour, 6 * hour, 918 * hour])
    assert measures.days_of(names, start, end) == pytest.approx(1.0)


def test_a_binomial_tail_equals_that_of_scipy() -> None:
    for flows, rate in ((1, 0.3), (50, 0.001), (9922, 0.001), (9922, 0.4), (300_000, 0.001)):
        for hits in {0, 1, 2, 5, 16, 40, flows // 2, round(flows * rate), flows, flows + 1}:
            wanted = pytest.approx(binom.sf(hits - 1, flows, rate), rel=1e-7, abs=1e-12)
            assert measures.at_least(hits, flows, rate) == wanted, (hits, flows, rate)


def test_recall_at_a_rate_that_the_time_is_too_short_for_is_none() -> None:
    attack, score = drawn(3)
    told = evaluate.ranking(measures.steps_of(attack, score), days=0.05)["recall_at_false_alarms_a_day"]
    assert np.isnan(told["1"]) and np.isnan(told["10"])  # half a false alarm
    assert told["100"] == measures.recall_at(measures.steps_of(attack, score), 5)


def two_forms(names: list[str], groups: dict[str, str], alert: float | None = 0.5) -> evaluate.Judged:
    attack, score = drawn(5, ties=False)
    own = [names[i % len(names)] for i in range(len(attack))]
    flows = flows_of(score[:, np.newaxis], ["a"], ["scan" if one else "benign" for one in attack], captures=own,
                     end_us=[3_600_000_000 * i for i in range(len(attack))])
    return evaluate.Judged(flows, score, None, alert, groups)


def test_forms_of_one_recording_are_drawn_together() -> None:
    """Of three captures, two are the same recording: two recordings, from which nothing can be drawn."""
    once, twice = two_forms(["a", "b", "c"], {}), two_forms(["a", "b", "c"], {"b": "same", "c": "same"})
    assert set(evaluate.intervals(once, 1)) and evaluate.intervals(twice, 1) == {}
    assert (evaluate.overall(once)["recordings"], evaluate.overall(twice)["recordings"]) == (3, 2)
    groups = {"c": "same", "d": "same"}
    four = two_forms(["a", "b", "c", "d"], groups)
    assert four.recordings.tolist()[:4] == ["a", "b", "same", "same"]

    def rows_of_c_and_d(rows: np.ndarray) -> float:
        """Each drawing has as many of one as of the other, if they are drawn together."""
        drawn = four.flows.captures[rows].tolist()
        return float(abs(drawn.count("c") - drawn.count("d")) > 3)

    assert measures.interval(four.recordings, rows_of_c_and_d, 1) == (0.0, 0.0)
    assert measures.interval(four.flows.captures, rows_of_c_and_d, 1) == (0.0, 1.0)


def test_without_a_threshold_there_is_no_number_of_false_alarms() -> None:
    assert evaluate.by_capture(two_forms(["a"], {}, alert=None))["a"]["false_alarms_a_day"] is None
    some = two_forms(["a"], {})
    false = (some.alarm & ~some.flows.attack).sum()
    assert false > 0
    assert evaluate.by_capture(some)["a"]["false_alarms_a_day"] == pytest.approx(false * 24 / (len(some.flows) - 1))


def test_intervals_need_three_captures_and_hold_the_number() -> None:
    attack, score = drawn(5)
    steps = measures.steps_of(attack, score)
    names = np.array([f"c{i % 4}" for i in range(len(score))], dtype=object)

    def area(rows: np.ndarray) -> float:
        return measures.roc_auc(measures.steps_of(attack[rows], score[rows]))

    assert measures.interval(np.array(["a", "b"] * 5, dtype=object), area, seed=1) is None
    low, high = measures.interval(names, area, seed=1) or (1.0, 0.0)
    assert low < measures.roc_auc(steps) < high


def test_the_best_column_alone_is_found_in_both_directions() -> None:
    values = np.array([[1.0, 9.0, 5.0], [2.0, 8.0, 5.0], [3.0, 1.0, 5.0], [4.0, 2.0, 5.0]])
    flows = flows_of(values, ["a", "b", "c"], ["benign", "benign", "scan", "flood"])
    one = best_column(flows, ["b", "c"])
    assert one is not None and (one.name, one.rising, one.roc_auc) == ("b", False, 1.0)
    assert best_column(flows.where(np.array([0, 1])), ["a"]) is None


def test_json_has_no_nan() -> None:
    told = json.dumps(evaluate.plain({"a": float("nan"), "b": [np.float64(0.5), np.int64(3)], "c": float("inf")}),
                      allow_nan=False)
    assert json.loads(told) == {"a": None, "b": [0.5, 3], "c": None}


def test_evaluate_tells_what_the_forest_would_and_warns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command, on a capture that was trained on, against scikit-learn on the same rows."""
    lab = trained_on_lab()
    out = tmp_path / "out"
    words = ["evaluate", str(lab.done.model), "--captures", str(lab.captures), "--on", "early", "--out", str(out)]
    assert main(words) == 0
    assert "early: the model was trained on it" in capsys.readouterr().err
    metrics = json.loads((out / "lab_metrics.json").read_text())
    rows = lab.flows("early").known()
    estimator = lab.done.estimator.set_params(n_jobs=1)
    columns = [one["name"] for one in lab.done.metadata["features"]]
    sure = estimator.predict_proba(rows.matrix(columns))
    score = 1.0 - sure[:, list(estimator.classes_).index("benign")]
    assert metrics["overall"]["roc_auc"] == pytest.approx(theirs.roc_auc_score(rows.attack, score), abs=1e-11)
    assert metrics["overall"]["pr_auc"] == pytest.approx(theirs.average_precision_score(rows.attack, score), abs=1e-11)
    told = estimator.classes_[sure.argmax(axis=1)]
    assert metrics["confusion"]["accuracy"] == pytest.approx((told == rows.classes).mean(), abs=1e-12)
    for plot in ("roc", "pr", "confusion", "importance", "score_over_time", "reliability"):
        assert (out / f"lab_{plot}.png").read_bytes().startswith(b"\x89PNG")


def test_what_was_not_trained_on_is_judged_unless_named() -> None:
    about = {"split": {"train": ["a"], "held_out": ["b"]}}
    a, b, c = (Capture(name, ()) for name in "abc")
    assert evaluate.wanted([a, b, c], about, []) == (["c"], [])
    chosen, said = evaluate.wanted([a, b], about, [])
    assert chosen == ["b"] and "alert threshold" in said[0]
    with pytest.raises(ValueError, match="all of these captures were trained on"):
        evaluate.wanted([a], about, [])
    with pytest.raises(ValueError, match="no capture 'x'"):
        evaluate.wanted([a], about, ["x"])


def test_a_training_log_under_another_name_is_known_by_its_bytes(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = trained_on_lab()
    copied, other = tmp_path / "monday.log.gz", tmp_path / "other.log.gz"
    copied.write_bytes((DATA / "conn.log.gz").read_bytes())
    other.write_bytes((DATA / "eve.json.gz").read_bytes())  # of the test: judging on it is what it is for
    quiet = Capture("silence", (DATA / "benign-eve.json.gz",))
    about = lab.done.metadata
    chosen, said = evaluate.wanted([Capture("monday", (copied,)), Capture("other", (other,)), quiet], about, [])
    assert (chosen, said) == (["other"], [])
    (said_of_quiet,) = evaluate.wanted([quiet], about, [])[1]
    assert said_of_quiet.startswith("silence: its benign flows set the alert threshold, as 'quiet'")
    captures = tmp_path / "captures.yaml"
    captures.write_text(f"captures:\n  - {{name: monday, logs: [monday.log.gz], labels: {DATA}/truth-flows.csv.gz}}\n")
    model = tmp_path / "lab.eddy"
    model.write_bytes(lab.done.model.read_bytes())
    words = ["evaluate", str(model), "--captures", str(captures), "--no-plots"]
    assert main([*words, "--on", "monday"]) == 0
    err = capsys.readouterr().err
    assert "WARNING: monday: the model was trained on it, as 'early' (monday.log.gz has the same SHA-256)" in err
    written = tmp_path / "lab_evaluated" / "lab_metrics.json"  # beside the model, wherever one stands
    assert "as 'early'" in json.loads(written.read_text())["warnings"][0]
    assert main(words) == 1 and "all of these captures were trained on" in capsys.readouterr().err
