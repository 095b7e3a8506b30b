# SPDX-License-Identifier: MIT
"""Labelled flows: a log of Suricata's EVE and, for each flow, what its set's owners say it is."""

from __future__ import annotations

import csv
import ipaddress
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path

import runs

BENIGN, MALICIOUS, UNKNOWN = 0, 1, -1
OWN = [ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                             "169.254.0.0/16", "fc00::/7", "fe80::/10")]


@dataclass(frozen=True)
class Flow:
    id: str
    start: float  # seconds since 1970
    end: float
    src: str
    dst: str
    port: int  # of the destination
    bytes_out: int
    label: int
    family: str
    origin: str  # the set it comes from


def seconds(text: str) -> float:
    """Of EVE's 2023-11-15T00:04:38.737181+0000."""
    return datetime.fromisoformat(f"{text[:-2]}:{text[-2:]}").timestamp()


def eve_time(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")


@lru_cache(maxsize=None)
def same_address(address: str) -> str:
    """As eddy writes it: sensors differ in how they shorten IPv6."""
    return str(ipaddress.ip_address(address))


@lru_cache(maxsize=None)
def is_own(address: str) -> bool:
    """A host of the network itself, by eddy's initial nets.local."""
    ip = ipaddress.ip_address(address)
    return any(ip.version == net.version and ip in net for net in OWN)


def from_eve(record: dict, label: int, family: str, origin: str) -> Flow:
    counts = record["flow"]
    return Flow(str(record["flow_id"]), seconds(counts["start"]), seconds(counts["end"]),
                same_address(record["src_ip"]), same_address(record["dest_ip"]), record.get("dest_port", 0),
                counts["bytes_toserver"], label, family, origin)


def records_of(path: Path) -> list[dict]:
    """The flow records of an EVE log."""
    found = (json.loads(line) for line in runs.text_of(path).splitlines())
    return [record for record in found if record["event_type"] == "flow"]


def set_records(name: str) -> list[tuple[dict, dict[str, str]]]:
    """Records of a development set with their rows of labels, in the order of the log."""
    row_of = {row["flow_id"]: row for row in runs.labels_of(name)}
    return [(record, row_of[str(record["flow_id"])]) for record in records_of(runs.DEV / name / f"{name}.eve.json.gz")]


def set_flows(name: str) -> list[Flow]:
    return [from_eve(record, int(row["label"]), row["family"], name) for record, row in set_records(name)]


def lab_flows(folder: Path, log: str = "eve.json.gz") -> list[Flow]:
    """Of the lab's recording: the family is the kind of attack."""
    rows = csv.DictReader(runs.text_of(folder / "truth-flows.csv.gz").decode().splitlines())
    row_of = {row["uid-or-flow_id"]: row for row in rows if row["sensor"] == "suricata"}
    found = []
    for record in records_of(folder / log):
        row = row_of.get(str(record["flow_id"]), {"label": "-1", "kind": ""})
        found.append(from_eve(record, int(row["label"]), row["kind"], "lab"))
    return found
