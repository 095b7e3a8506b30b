# SPDX-License-Identifier: MIT
"""eddy in the real collectd: it finds what `eddy score` finds, shows it, tells it, and what goes wrong around it."""
import os
import pathlib
import re
import shutil
import socket
import time

from collectd import TYPES, Collectd, append, ask, follow, lines_of, mute_server, start_alertmanager, start_prometheus
from harness import ROOT, Bench, Skipped, check, disk_that_hangs, incidents, inherited, test, wait_for

LAB = {("10.20.0.15", "beacon"), ("10.20.0.21", "fanout")}  # at least; other detectors may find more


def jsonl(path: object) -> str:
    return f'<Jsonl>\nPath "{path}"\n</Jsonl>\n'


def later(record: bytes, minutes: int) -> bytes:
    """The same flow, some minutes after."""
    def shift(found: re.Match) -> bytes:
        hour, minute = int(found[2]), int(found[3]) + minutes
        return found[1] + b"%02d:%02d" % (hour + minute // 60, minute % 60)
    return re.sub(rb'(\d{4}-\d\d-\d\dT)(\d\d):(\d\d)', shift, record)


# ---- what is found ----

@test
def collectd_follows_a_log_that_grows_and_rotates(bench: Bench) -> None:
    records, log, found = lines_of("eve.json.gz"), bench.path / "eve.json", bench.path / "found.json"
    log.touch()
    host = Collectd(bench, follow(log, jsonl(found)))
    host.start()
    size = len(records) // 6 + 1
    for n, begin in enumerate(range(0, len(records), size)):
        if n in (2, 4):
            os.rename(log, f"{log}.{n}")
        append(log, records[begin:begin + size])
        time.sleep(0.25)
    host.wait_records("dmz", len(records))
    check(host.value("input_rotations_total", "dmz") == 2, "two rotations are counted")
    check(host.value("input_gaps_total", "dmz") == 0, "and no gap")
    host.stop()
    oracle = bench.path / "all.json"
    append(oracle, records)
    wanted = incidents(bench.score(oracle))
    check({(h, d) for _, h, d in wanted} >= LAB, f"eddy score: {wanted}")
    check(incidents(found.read_text()) == wanted, f"{found.read_text()} instead of {wanted}")


@test
def collectd_listens_on_sockets(bench: Bench) -> None:
    records, found, place = lines_of("conn.log.gz"), bench.path / "found.json", bench.path / "socket"
    host = Collectd(bench, f'<Input "edge">\nListen "unix_stream:{place}"\nFormat "zeek-tsv"\n</Input>\n{jsonl(found)}')
    host.start()
    with socket.socket(socket.AF_UNIX) as to:
        to.connect(str(place))
        to.sendall(b"".join(records))
    host.wait_records("edge", len(records))
    check(host.value("input_connections_total", "edge") == 1, "the connection is counted")
    host.stop()
    oracle = bench.path / "conn.log"
    append(oracle, records)
    wanted = incidents(bench.score(oracle))
    check({(h, d) for _, h, d in wanted} >= LAB, f"eddy score: {wanted}")
    check(incidents(found.read_text()) == wanted, f"{found.read_text()} instead of {wanted}")
    check(not place.exists(), "the socket is left behind")


@test
def collectd_skips_what_exists_and_finds_rotated_parts_elsewhere(bench: Bench) -> None:
    records, log, archive = lines_of("eve.json.gz"), bench.path / "eve.json", bench.path / "old"
    archive.mkdir()
    append(log, records[:3000])
    host = Collectd(bench, f'<Input "dmz">\nFollow "{log}"\nExisting "skip"\nArchive "{archive}"\n</Input>\n')
    host.start()
    host.wait_value(1, "input_reading", "dmz")
    append(log, records[3000:5000])
    host.wait_records("dmz", 2000)
    host.stop()
    append(log, records[5000:6000])
    os.rename(log, archive / "eve.json.1")
    append(log, records[6000:7000])
    host.start()
    host.wait_records("dmz", 2000)
    check(host.value("input_gaps_total", "dmz") == 0, "a gap")
    host.stop()


# ---- what is told ----

def exec_script(bench: Bench) -> tuple[object, str]:
    """A receiver for collectd's exec plugin, and its configuration."""
    told, script = bench.path / "told", bench.path / "receiver"
    told.mkdir()
    told.chmod(0o777)
    script.write_text(f'#!/bin/sh\ncat >"{told}/$$"\n')
    script.chmod(0o755)
    return told, f'<Plugin exec>\nNotificationExec "nobody" "{script}"\n</Plugin>\n'


def alertmanager_conf(port: int) -> str:
    return (f'<Plugin write_http>\n<Node "am">\nURL "http://127.0.0.1:{port}/api/v2/alerts"\n'
            'Format "JSON"\nNotifications true\nMetrics false\nTimeout 2000\n</Node>\n</Plugin>\n')


@test
def collectd_notifies_logfile_exec_and_alertmanager(bench: Bench) -> None:
    log = bench.path / "eve.json"
    append(log, lines_of("eve.json.gz"))
    port = start_alertmanager(bench)
    told, exec_conf = exec_script(bench)
    host = Collectd(bench, follow(log), exec_conf + alertmanager_conf(port), ("exec", "write_http"))
    host.start()
    host.wait_said("severity = FAILURE, host = sensor1, plugin = eddy, plugin_instance = all, type = incident, "
                   r"type_instance = fanout, message = 10\.20\.0\.21 .*\[high fanout, p=\S+, T1046, [0-9a-f]{16}\]")

    def alerts() -> list[dict]:
        return ask(port, "/api/v2/alerts") or []
    wait_for(lambda: {a["labels"]["type"] for a in alerts()} >= {"fanout", "beacon"}, 10, f"alerts: {alerts()}")
    wait_for(lambda: any(a["labels"]["severity"] == "FAILURE" for a in alerts()), 10, "a failure")
    alert = next(a for a in alerts() if a["labels"]["type"] == "fanout" and a["labels"]["severity"] == "FAILURE")
    check(alert["labels"] == {"alertname": "collectd_eddy_incident", "eddy": "all", "type": "fanout",
                              "instance": "sensor1", "service": "collectd", "severity": "FAILURE"}, f"{alert}")
    notes = alert["annotations"]
    check(notes["incident_host"] == "10.20.0.21" and notes["technique"] == "T1046" and float(notes["p"]) < 1e-9 and
          int(notes["flows"]) > 100 and notes["explanation"].startswith("10.20.0.21 ") and notes["reason_1"] != "",
          f"{notes}")
    wait_for(lambda: len(list(told.iterdir())) >= host.value("notifications_total", kind="sent") > 2, 10, "exec")
    texts = [path.read_text() for path in told.iterdir()]
    beacon = next(text for text in texts if "TypeInstance: beacon" in text and "incident_host: 10.20.0.15\n" in text)
    for line in ("Host: sensor1", "Plugin: eddy", "incident_host: 10.20.0.15", "peer: 203.0.113.66", "peer_port: 443",
                 "technique: T1071"):
        check(f"\n{line}\n" in beacon, f"no '{line}' in {beacon}")
    host.stop()


@test
def collectd_is_told_when_a_detector_is_quiet_again(bench: Bench) -> None:
    log, records = bench.path / "eve.json", lines_of("eve.json.gz")
    append(log, records)
    port = start_alertmanager(bench)
    host = Collectd(bench, follow(log, '<Decide>\nQuiet "1m"\n</Decide>\n'), alertmanager_conf(port), ("write_http",))
    host.start()
    host.wait_said("severity = FAILURE.*type_instance = beacon")
    host.wait_records("dmz", len(records))
    check("severity = OKAY, host = sensor1, plugin = eddy, plugin_instance = all, type = incident, "
          "type_instance = beacon" not in host.log(), "quiet too early")
    flows = [r for r in records if b'"event_type":"flow"' in r and b'"src_ip":"10.20.0.17"' in r]  # does nothing wrong
    for minutes in range(5, 60, 5):
        append(log, [later(record, minutes) for record in flows[-40:]])
    host.wait_said("severity = OKAY, .*type_instance = beacon, message = beacon is quiet again")
    host.wait_said("severity = OKAY, .*type_instance = fanout, message = fanout is quiet again")
    host.wait_value(0, "incidents_open")
    host.stop()
    severities = sorted(a["labels"]["severity"] for a in ask(port, "/api/v2/alerts") if a["labels"]["type"] == "beacon")
    check(severities == ["FAILURE", "OKAY", "WARNING"], f"collectd 5.12 sends three alerts: {severities}")
    for detector, severities in host.told().items():
        text = " ".join(severities)
        check(text.endswith(" OKAY") and not text.startswith("OKAY") and "OKAY OKAY" not in text,
              f"each time once when it is over, and then only: {detector}: {text}")


@test
def collectd_says_nothing_is_over_when_it_stops(bench: Bench) -> None:
    log, found = bench.path / "eve.json", bench.path / "found.json"
    append(log, lines_of("eve.json.gz"))
    host = Collectd(bench, follow(log, jsonl(found)))
    host.start()
    host.wait_said("severity = FAILURE.*type_instance = beacon")
    host.stop()
    check("OKAY" not in host.log(), "a stop is no end of an incident")
    check('"state":"closed"' in found.read_text(), "but outputs are told that it is closed")


@test
def collectd_limits_notifications(bench: Bench) -> None:
    log, records = bench.path / "eve.json", lines_of("eve.json.gz")
    append(log, records)
    host = Collectd(bench, follow(log, "NotificationsPerMinute 1\n"))
    host.start()
    host.wait_records("dmz", len(records))
    host.wait_value(1, "notifications_total", kind="sent")
    wait_for(lambda: (host.value("notifications_total", kind="limited") or 0) >= 1, 10, "one is over the limit")
    host.wait_said(r"notifications left out: [1-9]\d* over NotificationsPerMinute, 0 as receivers are too slow")
    host.stop()
    told = re.findall(r"left out: (\d+) over", host.log())
    check(len(told) <= 2, f"told more than once a minute and at the end: {told}")
    check(host.log().count("Notification: severity") == 1, "one is sent")


@test
def collectd_with_a_mute_receiver(bench: Bench) -> None:
    log, records = bench.path / "eve.json", lines_of("eve.json.gz")
    most = len(records) * 9 // 10
    append(log, records[:most])
    with mute_server() as port:
        host = Collectd(bench, follow(log), f'<Plugin write_http>\n<Node "x">\nURL "http://127.0.0.1:{port}/"\n'
                        "Notifications true\nMetrics false\n</Node>\n</Plugin>\n", ("write_http",))
        host.start()
        host.wait_said("Notification: severity")
        append(log, records[most:])
        host.wait_records("dmz", len(records))
        check(host.log().count("Notification: severity") == 1, "the receiver is mute, and yet takes more")
        took = host.stop()
    check(took < 12, f"took {took:.1f} s to stop")
    check("did not answer: left it" in host.log(), f"not told: {host.log()[-500:]}")


# ---- what is shown ----

NAMES = """anomalous_flows_total build_info calibration_error checkpoint_failures_total checkpoint_timestamp_seconds
    config_ok config_reloads_total event_time_seconds evictions_total feature_psi flows_corrected_total
    flows_total hosts_tracked incident_budget_remaining incident_limit incidents_no_place_total incidents_open
    incidents_suppressed_total incidents_total incidents_withheld_total input_gaps_total input_lag_bytes
    input_read_bytes_total input_reading input_records_total input_rotations_total input_truncations_total
    input_unresolved late_flows_total learning mark_reloads_total marks model_agreement_total model_alerts_total
    model_info model_load_failures_total model_loaded model_score_psi model_scored_total
    model_trained_timestamp_seconds notifications_total output_dropped_total output_errors_total pairs_tracked
    records_rejected_total records_skipped_total slow_reads_total state_memory_bytes suppressed_flows_total
    suppression_reloads_total suppressions"""


@test
def collectd_shows_metrics_to_prometheus(bench: Bench) -> None:
    log, records = bench.path / "eve.json", lines_of("eve.json.gz")
    append(log, records)
    host = Collectd(bench, follow(log, "<State>\nTopHosts 5\n</State>\n"))
    port = start_prometheus(bench, host.port)
    host.start()
    host.wait_records("dmz", len(records))
    text = host.metrics()
    names = set(re.findall(r"^collectd_eddy_(\w+)\{", text, re.M))
    check(names == set(NAMES.split()), f"other names: {sorted(names ^ set(NAMES.split()))}")
    check("10.20." not in text, "an address is in a label")
    if shutil.which("promtool"):
        done = bench.run("sh", "-c", f"curl -s http://127.0.0.1:{host.port}/metrics | promtool check metrics")
        check(done.returncode == 0 and not done.stderr + done.stdout, f"promtool: {done.stdout}{done.stderr}")

    def sample(query: str) -> float | None:
        answer = ask(port, "/api/v1/query", query=query)
        found = answer["data"]["result"] if answer else []
        return float(found[0]["value"][1]) if len(found) == 1 else None
    flows = host.value("flows_total", "dmz")
    check(flows == sum(b'"event_type":"flow"' in r for r in records), f"{flows} flows")
    wait_for(lambda: sample('collectd_eddy_flows_total{eddy="dmz",instance="sensor1"}') == flows, 20,
             f"in Prometheus: {ask(port, '/api/v1/query', query='collectd_eddy_flows_total')}")
    check(sample('sum(collectd_eddy_input_records_total{eddy="dmz"})') == len(records), "the sum of all results")
    fanouts = sum(detector == "fanout" for _, _, detector in incidents(bench.score(log)))
    check(sample('collectd_eddy_incidents_total{type="fanout"}') == fanouts > 0, f"{fanouts} incidents of fanout")
    check(sample("collectd_eddy_config_ok") == 1, "config_ok")
    host.stop()


@test
def collectd_shows_few_series_of_many_inputs(bench: Bench) -> None:
    for n in range(64):
        append(bench.path / f"{n}.json", lines_of("eve.json.gz")[:3])
    blocks = "".join(f'<Input "in{n}">\nFollow "{bench.path}/{n}.json"\n</Input>\n' for n in range(64))
    host = Collectd(bench, blocks, interval=0.1)
    host.start()
    host.wait_value(3, "input_records_total", "in63", "skipped")
    time.sleep(3)
    families: dict[str, int] = {}
    for name in re.findall(r"^collectd_eddy_(\w+)\{", host.metrics(), re.M):
        families[name] = families.get(name, 0) + 1
    check(families["input_records_total"] == 256 and max(families.values()) <= 500, f"{families}")
    slow = host.value("slow_reads_total")
    print(f"   {sum(families.values())} series of 64 inputs, {slow:.0f} slow reads", flush=True)
    host.stop()


@test
def collectd_types_are_new(bench: Bench) -> None:
    if not TYPES.exists():
        raise Skipped(f"{TYPES} is not there")
    def names(text: str) -> set[str]:
        return {line.split()[0] for line in text.splitlines() if line.strip() and not line.startswith("#")}
    both = names(TYPES.read_text()) & names((ROOT / "plugins" / "collectd" / "types.db").read_text())
    check(not both, f"collectd has types of these names: {both}")
    check("flow" in names(TYPES.read_text()), "types.db was not read")


# ---- what goes wrong ----

WRONG = {
    'Foo "bar"\n': r"collectd\.Foo: there is no such setting",
    "<Beacon>\nMinGaps many\n</Beacon>\n": r"<Beacon>: beacon\.min_gaps = 'many'",
    "<Beacon>\nNoSuch 1\n</Beacon>\n": r"<Beacon>: Beacon\.NoSuch: there is no such setting",
    "<Beacon>\nMinGaps 1 2\n</Beacon>\n": r"<Beacon>: MinGaps: takes one value",
    '<Input "a b">\nFollow "/x"\n</Input>\n': r'<Input "a b">: a name has',
    '<Input "all">\nFollow "/x"\n</Input>\n': r"and is not 'all'",
    '<Input "x">\nFormat "eve"\n</Input>\n': r'<Input "x">: needs one Follow or one Listen',
    '<Input "x">\nFollow "/a"\nListen "tcp:127.0.0.1:1"\n</Input>\n': r"needs one Follow or one Listen",
    '<Input "x">\nFollow "/tmp"\n</Input>\n': r'<Input "x">: /tmp: ',
    '<Input "x">\nListen "udp:1"\n</Input>\n': r"<Input \"x\">: 'udp:1'",
    '<Input "x">\nFollow "/a"\nFormat "pcap"\n</Input>\n': r"Format 'pcap': not eve",
    '<Input "dmz">\nFollow "/a"\n</Input>\n': r"two inputs of this name",
    '<Input "x">\nFollow "/a"\nFormat "eve"\nFormat "zeek-json"\n</Input>\n': r'<Input "x">: Format: set twice',
    '<Input "x">\nFollow "/a"\nExisting "some"\n</Input>\n': r"Existing 'some': not read or skip",
    '<Input "x">\nListen "tcp:127.0.0.1:1"\nArchive "/a"\n</Input>\n': r"Archive and Existing are for Follow",
    '<Eddyd>\nFollow "/x"\n</Eddyd>\n': r"<Eddyd>: is of no use in collectd",
    "<Suricata>\nRing 1M\n</Suricata>\n": r"<Suricata>: is of no use in collectd",
    '<Beacon "dmz">\nMinGaps 12\n</Beacon>\n': r"<Beacon>: takes no name",
    "<Nonsense>\nMinGaps 12\n</Nonsense>\n": r"<Nonsense>: there is no such section",
    'Config "/a"\nConfig "/b"\n': r"Config: set twice",
    'Config "/no/such/file"\n': r"/no/such/file",
    'Checkpoint "/no/such/directory/checkpoint"\n': r"Checkpoint = '/no/such/directory/checkpoint': directory",
    '<GeoIP>\nAsn "/no/such.mmdb"\n</GeoIP>\n': r"/no/such\.mmdb",
}


@test
def collectd_runs_on_with_wrong_settings(bench: Bench) -> None:
    log = bench.path / "eve.json"
    for n, (settings, wanted) in enumerate(WRONG.items()):
        host = Collectd(bench, follow(log, settings), name=f"c{n}", interval=0.1)
        if n == 0:
            host.start()
            host.wait_value(0, "config_ok")
            check(host.value("flows_total", "dmz") is None, "it is off, and yet reads")
            host.ctl("flush", "plugin=eddy")
            host.stop()
        else:
            done = bench.run(*host.words("-T"))
            check(done.returncode == 0, f"{settings}: status {done.returncode}: {host.said()}{done.stderr}")
        check(re.search(rf"error\] eddy plugin: .*{wanted}.*; eddy is off, collectd runs on", host.log()) is not None,
              f"{settings}: no '{wanted}' in {host.log()}")


@test
def collectd_flush_reads_the_settings_again(bench: Bench) -> None:
    log, conf, found = bench.path / "eve.json", bench.path / "eddy.conf", bench.path / "found.json"
    conf.write_text("[beacon]\nmin_gaps = 12\n")
    host = Collectd(bench, f'Config "{conf}"\nCheckpointInterval "1h"\n' + follow(log))
    log.touch()
    host.start()
    before = (host.path / "checkpoint").read_text()
    records = lines_of("eve.json.gz")
    append(log, records)
    host.wait_records("dmz", len(records))
    check((host.path / "checkpoint").read_text() == before, "the checkpoint is written too often")
    conf.write_text(f"[jsonl]\npath = {found}\n[collectd]\nnotifications_per_minute = 5\n")
    host.ctl("flush", "plugin=eddy")
    host.wait_said("settings read again")
    wait_for(lambda: (host.path / "checkpoint").read_text() != before, 5, "flush writes a checkpoint")
    host.wait_value(1, "config_reloads_total", kind="ok")
    conf.write_text("[beacon]\nmin_gaps = many\n")
    host.ctl("flush", "plugin=eddy")
    host.wait_said(r"settings not taken over, the old ones stay in force: .*eddy\.conf:2: ")
    host.stop()
    check(found.exists() and "closed" in found.read_text(), "the new output was not opened")


@test
def collectd_says_what_of_the_file_is_not_used(bench: Bench) -> None:
    log, conf = bench.path / "eve.json", bench.path / "eddy.conf"
    conf.write_text("[eddyd]\nfollow = /x.json\n[jsonl]\npath =\n")
    log.touch()
    host = Collectd(bench, f'Config "{conf}"\n' + follow(log))
    host.eddy = host.eddy.replace(f'Checkpoint "{host.path}/checkpoint"\n', "")
    conf.write_text(f"{conf.read_text()}[collectd]\ncheckpoint = {bench.path}/one\n")
    host.write()
    host.start()
    host.wait_said("follow and listen of .eddyd. are not read here")
    wait_for((bench.path / "one").exists, 5, "the checkpoint")
    conf.write_text(conf.read_text().replace("/one", "/two"))
    host.ctl("flush", "plugin=eddy")
    host.wait_said(rf"collectd\.checkpoint = '{bench.path}/two' needs a restart, '{bench.path}/one' stays in force")
    host.wait_said("settings read again")
    host.stop()
    check(host.log().count("are not read here") == 1 and not (bench.path / "two").exists(), "told twice, or written")


@test
def collectd_flush_while_an_output_hangs_holds_up_no_scoring(bench: Bench) -> None:
    log, conf, folder = bench.path / "eve.json", bench.path / "eddy.conf", bench.path / "disk"
    records = lines_of("eve.json.gz")
    conf.write_text(f"[textfile]\npath = {folder}/eddy.prom\n[emit]\ninterval = 1s\n")
    append(log, records[:1000])
    with disk_that_hangs(folder) as freeze:
        host = Collectd(bench, f'Config "{conf}"\nCheckpointInterval "1h"\n' + follow(log))
        host.start()
        host.wait_records("dmz", 1000)
        wait_for((folder / "eddy.prom").exists, 5, "the output works")
        freeze("-f")
        time.sleep(1.5)  # now it waits
        before = (host.path / "checkpoint").read_text()
        host.ctl("flush", "plugin=eddy")
        wait_for(lambda: (host.path / "checkpoint").read_text() != before, 5, "flush writes a checkpoint")
        append(log, records[1000:])
        host.wait_records("dmz", len(records))
        check("settings read again" not in host.log(), "the disk does not hang: nothing is tested")
        freeze("-u")
        host.wait_said("settings read again")
        host.stop()


@test
def collectd_without_the_thread_of_the_library(bench: Bench) -> None:
    """Then ours does what that would do."""
    log, conf, found = bench.path / "eve.json", bench.path / "eddy.conf", bench.path / "found.json"
    conf.write_text("[engine]\nthread = off\n")
    records = lines_of("eve.json.gz")
    append(log, records)
    host = Collectd(bench, f'Config "{conf}"\n' + follow(log))
    host.start()
    host.wait_records("dmz", len(records))
    names = [task.read_text().strip() for task in pathlib.Path(f"/proc/{host.process.pid}/task").glob("*/comm")]
    check("eddy score" in names and "eddy-keeper" not in names, f"threads: {names}")
    for n, thread in enumerate(("off", "on", "on")):
        conf.write_text(f"[engine]\nthread = {thread}\n[jsonl]\npath = {found}{n}\n")
        host.ctl("flush", "plugin=eddy")
        host.wait_value(n + 1, "config_reloads_total", kind="ok")
        wait_for(pathlib.Path(f"{found}{n}").exists, 5, "the new output")
    append(log, [later(record, 300) for record in records[-3000:]])
    wait_for(lambda: pathlib.Path(f"{found}2").stat().st_size > 0, 5, "incidents are written, though it says on")
    host.stop()


@test
def collectd_gives_no_descriptor_to_its_children(bench: Bench) -> None:
    """exec and others fork: what they would keep of collectd with eddy is what they keep of it without."""
    log, place, kept = bench.path / "eve.json", bench.path / "socket", []
    append(log, lines_of("eve.json.gz")[:100])
    host = Collectd(bench, follow(log, f'<Input "edge">\nListen "unix_stream:{place}"\n</Input>\n'
                                  + jsonl(bench.path / "found.json")))
    for load in ("", "LoadPlugin eddy\n"):
        host.write(load)
        host.start()
        with socket.socket(socket.AF_UNIX) as to:
            if load:
                host.wait_records("dmz", 100)
                to.connect(str(place))
                host.wait_value(1, "input_connections_open", "edge")
            open_ones = inherited(host.process.pid)
        kept.append(sorted(name.split(":")[0] for _, name, stays in open_ones if stays))
        host.stop()
        (host.path / "log").unlink()
    check(any(name == str(log) for _, name, _ in open_ones), f"the log is not open: {open_ones}")
    check(kept[0] == kept[1], f"without eddy {kept[0]}, with it {kept[1]}")


@test
def collectd_killed_goes_on_where_it_was(bench: Bench) -> None:
    log, records = bench.path / "eve.json", lines_of("eve.json.gz")
    append(log, records[:4000])
    host = Collectd(bench, follow(log, 'CheckpointInterval "100ms"\n'))
    host.start()
    host.wait_records("dmz", 4000)
    append(log, records[4000:6000])
    host.process.kill()
    host.process.wait()
    part = re.search(r"^part (.*)$", (host.path / "checkpoint").read_text(), re.M).group(1).split()
    offset, whole = int(part[5], 16), b"".join(records)
    check(offset >= len(b"".join(records[:4000])), "what was read long ago is in no checkpoint")
    append(log, records[6000:9000])
    left = whole[offset:len(b"".join(records[:9000]))].count(b"\n")
    host.start()
    host.wait_records("dmz", left)
    time.sleep(0.3)
    check(host.records("dmz") == left, f"{host.records('dmz')} records read, {left} were left")
    host.stop()
    append(log, records[9000:])
    host.start()
    host.wait_records("dmz", len(records) - 9000)
    host.stop()


@test
def collectd_on_a_full_disk(bench: Bench) -> None:
    small, log, records = bench.path / "small", bench.path / "eve.json", lines_of("eve.json.gz")
    small.mkdir()
    done = bench.run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small)
    if done.returncode != 0:
        raise Skipped("mounting a tmpfs is not permitted here")
    bench.at_end.append(lambda: bench.run("umount", small))
    append(log, records[:100])
    host = Collectd(bench, follow(log, f'Checkpoint "{small}/checkpoint"\nCheckpointInterval "100ms"\n'))
    host.start()
    host.wait_records("dmz", 100)
    with open(small / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 512)
        except OSError:
            pass
    append(log, records[100:])
    host.wait_records("dmz", len(records))
    wait_for(lambda: host.value("checkpoint_failures_total") > 0, 10, "the failure is counted")
    host.wait_said("No space left on device; trying again, scoring goes on")
    os.unlink(small / "filler")
    host.wait_said("can be written again")
    bench.run("mount", "-o", "remount,ro", small)
    append(log, records[:500])
    host.wait_records("dmz", len(records) + 500)
    host.wait_said("Read-only file system; trying again, scoring goes on")
    host.stop()
