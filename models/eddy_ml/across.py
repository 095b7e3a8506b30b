# SPDX-License-Identifier: MIT
"""How good a way of training is in places that it has not seen: each group of captures is judged by a forest that was
trained on all others. No model comes of it, only numbers; they are what to believe of a model trained on all of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from eddy_ml import evaluate, measures, train
from eddy_ml.baselines import OneColumn, best_column
from eddy_ml.captures import Flows, Source, read_all, read_captures, together
from eddy_ml.evaluate import Judged, plain, ranking
from eddy_ml.measures import Numbers, steps_of
from eddy_ml.metadata import sha256_of
from eddy_ml.params import ISOLATION_FOREST, RANDOM_FOREST, Params, read_params
from eddy_ml.split import check_files, group_of, thinned


def training_of(flows: Flows, params: Params, algorithm: str) -> Flows:
    if algorithm == ISOLATION_FOREST:
        chosen = train.without_labels(flows)
    else:
        chosen = replace(flows, classes=train.merged(flows.classes, params.min_class_rows)).known()
    return thinned(chosen, params.most_rows, params.seed)


def folds(flows: Flows, sources: list[Source], params: Params,
          algorithm: str) -> Iterator[tuple[Flows, Numbers, Numbers | None]]:
    """Of each group: its flows with a label, their scores, and what the best column of all others says of them."""
    groups: dict[str, list[str]] = {}
    for source in sources:
        groups.setdefault(group_of(source.capture), []).append(source.capture.name)
    if len(groups) < 2:
        raise ValueError("all captures are of one group: there is no other place to judge")
    for own in groups.values():
        judged = flows.of(own).known()
        others = training_of(flows.of([name for name in dict.fromkeys(flows.captures) if name not in own]), params,
                             algorithm)
        if len(judged) > 0:
            fitted = train.fit(others, params, algorithm)
            yield judged, fitted.scores(judged), column_score(best_column(others, fitted.columns), others, judged)


def column_score(one: OneColumn | None, others: Flows, judged: Flows) -> Numbers | None:
    """As the share of benign training flows that are less suspicious, so that folds with other columns compare."""
    if one is None:  # an isolation forest was told of no attacks
        return None
    usual = np.sort(one.score(others.where(~others.attack)))
    return np.asarray(np.searchsorted(usual, one.score(judged)) / max(1, len(usual)))


def leave_one_out(flows: Flows, sources: list[Source], params: Params,
                  algorithm: str = RANDOM_FOREST) -> tuple[Judged, Numbers | None]:
    """All flows with a label, each with the score of a forest that has not seen its group, and with what the best
    column of the same training says, if there is one."""
    found = list(folds(flows, sources, params, algorithm))
    columns = [column for _, _, column in found if column is not None]
    judged = together([judged for judged, _, _ in found])
    groups = evaluate.groups_of([source.capture for source in sources])
    return (Judged(judged, np.concatenate([score for _, score, _ in found]), None, None, groups),
            np.concatenate(columns) if len(columns) == len(found) else None)


def numbers(judged: Judged, column: Numbers | None, seed: int) -> dict[str, Any]:
    flows, days = judged.flows, evaluate.days_in(judged.flows)
    scores = {"model": judged.score, "eddy_without_model": flows.own_score}
    if column is not None:
        scores["one_column"] = column
    per_capture = {}
    for name in dict.fromkeys(flows.captures.tolist()):
        own = flows.captures == name
        attack = flows.attack[own]
        areas = {key: measures.roc_auc(steps_of(attack, score[own])) for key, score in scores.items()}
        per_capture[name] = {"flows": int(own.sum()), "attacks": int(attack.sum()), **areas}
    return {"overall": evaluate.overall(judged), "interval": evaluate.intervals(judged, seed),
            "by_family": evaluate.by_family(judged), "roc_auc_by_capture": per_capture,
            "baselines": {key: ranking(steps_of(flows.attack, score), days) for key, score in scores.items()
                          if key != "model"}}


# ---- python3 -m eddy_ml across


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--captures", type=Path, required=True, metavar="YAML", help="logs and labels: captures.py")
    parser.add_argument("--params", type=Path, metavar="YAML", help="settings of the training: params.py")
    parser.add_argument("--algorithm", choices=(RANDOM_FOREST, ISOLATION_FOREST), default=RANDOM_FOREST)
    parser.add_argument("-o", "--output", type=Path, help="where to write all numbers, as JSON")


def run(options: argparse.Namespace) -> int:
    params = read_params(options.params)
    captures = read_captures(options.captures)
    flows, sources = read_all(captures)
    check_files(captures, {one.name: group_of(one) for one in captures}, sha256_of)
    judged, column = leave_one_out(flows, sources, params, options.algorithm)
    found = plain(numbers(judged, column, params.seed))
    evaluate.tell(found)
    print(f"  ROC-AUC of each capture by forests that did not see it\n  {'':26}{'flows':>8}{'attacks':>8}{'model':>8}"
          f"{'eddy':>8}{'column':>8}")
    for name, one in found["roc_auc_by_capture"].items():
        areas = "".join(f"{evaluate.digits(one.get(key)):>8}" for key in ("model", "eddy_without_model", "one_column"))
        print(f"  {name:26}{one['flows']:8}{one['attacks']:8}{areas}")
    if options.output is not None:
        options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(options.output, file=sys.stderr)
    return 0
