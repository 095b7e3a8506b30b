# SPDX-License-Identifier: MIT
"""Settings of eddy inside the real Suricata: what is taken, what is refused, what -T and a HUP say."""
import pathlib
import pwd
import re
import signal

from harness import ROOT, Bench, check, incidents, test, wait_for
from suricata import NOBODY, TRUTH, Pipe, Suricata, capture, give, need_root


@test
def suricata_takes_the_sample_as_it_is(bench: Bench) -> None:
    s = Suricata(bench)
    sample = ROOT / "plugins" / "suricata" / "eddy-eve.yaml"
    text = s.yaml.read_text()
    begin, end = text.index("outputs: ["), text.index("\nlogging:")
    regular = "{eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [flow]}}"
    whole = re.sub("^  #(?! \\S)", "  ", sample.read_text(), flags=re.M)
    for file in set(re.findall(r"/(?:etc/eddy|usr/share/GeoIP|var/lib/prometheus/node-exporter)[^\s]*", whole)):
        there = bench.path / pathlib.Path(file).name
        if file.endswith(".conf"):
            there.write_text("[beacon]\nmin_gaps = 12\n")
        whole = whole.replace(file, '""' if file.endswith(".mmdb") else str(there))  # there is no database to open
    only = sample.read_text().replace("  #geoip:", "  geoip:")
    for number, lines in enumerate((sample.read_text(), whole, only)):
        included = bench.path / f"sample{number}.yaml"
        included.write_text(lines)
        s.yaml.write_text(f"{text[:begin]}outputs:\n  - {regular}\n  - eve-log: !include {included}{text[end:]}")
        said = s.read(capture(bench))
        if number == 0:
            s.expect_all_scored()
        elif number == 1:  # every line in use
            check(not re.search("^  #(?! \\S)", lines, re.M) and f"metrics to {bench.path}/eddy.prom" in said, said)
            check("Error: eddy" not in said, said)
        else:
            check("the section 'geoip' is empty" in said, said)


@test
def suricata_settings_come_from_a_file_and_from_the_map(bench: Bench) -> None:
    conf = bench.path / "eddy.conf"
    conf.write_text("[decide]\nmax_incidents_per_day = 0\n[jsonl]\nwithheld = off\n[eddyd]\nhttp = off\n"
                    f"[syslog]\n[beacon]\nmin_gaps = 12\n[suricata]\nname = named\n")
    local = ["10.0.0.0/8", "172.16.0.0/12"]
    file = capture(bench)
    s = Suricata(bench, {"config": str(conf)}, name="file")
    s.read(file)
    check(s.incidents("named.json") == set(), "the file's budget of 0 holds")
    check(s.metric("scored", "named.prom") > 0, "it works all the same")
    s = Suricata(bench, {"Config": str(conf), "decide": {"max-incidents-per-day": "20"}, "nets": {"local": local},
                         "jsonl": {"withheld": "yes"}, "BEACON": {"MinGaps": "15"}, "name": "map"}, name="map")
    s.read(file)
    expected = incidents(bench.score(s.eve(), settings={"beacon.min_gaps": "15", "nets.local": "10.0.0.0/8"}))
    check(s.incidents("map.json") == expected != set(), f"{s.incidents('map.json')}, not {expected}")
    conf.write_text("[suricata]\nconfig = /etc/eddy/other.conf\n")
    said = Suricata(bench, {"con-fig": str(conf)}, name="chain").read(file)
    check(f"{conf}: suricata.config: only in suricata.yaml" in said, said)
    s = Suricata(bench, {"decide": {"max_incidents_per_day": "0"}, "jsonl": {"withheld": "true"}}, name="withheld")
    s.read(file)
    check('"withheld":true' in (s.log / "eddy.json").read_text(), "withheld incidents are written")
    s = Suricata(bench, {"jsonl": {"path": ""}, "textfile": {"path": ""}}, name="none")
    s.read(file)
    check(sorted(p.name for p in s.log.iterdir()) == ["eve.json"], "an empty path is: none")


BAD = {  # what the line in the log says: the map. The daemon refuses it, and so does -T
    "eddy: /etc/eddy/eddy.conf: not a map": "/etc/eddy/eddy.conf",
    "eddy: a list: not a map": ["ring", "64M"],
    "elsewhere.conf: ": {"con-fig": "/nonexistent/elsewhere.conf"},
    "the section 'geoip' is empty": {"geoip": ""},
    "x.txt': does not end in name.prom": {"textfile": {"path": "/tmp/x.txt"}},
    "/nonexistent/: No such": {"textfile": {"path": "/nonexistent/x.prom"}},
    "/nowhere/: No such": {"isolate": "yes", "textfile": {"path": "/nowhere/x.prom"}},
    "/dev/null: not a regular file": {"jsonl": {"path": "/dev/null"}},
    "beacon.min-gap: ": {"beacon": {"min-gap": "12"}},
    "beacon.min_gaps = '1000'": {"beacon": {"min-gaps": "1000"}},
    "suricata.rnig: ": {"rnig": "64M"},
    "suricata.ring = '1'": {"ring": "1"},
    "suricata.isolate = 'maybe'": {"isolate": "maybe"},
    "suricata.name = '../x'": {"name": "../x"},
    "nets.local: neither a value nor a list": {"nets": {"local": {"a": "10.0.0.0/8"}}},
    "nowhere.conf: ": {"config": "/nonexistent/nowhere.conf"},
    "nowhere.mmdb": {"geoip": {"asn": "/nonexistent/nowhere.mmdb"}},
    "/nonexistent/x.json: ": {"jsonl": {"path": "/nonexistent/x.json"}},
    "engine.thread = off": {"engine": {"thread": "off"}},
    "'tcp:127.0.0.1:1': not unix_dgram": {"isolate": "yes", "socket": "tcp:127.0.0.1:1"},
}


