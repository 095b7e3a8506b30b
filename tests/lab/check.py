#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check.py - does a recording of the lab hold what it promises? One line per check.

check.py OUT_DIR
"""

from __future__ import annotations

import collections
import csv
import json
import sys
from pathlib import Path

from label import Episode, Flow, read_conn, read_eve, read_truth, read_tsv

# The sensors split flows differently (SYN retries, idle times) and only conn.log has a row for an
# ICMP error, so they agree within a band.
TOTAL_BAND = 0.15
KIND_BAND = 0.10
KINDS = ("scan", "password_guessing", "beacon", "upload", "flood", "lateral", "dns_tunnel",
         "dns_tunnel_forwarded", "long_connection")  # fmt: skip
FORWARDED = "dns_tunnel_forwarded"  # follows from dns_tunnel; not an attack that was planned
LEARN_AT_LEAST = 300  # flows; for a recording of the default length
DEFAULT_S = 600
# Of each episode, in flows, where less would not be what the kind is called; at any length.
AT_LEAST = {"flood": 150, "dns_tunnel": 40, "scan": 500, "password_guessing": 5}
HELD_SHARE = 0.95  # of the long connection's episode

Recording = dict[str, list[Flow]]  # by sensor


class Checks:
    def __init__(self) -> None:
        self.passed = self.failed = 0

    def that(self, ok: bool, text: str) -> None:
        print(f"{'ok  ' if ok else 'FAIL'} {text}")
        self.passed += ok
        self.failed += not ok


def apart(a: int, b: int) -> float:
    return abs(a - b) / max(a, b, 1)


def read_recording(folder: Path) -> Recording:
    return {
        "suricata": list(read_eve(folder / "eve.json")),
        "zeek": list(read_conn(folder / "conn.log")),
    }


def check_labels(checks: Checks, out: Path, flows: Recording, kinds: tuple[str, ...]) -> None:
    """Every flow has its label row, and both sensors tell of about as many flows of each kind."""
    found: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    ids: dict[str, list[str]] = collections.defaultdict(list)
    with open(out / "truth-flows.csv", newline="") as f:
        for row in csv.DictReader(f):
            found[row["sensor"]][row["kind"]] += 1
            ids[row["sensor"]].append(row["uid-or-flow_id"])
    for sensor, rows in flows.items():
        checks.that(
            ids[sensor] == [flow.id for flow in rows],
            f"truth-flows.csv: one row per flow of {sensor} ({len(rows)})",
        )
    for kind in ("benign", *kinds):
        s, z = found["suricata"][kind], found["zeek"][kind]
        band = TOTAL_BAND if kind == "benign" else KIND_BAND
        close = apart(s, z) <= band or abs(s - z) <= 2
        checks.that(
            s > 0 and z > 0 and close,
            f"{kind}: {s} flows in eve.json, {z} in conn.log (within {band:.0%})",
        )
    others = set(found["suricata"]) | set(found["zeek"])
    others -= {"benign", *kinds}
    checks.that(not others, f"no other kind than these: {sorted(others)}")


def check_total(checks: Checks, flows: Recording) -> None:
    s, z = len(flows["suricata"]), len(flows["zeek"])
    checks.that(
        apart(s, z) <= TOTAL_BAND,
        f"flows in all: {s} in eve.json, {z} in conn.log (within {TOTAL_BAND:.0%})",
    )


def check_episodes(checks: Checks, flows: Recording, episodes: list[Episode], planned: int) -> None:
    """Each attack was made, is in the recording, and is as much of one as its name says."""
    made = [e for e in episodes if e.kind != FORWARDED]
    checks.that(len(made) == planned, f"{len(made)} of {planned} planned attacks happened")
    for e in episodes:
        of = {sensor: [flow for flow in found if e.has(flow)] for sensor, found in flows.items()}
        counts = f"{len(of['suricata'])} flows in eve.json, {len(of['zeek'])} in conn.log"
        least = AT_LEAST.get(e.kind, 1)
        enough = all(len(found) >= least for found in of.values())
        where = f"{e.src} -> {';'.join(map(str, e.dst))}".replace("/32", "")
        checks.that(enough, f"episode {e.kind} {where}: {counts} (>= {least})")
        for sensor, found in of.items():
            if e.kind == "lateral":
                hosts = len({flow.dst for flow in found})
                checks.that(
                    hosts == len(e.dst), f"lateral in {sensor}: {hosts} of {len(e.dst)} hosts"
                )
            if e.kind == "long_connection":
                held = max((flow.end - flow.start for flow in found), default=0.0)
                whole = e.end - e.start
                checks.that(
                    held >= HELD_SHARE * whole,
                    f"long connection in {sensor}: held {held:.0f} s of {whole:.0f} s",
                )


def check_benign(
    checks: Checks, out: Path, episodes: list[Episode], learn_end: float, full: bool
) -> None:
    """The learning part is long enough, ends before the first attack, and agrees as well."""
    flows = read_recording(out / "benign")
    eve, conn = flows["suricata"], flows["zeek"]
    least = LEARN_AT_LEAST if full else 1
    checks.that(
        min(len(eve), len(conn)) >= least and apart(len(eve), len(conn)) <= TOTAL_BAND,
        f"benign part: {len(eve)} flows in eve.json, {len(conn)} in conn.log (>= {least})",
    )
    attacked = [flow for flow in eve + conn if any(e.has(flow) for e in episodes)]
    checks.that(not attacked, f"benign part: {len(attacked)} flows of an attack")
    first = min(e.start for e in episodes)
    checks.that(first >= learn_end, f"first attack {first - learn_end:.1f} s after the benign part")


def check_zeek_logs(checks: Checks, folder: Path) -> None:
    """dns.log, ssl.log, http.log: a row for each event of Suricata's, with a uid of conn.log."""
    told: collections.Counter[str] = collections.Counter()
    with open(folder / "eve.json") as f:
        for line in f:
            r = json.loads(line)
            told[r["event_type"]] += r["event_type"] != "dns" or r["dns"]["type"] == "query"
    uids = {r["uid"] for r in read_tsv(folder / "conn.log")}
    for event, name in (("dns", "dns.log"), ("tls", "ssl.log"), ("http", "http.log")):
        rows = list(read_tsv(folder / name))
        known = sum(r["uid"] in uids for r in rows)
        counts = f"{len(rows)} rows of {told[event]} events, {known} with a uid of conn.log"
        checks.that(len(rows) == told[event] == known, f"{folder.name}/{name}: {counts}")


