# SPDX-License-Identifier: MIT
"""Captures: what was recorded in one place in one stretch of time, with what is known of its flows.

A captures file (YAML; its paths are relative to it):

    captures:
      - name: office-monday              # short, for --held-out and reports
        logs: [monday/conn.log.gz]       # one stream of time, in this order
        labels: monday/labels.csv        # labels.py says which forms; may be left out
        unlabelled: benign               # flows that no label names; left out if this is not said
        families: {Malicious: scan}      # other names for families, so that captures agree
        leave_out: [dns_forwarded]       # families to leave out
        group: office                    # captures of one group are never on both sides of a split
        settings: {nets.local: [10.0.0.0/8]}       # of eddy.conf
        rules:                           # what labels cannot say; the last that fits a flow holds
          - {family: benign, src: 10.0.0.9, dst: 10.0.0.0/24, dst_port: 443,
             start: 2026-11-20T10:00:00+00:00, end: 2026-11-20T11:00:00+00:00}
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from eddy_ml import features
from eddy_ml.labels import BENIGN, join
from eddy_ml.params import read_yaml
from eddy_ml.stream import Report

LEFT_OUT = ""  # the class of flows that neither teach nor judge
UNKNOWN = "\0unknown"  # of flows in captures without labels, of which nothing is said: an isolation forest may learn
KEYS = {"name", "logs", "labels", "unlabelled", "families", "leave_out", "group", "settings", "rules"}
RULE_KEYS = {"family", "src", "dst", "dst_port", "start", "end"}


@dataclass(frozen=True)
class Rule:
    family: str
    src: str = ""
    dst: str = ""
    dst_port: int | None = None
    start_us: int | None = None
    end_us: int | None = None


@dataclass(frozen=True)
class Capture:
    name: str
    logs: tuple[Path, ...]
    labels: Path | None = None
    unlabelled: str | None = None
    families: dict[str, str] = field(default_factory=dict)
    leave_out: frozenset[str] = frozenset()
    group: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    beside: Path = Path(".")  # what names of files are told relative to


@dataclass(frozen=True)
class Source:
    """What was read for one capture."""

    capture: Capture
    flows: int
    first_us: int
    last_us: int  # the end of the flow that ended last
    classes: dict[str, int]
    labels: dict[str, int]  # counts of how the labels were joined
    records: Report
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flows:
    """Flows of one or several captures, row by row."""

    columns: list[str]
    values: npt.NDArray[np.float64]
    ids: npt.NDArray[np.object_]
    hosts: npt.NDArray[np.object_]  # who began
    start_us: npt.NDArray[np.int64]
    end_us: npt.NDArray[np.int64]
    own_score: npt.NDArray[np.float64]  # of eddy's own detectors, without a model file
    classes: npt.NDArray[np.object_]
    captures: npt.NDArray[np.object_]  # names

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, rows: npt.NDArray[Any]) -> Flows:
        return Flows(self.columns, self.values[rows], self.ids[rows], self.hosts[rows], self.start_us[rows],
                     self.end_us[rows], self.own_score[rows], self.classes[rows], self.captures[rows])

    def of(self, names: list[str] | tuple[str, ...]) -> Flows:
        return self.where(np.isin(self.captures.astype(str), list(names)))

    def known(self) -> Flows:
        """Without those that were left out, or about which nothing is said."""
        return self.where((self.classes != LEFT_OUT) & (self.classes != UNKNOWN))

    def matrix(self, columns: list[str]) -> npt.NDArray[np.float64]:
        return np.ascontiguousarray(self.values[:, [self.columns.index(name) for name in columns]])

    @property
    def attack(self) -> npt.NDArray[np.bool_]:
        return np.asarray((self.classes != BENIGN) & (self.classes != LEFT_OUT) & (self.classes != UNKNOWN), dtype=bool)


# ---- The captures file


def micros(value: Any, where: str) -> int | None:
    """Of a time as YAML gives it; without a zone it is UTC."""
    if value is None:
        return None
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(at, datetime):
        raise ValueError(f"{where}: '{value}': not a time such as 2026-11-20T10:00:00+00:00")
    at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
    return round(at.timestamp() * 1e6)


def rule_of(given: dict[str, Any], where: str) -> Rule:
    if not isinstance(given, dict) or set(given) - RULE_KEYS or not isinstance(given.get("family"), str):
        raise ValueError(f"{where}: a rule has a family and some of {', '.join(sorted(RULE_KEYS - {'family'}))}")
    src, dst = (str(given.get(key, "")) for key in ("src", "dst"))
    for net in filter(None, (src, dst)):
        ipaddress.ip_network(net)
    port = given.get("dst_port")
    if port is not None and not isinstance(port, int):
        raise ValueError(f"{where}: dst_port '{port}': not one port")
    return Rule(given["family"], src, dst, port, micros(given.get("start"), where), micros(given.get("end"), where))


def entry(given: dict[str, Any], key: str, kind: type[Any], form: str) -> Any:
    """What a capture says of `key`; an empty one if it says nothing."""
    value = given.get(key)
    if value is None:
        return kind()
    parts = value if isinstance(value, list) and key != "rules" else []
    if key == "families" and isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    if not isinstance(value, kind) or not all(isinstance(one, str) for one in parts):
        raise ValueError(f"{given['name']}: {key}: {form} is needed, not {value!r}")
    return value


def capture_of(given: Any, beside: Path) -> Capture:
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(name, str) or not name:
        raise ValueError("a capture needs a name")
    if set(given) - KEYS:
        raise ValueError(f"{name}: {', '.join(sorted(set(given) - KEYS))}: there are only {', '.join(sorted(KEYS))}")
    logs = entry(given, "logs", list, "a list of paths")
    if not logs:
        raise ValueError(f"{name}: logs: a list of paths is needed")
    if given.get("unlabelled", BENIGN) != BENIGN:
        raise ValueError(f"{name}: unlabelled can only be {BENIGN}")
    labels = entry(given, "labels", str, "a path")
    return Capture(name, tuple(beside / log for log in logs), beside / labels if labels else None,
                   given.get("unlabelled"), entry(given, "families", dict, "a table of names"),
                   frozenset(entry(given, "leave_out", list, "a list of names")),
                   entry(given, "group", str, "a name"), entry(given, "settings", dict, "a table"),
                   tuple(rule_of(rule, name) for rule in entry(given, "rules", list, "a list of rules")), beside)


def read_captures(path: Path) -> list[Capture]:
    given = read_yaml(path)
    if not isinstance(given, dict) or not isinstance(given.get("captures"), list) or not given["captures"]:
        raise ValueError(f"{path}: no list 'captures'")
    try:
        found = [capture_of(one, path.parent) for one in given["captures"]]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    twice = [name for name, count in Counter(capture.name for capture in found).items() if count > 1]
    if twice:
        raise ValueError(f"{path}: two captures are named {twice[0]}")
    return found


# ---- Reading


def fits(rule: Rule, table: pa.Table) -> npt.NDArray[np.bool_]:
    found = np.ones(table.num_rows, dtype=bool)
    for key, text in (("src", rule.src), ("dst", rule.dst)):
        if text:
            net = ipaddress.ip_network(text)
            addresses = table.column(key).to_pylist()
            inside = {address: ipaddress.ip_address(address) in net for address in set(addresses)}
            found &= np.fromiter((inside[address] for address in addresses), bool, len(addresses))
    start = starts(table)
    if rule.dst_port is not None:
        found &= table.column("dst_port").to_numpy() == rule.dst_port
    if rule.start_us is not None:
        found &= start >= rule.start_us
    if rule.end_us is not None:
        found &= start <= rule.end_us
    return found


def starts(table: pa.Table) -> npt.NDArray[np.int64]:
    return np.asarray(table.column("start").cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy())


def never_seen(capture: Capture, labels: set[str], classes: set[str]) -> tuple[str, ...]:
    """What the capture says of families that none of its flows has: most likely a slip of the pen."""
    lost = [("families", sorted(set(capture.families) - labels)), ("leave_out", sorted(capture.leave_out - classes))]
    return tuple(f"{capture.name}: {key} names '{name}', which is the family of none of its flows"
                 for key, names in lost for name in names)


@dataclass(frozen=True)
class Classes:
    """The class of each flow, how the labels were joined, and what must be said."""

    found: npt.NDArray[np.object_]
    counts: dict[str, int]
    warnings: tuple[str, ...]


def classes_of(capture: Capture, table: pa.Table) -> Classes:
    ids = table.column("id").to_pylist()
    counts: dict[str, int] = {}
    classes: list[str | None] = [capture.unlabelled] * len(ids)
    if capture.labels is not None:
        joined = join(capture.labels, ids, capture.unlabelled)
        classes = joined.classes
        counts = {"labelled": joined.labelled, "disputed": joined.disputed, "without_flow": joined.without_flow}
    nothing = UNKNOWN if capture.labels is None else LEFT_OUT
    found = np.array([nothing if one is None else capture.families.get(one, one) for one in classes], dtype=object)
    for rule in capture.rules:
        found[fits(rule, table)] = rule.family
    warnings = never_seen(capture, {one for one in classes if one is not None}, set(found.tolist()))
    found[np.isin(found.astype(str), list(capture.leave_out))] = LEFT_OUT
    return Classes(found, counts, warnings)


def counted(classes: npt.NDArray[np.object_]) -> dict[str, int]:
    """Flows by class; who reads it need not know why a flow is in none."""
    return dict(sorted(Counter(LEFT_OUT if one == UNKNOWN else one for one in classes.tolist()).items()))


def read_capture(capture: Capture) -> tuple[Flows, Source]:
    for path in (*capture.logs, *([capture.labels] if capture.labels else [])):
        if not path.is_file():
            raise ValueError(f"{capture.name}: {path}: no such file")
    report = Report()
    table = features.table(capture.logs, capture.settings, report=report)
    if report.unreadable or table.num_rows == 0:
        faults = [f"{log}: {why}" for log, why in report.unreadable.items()] or ["no flow in its logs"]
        raise ValueError(f"{capture.name}: {'; '.join(faults)}")
    classes = classes_of(capture, table)
    start_us = starts(table)
    duration = table.column("duration_us").fill_null(0).to_numpy() if "duration_us" in table.column_names else 0
    names = features.names()
    flows = Flows(names, features.matrix(table, names), np.array(table.column("id").to_pylist(), dtype=object),
                  np.array(table.column("src").to_pylist(), dtype=object), start_us,
                  start_us + np.asarray(duration).astype(np.int64),
                  np.asarray(table.column("score").to_numpy(), dtype=np.float64), classes.found,
                  np.full(table.num_rows, capture.name, dtype=object))
    source = Source(capture, len(flows), int(start_us.min()), int(flows.end_us.max()),
                    counted(classes.found), classes.counts, report, classes.warnings)
    return flows, source


def together(parts: list[Flows]) -> Flows:
    def glued(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    return Flows(parts[0].columns, glued("values"), glued("ids"), glued("hosts"), glued("start_us"), glued("end_us"),
                 glued("own_score"), glued("classes"), glued("captures"))


def read_all(captures: list[Capture]) -> tuple[Flows, list[Source]]:
    read = [read_capture(capture) for capture in captures]
    return together([flows for flows, _ in read]), [source for _, source in read]