@test
def suricata_bad_settings_are_named_and_leave_it_running(bench: Bench) -> None:
    file = capture(bench, flows=100)
    for number, (words, map) in enumerate(BAD.items()):
        s = Suricata(bench, map, name=f"bad{number}")
        said = s.read(file)
        check(words in said and "Error: eddy: " in said, f"no '{words}' in: {said}")
        check(s.events()["flow"] > 300, f"{words}: eve.json has {s.events()}")
        check(not list(s.log.glob("eddy*")), f"{words}: left {list(s.log.iterdir())}")


@test
def suricata_T_says_what_is_wrong_and_writes_nothing(bench: Bench) -> None:
    need_root()
    folder = bench.path / "empty"
    folder.mkdir()
    listed = bench.run(bench.eddy, "options").stdout
    paths = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and ".path = " in line]
    check(len(paths) >= 2, listed)
    map = {key.split(".")[0]: {"path": str(folder / (key.split(".")[0] + ".prom"))} for key in paths}
    for words in (["-T"], ["-vT"]):
        s = Suricata(bench, map, {})
        done = bench.run(*s.words(*words))
        check(done.returncode == 0, done.stdout + done.stderr)
        check(not list(folder.iterdir()) and not list(s.log.glob("eddy*")), f"{list(folder.iterdir())}")
    # Then the daemon, as another user, in the same directory.
    s.eve().unlink()
    for place in (folder, s.log):
        give(place)
    s.read(capture(bench, flows=300), "--user", NOBODY)
    for file in (folder / "jsonl.prom", folder / "textfile.prom", s.log / "eddy-2.json",
                 s.log / "eddy-2.prom"):
        check(pwd.getpwuid(file.stat().st_uid).pw_name == NOBODY, f"{file} belongs to {file.stat().st_uid}")
    for words, map in BAD.items():
        done = bench.run(*Suricata(bench, map).words("-T"))
        check(done.returncode != 0 and words in done.stdout + done.stderr, f"{words}: {done.stdout + done.stderr}")
    # What an isolated one does not open it does not miss.
    done = bench.run(*Suricata(bench, {"isolate": "yes", **BAD["nowhere.mmdb"]}).words("-T"))
    check(done.returncode == 0, done.stdout + done.stderr)


@test
def suricata_two_eve_logs_never_write_one_textfile(bench: Bench) -> None:
    (bench.path / "link").symlink_to(bench.path)
    for number, other in enumerate((f"{bench.path}/same.prom", f"{bench.path}//same.prom", f"{bench.path}/link/same.prom")):
        maps = [{"textfile": {"path": path}} for path in (f"{bench.path}/same.prom", other)]
        s = Suricata(bench, *maps, name=f"same{number}")
        said = s.read(capture(bench))
        check("another eve-log with filetype eddy writes it" in said, said)
        check({(h, d) for _, h, d in s.incidents()} >= TRUTH, "the first of the two works")
        done = bench.run(*s.words("-T"))
        check(done.returncode != 0 and "another eve-log" in done.stdout + done.stderr, "-T says so as well")


@test
def suricata_says_what_a_HUP_does_not_take_over(bench: Bench) -> None:
    conf, pipe = bench.path / "eddy.conf", Pipe(bench, flows=100)
    conf.write_text(f"[textfile]\npath = {bench.path}/a.prom\n")
    s = Suricata(bench, {"config": str(conf)}, {"textfile": {"path": str(bench.path / "b.prom")}})
    conf.write_text(conf.read_text() + "[emit]\ninterval = 1s\n")
    s.start("-r", pipe.path)
    pipe.write(0, 0.1)
    s.wait_said("Engine started")

    def reload(text: str, words: str) -> None:
        conf.write_text(text)
        s.process.send_signal(signal.SIGHUP)
        s.wait_said(words)

    reload(f"[textfile]\npath = {bench.path}//b.prom\n", "writes it")
    check("read again" not in s.said() and "the old ones stay in force" in s.said(), s.said())
    reload("[engine]\nthread = off\n", "engine.thread = off: not in Suricata")
    reload(f"[textfile]\npath = {bench.path}/c.prom\n[emit]\ninterval = 1s\n[suricata]\nname = x\nring = 1M\nisolate = on\nsocket = y\n",
           f"{conf} read again")
    for name in ("name", "ring", "isolate", "socket"):
        check(f"suricata.{name} changes with a restart" in s.said(), f"{name}: {s.said()}")
    wait_for((bench.path / "c.prom").exists, 20, "the new textfile")
    pipe.write(0.1, 1)
    pipe.close()
    s.end()
    check(s.metric("scored", "../c.prom") == s.metric("scored", "../b.prom") == s.events()["flow"], "both have all")
