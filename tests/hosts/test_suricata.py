# SPDX-License-Identifier: MIT
"""eddy inside the real Suricata: its incidents are those of `eddy score`, and nothing else is noticed."""
import json
import os
import pathlib
import pwd
import re
import signal
import sys
import time
import urllib.request

import captures
from harness import Bench, Skipped, check, free_port, incidents, long_test, need, test, wait_for
from suricata import NOBODY, QUICK, TRUTH, Command, Disk, Frozen, Pipe, Suricata, capture, give, need_root, thread


class Eddyd:
    """eddyd on the socket of the isolated plugin."""

    def __init__(self, bench: Bench):
        self.bench, self.socket = bench, bench.path / "suricata.sock"
        self.spec = f"unix_dgram:{self.socket}"
        self.prom, self.process = bench.path / "eddyd.prom", None

    def start(self) -> None:
        sets = [f"eddyd.listen={self.spec}", "eddyd.http=off", "eddyd.checkpoint=", "emit.interval=1s",
                f"jsonl.path={self.bench.path}/eddyd.json", f"textfile.path={self.prom}"]
        self.process = self.bench.start(self.bench.eddyd, "-c", "/dev/null", *[w for s in sets for w in ("-s", s)],
                                        log="eddyd.out")
        wait_for(self.socket.exists, 10, "eddyd's socket: " + self.bench.text("eddyd.out"))

    def scored(self) -> int:
        text = self.prom.read_text() if self.prom.exists() else ""
        found = re.search(r"^eddy_flows_total{.*} (\d+)$", text, re.MULTILINE)
        return int(found[1]) if found else 0


# ---- incidents and counts ----

@test
def suricata_finds_what_eddy_score_finds(bench: Bench) -> None:
    file = capture(bench)
    for mode in ("single", "autofp"):
        s = Suricata(bench, name=mode)
        said = s.read(file, "--runmode", mode)
        s.expect_all_scored()
        check("Error" not in said and "Warning: eddy" not in said, said)


@test
def suricata_threads_of_its_own_and_a_prefix_change_nothing(bench: Bench) -> None:
    # Not both: Suricata 7.0.10 frees the prefix twice at its end then, also with its own file types.
    for number, more in enumerate(({"threaded": "yes"}, {"prefix": "@cee: "}, {"prefix": "{site-a} "})):
        s = Suricata(bench, eve_log=more, extra="flow: {recyclers: 2}", name=f"more{number}")
        s.read(capture(bench), "--runmode", "autofp")
        events = s.events()
        check(s.metric("scored") == events["flow"] and s.metric("rejected") == s.metric("dropped") == 0, f"{events}")
        check({(host, detector) for _, host, detector in s.incidents()} >= TRUTH, f"{s.incidents()}")


