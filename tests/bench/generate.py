#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""generate.py - a day of a large network, made from the lab's few thousand real records.

Each line is a real line of Suricata or of the lab's conn.log with other times, ids, addresses,
ports and counters put in. The same seed gives the same bytes.

    generate.py --mb 500 --eve OUT.json --conn OUT.log    mixed EVE, and a conn.log of as many flows
    generate.py --hosts 10000000 --conn OUT.log           that many sources, one flow each
    generate.py --hosts 100000 --pairs 10 --turns 3 --conn OUT.log    each talks to so many, in turn, so often
"""
import argparse
import base64
import bisect
import csv
import gzip
import ipaddress
import math
import random
import re
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TextIO

DATA = Path(__file__).resolve().parents[2] / "examples" / "data"

# Share of each event type in a busy sensor's EVE log: an assumption. Types that the records lack
# are named on standard error, and the others take their share.
MIX = {"flow": 40, "dns": 28, "tls": 11, "http": 7, "fileinfo": 6, "alert": 3, "ssh": 1}

INTERNAL, EXTERNAL, EXTERNAL_V6 = 20_000, 300_000, 20_000
V6_EACH = 20        # one internal host in so many speaks IPv6
RESOLVERS, SERVERS, HABITS = 4, 400, 8
# One host in each two hours scans for ten minutes; in the lab over a third of the flows are attacks.
ATTACK_EVERY, ATTACK_SECONDS, ATTACK_SHARE = 7200, 600, 0.12
DAY = 1_772_496_000  # 2026-03-03 00:00 UTC, a Tuesday
BATCH = 10_000      # lines between two looks at the clock of the day


# ---- Records of the lab ------------------------------------------------------------------------

def opened(path: Path) -> TextIO:
    return gzip.open(path, "rt") if path.suffix == ".gz" else open(path)


def attack_rows(data: Path, sensor: str) -> list[bool]:
    """For each flow of a log, in its order: is it part of one of the lab's attacks?"""
    path = next((p for p in (data / "truth-flows.csv.gz", data / "truth-flows.csv") if p.exists()), None)
    if path is None:
        sys.exit(f"generate.py: {data}: there is no truth-flows.csv.gz")
    with opened(path) as rows:
        return [row["label"] == "1" for row in csv.DictReader(rows) if row["sensor"] == sensor]


def find(data: Path, name: str) -> Path:
    for path in (data / f"{name}.gz", data / name):
        if path.exists():
            return path
    sys.exit(f"generate.py: {data}: there is no {name}.gz; the lab's records are needed")


class Template:
    """One record with %(name)s in the places that vary, and what scaling its counters needs."""

    def __init__(self, text: str, kind: str, out: tuple[int, int], back: tuple[int, int],
                 seconds: float = 0.0, payload: tuple[int, int] = (0, 0)) -> None:
        self.text, self.kind, self.seconds = text, kind, seconds
        self.out, self.back, self.payload = out, back, payload  # (packets, bytes); payload bytes


def kind_of(dst: str, port: str, attack: bool) -> str:
    """Whom a flow of this kind may be with: see World.ends."""
    if attack:
        return "attack"
    if port == "53":
        return "dns"
    return "inside" if dst.startswith("10.") else "outside"


EVE_FIELDS = [
    (re.compile(r'"timestamp":"[^"]*"'), '"timestamp":"%(now)s"'),
    (re.compile(r'"flow_id":\d+'), '"flow_id":%(id)d'),
    (re.compile(r'"pcap_cnt":\d+'), '"pcap_cnt":%(serial)d'),
    (re.compile(r'"src_ip":"[^"]*"'), '"src_ip":"%(src)s"'),
    (re.compile(r'"src_port":\d+'), '"src_port":%(port)d'),
    (re.compile(r'"dest_ip":"[^"]*"'), '"dest_ip":"%(dst)s"'),
    (re.compile(r'"community_id":"[^"]*"'), '"community_id":"%(community)s"'),
    (re.compile(r'"id":\d+'), '"id":%(short)d'),
    (re.compile(r'("(?:rrname|sni|url|filename)":"[^"\d]*)\d+'), r'\1%(number)d'),
    (re.compile(r'"pkts_toserver":\d+'), '"pkts_toserver":%(packets_out)d'),
    (re.compile(r'"pkts_toclient":\d+'), '"pkts_toclient":%(packets_in)d'),
    (re.compile(r'"bytes_toserver":\d+'), '"bytes_toserver":%(bytes_out)d'),
    (re.compile(r'"bytes_toclient":\d+'), '"bytes_toclient":%(bytes_in)d'),
    (re.compile(r'"start":"[^"]*"'), '"start":"%(start)s"'),
    (re.compile(r'"end":"[^"]*"'), '"end":"%(end)s"'),
    (re.compile(r'"age":\d+'), '"age":%(age)d'),
]


