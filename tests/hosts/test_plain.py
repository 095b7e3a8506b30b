# SPDX-License-Identifier: MIT
"""The oracle itself: what the other tests compare with must find the lab's truth."""
from harness import ROOT, Bench, check, incidents, test


@test
def the_command_line_finds_the_labs_truth(bench: Bench) -> None:
    for log in ("eve.json.gz", "conn.log.gz"):
        found = {(host, detector) for _, host, detector in incidents(bench.score(ROOT / "examples" / "data" / log))}
        check(found >= {("10.20.0.21", "fanout"), ("10.20.0.15", "beacon")}, f"{log}: {found}")
