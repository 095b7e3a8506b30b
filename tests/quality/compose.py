#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Days composed of the development sets: a network of benign hosts, a past, and attacks put in at known times.

usage: compose.py OUT_DIR      writes learn.json and DAY.json (EVE) and DAY.csv (labels)

All is fixed: the same sets give the same bytes. Each set keeps its own hosts (10.k.0.0/16 for the k-th, IPv6 link-local
addresses likewise), its order and its pace; only days and hours move. A flow is logged when it ends. Addresses
on the Internet stay as they are, so captures may share them, as networks do.
"""

from __future__ import annotations

import csv
import ipaddress
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import flows
import runs
from flows import Flow

DAY_S = 86400
LAB = runs.ROOT / "examples" / "data"
LAB_BENIGN = LAB / "benign-long-eve.json.gz"
NAME_LOGS = ("dns.log.gz", "ssl.log.gz", "http.log.gz")
BEGIN = 1700006400.0  # 2023-11-15 00:00 UTC, the day of mix-day; the learning day is the one before

# Hosts that a capture watched although their addresses are public, and attackers of an emulation with private ones.
WATCHED = {"147.32.81.167", "147.32.83.165", "147.32.80.37"}
OUTSIDE = {"192.168.0.4": "203.0.113.4", "192.168.0.5": "203.0.113.5"}


@dataclass(frozen=True)
class Part:
    """What of a set goes in, and when its first flow ends."""

    name: str
    hour: float
    keep: str = "all"  # benign: without what is malicious or unknown; top: the attacker with most flows alone


BACKGROUND = (Part("sme11-ubuntu-0220-benign", 0), Part("ctu50-normal40-d1", 0, "benign"),
              Part("ctu50-normal43-d1", 0, "benign"), Part("iot23-honeypots-benign", 0), Part("p2p-normal7-benign", 14))
OFFICES = (Part("m57-unlabelled", 0), Part("rita-proxy-unlabelled", 8))
ATTACKS = (Part("ctu50-normal40-d1", 0, "top"), Part("ctu50-normal43-d1", 0, "top"), Part("iot23-34-1-mirai", 0),
           Part("sme11-win7-remcos", 3), Part("nmap-lan-scans", 5), Part("mirai-test7-suricata", 7),
           Part("beacon-cc1-suricata", 9), Part("beacon-cc2-suricata", 11), Part("beacon-win1-binetflow", 13),
           Part("apt29-day2-zeek", 16))


@dataclass
class Day:
    """A log to be judged, what came before it, and the truth."""

    name: str
    learn: list[Path]
    log: Path
    flows: list[Flow]  # of the log, not of what came before
    begin: float
    truth: Path | None = None  # the lab's list of its attacks
    learned: list[str] = field(default_factory=list)  # flows of the log itself that came before

    def hosts(self) -> int:
        """Hosts of the network itself that began a flow."""
        return len({flow.src for flow in self.flows if flows.is_own(flow.src)})

    def days(self) -> float:
        """At least one: a short capture gives no daily rate."""
        return max((max(flow.end for flow in self.flows) - self.begin) / DAY_S, 1.0)


class Mover:
    """Gives each set addresses of its own."""

    def __init__(self) -> None:
        self.sets: dict[str, int] = {}
        self.nets: dict[str, dict[str, int]] = {}
        self.moved = lru_cache(maxsize=None)(self.move)

    def move(self, address: str, name: str) -> str:
        number = self.sets.setdefault(name, len(self.sets) + 1)
        if address in OUTSIDE and name.startswith("apt29"):
            return OUTSIDE[address]
        if address not in WATCHED and not flows.is_own(address):
            return address
        if ":" in address:
            return str(ipaddress.ip_address(int(ipaddress.ip_address(address)) ^ (number << 64)))
        net, host = address.rsplit(".", 1)
        nets = self.nets.setdefault(name, {})
        return f"10.{number}.{nets.setdefault(net, len(nets)) % 256}.{host}"


def busiest_day(records: list) -> list:
    """Of a capture that is longer than a day: the 24 hours, counted from its begin, with most flows."""
    ends = [flows.seconds(record["flow"]["end"]) for record, _ in records]
    first = min(ends)
    if max(ends) - first < 1.5 * DAY_S:
        return records
    day, _ = Counter((end - first) // DAY_S for end in ends).most_common(1)[0]
    return [pair for pair, end in zip(records, ends) if (end - first) // DAY_S == day]


def kept(records: list, keep: str) -> list:
    if keep == "benign":
        return [(record, row) for record, row in records if row["label"] == "0"]
    if keep == "top":
        attacks = [(record, row) for record, row in records if row["label"] == "1"]
        top, _ = Counter(record["src_ip"] for record, _ in attacks).most_common(1)[0]
        return [(record, row) for record, row in attacks if record["src_ip"] == top]
    return records


def put(part: Part, begin: float, mover: Mover) -> list[tuple[dict, Flow]]:
    """The part's records, moved; what would end after the day is left out."""
    records = busiest_day(flows.set_records(part.name))
    shift = begin + part.hour * 3600 - min(flows.seconds(record["flow"]["end"]) for record, _ in records)
    out = []
    for record, row in kept(records, part.keep):
        times = record["flow"]
        start, end = flows.seconds(times["start"]) + shift, flows.seconds(times["end"]) + shift
        if end >= begin + DAY_S:
            continue
        times["start"], times["end"] = flows.eve_time(start), flows.eve_time(end)
        record["timestamp"] = times["end"]
        for key in ("src_ip", "dest_ip"):
            record[key] = mover.moved(flows.same_address(record[key]), part.name)
        record.pop("community_id", None)  # of the old addresses
        out.append((record, flows.from_eve(record, int(row["label"]), row["family"], part.name)))
    return out