@test
def suricata_several_eve_logs_with_eddy_do_not_meet(bench: Bench) -> None:
    isolated = {"isolate": "yes", "socket": f"unix_dgram:{bench.path}/none.sock"}
    s = Suricata(bench, isolated, {}, {}, {"name": "site"})
    s.read(capture(bench))
    for name in ("eddy", "eddy-2", "site"):
        s.expect_all_scored(name)
    check(sorted(p.name for p in s.log.glob("*.json")) == ["eddy-2.json", "eddy.json", "eve.json", "site.json"],
          f"{sorted(s.log.iterdir())}")
    # One node_exporter serves the metrics of all, and finds nothing twice.
    port = free_port()
    bench.start(need("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.textfile",
                f"--collector.textfile.directory={s.log}", f"--web.listen-address=127.0.0.1:{port}", log="exporter.out")
    wait_for(lambda: served(port) != "", 10, bench.text("exporter.out"))
    text = served(port)
    check("textfile_scrape_error 0\n" in text, text[-500:])
    check("level=error" not in bench.text("exporter.out"), bench.text("exporter.out")[:2000])
    for sensor, result in (("", "scored"), ("eddy-2", "scored"), ("site", "scored"), ("eddy-isolated", "dropped")):
        label = f',sensor="{sensor}"' if sensor else ""
        found = re.search(rf'^eddy_input_records_total{{input="suricata",result="{result}"{label}}} (\d+)', text, re.M)
        check(found is not None and int(found[1]) == s.events()["flow"], f"{sensor}: " + text)
    for file in s.log.glob("*.prom"):
        done = bench.run("sh", "-c", f"{need('promtool')} check metrics <{file}")
        check(done.returncode == 0, f"{file}: {done.stdout}{done.stderr}")


def served(port: int) -> str:
    """What a node_exporter serves; empty while it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


@test
def suricata_reads_a_capture_after_the_other_from_its_command_socket(bench: Bench) -> None:
    command = bench.path / "command"
    s = Suricata(bench)
    s.process = bench.start(*s.words(f"--unix-socket={command}"), log="s.out")
    ask = Command(command)
    files = [capture(bench, f"{i}.pcap", seed=i) for i in range(1, 5)]
    for i, file in enumerate(files):
        ask.read(file, bench.path / f"out{i}")
    ask.wait_idle()
    for i in range(len(files)):
        s.log = bench.path / f"out{i}"
        s.expect_all_scored()
        check(not (s.log / "eddy-2.json").exists(), "no capture needs a second name")
    ask.ask({"command": "shutdown"})
    s.end()


# ---- what an administrator may switch on ----

@test
def suricata_without_privileges_works(bench: Bench) -> None:
    need_root()
    s = Suricata(bench, extra="security: {limit-noproc: true}")
    give(s.log)
    s.read(capture(bench), "--user", NOBODY)
    s.expect_all_scored()
    check((s.log / "eddy.json").stat().st_uid == pwd.getpwnam(NOBODY).pw_uid, "who owns eddy.json")


@test
def suricata_in_landlock_works_and_eddy_is_outside_of_it(bench: Bench) -> None:
    conf = bench.path / "eddy.conf"
    conf.write_text("")
    s = Suricata(bench, {"config": str(conf), "textfile": {"path": str(bench.path / "eddy.prom")}}, name="landlock",
                 extra="security: {limit-noproc: true, landlock: {enabled: yes, directories: "
                 f"{{write: [{bench.path}/landlock], read: [/usr/, /etc/, {bench.path}]}}}}}}")
    pipe = Pipe(bench)
    s.start("-r", pipe.path)
    pipe.write(0, 0.1)
    s.wait_said("Engine started")
    if "NoNewPrivs:\t1" not in pathlib.Path(f"/proc/{s.process.pid}/status").read_text():
        raise Skipped("this kernel or this Suricata has no Landlock")
    # As the README says: eddy's threads are older than the sandbox, and open and write where it forbids.
    conf.write_text(f"[jsonl]\npath = {bench.path}/new.json\n")
    s.process.send_signal(signal.SIGHUP)
    s.wait_said(f"{conf} read again")
    pipe.write(0.1, 1)
    pipe.close()
    s.end()
    (bench.path / "eddy.prom").rename(s.log / "eddy.prom")
    (bench.path / "new.json").rename(s.log / "eddy.json")
    s.expect_all_scored()


# ---- live ----

@test
def suricata_live_goes_on_in_new_files_after_a_rotation(bench: Bench) -> None:
    need_root()
    space = f"eddy-suri-{os.getpid()}"
    if bench.run("ip", "netns", "add", space).returncode != 0:
        raise Skipped("network namespaces are not permitted here")
    bench.at_end.append(lambda: bench.run("ip", "netns", "del", space))
    inside = ("ip", "netns", "exec", space)
    for words in ("link add in type veth peer name out", "link set in up", "link set out up"):
        check(bench.run(*inside, "ip", *words.split()).returncode == 0, words)
    conf = bench.path / "eddy.conf"
    conf.write_text("[jsonl]\nwithheld = off\n")
    s = Suricata(bench, {"config": str(conf)}, types=("flow",), extra=QUICK + "af-packet: [{interface: in}]")
    s.process = bench.start(*inside, *s.words("--af-packet=in", "--runmode", "workers"), log="s.out")
    s.wait_said("Engine started")

    def scan(by: str) -> None:
        check(bench.run(*inside, sys.executable, captures.__file__, "out", by).returncode == 0, "packets are sent")
        wait_for(lambda: any(host == by for _, host, _ in s.incidents()), 20, f"an incident about {by}")

    for task in pathlib.Path(f"/proc/{s.process.pid}/task").iterdir():
        if (task / "comm").read_text().startswith("eddy"):
            blocked = int(re.search(r"^SigBlk:\t(\w+)$", (task / "status").read_text(), re.M)[1], 16)
            check(all(blocked >> (n - 1) & 1 for n in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)),
                  f"{(task / 'comm').read_text()} has blocked only {blocked:x}")
    scan("10.20.0.51")
    for file in ("eve.json", "eddy.json"):
        (s.log / file).rename(s.log / f"{file}.1")
    conf.write_text("[jsonl]\nwithheld = on\n")
    s.process.send_signal(signal.SIGHUP)
    wait_for(lambda: f"{conf} read again" in s.said(), 10, "the file is read again: " + s.said())
    scan("10.20.0.52")
    check(any(host == "10.20.0.51" for _, host, _ in s.incidents("eddy.json.1")), "what was before stays where it was")
    conf.write_text("[jsonl]\nwithheld = perhaps\n")
    s.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the old ones stay in force: " in s.said(), 10, "a bad file is told: " + s.said())
    s.process.send_signal(signal.SIGINT)
    s.end()
    check(s.metric("scored") >= 600 and s.metric("dropped") == 0, f"{s.metric('scored')} flows scored")


# ---- again and again ----

def cycle(bench: Bench, times: int) -> None:
    """Instances come and go in one process: a good one, an isolated one, one with a wrong setting. With a
    plugin under the address sanitizer, Suricata runs under it too, and fails at its end if anything leaked."""
    plugin = bench.build / "plugins" / "suricata" / "eddy-suricata.so"
    libraries = [line.split()[2] for line in bench.run("ldd", plugin).stdout.splitlines() if "san.so" in line]
    environment = {**os.environ, "LD_PRELOAD": " ".join(libraries), "ASAN_OPTIONS": "detect_leaks=1"}
    command = bench.path / "command"
    eddyd = Eddyd(bench)
    eddyd.start()
    s = Suricata(bench, {}, {"isolate": "yes", "socket": eddyd.spec}, {"beacon": {"min-gap": "1"}})
    s.process = bench.start(*s.words(f"--unix-socket={command}"), log="s.out", env=environment)
    ask = Command(command)
    file = capture(bench, flows=50, seconds=60)
    for i in range(times):
        ask.read(file, bench.path / f"out{i}")
    ask.wait_idle(seconds=30 * times)
    ask.ask({"command": "shutdown"})
    s.end()
    ends = s.said().count("flows scored"), s.said().count("handed over"), s.said().count("min-gap: ")
    check(min(ends) >= times, f"{ends} ends of {times} captures")
    check("left behind" not in s.said(), s.said())
    bench.stop(eddyd.process)
    flows = sum((bench.path / f"out{i}" / "eve.json").read_text().count('"event_type":"flow"') for i in range(times))
    check(eddyd.scored() == flows, f"eddyd has scored {eddyd.scored()} of {flows}")


@test
def suricata_starts_and_stops_ten_times(bench: Bench) -> None:
    cycle(bench, 10)


@long_test
def suricata_starts_and_stops_a_hundred_times(bench: Bench) -> None:
    cycle(bench, 100)


# ---- trouble ----

@test
def suricata_drops_and_counts_when_scoring_stands_still(bench: Bench) -> None:
    pipe = Pipe(bench)
    s = Suricata(bench, {"ring": "64K"})
    s.start("-r", pipe.path)
    frozen = Frozen(bench, s.process, "eddy")
    pipe.write(0, 1)
    pipe.close()
    s.wait_said("Alerts: 0")
    frozen.thaw()
    s.end()
    events, counted = s.events(), {r: s.metric(r) for r in ("scored", "skipped", "dropped", "rejected")}
    check(sum(counted.values()) == sum(events.values()), f"{counted}, eve.json has {events}")
    check(counted["scored"] > 50 and counted["dropped"] > 1000 and counted["rejected"] == 0, f"{counted}")
    check(f"{counted['dropped']} records dropped: the ring" in s.said(), s.said())
    packets = json.loads(s.eve().read_text().splitlines()[-1])["stats"]["decoder"]["pkts"]
    check(packets == len(captures.packets()), f"Suricata has seen {packets} packets")


@test
def suricata_ends_though_scoring_or_an_output_does_not(bench: Bench) -> None:
    for thread in ("eddy", "eddy-keeper"):
        s = Suricata(bench, name=thread)
        pipe = Pipe(bench, f"{thread}.pcap", flows=100)
        s.start("-r", pipe.path)
        frozen = Frozen(bench, s.process, thread)
        pipe.write(0, 1)
        pipe.close()
        s.wait_dead(15)
        frozen.thaw()
        s.end()
        check("is left behind" in s.said() and s.events()["flow"] > 300, s.said())


@test
def suricata_HUP_while_a_disk_hangs_stops_no_scoring(bench: Bench) -> None:
    disk, pipe, conf = Disk(bench), Pipe(bench), bench.path / "eddy.conf"
    conf.write_text(f"[jsonl]\npath = {disk.folder}/eddy.json\n")
    s = Suricata(bench, {"config": str(conf)}, extra=QUICK)
    s.start("-r", pipe.path, "--runmode", "single")
    keeper, scorer = thread(s.process, "eddy-keeper"), thread(s.process, "eddy")

    def switches() -> int:
        return int(re.search(r"^voluntary_ctxt_switches:\t(\d+)$", (scorer / "status").read_text(), re.M)[1])

    with disk:
        pipe.write(0, 0.9)
        wait_for(lambda: (keeper / "stat").read_text().rsplit(")", 1)[1].split()[0] == "D", 20, "an incident waits for the disk")
        s.process.send_signal(signal.SIGHUP)
        time.sleep(1)  # by then Suricata has passed it on
        before = switches()
        wait_for(lambda: switches() > before + 5, 5, "the scoring thread goes on")
        check("read again" not in s.said(), "it waits for the disk too")
    s.wait_said("read again")
    pipe.write(0.9, 1)
    pipe.close()
    s.end()
    (disk.folder / "eddy.json").rename(disk.folder / "done.json")
    check(s.metric("scored") == s.events()["flow"] and s.metric("dropped") == 0, f"{s.metric('scored')} scored")
    s.expect_lines(bench.score(s.eve()), f"{disk.folder}/done.json")


@test
def suricata_goes_on_when_the_disk_of_incidents_is_full(bench: Bench) -> None:
    need_root()
    small = bench.path / "small"
    small.mkdir()
    if bench.run("mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small).returncode != 0:
        raise Skipped("mounting a tmpfs is not permitted here")
    bench.at_end.append(lambda: bench.run("umount", small))
    (small / "full").write_bytes(b"x" * 12288)
    s = Suricata(bench, {"jsonl": {"path": str(small / "eddy.json")}})
    said = s.read(capture(bench))
    check("No space left on device" in said and s.events()["flow"] > 1000, said)
    check(s.metric("scored") == s.events()["flow"], "flows are scored all the same")
    lines = (small / "eddy.json").read_text()
    check(lines == "" or lines.endswith("\n") and incidents(lines), "no half lines")


@test
def suricata_without_a_directory_it_may_write_runs_on(bench: Bench) -> None:
    need_root()
    s = Suricata(bench, {"jsonl": {"path": str(bench.path / "eddy.json")}})
    give(s.log)
    said = s.read(capture(bench, flows=100), "--user", NOBODY)
    check(f"{bench.path}/eddy.json: Permission denied" in said and s.events()["flow"] > 300, said)


@test
def suricata_killed_leaves_whole_lines_and_starts_again(bench: Bench) -> None:
    pipe = Pipe(bench)
    s = Suricata(bench, extra=QUICK)
    s.start("-r", pipe.path, "--runmode", "single")
    pipe.write(0, 0.9)
    wait_for(lambda: len(s.incidents()) > 0, 20, "an incident while it runs: " + s.said())
    s.process.kill()
    s.process.wait()
    before = (s.log / "eddy.json").read_text()
    s.read(pipe.path.parent / "whole.pcap")
    after = (s.log / "eddy.json").read_text()
    check(after.startswith(before) and before.endswith("\n"), "what was written stays")
    check({(h, d) for _, h, d in s.incidents()} >= TRUTH, after)


# ---- isolated ----

@test
def suricata_isolated_hands_all_to_eddyd_also_if_that_comes_late(bench: Bench) -> None:
    eddyd, pipe = Eddyd(bench), Pipe(bench)
    s = Suricata(bench, {"isolate": "yes", "socket": eddyd.spec, "beacon": {"min-gaps": "12"}})
    s.start("-r", pipe.path)
    pipe.write(0, 1)
    check("beacon.min-gaps" in s.said() and "not used" in s.said(), s.said())
    wait_for(lambda: "records wait" in s.said(), 10, s.said())
    eddyd.start()
    pipe.close()
    s.end()
    bench.stop(eddyd.process)
    events = s.events()
    check(f"{events['flow'] + events['http']} handed over, 1 others skipped, 0 rejected, 0 dropped" in s.said(), s.said())
    check(eddyd.scored() == events["flow"], f"eddyd has scored {eddyd.scored()}, eve.json has {events}")
    s.expect_lines(bench.score(s.eve()), f"{bench.path}/eddyd.json")
    check([p.name for p in s.log.glob("eddy*")] == ["eddy-isolated.prom"], "no other files of its own")
    counts = [s.metric(result, "eddy-isolated.prom") for result in ("sent", "skipped", "dropped")]
    check(counts == [events["flow"] + events["http"], 1, 0], f"{counts}, eve.json has {events}")


@test
def suricata_isolated_waits_while_eddyd_starts_again(bench: Bench) -> None:
    eddyd, pipe = Eddyd(bench), Pipe(bench)
    s = Suricata(bench, {"isolate": "yes", "socket": eddyd.spec},
                 extra=QUICK)
    eddyd.start()
    s.start("-r", pipe.path, "--runmode", "single")
    pipe.write(0, 0.5)
    wait_for(lambda: eddyd.scored() > 300, 20, f"flows at eddyd: {eddyd.scored()}")
    wait_for(lambda: eddyd.scored() == s.events()["flow"], 20, "eddyd has them all")
    bench.stop(eddyd.process)
    first = eddyd.scored()
    pipe.write(0.5, 1)
    pipe.close()
    wait_for(lambda: "records wait" in s.said(), 10, s.said())
    eddyd.start()
    s.end()
    bench.stop(eddyd.process)
    check("somebody listens again" in s.said() and " 0 dropped" in s.said(), s.said())
    check(first + eddyd.scored() == s.events()["flow"], f"{first} + {eddyd.scored()}, not {s.events()['flow']}")


@test
def suricata_isolated_tells_its_metrics_also_without_eddyd_and_with_a_hung_disk(bench: Bench) -> None:
    disk, pipe = Disk(bench), Pipe(bench)
    prom = disk.folder / "isolated.prom"
    s = Suricata(bench, {"isolate": "yes", "socket": f"unix_dgram:{bench.path}/none.sock", "ring": "64K",
                         "emit": {"interval": "1s"}, "textfile": {"path": str(prom)}}, extra=QUICK)
    s.start("-r", pipe.path, "--runmode", "single")
    check("not used" not in s.said(), s.said())
    wait_for(prom.exists, 5, "a file from the start on")
    first = prom.stat()
    wait_for(lambda: prom.stat().st_mtime > first.st_mtime and prom.stat().st_ino != first.st_ino, 5, "another each second")
    pipe.write(0, 0.8)
    wait_for(lambda: s.metric("dropped", str(prom)) > 100, 20, "drops are counted while it runs")
    check('eddy_build_info{sensor="eddy-isolated",version="' in prom.read_text(), prom.read_text())
    writer = thread(s.process, "eddy-metrics")
    with disk:
        wait_for(lambda: (writer / "stat").read_text().rsplit(")", 1)[1].split()[0] == "D", 20, "it waits for the disk")
        pipe.write(0.8, 1)
        pipe.close()
        s.wait_said("left behind")
    s.end()
    check(s.events()["flow"] > 1000, f"{s.events()}")


@test
def suricata_isolated_ends_without_eddyd(bench: Bench) -> None:
    s = Suricata(bench, {"isolate": "yes", "socket": f"unix_dgram:{bench.path}/none.sock"})
    said = s.read(capture(bench, flows=100), seconds=20)
    flows = s.events()["flow"]
    check(f"{flows} records dropped at the end: nobody took them" in said and f" {flows} dropped" in said, said)
