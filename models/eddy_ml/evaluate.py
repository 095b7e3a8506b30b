# SPDX-License-Identifier: MIT
"""How good a model file is on captures with labels: as libeddy scores them, beside what is had without it."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eddy_ml import measures, model_file, predict
from eddy_ml.baselines import OneColumn
from eddy_ml.captures import Capture, Flows, read_all, read_captures
from eddy_ml.labels import BENIGN
from eddy_ml.measures import Numbers, Steps, recall_at, steps_of
from eddy_ml.metadata import sha256_of
from eddy_ml.split import group_of

FALSE_ALARMS = (10, 50, 200)
FALSE_A_DAY = (1, 10, 100)
REPEATS = 3  # of a permutation
MOST_PERMUTED = 20_000  # rows; importance needs no more


@dataclass(frozen=True)
class Judged:
    """Flows with a label, and what a model said of them."""

    flows: Flows
    score: Numbers  # 1 - P(benign), or of an isolation forest its score
    told: npt.NDArray[np.object_] | None  # the likeliest class
    alert: float | None
    groups: dict[str, str] = field(default_factory=dict)  # of captures that share one: forms of one recording, a place

    @property
    def recordings(self) -> npt.NDArray[np.object_]:
        """Of each flow, the group of its capture."""
        return np.array([self.groups.get(name, name) for name in self.flows.captures], dtype=object)

    @property
    def alarm(self) -> npt.NDArray[np.bool_]:
        return self.score >= (2.0 if self.alert is None else self.alert)


def judge(model: predict.Model, flows: Flows, alert: float | None, groups: dict[str, str] | None = None) -> Judged:
    """`groups` of captures; else those that the model's metadata tell."""
    known = flows.known()
    rows = known.matrix(model.columns)
    told = None if model.benign is None else np.array(model.predict(rows), dtype=object)
    if groups is None:
        data = model.metadata.get("training_data", [])
        groups = {one["capture"]: one["group"] for one in data if one.get("group")}
    return Judged(known, model.score(rows), told, alert, groups)


# ---- The numbers


def ranking(steps: Steps, days: float) -> dict[str, Any]:
    return {"roc_auc": measures.roc_auc(steps), "pr_auc": measures.pr_auc(steps),
            "recall_at_false_alarms": {str(most): recall_at(steps, most) for most in FALSE_ALARMS},
            "recall_at_false_alarms_a_day": {str(most): recall_a_day(steps, most, days) for most in FALSE_A_DAY}}


def recall_a_day(steps: Steps, most: int, days: float) -> float:
    """NaN where too little was recorded for a single false alarm at that rate."""
    return recall_at(steps, math.floor(most * days)) if most * days >= 1 else float("nan")


def days_in(flows: Flows) -> float:
    return measures.days_of(flows.captures, flows.start_us, flows.end_us)


def overall(judged: Judged) -> dict[str, Any]:
    flows, attack = judged.flows, judged.flows.attack
    curve = measures.reliability(attack, judged.score)
    found = {"flows": len(flows), "attacks": int(attack.sum()), "base_rate": measures.share(attack.sum(), len(flows)),
             "recordings": len(set(judged.recordings.tolist())), "days": days_in(flows),
             **ranking(steps_of(attack, judged.score), days_in(flows))}
    if judged.alert is not None:
        found["at_alert"] = {"threshold": judged.alert, **measures.at_threshold(attack, judged.alarm)}
    if judged.told is not None:  # only then is the score meant as a probability
        found |= {"brier": measures.brier(attack, judged.score), "reliability": curve,
                  "calibration_error": measures.calibration_error(curve)}
    return found


def by_capture(judged: Judged) -> dict[str, Any]:
    found = {}
    for name in dict.fromkeys(judged.flows.captures.tolist()):
        own = judged.flows.captures == name
        flows = judged.flows.where(own)
        one = Judged(flows, judged.score[own], None, judged.alert)
        found[name] = overall(one)
        false = float((one.alarm & ~flows.attack).sum())
        found[name]["false_alarms_a_day"] = None if judged.alert is None else measures.share(false, days_in(flows))
    return found


