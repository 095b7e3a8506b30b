# SPDX-License-Identifier: MIT
"""How to train: a YAML file of few settings, each with an initial value that suits a sensor."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

RANDOM_FOREST, ISOLATION_FOREST = "random_forest", "isolation_forest"

# As detector iforest leaves them out (core/score/iforest.c): they say where or when the log was taken rather than how
# the flow behaves. The last four begin at nothing with the sensor, the first two at one with each window; whether a
# flow was seen to end depends on when the sensor gives up on it; icmp is neither tcp nor udp.
LEFT_OUT = ("window_flows", "window_peers", "established", "closed", "icmp", "pair_flows", "pair_gap", "prevalence",
            "service_flows")

# What incidents tell of a class, where its name is one of these: https://attack.mitre.org
TECHNIQUES = {"beacon": "T1071", "lateral": "T1021", "scan": "T1046", "flood": "T1498", "dns_tunnel": "T1071.004",
              "password_guessing": "T1110", "upload": "T1048", "long_connection": "T1095"}


@dataclass(frozen=True)
class Params:
    seed: int = 1
    train: tuple[str, ...] = ()  # captures; none named: all that are neither held out nor for tests
    held_out: tuple[str, ...] = ()  # captures; none named: the latest of those not named to train
    test: tuple[str, ...] = ()  # captures that neither training nor thresholds see
    held_out_share: float = 0.25  # of the captures (of a single one: of its time)
    leave_out: tuple[str, ...] = LEFT_OUT  # columns
    false_rate: float = 1e-3  # share of held-out benign flows that may reach the alert threshold
    alert_least: float = 0.5  # the threshold is not below: few held-out flows prove little
    min_class_rows: int = 20  # a family with fewer flows becomes part of class "attack"
    most_rows: int = 10_000  # of one capture and class, so that no capture outweighs all others
    jobs: int = 1  # threads that grow trees; the forest is the same with any number
    techniques: dict[str, str] = field(default_factory=lambda: dict(TECHNIQUES))
    random_forest: dict[str, Any] = field(default_factory=lambda: {
        "n_estimators": 100, "max_depth": 10, "min_samples_leaf": 5, "max_features": "sqrt",
        "class_weight": "balanced_subsample"})
    isolation_forest: dict[str, Any] = field(default_factory=lambda: {"n_estimators": 100, "max_samples": 256})

    def __post_init__(self) -> None:
        within("held_out_share", self.held_out_share, 0.0, 1.0)
        within("false_rate", self.false_rate, 0.0, 0.5)
        within("alert_least", self.alert_least, 0.0, 1.0)
        within("min_class_rows", self.min_class_rows, 1, 1e9)
        within("most_rows", self.most_rows, 100, 1e9)
        for forest in (self.random_forest, self.isolation_forest):
            if {"random_state", "n_jobs", "warm_start"} & set(forest):
                raise ValueError("random_state, n_jobs and warm_start of a forest are set by seed and jobs")

    def hyperparameters(self, algorithm: str) -> dict[str, Any]:
        return {RANDOM_FOREST: self.random_forest, ISOLATION_FOREST: self.isolation_forest}[algorithm]

    def plain(self) -> dict[str, Any]:
        """As YAML or JSON would have it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def within(name: str, value: float, least: float, most: float) -> None:
    if not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"{name} = {value!r}: not in {least:g}..{most:g}")


def of_type(name: str, value: Any, example: Any) -> Any:
    """The value as the setting's own type; a word is no list of letters."""
    if isinstance(example, tuple):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{name} = {value!r}: not a list of names")
        return tuple(value)
    if isinstance(example, dict):
        if not isinstance(value, dict):
            raise ValueError(f"{name} = {value!r}: not a table")
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (isinstance(example, int) and value % 1):
        raise ValueError(f"{name} = {value!r}: not a number")  # YAML reads 1e-3 as a word: 1.0e-3 or 0.001
    return type(example)(value)


def params_of(given: dict[str, Any]) -> Params:
    initial = Params()
    known = {entry.name for entry in fields(Params)}
    for name in given:
        if name not in known:
            raise ValueError(f"no setting '{name}'; there are: {', '.join(sorted(known))}")
    values = {name: of_type(name, value, getattr(initial, name)) for name, value in given.items()}
    for name in ("random_forest", "isolation_forest"):  # what a file does not name keeps its initial value
        if name in values:
            values[name] = getattr(initial, name) | values[name]
    return Params(**values)


def read_yaml(path: Path) -> Any:
    """What a YAML file has, or in one line why it has nothing."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, or the 31st of June
        raise ValueError(f"{path}: not YAML: {' '.join(str(error).split())}") from None


def read_params(path: Path | None) -> Params:
    if path is None:
        return Params()
    given = read_yaml(path)
    if given is not None and not isinstance(given, dict):
        raise ValueError(f"{path}: not a table of settings")
    try:
        return params_of(given or {})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
