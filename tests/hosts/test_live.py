# SPDX-License-Identifier: MIT
"""The lab, live: real programs talk, a real Suricata with eddy inside listens, and its incidents come out where people look:
in eddy.json, in Prometheus, as alerts at Alertmanager."""
import collections
import csv
import datetime
import json
import pathlib
import time

from harness import ROOT, Bench, check, incidents, named_test, need, wait_for
from monitoring import Monitoring
from suricata import Suricata

FOUND_BY = {"scan": "fanout", "beacon": "beacon"}  # at least; the lab does more
# What a site would have: the two bridges, each packet once, as the lab's own recording takes it. Timeouts are shorter than
# usual, for two minutes have no time to wait.
SNIFF = """
af-packet:
  - {interface: br-lan, threads: 1, cluster-id: 98, cluster-type: cluster_flow, bpf-filter: "ip or (ip6 and not icmp6)"}
  - {interface: br-net, threads: 1, cluster-id: 97, cluster-type: cluster_flow,
     bpf-filter: "net 10.20.1.0/24 and not net 10.20.0.0/24"}
app-layer:
  protocols: {tls: {enabled: yes}, ssh: {enabled: yes}, http: {enabled: yes}, dns: {udp: {enabled: yes}, tcp: {enabled: yes}}}
flow-timeouts:
  default: {new: 5, established: 10, closed: 0, bypassed: 10}
  tcp: {new: 5, established: 30, closed: 1, bypassed: 10}
  udp: {new: 5, established: 10, bypassed: 10}
  icmp: {new: 5, established: 10, bypassed: 10}
"""
# The lab starts this at its router. Ready is when Suricata says so; then it is Suricata.
PROGRAM = """#!/bin/sh
(while kill -0 $$ && ! grep -q 'Engine started' {out}; do sleep 0.1; done; touch "$1") &
exec {suricata} --af-packet >{out} 2>&1
"""


def truth(out: pathlib.Path) -> set[tuple[str, str]]:
    """(host, detector) of the attacks that there is a detector for."""
    with open(out / "truth.csv", encoding="utf-8") as file:
        return {(row["src"], FOUND_BY[row["kind"]]) for row in csv.DictReader(file) if row["kind"] in FOUND_BY}


def flows(eve: pathlib.Path) -> int:
    return sum(json.loads(line)["event_type"] == "flow" for line in eve.read_text().splitlines())


class Live:
    """The lab with a Suricata at its router."""

    def __init__(self, bench: Bench, seconds: float):
        self.sensor = Suricata(bench, {"emit": {"interval": "1s"}}, name="live", extra=SNIFF, types=("flow",))
        self.out = bench.path / "lab"
        program = bench.path / "sensor"
        words = self.sensor.words()
        words.remove("none"), words.remove("-k")
        program.write_text(PROGRAM.format(suricata=" ".join(words), out=self.sensor.log / "out"))
        program.chmod(0o755)
        (self.sensor.log / "out").touch()
        self.process = bench.start(ROOT / "tests" / "lab" / "run", "--seconds", seconds, "--keep-pcap", "--live", program,
                                   self.out, log="lab.out")

    def running(self) -> bool:
        return self.process.poll() is None


def begins(lines: str) -> list[tuple[str, str, datetime.datetime]]:
    """Host, detector and begin of each incident, in their order."""
    found = {i["incident_id"]: i for i in map(json.loads, lines.splitlines())}  # the last line of each
    return sorted((i["host"], i["detector"], datetime.datetime.strptime(i["start"], "%Y-%m-%dT%H:%M:%S.%f%z"))
                  for i in found.values())


def same(lines: str, scored: str) -> bool:
    """Threads of Suricata write at once, and not in the same order to both outputs: so which of two flows that ended together
    was the first of an incident, and with it the incident's id, is not always the same."""
    here, there = begins(lines), begins(scored)
    print(f"   ids are {'the same' if incidents(lines) == incidents(scored) else 'not the same, but host, detector and time'}")
    return len(here) == len(there) and all(
        ours[:2] == theirs[:2] and abs((ours[2] - theirs[2]).total_seconds()) < 1 for ours, theirs in zip(here, there))


def named(found: set[tuple[str, str, str]]) -> set[tuple[str, str]]:
    return {(host, detector) for _, host, detector in found}


def watch(live: Live, monitoring: Monitoring) -> dict[str, float]:
    """While the lab runs: seconds after its start when each detector's alert was at Alertmanager."""
    begun, seen = time.monotonic(), {}
    while live.running():
        for detector in monitoring.alerts() - set(seen):
            seen[detector] = time.monotonic() - begun
            print(f"   alert by {detector} after {seen[detector]:.0f} s", flush=True)
        time.sleep(0.5)
    return seen


def check_live(bench: Bench, live: Live) -> set[tuple[str, str]]:
    """eddy.json, against the lab's truth and against `eddy score`."""
    sensor, wanted = live.sensor, truth(live.out)
    found, scored = sensor.incidents(), bench.score(sensor.eve())
    check(wanted <= named(found), f"eddy.json has {named(found)}, the lab did {wanted}")
    counts = {result: sensor.metric(result) for result in ("scored", "skipped", "rejected", "dropped")}
    check(counts == {"scored": flows(sensor.eve()), "skipped": 0, "rejected": 0, "dropped": 0},
          f"{counts}, eve.json has {flows(sensor.eve())} flows")
    check(same((sensor.log / "eddy.json").read_text(), scored), f"eddy.json has {found}, `eddy score` finds {scored}")
    return wanted


def check_capture(bench: Bench, live: Live) -> None:
    """The recording of the same traffic, read as a file."""
    reader = Suricata(bench, name="file", extra=SNIFF, types=("flow",))
    reader.read(live.out / "all.pcap", "--runmode", "single")
    found = reader.incidents()
    check(truth(live.out) <= named(found), f"from the capture: {named(found)}")
    check(found == incidents(bench.score(reader.eve())) and reader.metric("scored") == flows(reader.eve()), f"{found}")


@named_test
def the_lab_is_seen_live(bench: Bench) -> None:
    for program in ("ip", "tcpdump"):
        need(program)
    seconds = 480 if bench.long else 120
    live = Live(bench, seconds)
    monitoring = Monitoring(bench, live.sensor.log)
    seen = watch(live, monitoring)
    print("   " + "\n   ".join(bench.text("lab.out").splitlines()[-4:]), flush=True)
    check(live.process.returncode == 0, f"the lab: {bench.text('lab.out')[-1500:]}")
    wanted = {detector for _, detector in check_live(bench, live)}
    check(wanted <= set(seen), f"alerts while it ran: {set(seen)}, wanted {wanted}")
    told = collections.Counter(detector for _, _, detector in live.sensor.incidents())
    wait_for(lambda: monitoring.values("eddy_incidents_total > 0", "detector") == dict(told), 10,
             f"Prometheus: {monitoring.values('eddy_incidents_total', 'detector')}, eddy.json: {dict(told)}")
    check_capture(bench, live)