def by_family(judged: Judged) -> dict[str, Any]:
    attack, score = judged.flows.attack, judged.score
    names = judged.flows.classes[attack]
    at_fifty = score >= measures.threshold_at(steps_of(attack, score), FALSE_ALARMS[1])
    found: dict[str, Any] = measures.recall_by(names, at_fifty[attack])
    at_alert = measures.recall_by(names, judged.alarm[attack])
    for name, one in found.items():
        one[f"recall_at_{FALSE_ALARMS[1]}_false_alarms"] = one.pop("recall")
        if judged.alert is not None:
            one["recall_at_alert"] = at_alert[name]["recall"]
    return found


def intervals(judged: Judged, seed: int) -> dict[str, Any]:
    attack, score, recordings = judged.flows.attack, judged.score, judged.recordings

    def told(measure: Callable[[Steps], float]) -> list[float] | None:
        both = measures.interval(recordings, lambda rows: measure(steps_of(attack[rows], score[rows])), seed)
        return None if both is None else list(both)

    found = {"roc_auc": told(measures.roc_auc), "pr_auc": told(measures.pr_auc),
             f"recall_at_{FALSE_ALARMS[1]}": told(lambda steps: recall_at(steps, FALSE_ALARMS[1]))}
    return {name: both for name, both in found.items() if both is not None}


def families(judged: Judged) -> dict[str, Any]:
    if judged.told is None:
        return {}
    truth, told = judged.flows.classes, judged.told
    names = [BENIGN, *sorted((set(truth.tolist()) | set(told.tolist())) - {BENIGN})]
    counts = measures.confusion(truth, told, names)
    return {"classes": names, "counts": counts.tolist(), "macro_f1": measures.macro_f1(counts),
            "accuracy": measures.share(np.trace(counts), counts.sum())}


def beside(flows: Flows, one: OneColumn | None) -> dict[str, Any]:
    """The same measures of what is had without a model."""
    known = flows.known()
    days = days_in(known)
    found = {"eddy_without_model": ranking(steps_of(known.attack, known.own_score), days)}
    if one is not None:
        found["one_column"] = {"column": one.name, "rising": one.rising,
                               **ranking(steps_of(known.attack, one.score(known)), days)}
    return found


def importance(model: predict.Model, judged: Judged, seed: int) -> dict[str, float]:
    """What the PR-AUC loses when a column is shuffled among flows: 0, the model can do without it."""
    random = np.random.default_rng(seed)
    flows, score = judged.flows, judged.score
    if len(flows) > MOST_PERMUTED:
        rows = np.sort(random.choice(len(flows), MOST_PERMUTED, replace=False))
        flows, score = flows.where(rows), score[rows]
    values, attack = flows.matrix(model.columns), flows.attack
    whole = measures.pr_auc(steps_of(attack, score))
    lost = {}
    for i, name in enumerate(model.columns):
        areas = []
        for _ in range(REPEATS):
            shuffled = values.copy()
            shuffled[:, i] = random.permutation(values[:, i])
            areas.append(measures.pr_auc(steps_of(attack, model.score(shuffled))))
        lost[name] = whole - float(np.mean(areas))
    return lost


def metrics_of(model: predict.Model, judged: Judged, one: OneColumn | None, seed: int) -> dict[str, Any]:
    """Everything, as it goes into NAME_metrics.json. What cannot be told is None."""
    if len(judged.flows) == 0:
        raise ValueError("no flow with a label to judge by")
    found = {"overall": overall(judged), "interval": intervals(judged, seed), "by_capture": by_capture(judged),
             "by_family": by_family(judged), "confusion": families(judged), "baselines": beside(judged.flows, one)}
    if judged.flows.attack.any():
        found["permutation_importance"] = importance(model, judged, seed)
    return dict(plain(found))


