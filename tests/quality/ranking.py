# SPDX-License-Identifier: MIT
"""How well scores rank labelled flows (ROC-AUC, PR-AUC, recall at fixed false positives), and how true p-values are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

FALSE_POSITIVES = (10, 50, 200)


@dataclass
class Ranking:
    roc_auc: float
    pr_auc: float  # average precision
    base_rate: float
    recall: dict[int, float]  # at most so many false positives
    by_family: dict[str, tuple[int, int]]  # found and all, at 50 false positives


def rank(scores: dict[str, float], flows: Iterable[tuple[str, int, str]]) -> Ranking | None:
    """Of (id, label, family); None if only one kind is labelled. A flow without a score counts as the lowest; flows
    of equal score are one step of the curve, so that no order of theirs flatters."""
    lowest = min(scores.values(), default=0.0) - 1
    rows = [(scores.get(flow, lowest), label, family) for flow, label, family in flows if label in (0, 1)]
    malicious = sum(label for _, label, _ in rows)
    benign = len(rows) - malicious
    if malicious == 0 or benign == 0:
        return None
    at_score: dict[float, list[int]] = defaultdict(lambda: [0, 0])
    for score, label, _ in rows:
        at_score[score][label] += 1
    true = false = 0
    roc = precision = 0.0
    recall, cut = dict.fromkeys(FALSE_POSITIVES, 0.0), float("inf")
    for score in sorted(at_score, reverse=True):
        wrong, right = at_score[score]
        roc += wrong * (true + right / 2)
        true, false = true + right, false + wrong
        precision += right * true / (true + false)
        for most in FALSE_POSITIVES:
            if false <= most:
                recall[most] = true / malicious
        if false <= 50:
            cut = score
    families: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for score, label, family in rows:
        if label == 1:
            families[family][0] += score >= cut
            families[family][1] += 1
    return Ranking(roc / (malicious * benign), precision / malicious, malicious / len(rows), recall,
                   {name: (found, total) for name, (found, total) in sorted(families.items())})


@dataclass
class Calibration:
    """How many of these p-values are at most a level, and how many would be by chance."""

    count: int
    level: float
    seen: int

    def ratio(self) -> float:
        """Observed over expected: 1 is true, 2 is twice the promised false alarms."""
        return self.seen / (self.count * self.level) if self.count else float("nan")


def calibration(values: list[float], level: float) -> Calibration:
    return Calibration(len(values), level, sum(value <= level for value in values))