def number(line: str, name: str) -> int:
    found = re.search(rf'"{name}":(\d+)', line)
    return int(found.group(1)) if found else 0


def seconds_of(stamp: str) -> float:
    """Of a Suricata time, from any zero: only differences are asked for."""
    return datetime.fromisoformat(stamp[:26]).timestamp()


def eve_templates(data: Path) -> dict[str, list[Template]]:
    attacks = iter(attack_rows(data, "suricata"))
    found: dict[str, list[Template]] = {}
    with opened(find(data, "eve.json")) as lines:
        for line in lines:
            event = re.search(r'"event_type":"(\w+)"', line).group(1)
            attack = next(attacks) if event == "flow" else False
            if event not in MIX:
                continue
            text = line.replace("%", "%%")
            for pattern, put in EVE_FIELDS:
                text = pattern.sub(put, text)
            seconds = 0.0
            if event == "flow":
                begin, end = (re.search(rf'"{w}":"([^"]*)"', line).group(1) for w in ("start", "end"))
                seconds = seconds_of(end) - seconds_of(begin)
            dst = re.search(r'"dest_ip":"([^"]*)"', line).group(1)
            template = Template(text, kind_of(dst, str(number(line, "dest_port")), attack),
                                (number(line, "pkts_toserver"), number(line, "bytes_toserver")),
                                (number(line, "pkts_toclient"), number(line, "bytes_toclient")), seconds)
            found.setdefault(event, []).append(template)
    return found


CONN_FIELDS = {"ts": "%(start)s", "uid": "C%(id)015x", "id.orig_h": "%(src)s", "id.orig_p": "%(port)d",
               "id.resp_h": "%(dst)s", "orig_pkts": "%(packets_out)d", "resp_pkts": "%(packets_in)d",
               "orig_ip_bytes": "%(bytes_out)d", "resp_ip_bytes": "%(bytes_in)d",
               "orig_bytes": "%(payload_out)d", "resp_bytes": "%(payload_in)d",
               "duration": "%(seconds).6f", "community_id": "%(community)s"}


def conn_template(names: list[str], line: str, attack: bool) -> Template:
    values = dict(zip(names, line.split("\t")))
    icmp = values["proto"] == "icmp"  # its ports are a type and a code
    parts = []
    for name, value in values.items():
        keep = value == "-" or (icmp and name == "id.orig_p")
        parts.append(value.replace("%", "%%") if keep else CONN_FIELDS.get(name, value))

    def count(name: str) -> int:
        return 0 if values[name] == "-" else int(values[name])

    seconds = 0.0 if values["duration"] == "-" else float(values["duration"])
    return Template("\t".join(parts) + "\n", kind_of(values["id.resp_h"], values["id.resp_p"], attack),
                    (count("orig_pkts"), count("orig_ip_bytes")),
                    (count("resp_pkts"), count("resp_ip_bytes")), seconds,
                    (count("orig_bytes"), count("resp_bytes")))


def conn_templates(data: Path) -> tuple[str, list[Template]]:
    """The header, and the templates."""
    attacks = iter(attack_rows(data, "zeek"))
    header, names, found = [], [], []
    with opened(find(data, "conn.log")) as lines:
        for line in lines:
            if line.startswith("#fields"):
                names = line.rstrip("\n").split("\t")[1:]
            if not line.startswith("#"):
                found.append(conn_template(names, line.rstrip("\n"), next(attacks)))
            elif not line.startswith(("#close", "#open")):
                header.append(line)
    return "".join(header), found


# ---- The network -------------------------------------------------------------------------------

