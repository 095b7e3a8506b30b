# SPDX-License-Identifier: MIT
"""A pickle, a truncated, a foreign and hostile model files are refused by every host, with words, status and counter; the
model in use goes on scoring, and a sensor starts without one that is refused."""
import os
import pathlib
import pwd
import re
import shutil
import signal

from bad_models import Bad, bad_models, check_trap, good_model
from collectd import Collectd, append, follow
from harness import ROOT, Bench, check, free_port, test, wait_for
from suricata import NOBODY, Pipe, Suricata, give, need_root
from test_eddyd import page
from test_said import scan


def put(model: pathlib.Path, into: pathlib.Path) -> None:
    """As deployments do it: a copy, renamed."""
    copy = into.with_suffix(".new")
    shutil.copy(model, copy)
    os.replace(copy, into)


class Sensor:
    """An eddyd that follows one log and scores with a model."""

    def __init__(self, bench: Bench, model: pathlib.Path):
        self.bench, self.port, self.flows = bench, free_port(), 0
        self.log, self.conf = bench.path / "eve.json", bench.path / "eddy.conf"
        self.log.touch()
        self.configure(model)
        self.process = bench.start(bench.eddyd, "-c", self.conf)
        wait_for(lambda: page(self.port, "/readyz") != "", 20, "ready: " + bench.text()[-800:])

    def configure(self, model: pathlib.Path, more: str = "") -> None:
        self.conf.write_text(f"[eddyd]\nfollow = {self.log}\nhttp = 127.0.0.1:{self.port}\ncheckpoint =\n[state]\nmemory = 16M\n"
                             f"[iforest]\nmodel = {model}\n{more}")

    def metric(self, name: str) -> float:
        lines = page(self.port, "/metrics").splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    def model(self) -> str:
        """The name of the one in use, by what it says itself."""
        names = [line for line in page(self.port, "/metrics").splitlines() if line.startswith("eddy_model_info{")]
        found = [re.search(r'name="([^"]*)"', line) for line in names]
        return ",".join(sorted(match.group(1) for match in found if match))

    def refused(self, bad: Bad) -> float:
        return self.metric(f'eddy_model_load_failures_total{{reason="{bad.reason}"}}')

    def reloads(self, result: str) -> float:
        return self.metric(f'eddyd_reloads_total{{result="{result}"}}')

    def hang_up(self, result: str) -> None:
        before = self.reloads(result)
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.reloads(result) == before + 1, 10, f"a reload that is {result}: " + self.bench.text()[-800:])

    def scores_with(self, name: str) -> None:
        """It is in use, and flows are scored."""
        check(name in self.model().split(","), f"the model in use is {self.model()}, not {name}")
        with open(self.log, "a", encoding="ascii") as file:
            file.write(scan(self.flows, 20))
        self.flows += 20
        wait_for(lambda: self.metric("eddy_flows_total") == self.flows, 20, f"{self.flows} flows scored")


@test
def a_model_that_can_not_be_used_is_refused_by_the_command_line(bench: Bench) -> None:
    good = good_model(bench)
    log = ROOT / "examples" / "data" / "benign-conn.log.gz"
    check(bench.run(bench.eddy, "model", "verify", good).returncode == 0, "a good model is refused")
    check(bench.run(bench.eddy, "score", "-q", "-s", f"iforest.model={good}", log).returncode == 0, "a good model is refused")
    for bad in bad_models(bench, good):
        for words in (("model", "verify", bad.path), ("model", "info", bad.path),
                      ("score", "-q", "-s", f"iforest.model={bad.path}", log)):
            done = bench.run(bench.eddy, *words)
            check(done.returncode == 1, f"eddy {words}: status {done.returncode}")
            check(f"{bad.path}: " in done.stderr and bad.words in done.stderr, f"eddy {words}: {done.stderr}")
    check_trap(bench)


@test
def a_model_that_can_not_be_used_leaves_the_one_before_in_eddyd(bench: Bench) -> None:
    model, other = bench.path / "model.eddy", good_model(bench, "other.eddy", 2)
    good = good_model(bench)
    put(good, model)
    sensor = Sensor(bench, model)
    sensor.scores_with("seed1")
    bads = bad_models(bench, good)
    for bad in bads:  # newly named: the reload fails as a whole
        before = sensor.refused(bad)
        sensor.configure(bad.path, "[decide]\np = 1e-6\n")
        sensor.hang_up("failed")
        check(sensor.refused(bad) == before + 1, f"{bad.name}: {sensor.refused(bad)} failures, {before} before")
        said = bench.text().splitlines()[-1]
        check("settings not taken over" in said and bad.words in said and f"iforest.model: {bad.path}" in said, said)
        sensor.scores_with("seed1")
    for bad in (bads[0], bads[-1]):  # the file of the one in use becomes a bad one
        before = sensor.refused(bad)
        put(bad.path, model)
        wait_for(lambda: sensor.refused(bad) == before + 1, 10, f"{bad.name} is counted: " + bench.text()[-800:])
        check(re.search(f"iforest.model: keeping the model in use: {model}: .*{re.escape(bad.words)}", bench.text()) is not None,
              bench.text()[-800:])
        sensor.scores_with("seed1")
    sensor.configure(model, "[decide]\np = 1e-6\n")  # and other settings can be changed all the same
    sensor.hang_up("ok")
    sensor.scores_with("seed1")
    put(other, model)
    wait_for(lambda: sensor.model() == "seed2", 10, "the good one is taken up: " + bench.text()[-800:])
    sensor.scores_with("seed2")
    check(bench.stop(sensor.process) == 0, bench.text()[-800:])
    check_trap(bench)


