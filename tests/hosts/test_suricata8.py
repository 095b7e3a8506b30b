# SPDX-License-Identifier: MIT
"""The same eddy-suricata.so, built here, in the Suricata 8 of a newer Debian."""
import signal

from chroot import Chroot
from harness import Bench, check, incidents, long_test
from suricata import TRUTH, Command, Pipe, Suricata, capture

SUITE = "forky"
# Suricata, and what libeddy is linked with.
PACKAGES = "suricata,libyajl2,libmaxminddb0,libinih1,libzstd1,zlib1g"


class Suricata8(Suricata):
    """In the chroot, which sees the scratch directory and the build under their own names."""

    def __init__(self, bench: Bench, *maps: dict, **more):
        super().__init__(bench, *maps, **more)
        self.prefix = Chroot.of(SUITE, PACKAGES).words([bench.path, bench.build])

    def words(self, *more: object) -> list[str]:
        return [*self.prefix, *super().words(*more)]


@long_test
def suricata8_has_all_libraries(bench: Bench) -> None:
    s = Suricata8(bench)
    done = bench.run(*s.prefix, "ldd", bench.build / "plugins" / "suricata" / "eddy-suricata.so")
    check(done.returncode == 0 and "not found" not in done.stdout, done.stdout + done.stderr)
    said = bench.run(*s.prefix, "suricata", "-V").stdout
    print(f"   {said.strip()}")
    check("version 8." in said, said)


@long_test
def suricata8_finds_what_eddy_score_finds(bench: Bench) -> None:
    file = capture(bench)
    for mode in ("single", "autofp"):
        s = Suricata8(bench, name=mode)
        s.read(file, "--runmode", mode)
        s.expect_all_scored()


@long_test
def suricata8_threads_of_its_own_and_a_prefix_change_nothing(bench: Bench) -> None:
    s = Suricata8(bench, eve_log={"threaded": "yes", "prefix": "@cee: "}, extra="flow: {recyclers: 2}")
    s.read(capture(bench), "--runmode", "autofp")
    events = s.events()
    check(s.metric("scored") == events["flow"] and s.metric("rejected") == s.metric("dropped") == 0, f"{events}")
    check({(host, detector) for _, host, detector in s.incidents()} >= TRUTH, f"{s.incidents()}")


@long_test
def suricata8_several_eve_logs_with_eddy_do_not_meet(bench: Bench) -> None:
    s = Suricata8(bench, {}, {"name": "site", "beacon": {"min-gaps": "15"}})
    s.read(capture(bench))
    s.expect_all_scored()
    expected = incidents(bench.score(s.eve(), settings={"beacon.min_gaps": "15"}))
    check(s.incidents("site.json") == expected, f"{s.incidents('site.json')}, not {expected}")


@long_test
def suricata8_T_says_what_is_wrong_and_writes_nothing(bench: Bench) -> None:
    s = Suricata8(bench)
    done = bench.run(*s.words("-T"))
    check(done.returncode == 0 and not list(s.log.glob("eddy*")), done.stdout + done.stderr)
    done = bench.run(*Suricata8(bench, {"beacon": {"min-gaps": "1000"}}).words("-T"))
    check(done.returncode != 0 and "beacon.min_gaps = '1000'" in done.stdout + done.stderr, done.stdout + done.stderr)


@long_test
def suricata8_bad_settings_leave_it_running(bench: Bench) -> None:
    s = Suricata8(bench, {"rnig": "64M"})
    said = s.read(capture(bench, flows=100))
    check("suricata.rnig" in said and s.events()["flow"] > 300, said)


@long_test
def suricata8_reads_a_capture_after_the_other_from_its_command_socket(bench: Bench) -> None:
    command = bench.path / "command"
    s = Suricata8(bench)
    s.process = bench.start(*s.words(f"--unix-socket={command}"), log="s.out")
    ask = Command(command)
    files = [capture(bench, f"{i}.pcap", seed=i) for i in range(1, 4)]
    for i, file in enumerate(files):
        ask.read(file, bench.path / f"out{i}")
    ask.wait_idle()
    for i in range(len(files)):
        s.log = bench.path / f"out{i}"
        s.expect_all_scored()
    ask.ask({"command": "shutdown"})
    s.end()


@long_test
def suricata8_rotates_and_ends_in_the_middle(bench: Bench) -> None:
    pipe = Pipe(bench)
    s = Suricata8(bench)
    s.process = bench.start(*s.words("-r", pipe.path), log="s.out")
    pipe.write(0, 0.5)
    s.wait_said("Engine started")
    for name in ("eve.json", "eddy.json"):
        if (s.log / name).exists():
            (s.log / name).rename(s.log / f"{name}.1")
    s.process.send_signal(signal.SIGHUP)
    pipe.write(0.5, 1)
    pipe.close()
    s.end()
    logs = [path for path in (s.log / "eve.json.1", s.log / "eve.json") if path.exists()]
    found = {entry for path in s.log.glob("eddy.json*") for entry in incidents(path.read_text())}
    check(found == incidents(bench.score(*logs)) != set(), f"{found}")
