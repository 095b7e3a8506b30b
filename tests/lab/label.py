#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""label.py - say for each flow of both sensors whether it belongs to an attack.

    label.py OUT_DIR > truth-flows.csv

The label comes from truth.csv alone (source, destination, port, time, and where a row has one the
domain that the flow asks for): what the sensors think of a flow plays no part. Columns: id (row
number in its sensor's output), uid-or-flow_id, sensor, label (1 attack, 0 benign), kind, part
(learn: before the first attack, test: the rest).
"""

from __future__ import annotations

import collections
import csv
import ipaddress
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# A sensor's clock is the capture's; the schedule is written by another process on the same machine.
SLACK_S = 2.0

Names = dict[str, set[str]]  # by id of the flow: the names that it asks for


@dataclass
class Flow:
    id: str
    start: float
    end: float
    src: str
    sport: int
    dst: str
    dport: int
    names: set[str]


@dataclass
class Episode:
    kind: str
    src: ipaddress.IPv4Network
    dst: list[ipaddress.IPv4Network]
    ports: list[range]
    start: float
    end: float
    name: str

    def _between(self, src: str, dst: str, port: int) -> bool:
        a, b = ipaddress.ip_address(src), ipaddress.ip_address(dst)
        there = any(b in network for network in self.dst)
        return a in self.src and there and any(port in ports for ports in self.ports)

    def has(self, flow: Flow) -> bool:
        """A sensor that missed the first packet may show the flow backwards: both ways count."""
        if not self.start - SLACK_S <= flow.start <= self.end + SLACK_S:
            return False
        if self.name and not any(asked.endswith("." + self.name) for asked in flow.names):
            return False
        forward = self._between(flow.src, flow.dst, flow.dport)
        return forward or self._between(flow.dst, flow.src, flow.sport)


def read_truth(path: Path) -> list[Episode]:
    episodes = []
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            bounds = [part.split("-") for part in row["dst_port"].split(";")]
            ports = [range(int(b[0]), int(b[-1]) + 1) for b in bounds]
            src = ipaddress.IPv4Network(row["src"])
            dst = [ipaddress.IPv4Network(network) for network in row["dst"].split(";")]
            start, end = float(row["start"]), float(row["end"])
            episodes.append(Episode(row["kind"], src, dst, ports, start, end, row["name"]))
    return episodes


def seconds(stamp: str) -> float:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def read_eve(path: Path) -> Iterator[Flow]:
    names: Names = collections.defaultdict(set)
    flows = []
    with open(path) as f:
        for line in f:
            r = json.loads(line)
            if r["event_type"] == "dns":
                names[str(r["flow_id"])].add(r["dns"].get("rrname", "").lower())
            elif r["event_type"] == "flow":
                flows.append(r)
    for r in flows:
        number, times = str(r["flow_id"]), r["flow"]
        ports = r.get("src_port", 0), r.get("dest_port", 0)
        yield Flow(number, seconds(times["start"]), seconds(times["end"]), r["src_ip"], ports[0],
                   r["dest_ip"], ports[1], names[number])  # fmt: skip


def read_tsv(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a log in Zeek's format, by the names in its header."""
    names: list[str] = []
    with open(path) as f:
        for line in f:
            values = line.rstrip("\n").split("\t")
            if values[0] == "#fields":
                names = values[1:]
            if not line.startswith("#"):
                yield dict(zip(names, values, strict=True))


def read_conn(path: Path) -> Iterator[Flow]:
    """conn.log, with the names of the dns.log beside it."""
    names: Names = collections.defaultdict(set)
    for r in read_tsv(path.with_name("dns.log")):
        names[r["uid"]].add(r["query"].lower())
    for r in read_tsv(path):
        start, lasted = float(r["ts"]), 0.0 if r["duration"] == "-" else float(r["duration"])
        ports = int(r["id.orig_p"]), int(r["id.resp_p"])
        yield Flow(r["uid"], start, start + lasted, r["id.orig_h"], ports[0],
                   r["id.resp_h"], ports[1], names[r["uid"]])  # fmt: skip


def main() -> int:
    out = Path(sys.argv[1])
    episodes = read_truth(out / "truth.csv")
    learn_end = json.loads((out / "schedule.json").read_text())["learn_end"]
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["id", "uid-or-flow_id", "sensor", "label", "kind", "part"])
    sensors = {"suricata": read_eve(out / "eve.json"), "zeek": read_conn(out / "conn.log")}
    for sensor, flows in sensors.items():
        for number, flow in enumerate(flows, 1):
            kind = next((e.kind for e in episodes if e.has(flow)), "benign")
            part = "learn" if flow.start < learn_end else "test"
            rows.writerow([number, flow.id, sensor, int(kind != "benign"), kind, part])
    return 0


if __name__ == "__main__":
    sys.exit(main())
