# SPDX-License-Identifier: MIT
"""What is wrong with captures, labels and splits is said in one line; nothing of it passes in silence."""

from __future__ import annotations

import dataclasses
import gzip
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from made import DATA, LAB_PARAMS, trained_on_lab
from test_train import joined, source

from eddy_ml import captures, labels, metadata, predict, split, train
from eddy_ml.__main__ import main
from eddy_ml.captures import Capture, Rule, read_captures
from eddy_ml.params import Params, read_params

TRUTH = DATA / "truth-flows.csv.gz"


# ---- labels


def test_rows_of_another_length_are_refused(tmp_path: Path) -> None:
    for row in ("C2", "C2,1,scan,more"):
        with pytest.raises(ValueError, match=r"labels\.csv: line 3 has \d values, the header 3"):
            joined(tmp_path, f"id,label,family\nC1,1,scan\n{row}\n", ["C1"])


def test_the_mark_of_spreadsheets_and_empty_lines_are_no_fault(tmp_path: Path) -> None:
    text = "\ufeffid,label,family\r\nC1,1,scan\r\n\r\n"
    assert joined(tmp_path, text, ["C1", "C2"]).classes == ["scan", None]


def test_labels_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv.gz"
    whole = gzip.compress(b"id,label\nC1,1\n" * 100)
    for broken in (whole[:-9], b"id,label\nC1,1\n", whole[:20] + b"\xff" * 20, gzip.compress(b"id,label\n\xff,1\n")):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"labels\.csv\.gz: "):
            labels.read_rows(path)


# ---- captures


@pytest.mark.parametrize(("entry", "fault"), [
    ("leave_out: dns_tunnel", "leave_out: a list of names is needed, not 'dns_tunnel'"),
    ("leave_out: [1]", "leave_out: a list of names"), ("families: [scan]", "families: a table of names"),
    ("families: {scan: 1}", "families: a table of names"), ("labels: 5", "labels: a path is needed, not 5"),
    ("logs: [5]", "logs: a list of paths"), ("group: 5", "group: a name"), ("settings: 5", "settings: a table"),
    ("rules: {family: x}", "rules: a list of rules"), ("logs: [}", "not YAML")])
def test_words_where_lists_belong_are_refused(tmp_path: Path, entry: str, fault: str) -> None:
    path = tmp_path / "captures.yaml"
    logs = "" if entry.startswith("logs") else "logs: [b], "
    path.write_text(f"captures:\n- {{name: a, {logs}{entry}}}\n")
    with pytest.raises(ValueError, match=fault) as refused:
        read_captures(path)
    assert str(refused.value).startswith(str(path)) and "\n" not in str(refused.value)


def test_params_that_are_no_yaml_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    for broken in (b"{seed: 1", b"seed: '\xff'", b"seed: 2026-13-45"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"params\.yaml: not YAML") as refused:
            read_params(path)
        assert "\n" not in str(refused.value)


def test_families_that_never_occur_are_told() -> None:
    given = Capture("lab", (DATA / "conn.log.gz",), TRUTH, families={"scan": "probe", "Scan": "probe"},
                    leave_out=frozenset({"flood", "dns-tunnel", "probe", "scan"}))
    _, source = captures.read_capture(given)
    told = [warning.split("names ")[1].split(",")[0] for warning in source.warnings]
    assert told == ["'Scan'", "'dns-tunnel'", "'scan'"]  # scan is called probe by then


def test_an_isolation_forest_learns_the_unknown_but_not_what_was_left_out(tmp_path: Path) -> None:
    log = DATA / "benign-conn.log.gz"
    plain, _ = captures.read_capture(Capture("a", (log,)))
    host = str(plain.hosts[0])
    bad = plain.hosts == host
    given = Capture("a", (log,), rules=(Rule("scan", src=host),), leave_out=frozenset({"scan"}))
    flows, source = captures.read_capture(given)
    assert 0 < bad.sum() < len(plain) and len(flows.known()) == 0 and not flows.attack.any()
    assert len(train.without_labels(plain)) == len(plain)
    assert train.without_labels(flows).ids.tolist() == plain.ids[~bad].tolist()
    assert source.classes == {"": len(plain)} and source.warnings == ()
    named = tmp_path / "labels.csv"
    named.write_text(f"id,label\n{plain.ids[0]},0\n{plain.ids[1]},-1\n")
    labelled, _ = captures.read_capture(Capture("a", (log,), named))  # one is benign; labels leave the others out
    assert train.without_labels(labelled).ids.tolist() == [plain.ids[0]]


# ---- split


def test_the_same_file_on_two_sides_is_refused(tmp_path: Path) -> None:
    for name, text in (("a", "x"), ("b", "y"), ("copy", "x")):
        (tmp_path / name).write_text(text)
    named = [Capture(name, (tmp_path / name,)) for name in ("a", "b", "copy")]
    split.check_files(named, {"a": "training", "b": "tests", "copy": "training"}, metadata.sha256_of)
    split.check_files(named, {"a": "training", "b": "tests"}, metadata.sha256_of)
    with pytest.raises(ValueError, match=r"copy, which is for tests, is the same file as .*a, which is for training"):
        split.check_files(named, {"a": "training", "b": "tests", "copy": "tests"}, metadata.sha256_of)