def write(parts: tuple[Part, ...], begin: float, mover: Mover, path: Path, first_id: int) -> list[Flow]:
    """In order of ends; flow ids are made anew from first_id on, so that no two of all days are the same."""
    found = [pair for part in parts for pair in put(part, begin, mover)]
    found.sort(key=lambda pair: (pair[1].end, pair[1].start, pair[1].origin, pair[1].id))
    out = []
    with open(path, "w", encoding="ascii") as log:
        for n, (record, flow) in enumerate(found, first_id):
            record["flow_id"] = n
            log.write(json.dumps(record, separators=(",", ":")) + "\n")
            out.append(Flow(str(n), *list(vars(flow).values())[1:]))
    return out


def mix_day(learn: list[Path]) -> Day:
    """Composed by others: short episodes by benign hosts."""
    return Day("mix-day", learn, runs.DEV / "mix-day" / "mix-day.eve.json.gz", flows.set_flows("mix-day"), BEGIN)


def lab_past(path: Path, begin: float) -> Path:
    """The lab's recording without attacks, moved so that it ends a minute before."""
    records = flows.records_of(LAB_BENIGN)
    shift = begin - 60 - max(flows.seconds(record["flow"]["end"]) for record in records)
    with open(path, "w", encoding="ascii") as log:
        for record in records:
            for times, key in ((record, "timestamp"), (record["flow"], "start"), (record["flow"], "end")):
                times[key] = flows.eve_time(flows.seconds(times[key]) + shift)
            log.write(json.dumps(record, separators=(",", ":")) + "\n")
    return path


def lab_days(folder: Path) -> list[Day]:
    """The lab's two recordings: one with attacks, which the one without comes before; and that one alone."""
    attacked = lab_day()
    if not LAB_BENIGN.exists():
        return [attacked]
    benign = [flows.from_eve(record, flows.BENIGN, "", "lab") for record in flows.records_of(LAB_BENIGN)]
    first = min(flows.seconds(record["flow"]["start"]) for record in flows.records_of(attacked.log))
    attacked.learn = [lab_past(folder / "learn-lab.json", first)]
    return [attacked, Day("lab-benign", [], LAB_BENIGN, benign, min(flow.start for flow in benign))]


def lab_day(log: str = "eve.json.gz") -> Day:
    """The lab's own recording, some minutes; its first part has no attack. Names are in EVE itself; Zeek has logs
    of its own for them, which are read before."""
    learned, found = flows.lab_flows(LAB, log)
    beside = [] if log.startswith("eve") else [LAB / name for name in NAME_LOGS if (LAB / name).exists()]
    return Day("lab", beside, LAB / log, found, min(flow.start for flow in found), LAB / "truth.csv", learned)


def compose(folder: Path) -> list[Day]:
    """A benign day, the same day with all attacks, a day of offices nobody has labelled, and mix-day; each after
    a learning day of other captures."""
    mover = Mover()
    offices, benign = folder / "learn-offices.json", folder / "learn-benign.json"
    write(OFFICES, BEGIN - DAY_S, mover, offices, 10_000_000)
    write(BACKGROUND, BEGIN - DAY_S, mover, benign, 20_000_000)
    days = []
    for n, (name, learn, parts) in enumerate((("benign-day", offices, BACKGROUND),
                                              ("attack-day", offices, BACKGROUND + ATTACKS),
                                              ("office-day", benign, OFFICES)), 3):
        log = folder / f"{name}.json"
        days.append(Day(name, [learn], log, write(parts, BEGIN, mover, log, n * 10_000_000), BEGIN))
    days.append(mix_day([offices]))
    return days


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not runs.DEV.is_dir():
        print(f"skipped: no development sets in {runs.DEV}")
        sys.exit(runs.SKIPPED)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for day in compose(folder):
        with open(folder / f"{day.name}.csv", "w", encoding="ascii", newline="") as text:
            table = csv.writer(text)
            table.writerow(["flow_id", "start", "label", "family", "origin"])
            table.writerows([flow.id, f"{flow.start:.6f}", flow.label, flow.family, flow.origin] for flow in day.flows)
        print(f"{day.name}: {len(day.flows)} flows of {day.hosts()} own hosts")


if __name__ == "__main__":
    main()
