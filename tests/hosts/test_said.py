# SPDX-License-Identifier: MIT
"""What people say acts within a second in a host that runs: a suppression and a mark, while eddyd follows a log."""
import json
import time
from datetime import datetime, timedelta, timezone

from harness import Bench, check, free_port, test, wait_for
from test_eddyd import page

BEGIN = datetime(2026, 1, 2, 3, tzinfo=timezone.utc)
SCANNER = "10.0.0.66"


def scan(begin: int, count: int) -> str:
    """The scanner tries SSH at this many addresses, twenty a second."""
    lines = []
    for n in range(begin, begin + count):
        at = (BEGIN + timedelta(seconds=n / 20)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
        lines.append(json.dumps({
            "timestamp": at, "flow_id": 1 + n, "event_type": "flow", "src_ip": SCANNER, "src_port": 1024 + n % 60000,
            "dest_ip": f"10.{7 + n // 60000}.{n // 250 % 240}.{n % 250 + 1}", "dest_port": 22, "proto": "TCP",
            "flow": {"pkts_toserver": 1, "pkts_toclient": 0, "bytes_toserver": 60, "bytes_toclient": 0, "start": at, "end": at,
                     "state": "new"}}) + "\n")
    return "".join(lines)


class Sensor:
    """An eddyd that follows one log."""

    def __init__(self, bench: Bench):
        self.bench, self.port, self.written = bench, free_port(), 0
        self.log, self.conf = bench.path / "eve.json", bench.path / "eddy.conf"
        self.log.touch()
        self.conf.write_text(
            f"[eddyd]\nfollow = {self.log}\nhttp = 127.0.0.1:{self.port}\ncheckpoint =\n[state]\nmemory = 16M\n"
            f"[suppress]\npath = {bench.path}/suppressions\n[feedback]\npath = {bench.path}/marks\n"
            f"[history]\npath = {bench.path}/history.jsonl\n[jsonl]\npath = {bench.path}/eddy.json\n")
        self.process = bench.start(bench.eddyd, "-c", self.conf)
        wait_for(lambda: page(self.port, "/readyz") != "", 20, "ready: " + bench.text()[-800:])

    def metric(self, name: str) -> float:
        return sum(float(line.rsplit(" ", 1)[1]) for line in page(self.port, "/metrics").splitlines() if line.startswith(name))

    def feed(self, count: int) -> None:
        with open(self.log, "a", encoding="ascii") as file:
            file.write(scan(self.written, count))
        self.written += count
        wait_for(lambda: self.metric("eddy_flows_total") == self.written, 20, f"{self.written} flows scored")

    def say(self, *words: str) -> str:
        done = self.bench.run(self.bench.eddy, words[0], "-c", self.conf, *words[1:])
        check(done.returncode == 0, f"eddy {words}: {done.stderr}")
        return done.stdout

    def acts_within_a_second(self, sample: str) -> None:
        begun = time.monotonic()
        wait_for(lambda: self.metric(sample) == 1, 5, f"{sample} is 1")
        took = time.monotonic() - begun
        print(f"   {sample} after {took:.2f} s", flush=True)
        check(took < 1.0, f"{sample} took {took:.2f} s")


def fanout(bench: Bench) -> str:
    """The id of the scan's incident, once it is in the history."""
    def ids() -> list[str]:
        lines = map(json.loads, bench.text("history.jsonl").splitlines())
        return [i["incident_id"] for i in lines if i["detector"] == "fanout" and i["host"] == SCANNER]
    wait_for(lambda: ids() != [], 10, "an incident in the history: " + bench.text()[-800:])
    return ids()[0]


@test
def suppression_acts_while_eddyd_runs(bench: Bench) -> None:
    sensor = Sensor(bench)
    sensor.feed(4000)
    line = sensor.say("suppress", "add", "--from", fanout(bench)[:8], "detector=any", "--owner", "ann", "--why", "our scanner")
    sensor.acts_within_a_second('eddy_suppressions{state="active"}')
    check(sensor.metric("eddy_suppressed_flows_total") == 0, "flows were suppressed before there was a rule")
    before = sensor.metric("eddy_anomalous_flows_total")
    sensor.feed(2000)
    hidden = sensor.metric("eddy_suppressed_flows_total")
    check(hidden > 1000, f"{hidden} flows suppressed")
    check(sensor.metric("eddy_anomalous_flows_total") == before, "evidence went into an incident that is told")
    check(sensor.metric("eddy_incidents_suppressed_total") >= 1, "no suppressed incident was counted")
    rule = line.split("id=", 1)[1].split(" ", 1)[0]
    wait_for(lambda: f'"suppressed_by":"{rule}"' in bench.text("history.jsonl"), 5, "the suppressed incident is in the history")
    check(json.loads(sensor.say("suppress", "list", "--json"))[0]["incidents"] >= 1, "list tells no hit")

    (bench.path / "suppressions").write_text("scr=10.0.0.66\n")
    wait_for(lambda: sensor.metric('eddy_suppression_reloads_total{result="failed"}') == 1, 5, "the fault is counted")
    check("suppressions:1: scr: no such key; what was in force before stays" in bench.text(), bench.text()[-500:])
    check(sensor.metric('eddy_suppressions{state="active"}') == 1, "a faulty file took the rule away")
    check(bench.stop(sensor.process) == 0, bench.text()[-800:])


@test
def mark_acts_while_eddyd_runs(bench: Bench) -> None:
    sensor = Sensor(bench)
    sensor.feed(4000)
    sensor.say("mark", fanout(bench), "malicious", "--why", "it was one")
    sensor.acts_within_a_second('eddy_marks{verdict="malicious"}')
    check(bench.stop(sensor.process) == 0, bench.text()[-800:])
