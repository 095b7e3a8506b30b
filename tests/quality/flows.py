# SPDX-License-Identifier: MIT
"""Labelled flows: a log of Suricata's EVE and, for each flow, what its set's owners say it is."""

from __future__ import annotations

import csv
import ipaddress
import json
from dataclasses import dataclass, replace
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


def origin_of(name: str, row: dict[str, str]) -> str:
    """mix-day is composed of other sets: 'detail' names the one of each flow."""
    return row["detail"] if name == "mix-day" else name


def set_flows(name: str) -> list[Flow]:
    return [from_eve(record, int(row["label"]), row["family"], origin_of(name, row))
            for record, row in set_records(name)]


def zeek_flows(path: Path) -> list[Flow]:
    """Of a conn.log with a header, without labels."""
    names, found = [], []
    for line in runs.text_of(path).decode().splitlines():
        values = line.split("\t")
        if values[0] == "#fields":
            names = values[1:]
        if not line.startswith("#"):
            row = dict(zip(names, values))
            start, lasted = float(row["ts"]), 0.0 if row["duration"] == "-" else float(row["duration"])
            found.append(Flow(row["uid"], start, start + lasted, same_address(row["id.orig_h"]),
                              same_address(row["id.resp_h"]), int(row["id.resp_p"]),
                              int(row["orig_ip_bytes"].replace("-", "0")), UNKNOWN, "", ""))
    return found


FORWARDED = "_forwarded"  # what another host made of an attack belongs to it: queries that a resolver passes on


def lab_flows(folder: Path, log: str = "eve.json.gz") -> tuple[list[str], list[Flow]]:
    """Of the lab's recording: ids of what comes before any attack, and the flows after that; the family is the kind."""
    sensor = "suricata" if log.startswith("eve") else "zeek"
    rows = csv.DictReader(runs.text_of(folder / "truth-flows.csv.gz").decode().splitlines())
    row_of = {row["uid-or-flow_id"]: row for row in rows if row["sensor"] == sensor}
    if sensor == "zeek":
        all_flows = zeek_flows(folder / log)
    else:
        all_flows = [from_eve(record, UNKNOWN, "", "") for record in records_of(folder / log)]
    learned, found = [], []
    for flow in all_flows:
        row = row_of.get(flow.id)
        if row is None or row["part"] == "learn":
            learned.append(flow.id)
        else:
            kind = row["kind"].removesuffix(FORWARDED)
            found.append(replace(flow, label=int(row["label"]), family=kind, origin="lab"))
    return learned, found