def test_training_refuses_a_copied_log(tmp_path: Path) -> None:
    shutil.copy(DATA / "conn.log.gz", tmp_path / "other.log.gz")
    path = tmp_path / "captures.yaml"
    path.write_text(f"captures:\n  - {{name: a, logs: [{DATA}/conn.log.gz], labels: {TRUTH}}}\n"
                    f"  - {{name: b, logs: [other.log.gz], labels: {TRUTH}}}\n")
    with pytest.raises(ValueError, match="is the same file as"):
        train.prepare(path, Params(held_out=("b",)), "random_forest")
    assert main(["across", "--captures", str(path)]) == 1


def test_what_is_held_out_is_not_what_is_named_for_training() -> None:
    sources = [source("a", 0, 9), source("b", 10, 19), source("c", 20, 30)]
    assert split.split_of(Params(train=("c",)), sources).held_out == ("b",)
    assert split.split_of(Params(train=("a", "c")), sources).held_out == ("b",)
    assert split.split_of(Params(train=("c",), test=("b",)), sources).held_out == ("a",)
    with pytest.raises(ValueError, match="nothing is left to hold out"):
        split.split_of(Params(train=("b", "c"), test=("a",)), sources)
    grouped = [source("a", 0, 9), source("b", 10, 19, "g"), source("c", 20, 30, "g")]
    assert split.split_of(Params(train=("c",)), grouped).held_out == ("a",)
    one = split.split_of(Params(train=("c",), test=("a",)), grouped)
    assert (one.train, one.held_out, one.method) == (("c",), ("c",), split.BY_TIME)


def test_rare_is_not_what_was_left_out() -> None:
    classes = np.array(["benign"] * 9 + ["scan"] * 6 + ["a"] * 4 + ["", captures.UNKNOWN], dtype=object)
    assert train.merged(classes, 5).tolist() == ["benign"] * 9 + ["scan"] * 6 + [""] * 5 + [captures.UNKNOWN]


# ---- the command


def command(tmp_path: Path, *words: str, name: str = "x", version: str = "1") -> int:
    return main(["train", "--captures", str(trained_on_lab().captures), "--name", name, "--version", version,
                 "--no-plots", "--out", str(tmp_path / "new" / "out"), *words])


@pytest.mark.parametrize(("given", "fault"), [
    ({"version": "9" * 32}, "version '9999"), ({"version": ""}, "1 to 31"), ({"name": "a/b"}, "only letters")])
def test_names_are_looked_at_before_anything_else(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                  monkeypatch: pytest.MonkeyPatch, given: dict, fault: str) -> None:
    trained_on_lab()
    monkeypatch.setattr(train, "prepare", lambda *_: pytest.fail("trained"))
    assert command(tmp_path, **given) == 1 and fault in capsys.readouterr().err


def test_faults_of_files_end_with_one_line_and_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = tmp_path / "params.yaml"
    for text, fault in (("{seed", "params.yaml: not YAML"), ("random_forest: {trees: 5}", "unexpected keyword"),
                        ("{train: [early], held_out: [quiet], random_forest: {n_estimators: x}}", "n_estimators")):
        params.write_text(text)
        assert command(tmp_path, "--params", str(params)) == 1
        told = capsys.readouterr().err
        assert fault in told and told.startswith("python3 -m eddy_ml train: ") and told.count("\n") == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("fails", ["judge", "metrics_of"])
def test_a_model_that_cannot_be_judged_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                             fails: str) -> None:
    lab, small = trained_on_lab(), dataclasses.replace(LAB_PARAMS, random_forest={"n_estimators": 2})

    def failing(*_: object) -> None:
        raise ValueError("judged")

    monkeypatch.setattr(train.evaluate, fails, failing)
    for out in (tmp_path / "new" / "out", tmp_path):
        (tmp_path / "x.eddy").write_text("the one before")
        with pytest.raises(ValueError, match="judged"):
            train.train(lab.captures, out, name="x", version="1", params=small, plots=False)
        assert [path.name for path in tmp_path.iterdir()] == ["x.eddy"]
        assert (tmp_path / "x.eddy").read_text() == "the one before"


def test_what_was_done_can_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command in the metadata, whoever called; and what the thresholds were told from."""
    monkeypatch.setattr("sys.argv", ["pytest", "something", "else"])
    params = tmp_path / "of mine.yaml"
    params.write_text("{train: [early], held_out: [quiet], test: [late], random_forest: {n_estimators: 5}}\n")
    assert command(tmp_path, "--params", str(params)) == 0
    out = tmp_path / "new" / "out"
    assert sorted(path.name for path in out.iterdir()) == ["x.eddy", "x_card.md", "x_metadata.json", "x_metrics.json"]
    told = predict.Model(out / "x.eddy").metadata
    words = shlex.split(told["trainer"]["command"])
    assert words[:4] == ["python3", "-m", "eddy_ml", "train"] and words[-2:] == ["--params", str(params)]
    one = told["thresholds"]
    quiet = trained_on_lab().flows("quiet")
    hours = {(host, start // 3_600_000_000) for host, start in zip(quiet.hosts, quiet.start_us, strict=True)}
    assert one["held_out_host_hours"] == len(hours)
    assert one["held_out_rate_by_capture"] == {"quiet": one["held_out_rate"]}
    assert one["held_out_alerts"] == round(one["held_out_rate"] * len(quiet)) and not one["established"]
    assert main(words[3:]) == 0


def test_a_family_that_never_occurs_is_in_the_metadata(tmp_path: Path) -> None:
    path = tmp_path / "captures.yaml"
    path.write_text(trained_on_lab().captures.read_text().replace("[dns_tunnel_forwarded]", "[dns_tunel]", 1))
    assert train.prepare(path, LAB_PARAMS, "random_forest").split.warnings[-1] == (
        "early: leave_out names 'dns_tunel', which is the family of none of its flows")