def check_beats(checks: Checks, flows: Recording, beacon: Episode) -> None:
    """The call-home has its beats, no more than 5 s + 30 % and a second of work apart."""
    for sensor, found in flows.items():
        starts = sorted(flow.start for flow in found if beacon.has(flow))
        gaps = [b - a for a, b in zip(starts, starts[1:], strict=False)]
        expected = (beacon.end - beacon.start) / 5.5
        ok = len(starts) >= expected and bool(gaps) and min(gaps) >= 3.4 and max(gaps) <= 8.5
        spread = f"{min(gaps):.1f}-{max(gaps):.1f} s apart" if gaps else "no gaps"
        checks.that(ok, f"beacon in {sensor}: {len(starts)} beats (>= {expected:.0f}), {spread}")


def main() -> int:
    out = Path(sys.argv[1])
    checks = Checks()
    moments = json.loads((out / "schedule.json").read_text())
    flows, episodes = read_recording(out), read_truth(out / "truth.csv")
    attacked = moments["attacks_planned"] > 0
    check_total(checks, flows)
    check_labels(checks, out, flows, KINDS if attacked else ())
    check_episodes(checks, flows, episodes, moments["attacks_planned"])
    check_zeek_logs(checks, out)
    if attacked:
        full = moments["end"] - moments["start"] >= DEFAULT_S
        check_benign(checks, out, episodes, moments["learn_end"], full)
        check_zeek_logs(checks, out / "benign")
        for beacon in (e for e in episodes if e.kind == "beacon"):
            check_beats(checks, flows, beacon)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
