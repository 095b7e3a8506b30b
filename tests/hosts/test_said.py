# SPDX-License-Identifier: MIT
"""What people say acts within a second in every host that runs: a suppression, a mark; and what is wrong in it is told."""
import json
import pwd
import re
import time
from datetime import datetime, timedelta, timezone
from typing import Callable

import captures
from collectd import Collectd, append, follow
from harness import ROOT, Bench, check, free_port, incidents, test, wait_for
from suricata import NOBODY, Pipe, Suricata, give, need_root
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


def within_a_second(seen: Callable[[], bool], what: str) -> None:
    begun = time.monotonic()
    wait_for(seen, 5, what)
    took = time.monotonic() - begun
    print(f"   {what} after {took:.2f} s", flush=True)
    check(took < 1.0, f"{what} took {took:.2f} s")


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
        within_a_second(lambda: self.metric(sample) == 1, f"{sample} is 1")


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
def eddyd_starts_with_a_faulty_file_of_suppressions_and_reads_it_once_it_is_good(bench: Bench) -> None:
    rules = bench.path / "suppressions"
    rules.write_text("src=10.0.0.66\nport=ssh\n")
    sensor = Sensor(bench)
    wait_for(lambda: f"suppressions: {rules}:2: port=ssh: " in bench.text(), 5, "the fault is told: " + bench.text())
    check(sensor.metric("eddy_suppressions") == 0, "a half of a faulty file is in force")
    rules.write_text("src=10.0.0.66\n")
    sensor.acts_within_a_second('eddy_suppressions{state="active"}')
    check(bench.stop(sensor.process) == 0, bench.text()[-800:])
    unit = (ROOT / "packaging" / "systemd" / "eddyd.service").read_text()
    check(re.search("^ExecStartPre=(?!-)", unit, re.M) is None, "the unit does not start eddyd where a trial finds a fault")


@test
def mark_acts_while_eddyd_runs(bench: Bench) -> None:
    sensor = Sensor(bench)
    sensor.feed(4000)
    sensor.say("mark", fanout(bench), "malicious", "--why", "it was one")
    sensor.acts_within_a_second('eddy_marks{verdict="malicious"}')
    check(bench.stop(sensor.process) == 0, bench.text()[-800:])


@test
def suppression_acts_while_collectd_runs(bench: Bench) -> None:
    log, rules = bench.path / "eve.json", bench.path / "suppressions"
    log.touch()
    host = Collectd(bench, follow(log, f'<Suppress>\nPath "{rules}"\n</Suppress>\n'))
    host.start()
    host.wait_said(f"suppressions: {rules} does not exist yet")
    rules.write_text(f'id=scanner src={SCANNER} why="our scanner"\n')
    within_a_second(lambda: f"suppressions: 1 in {rules}" in host.log(), "collectd has read the rule")
    rules.write_text(f"src={SCANNER}\nscr=10.0.0.67\n")
    host.wait_said(re.escape(f"{rules}:2: scr: no such key; what was in force before stays"))

    append(log, [scan(0, 4000).encode()])
    host.wait_records("dmz", 4000)
    host.wait_value(1, "incidents_suppressed_total", kind="fanout")
    host.wait_value(1, "suppressions", kind="active")
    check("Notification" not in host.log(), f"notified of what is suppressed: {host.log()}")
    rules.write_text("# nothing is silenced any more\n")
    within_a_second(lambda: f"suppressions: 0 in {rules}" in host.log(), "collectd has dropped the rule")
    append(log, [scan(4000, 4000).encode()])
    host.wait_said(rf"Notification: .* type_instance = fanout, message = {re.escape(SCANNER)} ")
    host.stop()


@test
def suppression_acts_while_suricata_runs(bench: Bench) -> None:
    conf, rules, pipe = bench.path / "eddy.conf", bench.path / "suppressions", Pipe(bench)
    conf.write_text(f"[suppress]\npath = {rules}\n[history]\npath = {bench.path}/history.jsonl\n")
    s = Suricata(bench, {"config": str(conf)})
    s.start("-r", pipe.path)
    pipe.write(0, 0.1)
    s.wait_said(f"suppressions: {rules} does not exist yet")
    s.wait_said("Engine started")
    rules.write_text(f'id=scanner src={captures.SCANNER} why="our scanner"\n')
    within_a_second(lambda: f"suppressions: 1 in {rules}" in s.said(), "Suricata has read the rule")
    rules.write_text("\nscr=10.20.0.21\n")
    s.wait_said(f"{rules}:2: scr: no such key; what was in force before stays")
    pipe.write(0.1, 1)
    pipe.close()
    s.end()
    check({(host, detector) for _, host, detector in s.incidents()} == {(captures.BEACON, "beacon")}, f"{s.incidents()}")
    hidden = [line for line in bench.text("history.jsonl").splitlines() if '"suppressed_by":"scanner"' in line]
    check((captures.SCANNER, "fanout") in {(host, what) for _, host, what in incidents("\n".join(hidden))}, f"{hidden}")


@test
def faulty_files_of_what_people_say_are_refused_by_a_trial(bench: Bench) -> None:
    need_root()
    rules, marks = bench.path / "suppressions", bench.path / "marks"
    suricata = Suricata(bench, {"suppress": {"path": str(rules)}, "feedback": {"path": str(marks)}})
    give(suricata.log)

    def trials(words: str) -> None:
        """`eddyd -t`, and `suricata -T` as a user who may only read the files; "": they find no fault."""
        for command, more in ((("-t", "-s", f"eddyd.follow={bench.path}/eve.json", "-s", "eddyd.checkpoint="), {}),
                              (suricata.words("-T"), {"user": NOBODY, "group": pwd.getpwnam(NOBODY).pw_gid})):
            eddyd = (bench.eddyd, "-c", "/dev/null", "-s", f"suppress.path={rules}", "-s", f"feedback.path={marks}")
            done = bench.run(*((eddyd + command) if not more else command), **more)
            said = done.stdout + done.stderr
            check((done.returncode == 1) == (words != "") and words in said, f"{done.returncode}, no '{words}': {said}")

    trials("")
    rules.write_text("src=10.0.0.66 # the scanner\n")
    marks.write_text("incident=0123456789abcdef verdict=benign detector=fanout host=10.0.0.66 reason=x score=8 "
                     "start=2026-01-02T03:00:00Z end=2026-01-02T04:00:00Z marked=2026-01-03\n")
    trials("")
    for file, text, words in ((rules, "# a\nsrc=10.0.0.66/33\n", "suppress.path = {}:2: src"),
                              (rules, "src=10.0.0.66", "suppress.path = {}:1: the last line has no newline"),
                              (rules, "src=10.0.0.66\n\0\nsrc=1\n", "suppress.path = {}:2: has a control character"),
                              (marks, "incident=1 verdict=good\n", "feedback.path = {}:1: ")):
        before = file.read_text()
        file.write_text(text)
        trials(words.format(file))
        file.write_text(before)
    trials("")
    rules.unlink()
    rules.mkdir()
    trials(f"suppress.path = {rules}: not a regular file")
