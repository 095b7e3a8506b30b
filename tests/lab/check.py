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

from label import Flow, read_conn, read_eve, read_truth

# The sensors split flows differently (SYN retries, idle times) and only conn.log has a row for an
# ICMP error, so they agree within a band.
TOTAL_BAND = 0.15
KIND_BAND = 0.10
KINDS = ("scan", "password_guessing", "beacon", "upload")
LEARN_AT_LEAST = 300  # flows; for a recording of the default length
DEFAULT_S = 540


class Checks:
    def __init__(self) -> None:
        self.passed = self.failed = 0

    def that(self, ok: bool, text: str) -> None:
        print(f"{'ok  ' if ok else 'FAIL'} {text}")
        self.passed += ok
        self.failed += not ok


def apart(a: int, b: int) -> float:
    return abs(a - b) / max(a, b, 1)


def check_labels(checks: Checks, out: Path, flows: dict[str, list[Flow]]) -> None:
    """Every flow has its label row, and both sensors tell of about as many flows of each kind."""
    kinds: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    ids: dict[str, list[str]] = collections.defaultdict(list)
    with open(out / "truth-flows.csv", newline="") as f:
        for row in csv.DictReader(f):
            kinds[row["sensor"]][row["kind"]] += 1
            ids[row["sensor"]].append(row["uid-or-flow_id"])
    for sensor, found in flows.items():
        checks.that(
            ids[sensor] == [flow.id for flow in found],
            f"truth-flows.csv: one row per flow of {sensor} ({len(found)})",
        )
    for kind in ("benign", *KINDS):
        s, z = kinds["suricata"][kind], kinds["zeek"][kind]
        band = TOTAL_BAND if kind == "benign" else KIND_BAND
        close = apart(s, z) <= band or abs(s - z) <= 2
        checks.that(
            s > 0 and z > 0 and close,
            f"{kind}: {s} flows in eve.json, {z} in conn.log (within {band:.0%})",
        )


def check_recording(checks: Checks, out: Path) -> None:
    flows = {
        "suricata": list(read_eve(out / "eve.json")),
        "zeek": list(read_conn(out / "conn.log")),
    }
    s, z = len(flows["suricata"]), len(flows["zeek"])
    checks.that(
        apart(s, z) <= TOTAL_BAND,
        f"flows in all: {s} in eve.json, {z} in conn.log (within {TOTAL_BAND:.0%})",
    )
    for episode in read_truth(out / "truth.csv"):
        n = {sensor: sum(map(episode.has, found)) for sensor, found in flows.items()}
        checks.that(
            min(n.values()) > 0,
            f"episode {episode.kind} {episode.src} -> {episode.dst}: "
            f"{n['suricata']} flows in eve.json, {n['zeek']} in conn.log",
        )
    check_labels(checks, out, flows)


def check_benign(checks: Checks, out: Path) -> None:
    """The learning part is long enough, ends before the first attack, and agrees as well."""
    episodes = read_truth(out / "truth.csv")
    moments = json.loads((out / "schedule.json").read_text())
    eve = list(read_eve(out / "benign/eve.json"))
    conn = list(read_conn(out / "benign/conn.log"))
    full = moments["end"] - moments["start"] >= DEFAULT_S
    least = LEARN_AT_LEAST if full else 1
    checks.that(
        min(len(eve), len(conn)) >= least and apart(len(eve), len(conn)) <= TOTAL_BAND,
        f"benign part: {len(eve)} flows in eve.json, {len(conn)} in conn.log (>= {least})",
    )
    attacked = [flow for flow in eve + conn if any(e.has(flow) for e in episodes)]
    checks.that(not attacked, f"benign part: {len(attacked)} flows of an attack")
    first = min(e.start for e in episodes)
    checks.that(
        first >= moments["learn_end"],
        f"first attack {first - moments['learn_end']:.1f} s after the benign part",
    )


def check_beats(checks: Checks, out: Path) -> None:
    """The call-home has its beats, no more than 5 s + 30 % and a second of work apart."""
    beacon = next(e for e in read_truth(out / "truth.csv") if e.kind == "beacon")
    for name, flows in (
        ("eve.json", read_eve(out / "eve.json")),
        ("conn.log", read_conn(out / "conn.log")),
    ):
        starts = sorted(flow.start for flow in flows if beacon.has(flow))
        gaps = [b - a for a, b in zip(starts, starts[1:], strict=False)]
        expected = (beacon.end - beacon.start) / 5.5
        ok = len(starts) >= expected and bool(gaps) and min(gaps) >= 3.4 and max(gaps) <= 8.5
        spread = f"{min(gaps):.1f}-{max(gaps):.1f} s apart" if gaps else "no gaps"
        checks.that(ok, f"beacon in {name}: {len(starts)} beats (>= {expected:.0f}), {spread}")


def main() -> int:
    out = Path(sys.argv[1])
    checks = Checks()
    check_recording(checks, out)
    check_benign(checks, out)
    check_beats(checks, out)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
