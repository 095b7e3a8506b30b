# SPDX-License-Identifier: MIT
"""The numbers of an evaluation as pictures: PNG, made without a screen, the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from eddy_ml.evaluate import Judged, column_of
from eddy_ml.measures import Steps, steps_of

BLUE, ORANGE, GREY, RED = "#0072b2", "#e69f00", "#777777", "#d55e00"  # told apart without colour vision, too
MOST_POINTS = 5_000  # of score over time, per kind
MOST_COLUMNS = 15
SEED = 1


def rates(steps: Steps) -> tuple[Any, Any]:
    return steps.false / max(steps.benign, 1.0), steps.true / max(steps.attacks, 1.0)


def precision(steps: Steps) -> tuple[Any, Any]:
    true, false = steps.true[1:], steps.false[1:]
    return true / max(steps.attacks, 1.0), true / (true + false)


def curves(judged: Judged, metadata: dict[str, Any]) -> dict[str, tuple[Steps, str]]:
    flows = judged.flows
    found = {"model": (steps_of(flows.attack, judged.score), BLUE),
             "eddy without it": (steps_of(flows.attack, flows.own_score), ORANGE)}
    one = column_of(metadata)
    if one is not None:
        found[f"{one.name} alone"] = (steps_of(flows.attack, one.score(flows)), GREY)
    return found


def roc(axes: Axes, judged: Judged, metrics: dict[str, Any], metadata: dict[str, Any]) -> None:
    least = 0.5 / max(1, int((~judged.flows.attack).sum()))
    for name, (steps, colour) in curves(judged, metadata).items():
        false, true = rates(steps)
        axes.step(np.maximum(false, least), true, where="post", label=name, color=colour)
    axes.set(xscale="log", xlim=(least, 1), ylim=(0, 1.02), xlabel="share of benign flows that alarm (log)",
             ylabel="share of attacks found", title="ROC")
    axes.legend(loc="lower right")


def pr(axes: Axes, judged: Judged, metrics: dict[str, Any], metadata: dict[str, Any]) -> None:
    for name, (steps, colour) in curves(judged, metadata).items():
        axes.step(*precision(steps), where="post", label=name, color=colour)
    axes.axhline(metrics["overall"]["base_rate"] or 0.0, color=RED, linestyle=":", label="chance")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of attacks found", ylabel="share of alarms that are right",
             title="Precision and recall")
    axes.legend(loc="lower left")


def confusion(axes: Axes, judged: Judged, metrics: dict[str, Any], metadata: dict[str, Any]) -> None:
    table = metrics["confusion"]
    counts = np.array(table["counts"], dtype=float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            if count > 0:
                axes.text(j, i, f"{count:.0f}", ha="center", va="center", fontsize=7,
                          color="white" if share[i, j] > 0.5 else "black")
    places = range(len(table["classes"]))
    axes.set_xticks(places, table["classes"], rotation=60, ha="right", fontsize=7)
    axes.set_yticks(places, table["classes"], fontsize=7)
    axes.set(xlabel="the model says", ylabel="it was", title="Classes: flows, shade by row")


def importance(axes: Axes, judged: Judged, metrics: dict[str, Any], metadata: dict[str, Any]) -> None:
    shuffled = metrics["permutation_importance"]
    grown = {one["name"]: one.get("importance") for one in metadata.get("features", []) if isinstance(one, dict)}
    names = sorted(shuffled, key=lambda name: shuffled[name] or 0.0)[-MOST_COLUMNS:]
    places = np.arange(len(names))
    axes.barh(places + 0.2, [shuffled[name] or 0.0 for name in names], 0.4, color=BLUE, label="PR-AUC lost if shuffled")
    if any(value is not None for value in grown.values()):
        axes.barh(places - 0.2, [grown.get(name) or 0.0 for name in names], 0.4, color=ORANGE,
                  label="by impurity, in training")
    axes.set_yticks(places, names, fontsize=7)
    axes.set(title="What the model goes by")
    axes.legend(loc="lower right", fontsize=7)


def over_time(axes: Axes, judged: Judged, metrics: dict[str, Any], metadata: dict[str, Any]) -> None:
    """Captures side by side, all of one width: years may lie between them, and one may last a year."""
    flows, random = judged.flows, np.random.default_rng(SEED)
    at = np.zeros(len(flows))
    ticks = []
    for place, name in enumerate(dict.fromkeys(flows.captures.tolist())):
        own = flows.captures == name
        begin, end = int(flows.start_us[own].min()), int(flows.start_us[own].max())
        at[own] = place + 0.96 * (flows.start_us[own] - begin) / max(1, end - begin)
        day = datetime.fromtimestamp(begin / 1e6, timezone.utc)
        ticks.append((place, f"{name}\n{day:%Y-%m-%d %H:%M}, {(end - begin) / 3600e6:.1f} h"))
        axes.axvline(place + 0.98, color=GREY, linewidth=0.3)
    for attack, colour, label in ((False, BLUE, "benign"), (True, RED, "attack")):
        rows = np.flatnonzero(flows.attack == attack)
        if len(rows) > MOST_POINTS:
            rows = random.choice(rows, MOST_POINTS, replace=False)
        flows_of = int((flows.attack == attack).sum())
        axes.scatter(at[rows], judged.score[rows], s=2, color=colour, label=f"{label} ({flows_of})")
    if judged.alert is not None:
        axes.axhline(judged.alert, color="black", linewidth=0.8, linestyle=":", label="alert")
    axes.set_xticks([place for place, _ in ticks], [words for _, words in ticks], fontsize=6, ha="right", rotation=45,
                    rotation_mode="anchor")
    axes.set(xlim=(-0.05, len(ticks)), ylim=(-0.02, 1.02), ylabel="score", title="Score over time, by capture")
    axes.legend(loc="center right", fontsize=7, markerscale=4)


def reliability(axes: Axes, judged: Judged, metrics: dict[str, Any], metadata: dict[str, Any]) -> None:
    curve = metrics["overall"]["reliability"]
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="as it should be")
    axes.plot([one["told"] for one in curve], [one["seen"] for one in curve], "o-", color=BLUE, label="model")
    for one in curve:
        axes.annotate(f"{one['flows']:.0f}", (one["told"], one["seen"]), fontsize=6, textcoords="offset points",
                      xytext=(3, -8))
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="score", ylabel="share of attacks among flows with it",
             title="Reliability")
    axes.legend(loc="upper left")


Draw = Callable[[Axes, Judged, dict[str, Any], dict[str, Any]], None]


def wanted(judged: Judged, metrics: dict[str, Any]) -> dict[str, Draw]:
    both = 0 < metrics["overall"]["attacks"] < metrics["overall"]["flows"]
    found: dict[str, Draw] = {"roc": roc, "pr": pr} if both else {}
    found["score_over_time"] = over_time
    if "permutation_importance" in metrics:
        found["importance"] = importance
    if judged.told is not None:
        found |= {"confusion": confusion, "reliability": reliability}
    return found


def draw_all(judged: Judged, metrics: dict[str, Any], metadata: dict[str, Any], out: Path, stem: str) -> list[Path]:
    paths = []
    for name, draw in wanted(judged, metrics).items():
        figure, axes = plt.subplots(figsize=(9, 4) if name == "score_over_time" else (6, 5), layout="constrained")
        draw(axes, judged, metrics, metadata)
        path = out / f"{stem}_{name}.png"
        figure.savefig(path, dpi=100, metadata={"Software": None})
        plt.close(figure)
        paths.append(path)
    return paths