@test
def eddyd_starts_without_a_model_that_can_not_be_used_and_takes_it_up_once_it_is_good(bench: Bench) -> None:
    good, model = good_model(bench), bench.path / "model.eddy"
    for bad in bad_models(bench, good):
        settings = ("-s", f"eddyd.follow={bench.path}/eve.json", "-s", "eddyd.checkpoint=", "-s", f"iforest.model={bad.path}")
        done = bench.run(bench.eddyd, "-c", "/dev/null", *settings, "-t")
        check(done.returncode == 1 and f"iforest.model: {bad.path}: " in done.stderr and bad.words in done.stderr,
              f"eddyd -t: {done.returncode}: {done.stdout}{done.stderr}")
        needed = bench.run(bench.eddyd, "-c", "/dev/null", *settings, "-s", "engine.need_models=on")
        check(needed.returncode == 1 and bad.words in needed.stderr, f"need_models: {needed.returncode}: {needed.stderr}")
        put(bad.path, model)
    sensor = Sensor(bench, model)
    check(f"iforest.model: going on without the model: {model}: " in bench.text(), bench.text())
    check(sensor.refused(bad) == 1, "not counted")
    check("seed" not in sensor.model(), f"uses {sensor.model()}")
    put(good, model)
    wait_for(lambda: sensor.model() == "seed1", 10, "the good one is taken up: " + bench.text()[-800:])
    sensor.scores_with("seed1")
    check(bench.stop(sensor.process) == 0, bench.text()[-800:])
    check_trap(bench)


@test
def collectd_starts_without_a_model_that_can_not_be_used_and_keeps_a_good_one(bench: Bench) -> None:
    good, model, log = good_model(bench), bench.path / "model.eddy", bench.path / "eve.json"
    bads = bad_models(bench, good)
    put(bads[0].path, model)
    log.touch()
    host = Collectd(bench, follow(log, f'<Iforest>\nModel "{model}"\n</Iforest>\n'))
    host.start()
    host.wait_said(f"iforest.model: going on without the model: {re.escape(str(model))}: .*{re.escape(bads[0].words)}")
    put(good, model)
    host.wait_said(f"iforest.model: {re.escape(str(model))} loaded: seed1")
    for bad in bads[1:3]:
        put(bad.path, model)
        host.wait_said(f"iforest.model: keeping the model in use: .*{re.escape(bad.words)}")
        host.wait_value(1 if bad.reason != bads[0].reason else 2, "model_load_failures_total", kind=bad.reason)
    append(log, [scan(0, 200).encode()])
    host.wait_records("dmz", 200)
    host.stop()
    check_trap(bench)


@test
def suricata_starts_without_a_model_that_can_not_be_used_and_its_trial_refuses_it(bench: Bench) -> None:
    need_root()
    good, model = good_model(bench), bench.path / "model.eddy"
    s = Suricata(bench, {"iforest": {"model": str(model)}, "emit": {"interval": "1s"}})
    give(s.log)
    bads = bad_models(bench, good)
    user = {"user": NOBODY, "group": pwd.getpwnam(NOBODY).pw_gid}
    put(good, model)
    done = bench.run(*s.words("-T"), **user)
    check(done.returncode == 0, f"suricata -T refuses a good model: {done.stdout}{done.stderr}")
    for bad in bads:
        put(bad.path, model)
        done = bench.run(*s.words("-T"), **user)
        check(done.returncode == 1 and bad.words in done.stdout + done.stderr, f"{bad.name}: {done.stdout}{done.stderr}")
    pipe = Pipe(bench)
    s.start("-r", pipe.path)
    pipe.write(0, 0.3)
    check("iforest.model: going on without the model" in s.said() and bads[-1].words in s.said(), s.said())
    put(good, model)
    s.wait_said(f"iforest.model: {model} loaded: seed1")
    put(bads[0].path, model)
    s.wait_said("iforest.model: keeping the model in use")
    check(bads[0].words in s.said(), s.said())
    pipe.write(0.3, 1)
    pipe.close()
    s.end()
    events = s.events()
    check(s.metric("scored") == events["flow"] > 0, f"{s.metric('scored')} scored of {events['flow']}")
    text = (s.log / "eddy.prom").read_text()
    for bad in (bads[-1], bads[0]):
        check(f'eddy_model_load_failures_total{{reason="{bad.reason}"}} 1' in text, text)
    check_trap(bench)