def rank(rng: random.Random, count: int) -> int:
    """Log-uniform in 0..count-1: numbers 1-10, 11-100, 101-1000 ... are each met as often."""
    return int((count + 1) ** rng.random()) - 1


PUBLIC = [n for n in range(1, 224) if n not in (10, 100, 127, 169, 172, 192, 198, 203)]


def public_v4(rng: random.Random) -> str:
    low = rng.getrandbits(24)
    return f"{rng.choice(PUBLIC)}.{low >> 16}.{low >> 8 & 255}.{low & 255}"


def v6(prefix: tuple[int, int, int, int], low: int, full: bool) -> str:
    """As Suricata writes it (full), or as Zeek does. `low` is less than 2^32 and not 0."""
    if full:
        return ":".join(f"{group:04x}" for group in (*prefix, 0, 0, low >> 16, low & 0xffff))
    return ipaddress.IPv6Address(sum(group << 112 - 16 * i for i, group in enumerate(prefix)) + low).compressed


class World:
    """Who talks to whom. Internal host i has HABITS external peers of its own besides the popular."""

    def __init__(self, rng: random.Random, full_v6: bool) -> None:
        ours, theirs = (0xfd12, 0x3456, 0x789a, 1), (0xfd12, 0x3456, 0x789a, 2)
        self.rng = rng
        digests = [base64.b64encode(rng.randbytes(20)).decode() for _ in range(4096)]
        self.digests = [(digest[:14], digest[14:]) for digest in digests]
        self.internal = [v6(ours, i + 1, full_v6) if i % V6_EACH == V6_EACH - 1
                         else f"10.20.{i % 80}.{i // 80 + 1}" for i in range(INTERNAL)]
        self.servers = {False: [f"10.30.{i // 250}.{i % 250 + 1}" for i in range(SERVERS)],
                        True: [v6(theirs, i + 1, full_v6) for i in range(SERVERS)]}
        self.external = {False: [public_v4(rng) for _ in range(EXTERNAL)],
                         True: [v6((0x2a00 + i % 16, rng.getrandbits(16), 0, 0), i + 1, full_v6)
                                for i in range(EXTERNAL_V6)]}

    def ends(self, kind: str, now: float) -> tuple[str, str]:
        """Source and destination of a flow of this kind."""
        rng = self.rng
        if kind == "attack":
            low = rng.getrandbits(16)
            attacker = self.internal[1000 + int(now // ATTACK_EVERY) % 12]
            return attacker, f"10.20.{low % 80}.{(low >> 8) % 250 + 1}"
        host = rank(rng, INTERNAL)
        v6 = host % V6_EACH == V6_EACH - 1
        if kind == "dns":
            return self.internal[host], self.servers[v6][host % RESOLVERS]
        if kind == "inside":
            return self.internal[host], self.servers[v6][rank(rng, SERVERS)]
        pool = self.external[v6]
        if rng.random() < 0.5:
            return self.internal[host], pool[(host * 7919 + rank(rng, HABITS) * 104_729) % len(pool)]
        return self.internal[host], pool[rank(rng, len(pool))]


    def community_id(self, bits: int) -> str:
        return f"1:{self.digests[bits & 0xfff][0]}{self.digests[bits >> 12 & 0xfff][1]}"


class Day:
    """Time by how much of the day's traffic has passed: five times as much at 14 h as at 2 h."""

    def __init__(self) -> None:
        self.sums = [0.0]
        for minute in range(1440):
            self.sums.append(self.sums[-1] + 3 - 2 * math.cos((minute / 1440 - 2 / 24) * 2 * math.pi))
        self.stamps: dict[int, str] = {}

    def at(self, progress: float) -> float:
        passed = min(max(progress, 0.0), 0.999999) * self.sums[-1]
        minute = bisect.bisect_right(self.sums, passed) - 1
        share = (passed - self.sums[minute]) / (self.sums[minute + 1] - self.sums[minute])
        return DAY + 60 * (minute + share)

    def eve(self, seconds: float) -> str:
        whole = int(seconds)
        stamp = self.stamps.get(whole)
        if stamp is None:
            stamp = self.stamps[whole] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        return f"{stamp}.{int((seconds - whole) * 1e6):06d}+0000"


def epoch(seconds: float) -> str:
    return f"{seconds:.6f}"


# ---- Lines -------------------------------------------------------------------------------------

def scaled(rng: random.Random, template: Template, values: dict) -> None:
    """One to four times the record's packets, of about the same size."""
    factor = 4.0 ** rng.random()
    for way, (packets, size), payload in (("out", template.out, template.payload[0]),
                                          ("in", template.back, template.payload[1])):
        more = int(packets * factor)
        extra = more * int(24 * rng.random()) if payload > 0 or template.payload == (0, 0) else 0
        values["packets_" + way] = more
        values["bytes_" + way] = size * more // packets + extra if packets > 0 else 0
        values["payload_" + way] = payload * more // packets + extra if packets > 0 else 0


def write_line(out: TextIO, rng: random.Random, world: World, template: Template, now: float,
               stamp: Callable[[float], str]) -> int:
    src, dst = world.ends(template.kind, now)
    bits = rng.getrandbits(64)
    values = {"id": bits >> 13, "serial": bits >> 40, "short": bits & 0xffff, "number": bits >> 47 & 0x3ff,
              "port": 32768 + (bits >> 16) % 28232, "src": src, "dst": dst, "now": stamp(now),
              "community": world.community_id(bits)}
    if template.out[0] > 0:
        scaled(rng, template, values)
        seconds = template.seconds * 2 * rng.random()
        end = now - 30 * rng.random()  # a sensor reports flows once they have been quiet
        values.update(seconds=seconds, start=stamp(end - seconds), end=stamp(end), age=int(seconds))
    elif template.seconds == 0.0 and "%(start)s" in template.text:
        scaled(rng, template, values)
        values.update(seconds=0.0, start=stamp(now), end=stamp(now), age=0)
    return out.write(template.text % values)


class Flows:
    """Which of the lab's flows comes next."""

    def __init__(self, rng: random.Random, templates: list[Template]) -> None:
        self.rng = rng
        self.benign = [t for t in templates if t.kind != "attack"]
        self.attacks = [t for t in templates if t.kind == "attack"]

    def pick(self, now: float) -> Template:
        attack = now % ATTACK_EVERY < ATTACK_SECONDS and self.rng.random() < ATTACK_SHARE
        return self.rng.choice(self.attacks if attack else self.benign)


def write_eve(out: TextIO, data: Path, seed: int, size: int) -> int:
    """Returns the number of flows."""
    rng = random.Random(seed)
    day, world, templates = Day(), World(rng, full_v6=True), eve_templates(data)
    missing = [event for event in MIX if event not in templates]
    if missing:
        print(f"generate.py: the records have no {', '.join(missing)}; the other types take the share",
              file=sys.stderr)
    events = [event for event in MIX if event in templates]
    flow, flows, written = Flows(rng, templates["flow"]), 0, 0
    weights = [MIX[event] for event in events]
    while written < size:
        begin, end = day.at(written / size), day.at((written + BATCH * 520) / size)
        for i, event in enumerate(rng.choices(events, weights, k=BATCH)):
            now = begin + (end - begin) * i / BATCH
            template = flow.pick(now) if event == "flow" else rng.choice(templates[event])
            flows += event == "flow"
            written += write_line(out, rng, world, template, now, day.eve)
            if written >= size:
                break
    return flows


def write_conn(out: TextIO, data: Path, seed: int, flows: int) -> None:
    rng = random.Random(seed)
    day, world = Day(), World(rng, full_v6=False)
    header, templates = conn_templates(data)
    flow = Flows(rng, templates)
    out.write(header)
    for first in range(0, flows, BATCH):
        begin, end = day.at(first / flows), day.at((first + BATCH) / flows)
        for i in range(min(BATCH, flows - first)):
            now = begin + (end - begin) * i / BATCH
            write_line(out, rng, world, flow.pick(now), now, epoch)


# ---- Many sources ------------------------------------------------------------------------------

def write_hosts(out: TextIO, data: Path, seed: int, hosts: int, eve: bool) -> None:
    """One flow from each of `hosts` different addresses of 10.0.0.0/8, within one day."""
    if hosts > 1 << 24:
        sys.exit(f"generate.py: --hosts {hosts}: at most {1 << 24}")
    rng = random.Random(seed)
    header, templates = ("", eve_templates(data)["flow"]) if eve else conn_templates(data)
    out.write(header)
    day = Day()
    texts = [t.text % {"id": 0, "src": "\0", "dst": "\1", "port": 40000, "start": "\2", "end": "\2",
                       "now": "\2", "community": "1:", "seconds": t.seconds, "age": int(t.seconds),
                       "packets_out": t.out[0], "packets_in": t.back[0], "bytes_out": t.out[1],
                       "bytes_in": t.back[1], "payload_out": t.payload[0], "payload_in": t.payload[1]}
             for t in templates if t.kind in ("dns", "outside")]
    # The source is odd * i mod 2^24, which meets each address once.
    shapes = [t.replace("%", "%%").replace("\0", "10.%(a)d.%(b)d.%(c)d").replace("\1", "%(peer)s")
              .replace("\2", "%(now)s") for t in texts]
    peers = [public_v4(rng) for _ in range(65_536)]
    stamp = day.eve if eve else epoch
    values: dict = {}
    for i in range(hosts):
        if i % 64 == 0:
            values["now"] = stamp(DAY + 86_400 * i / hosts)
        source = i * 0x9E3779 & 0xffffff
        values["a"], values["b"], values["c"] = source >> 16, source >> 8 & 255, source & 255
        values["peer"] = peers[source * 31 & 0xffff]
        out.write(shapes[i % len(shapes)] % values)


def write_pairs(out: TextIO, data: Path, seed: int, hosts: int, pairs: int, turns: int) -> None:
    """Each of `hosts` sources has `pairs` destinations; all pairs take turns, within one day."""
    rng = random.Random(seed)
    header, templates = conn_templates(data)
    out.write(header)
    day, flows = Day(), hosts * pairs * turns
    shapes = [(t.text % {"id": 0, "src": "\0", "dst": "\1", "port": 40000, "start": "\2", "community": "1:",
                         "seconds": t.seconds, "packets_out": t.out[0], "packets_in": t.back[0], "bytes_out": t.out[1],
                         "bytes_in": t.back[1], "payload_out": t.payload[0], "payload_in": t.payload[1]})
              .replace("%", "%%").replace("\0", "%(src)s").replace("\1", "%(dst)s").replace("\2", "%(now)s")
              for t in templates if t.kind == "outside"]
    sources = [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(hosts)]
    peers = [public_v4(rng) for _ in range(65_536)]
    values: dict = {}
    for i in range(flows):
        if i % 64 == 0:
            values["now"] = epoch(DAY + 86_400 * i / flows)
        host, pair = i % hosts, i // hosts % pairs
        values["src"], values["dst"] = sources[host], peers[host * 31 + pair * 8191 & 0xffff]
        out.write(shapes[(host + pair) % len(shapes)] % values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="records to start from (examples/data)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mb", type=float, default=500, help="size of the EVE log, in 10^6 bytes")
    parser.add_argument("--flows", type=int, help="of the conn.log, if no EVE log is written with it")
    parser.add_argument("--hosts", type=int, help="write this many sources instead")
    parser.add_argument("--pairs", type=int, help="of each of these sources, with --conn")
    parser.add_argument("--turns", type=int, default=1, help="flows of each pair")
    parser.add_argument("--eve", help="EVE log to write; - is standard output")
    parser.add_argument("--conn", help="conn.log to write")
    args = parser.parse_args()

    def create(path: str) -> TextIO:
        return open(1 if path == "-" else path, "w", buffering=1 << 20, encoding="utf-8", newline="\n")

    flows = args.flows or int(args.mb * 1e6 / 1300)
    if args.eve:
        with create(args.eve) as out:
            if args.hosts:
                write_hosts(out, args.data, args.seed, args.hosts, eve=True)
            else:
                flows = write_eve(out, args.data, args.seed, int(args.mb * 1e6))
    if args.conn:
        with create(args.conn) as out:
            if args.hosts and args.pairs:
                write_pairs(out, args.data, args.seed, args.hosts, args.pairs, args.turns)
            elif args.hosts:
                write_hosts(out, args.data, args.seed, args.hosts, eve=False)
            else:
                write_conn(out, args.data, args.seed, flows)


if __name__ == "__main__":
    main()
