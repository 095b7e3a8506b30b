# SPDX-License-Identifier: MIT
"""How good scores are: plain functions of arrays, each checked against scikit-learn or by hand in tests/models.

`attack` says of each flow whether it is one, `score` is the higher the more likely. Flows of equal score are taken
together, so no order of rows can flatter a number. Where a number makes no sense (one class only) it is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
Names = npt.NDArray[np.object_]

BINS = 10  # of the reliability curve
DRAWS = 200  # of the bootstrap


@dataclass(frozen=True)
class Steps:
    """For each threshold, from the highest score down: attacks found and false alarms, beginning with none."""

    threshold: Numbers
    true: Numbers
    false: Numbers

    @property
    def attacks(self) -> float:
        return float(self.true[-1])

    @property
    def benign(self) -> float:
        return float(self.false[-1])


def steps_of(attack: Truth, score: Numbers) -> Steps:
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    last = np.append(np.flatnonzero(np.diff(falling) != 0), len(falling) - 1) if len(falling) else np.array([], int)
    true = np.cumsum(attack[order])[last].astype(np.float64)
    false = 1.0 + last - true
    return Steps(np.append(np.inf, falling[last]), np.append(0.0, true), np.append(0.0, false))


def roc_auc(steps: Steps) -> float:
    if steps.attacks == 0 or steps.benign == 0:
        return float("nan")
    width, height = np.diff(steps.false), (steps.true[1:] + steps.true[:-1]) / 2
    return float((width * height).sum() / (steps.attacks * steps.benign))


def pr_auc(steps: Steps) -> float:
    """Average precision: sum of precision times what recall grew by."""
    if steps.attacks == 0:
        return float("nan")
    precision = steps.true[1:] / (steps.true[1:] + steps.false[1:])
    return float((np.diff(steps.true) * precision).sum() / steps.attacks)


def threshold_at(steps: Steps, most_false: float) -> float:
    """The lowest threshold with at most so many false alarms."""
    return float(steps.threshold[np.flatnonzero(steps.false <= most_false)[-1]])


def recall_at(steps: Steps, most_false: float) -> float:
    if steps.attacks == 0:
        return float("nan")
    return float(steps.true[np.flatnonzero(steps.false <= most_false)[-1]] / steps.attacks)


def share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def at_threshold(attack: Truth, alarm: Truth) -> dict[str, float]:
    """Of a decision. Precision without any alarm is NaN, F1 then 0."""
    true, false = float((attack & alarm).sum()), float((~attack & alarm).sum())
    missed = float((attack & ~alarm).sum())
    return {"accuracy": share(float((attack == alarm).sum()), len(attack)), "precision": share(true, true + false),
            "recall": share(true, true + missed), "f1": share(2 * true, 2 * true + false + missed),
            "false_alarms": false, "false_rate": share(false, float((~attack).sum()))}


def at_least(hits: int, flows: int, rate: float) -> float:
    """How likely chance alone brings so many hits or more, if each flow is one at this rate: a binomial tail."""
    if hits <= 0 or rate >= 1.0:
        return 1.0
    if hits > flows or rate <= 0.0:
        return 0.0
    if hits < flows * rate:  # the other tail is the small one
        return 1.0 - at_least(flows - hits + 1, flows, 1.0 - rate)
    one = math.exp(math.lgamma(flows + 1) - math.lgamma(hits + 1) - math.lgamma(flows - hits + 1)
                   + hits * math.log(rate) + (flows - hits) * math.log1p(-rate))
    total = 0.0
    for i in range(hits, flows + 1):
        total += one
        if one < total * 1e-17:
            break
        one *= (flows - i) / (i + 1) * rate / (1.0 - rate)
    return min(total, 1.0)


def recall_by(names: Names, alarm: Truth) -> dict[str, dict[str, float]]:
    """Of each name: flows, and the share with an alarm."""
    found = {}
    for name in sorted(set(names.tolist())):
        own = names == name
        found[name] = {"flows": float(own.sum()), "recall": float(alarm[own].mean())}
    return found


def confusion(truth: Names, told: Names, classes: list[str]) -> npt.NDArray[np.int64]:
    """Rows are what it was, columns what was told."""
    place = {name: i for i, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for was, said in zip(truth, told, strict=True):
        counts[place[was], place[said]] += 1
    return counts


def macro_f1(counts: npt.NDArray[np.int64]) -> float:
    """The mean F1 of all classes that occur or were told."""
    right, told, was = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    some = (told + was) > 0
    return float((2 * right[some] / (told + was)[some]).mean())


# ---- Calibration


def brier(attack: Truth, probability: Numbers) -> float:
    return float(((probability - attack) ** 2).mean()) if len(attack) else float("nan")


def reliability(attack: Truth, probability: Numbers, bins: int = BINS) -> list[dict[str, float]]:
    """In bins of equal width: what was told on average, and how often it was an attack. Empty bins are left out."""
    place = np.clip((probability * bins).astype(np.int64), 0, bins - 1)
    found = []
    for i in range(bins):
        own = place == i
        if own.any():
            found.append({"flows": float(own.sum()), "told": float(probability[own].mean()),
                          "seen": float(attack[own].mean())})
    return found


def calibration_error(curve: list[dict[str, float]]) -> float:
    """Expected calibration error: the mean distance of told and seen, each bin by its flows."""
    total = sum(one["flows"] for one in curve)
    return share(sum(one["flows"] * abs(one["told"] - one["seen"]) for one in curve), total)


# ---- By captures


def days_of(captures: Names, start_us: npt.NDArray[np.int64], end_us: npt.NDArray[np.int64]) -> float:
    """How long was recorded, all captures together."""
    total = 0.0
    for name in set(captures.tolist()):
        own = captures == name
        total += float(end_us[own].max() - start_us[own].min())
    return total / 86_400e6


def interval(recordings: Names, measure: Callable[[npt.NDArray[np.int64]], float], seed: int,
             draws: int = DRAWS) -> tuple[float, float] | None:
    """The middle 95 % of a measure when recordings are drawn anew, each wholly, in all its forms: how far another set
    of recordings might have given another number. None with fewer than three, or if fewer than half of the draws have
    a number."""
    names = sorted(set(recordings.tolist()))
    if len(names) < 3:
        return None
    rows = [np.flatnonzero(recordings == name) for name in names]
    random = np.random.default_rng(seed)
    found = [measure(np.concatenate([rows[i] for i in random.integers(len(names), size=len(names))]))
             for _ in range(draws)]
    numbers = [number for number in found if not np.isnan(number)]
    if 2 * len(numbers) < draws:
        return None
    return float(np.quantile(numbers, 0.025)), float(np.quantile(numbers, 0.975))