def plain(value: Any) -> Any:
    """As JSON has it: NaN and infinity are null; 12 digits, so that the last bits of a sum make no difference."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.12g}") if math.isfinite(value) else None
    return value


# ---- python3 -m eddy_ml evaluate


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.eddy")
    parser.add_argument("--captures", type=Path, required=True, metavar="YAML", help="logs with labels: captures.py")
    parser.add_argument("--on", action="append", default=[], metavar="NAME",
                        help="judge on this capture; may be repeated; else all that training did not see")
    parser.add_argument("--out", type=Path, metavar="DIR", help="else NAME_evaluated beside the model, which leaves "
                        "alone what training wrote there")
    parser.add_argument("--seed", type=int, default=1, help="of permutations and intervals")
    parser.add_argument("--no-plots", action="store_true")


def seen_as(capture: Capture, metadata: dict[str, Any]) -> dict[str, str]:
    """Roles that a capture had in training, with the name that it had there if that is another one: by its name, and by
    the SHA-256 of its logs. A log that was packed anew has another."""
    split, digests = metadata.get("split", {}), {sha256_of(log): log.name for log in capture.logs if log.is_file()}
    found = {role: "" for role in ("train", "held_out") if capture.name in split.get(role, [])}
    for one in metadata.get("training_data", []):
        same = [digests[file["sha256"]] for file in one.get("files", []) if file.get("sha256") in digests]
        for role in one.get("role", "").split(" and ") if same else []:
            if role in ("train", "held_out"):
                found.setdefault(role, f", as '{one.get('capture', '')}' ({', '.join(same)} has the same SHA-256)")
    return found


def wanted(captures: list[Capture], metadata: dict[str, Any], on: list[str]) -> tuple[list[str], list[str]]:
    """Captures to judge on, and what must be said about that."""
    names = [capture.name for capture in captures]
    seen = {capture.name: seen_as(capture, metadata) for capture in captures}
    unseen = [name for name in names if "train" not in seen[name]]
    chosen = on or [name for name in unseen if not seen[name]] or unseen
    for name in chosen:
        if name not in names:
            raise ValueError(f"no capture '{name}'; there are: {', '.join(names)}")
    if not chosen:
        raise ValueError("all of these captures were trained on: name some with --on, or bring others")
    said = [f"{name}: the model was trained on it{seen[name]['train']}; its numbers say nothing about other days"
            for name in chosen if "train" in seen[name]]
    said += [f"{name}: its benign flows set the alert threshold{seen[name]['held_out']}" for name in chosen
             if "held_out" in seen[name]]
    return chosen, said


def groups_of(captures: list[Capture]) -> dict[str, str]:
    return {capture.name: group_of(capture) for capture in captures}


def column_of(metadata: dict[str, Any]) -> OneColumn | None:
    one = metadata.get("baselines", {}).get("one_column")
    return OneColumn(one["column"], one["rising"], one["roc_auc"]) if one else None


def alert_in(path: Path) -> float | None:
    """As the sensor reads it."""
    classes = model_file.read(path).classes
    return None if classes is None else classes.alert


def run(options: argparse.Namespace) -> int:
    model = predict.Model(options.model)
    metadata = model.metadata
    captures = read_captures(options.captures)
    chosen, said = wanted(captures, metadata, options.on)
    flows, _ = read_all([capture for capture in captures if capture.name in chosen])
    judged = judge(model, flows, alert_in(options.model), groups_of(captures))
    metrics = metrics_of(model, judged, column_of(metadata), options.seed)
    head = {"model": {"name": model.name, "version": model.version, "sha256": model.sha256}, "captures": chosen,
            "warnings": said}
    out = options.out or options.model.parent / f"{options.model.stem}_evaluated"
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{options.model.stem}_metrics.json"
    path.write_text(json.dumps(head | metrics, indent=1) + "\n", encoding="utf-8")
    for sentence in said:
        print(f"WARNING: {sentence}", file=sys.stderr)
    tell(metrics)
    print(path)
    if not options.no_plots:
        from eddy_ml import plots
        for plot in plots.draw_all(judged, metrics, metadata, out, options.model.stem):
            print(plot)
    return 0


def digits(number: float | None) -> str:
    return "-" if number is None else f"{number:.3f}"


def tell(metrics: dict[str, Any]) -> None:
    """A few lines for the one who waits for it."""
    whole = metrics["overall"]
    print(f"{whole['flows']} flows, {whole['attacks']} of attacks, {whole['days']:.2f} days")
    rows = {"model": whole} | metrics["baselines"]
    print(f"  {'':24}{'ROC-AUC':>8}{'PR-AUC':>8}" + "".join(f"{f'R@{most}':>8}" for most in FALSE_ALARMS))
    for name, one in rows.items():
        label = f"{name} {one['column']}" if "column" in one else name
        numbers = [one["roc_auc"], one["pr_auc"], *one["recall_at_false_alarms"].values()]
        print(f"  {label:24}" + "".join(f"{digits(number):>8}" for number in numbers))
    at = whole.get("at_alert")
    if at:
        print(f"  at alert {at['threshold']:.4f}: recall {digits(at['recall'])}, precision {digits(at['precision'])}, "
              f"{at['false_alarms']:.0f} false alarms")
