# SPDX-License-Identifier: MIT
"""Signals, settings, HTTP, systemd's protocol."""
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from generator import record
from harness import Bench, Eddyd, Failed, Skipped, check, disk_that_hangs, free_port, inherited, test, wait_for

BAD_LINES = [
    "[eddyd]\nfollow = /dev", "[eddyd]\nfollow = /dev/null", "[eddyd]\nlisten = nonsense",
    "[eddyd]\nlisten = tcp:127.0.0.1:99999", "[eddyd]\nlisten = unix_stream:relative",
    "[eddyd]\nlisten = udp:127.0.0.1:1", "[eddyd]\nhttp = 127.0.0.1", "[eddyd]\nhttp = :1",
    "[eddyd]\nhttp = ", "[eddyd]\ncheckpoint = /nowhere/at/all", "[eddyd]\ncheckpoint = /",
    "[eddyd]\nflows = /nowhere/at/all", "[eddyd]\nflows = /tmp/", "[eddyd]\nflow = x",
    "[eddyd]\nexisting = maybe", "[eddyd]\ncheckpoint_interval = fast",
    "[eddyd]\ncheckpoint_interval = 1us", "[eddyd]\ncheckpoint_interval = 2d",
    "[eddyd]\ncheckpoint_interval = -1s", "[nowhere]\nx = 1", "[eddyd\nx = 1", "no section",
    "[eddyd]\n= 1", "[eddyd]\nfollow", "[state]\nmemory = lots", "[state]\nmemory = 1",
    "[state]\nmemory = -5M", "[state]\nmemory = 1e400"]


def append(path, begin: int, end: int) -> None:
    with open(path, "a", encoding="ascii") as f:
        f.write("".join(record("eve", n) for n in range(begin, end)))


@test
def bad_settings_are_refused_with_the_reason(bench: Bench) -> None:
    good = bench.path / "good.conf"
    good.write_text(f"[eddyd]\nfollow = {bench.path}/eve.json\ncheckpoint =\nflows =\n")
    asked = [bench.eddyd, "-t", "-c", str(good)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"a good file is refused: {done.stderr}")
    for i in range(200):
        bad = bench.path / "bad.conf"
        line = BAD_LINES[i % len(BAD_LINES)]
        padding = "# a comment\n" * bench.dice.randrange(20)
        bad.write_text(f"[eddyd]\ncheckpoint =\n{padding}{line}\n")
        done = subprocess.run([bench.eddyd, "-t", "-c", str(bad)], capture_output=True, text=True,
                              check=False)
        check(done.returncode == 1, f"{line!r}: status {done.returncode}, {done.stderr!r}")
        check(len(done.stderr.strip().splitlines()) == 1, f"{line!r}: {done.stderr!r}")
        name = line.splitlines()[-1].split("=")[0].strip()
        first = padding.count("\n") + 3
        where = [f"bad.conf:{first + i}:" for i in range(len(line.splitlines()))]
        check(any(w in done.stderr for w in where) or f"eddyd.{name} = " in done.stderr,
              f"{line!r}: says not where: {done.stderr!r}")


@test
def command_line_mistakes_give_status_2(bench: Bench) -> None:
    for arguments in (["-x"], ["file"], ["-c"]):
        done = subprocess.run([bench.eddyd, *arguments], capture_output=True, text=True,
                              check=False)
        check(done.returncode == 2 and "usage:" in done.stderr, f"{arguments}: {done}")
    done = subprocess.run([bench.eddyd, "-t", "-s", "eddyd.http"], capture_output=True, text=True,
                          check=False)
    check(done.returncode == 1 and "KEY=VALUE" in done.stderr, f"{done}")
    done = subprocess.run([bench.eddyd, "-V"], capture_output=True, text=True, check=False)
    check(done.returncode == 0 and done.stdout.startswith("eddyd 0."), f"{done}")


@test
def storm_of_reloads_with_broken_settings(bench: Bench) -> None:
    log, count = bench.path / "eve.json", 60000
    daemon = bench.daemon([str(log)])
    daemon.start()
    good = daemon.conf.read_text()
    generator = bench.generator(log, "eve", count, 20000, 0.3, "numbered")
    hups = 0
    while generator.poll() is None:
        broken = bench.dice.random() < 0.7
        daemon.conf.write_text(good + bench.dice.choice(BAD_LINES[:16]) if broken else good)
        daemon.process.send_signal(signal.SIGHUP)
        hups += 1
        time.sleep(bench.dice.uniform(0.001, 0.03))
    daemon.wait_lines(count)
    text = daemon.log.read_text()
    check("settings not taken over" in text and "settings read again" in text, "not told")
    check(daemon.metric("eddyd_reloads_total") > 20, f"{hups} signals sent, hardly any taken")
    check(daemon.get("/readyz")[0] == 200, "not ready any more")
    daemon.stop()
    daemon.expect_exactly(count)


@test
def reload_adds_and_removes_inputs(bench: Bench) -> None:
    a, b = bench.path / "a.json", bench.path / "b.json"
    append(a, 0, 10)
    append(b, 10, 20)
    daemon = bench.daemon([str(a)])
    daemon.start()
    daemon.wait_lines(10)
    for follow, add_to, begin in (([a, b], None, 10), ([b], b, 20), ([a, b], a, 30)):
        daemon.follow = [str(path) for path in follow]
        daemon.write_conf()
        before = daemon.metric("eddyd_reloads_total")
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: daemon.metric("eddyd_reloads_total") > before, 5, "reloaded")
        if add_to:
            append(add_to, begin, begin + 10)
        daemon.wait_lines(begin + 10)
    daemon.stop()
    daemon.expect_exactly(40)  # `a` went on where it was, though it was away for a while


@test
def an_input_may_have_a_name(bench: Bench) -> None:
    """Also one given or changed while running; the log goes on where it was."""
    log = bench.path / "a.json"
    append(log, 0, 10)
    daemon = bench.daemon([f"dmz={log}"])
    daemon.start()
    daemon.wait_lines(10)
    check('eddyd_input_reading{input="dmz"} 1' in daemon.get("/metrics")[1], "its name is not in the metrics")
    daemon.follow = [f"edge=eve:{log}"]
    daemon.write_conf()
    daemon.process.send_signal(signal.SIGHUP)
    append(log, 10, 20)
    daemon.wait_lines(20)
    wait_for(lambda: 'eddyd_input_reading{input="edge"} 1' in daemon.get("/metrics")[1], 5, "the new name")
    check('eddyd_input_reading{input="dmz"}' not in daemon.get("/metrics")[1], "the old name is still reading")
    daemon.follow.append(f"edge={bench.path / 'b.json'}")
    daemon.write_conf()
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "'edge': two inputs of this name" in daemon.log.read_text(), 5, "two of one name are refused")
    daemon.stop()
    daemon.expect_exactly(20)


def reload(daemon: Eddyd) -> None:
    """Takes over what the daemon's settings are now."""
    daemon.write_conf()
    before = daemon.metric('eddyd_reloads_total{result="ok"}')
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: daemon.metric('eddyd_reloads_total{result="ok"}') > before, 5, "reloaded: " + daemon.tail())


@test
def a_log_gets_another_name_without_a_checkpoint(bench: Bench) -> None:
    """In the middle of a record, too."""
    log, last = bench.path / "a.json", record("eve", 360)
    daemon = bench.daemon([str(log)], eddyd__checkpoint="")
    append(log, 0, 360)
    with open(log, "a", encoding="ascii") as file:
        file.write(last[:100])
    daemon.start()
    daemon.wait_lines(360)
    for name in ("dmz=", "edge=eve:", "", None, ""):
        daemon.follow = [f"{name}{log}"] if name is not None else []
        reload(daemon)
    daemon.settings["eddyd.archive"] = str(bench.path)
    reload(daemon)
    with open(log, "a", encoding="ascii") as file:
        file.write(last[100:])
    append(log, 361, 400)
    daemon.wait_lines(400)
    daemon.stop()
    daemon.expect_exactly(400)


def zstd(content: bytes) -> bytes:
    """As a frame of raw blocks."""
    blocks = [content[at:at + 65536] for at in range(0, len(content), 65536)]
    heads = [(len(block) << 3 | (n == len(blocks) - 1)).to_bytes(3, "little") for n, block in enumerate(blocks)]
    return b"\x28\xb5\x2f\xfd\0\x50" + b"".join(head + block for head, block in zip(heads, blocks))


@test
def a_zstd_log_keeps_its_name_until_its_end(bench: Bench) -> None:
    log, count = bench.path / "a.json.zst", 150000
    log.write_bytes(zstd("".join(record("eve", n) for n in range(count)).encode()))
    daemon = bench.daemon([str(log)])
    daemon.start()
    daemon.follow = [f"dmz={log}"]
    daemon.write_conf()
    daemon.wait_lines(1)
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "in the middle of a zstd file" in daemon.tail(), 5, "refused: " + daemon.tail())
    check(daemon.lines() < count, "all was read before the signal came: nothing is tested")
    daemon.wait_lines(count)
    daemon.stop()
    daemon.expect_exactly(count)


@test
def a_socket_in_use_gets_another_name(bench: Bench) -> None:
    """What is under way goes on, with the name it began with; what comes later has the new one."""
    port, datagrams = free_port(), bench.path / "d"
    places = [f"unix_stream:{bench.path}/s", f"unix_dgram:{datagrams}", f"tcp:127.0.0.1:{port}"]
    daemon = bench.daemon([], [f"old{n}={place}" for n, place in enumerate(places)])
    daemon.start()
    for n in range(2):
        with socket.socket(socket.AF_UNIX) as local, socket.create_connection(("127.0.0.1", port)) as far, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as single:
            local.connect(f"{bench.path}/s")
            single.connect(str(datagrams))
            lines = [record("eve", k).encode() for k in range(n * 10, n * 10 + 10)]
            local.sendall(lines[0] + lines[1][:90])
            far.sendall(lines[2] + lines[3][:90])
            single.send(lines[4])
            daemon.wait_lines(n * 10 + 3)
            daemon.listen = [f"new{n}{k}=eve:{place}" for k, place in enumerate(places)]
            reload(daemon)
            wait_for(lambda: daemon.metric("eddyd_input_connections_open") == 2, 5, "both connections are still open")
            local.sendall(lines[1][90:] + lines[5])
            far.sendall(lines[3][90:] + lines[6])
            single.send(lines[7])
            with socket.socket(socket.AF_UNIX) as later:
                later.connect(f"{bench.path}/s")
                later.sendall(lines[8])
            with socket.create_connection(("127.0.0.1", port)) as later:
                later.sendall(lines[9])
            daemon.wait_lines(n * 10 + 10)
        wait_for(lambda: daemon.metric("eddyd_input_connections_open") == 0, 5, "no connection is left")
    flows = {name: daemon.metric(f'eddy_flows_total{{input="{name}"}}')
             for name in ("old0", "new00", "new10", "old1", "new01", "new11", "old2", "new02", "new12")}
    check(flows == {"old0": 3, "new00": 4, "new10": 1, "old1": 1, "new01": 2, "new11": 1, "old2": 3, "new02": 4,
                    "new12": 1}, f"flows by name: {flows}")
    check(datagrams.exists(), "a socket file is gone")
    daemon.stop()
    check(not datagrams.exists() and not (bench.path / "s").exists(), "a socket file is left behind")
    daemon.expect_exactly(20)


@test
def reload_reopens_the_flows_file(bench: Bench) -> None:
    log = bench.path / "eve.json"
    append(log, 0, 10)
    daemon = bench.daemon([str(log)])
    daemon.start()
    daemon.wait_lines(10)
    old = bench.path / "flows.csv.1"
    os.rename(daemon.flows, old)
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(daemon.flows.exists, 5, "a new flows file")
    append(log, 10, 20)
    daemon.wait_lines(10)
    daemon.kill()
    daemon.start()
    append(log, 20, 30)
    daemon.wait_lines(20)
    daemon.stop()
    with open(daemon.flows, "a", encoding="ascii") as f:
        f.write("".join(old.read_text().splitlines(True)[1:]))
    daemon.expect_exactly(30)


@test
def a_reload_while_an_output_hangs_holds_up_no_scoring(bench: Bench) -> None:
    log, more, folder = bench.path / "eve.json", bench.path / "more.json", bench.path / "disk"
    append(log, 0, 100)
    with disk_that_hangs(folder) as freeze:
        daemon = bench.daemon([str(log)], textfile__path=str(folder / "eddy.prom"), emit__interval="1s")
        daemon.start()
        daemon.wait_lines(100)
        wait_for((folder / "eddy.prom").exists, 5, "the output works")
        freeze("-f")
        time.sleep(1.5)  # now it waits
        for n in range(2):
            daemon.follow = [str(log), str(more)]
            daemon.settings["emit.interval"] = f"{n + 2}s"
            daemon.write_conf()
            old = daemon.flows.rename(bench.path / f"flows.{n}")
            daemon.process.send_signal(signal.SIGHUP)
            append(more, 100 + n * 100, 200 + n * 100)
            daemon.wait_lines(100, 5)
            check(daemon.get("/healthz")[0] == 200, "not healthy")
            check("settings read again" not in daemon.log.read_text(), "the disk does not hang: nothing is tested")
            with open(bench.path / "all", "a", encoding="ascii") as file:
                file.write("".join(old.read_text().splitlines(True)[1:]))
        freeze("-u")
        wait_for(lambda: daemon.metric('eddyd_reloads_total{result="ok"}') == 2, 5, "both are done: " + daemon.tail())
        daemon.settings["geoip.asn"] = str(bench.path / "none")  # seen by the library: put back
        daemon.follow = [str(more)]
        daemon.write_conf()
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: daemon.metric('eddyd_reloads_total{result="failed"}') == 1, 5, "refused: " + daemon.tail())
        append(log, 300, 350)
        daemon.wait_lines(150)
        freeze("-f")
        time.sleep(1.5)
        daemon.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        daemon.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        freeze("-u")
        check(daemon.process.wait(10) == 0, "it did not end well: " + daemon.tail())
    with open(daemon.flows, "a", encoding="ascii") as file:
        file.write((bench.path / "all").read_text())
    daemon.expect_exactly(350)


@test
def stop_under_load_loses_and_repeats_nothing(bench: Bench) -> None:
    log, count = bench.path / "conn.log", 120000
    daemon = bench.daemon([str(log)])
    daemon.start()
    generator = bench.generator(log, "zeek-tsv", count, 30000, 0.3, "rename")
    while generator.poll() is None:
        time.sleep(bench.dice.uniform(0.1, 0.5))
        begun = time.monotonic()
        daemon.stop()
        check(time.monotonic() - begun < 7, "took more than 7 s to stop")
        daemon.start()
    daemon.wait_lines(count)
    daemon.stop()
    daemon.expect_exactly(count)


@test
def stop_reads_what_is_there_already(bench: Bench) -> None:
    log = bench.path / "eve.json"
    append(log, 0, 50000)
    daemon = bench.daemon([str(log)])
    daemon.start()
    daemon.stop()
    daemon.expect_exactly(50000)


@test
def a_child_would_inherit_no_descriptor(bench: Bench) -> None:
    """Of logs, sockets, their connections, outputs, HTTP."""
    log, port = bench.path / "eve.json", free_port()
    append(log, 0, 10)
    listen = [f"unix_stream:{bench.path}/s", f"unix_dgram:{bench.path}/d", f"tcp:127.0.0.1:{port}"]
    daemon = bench.daemon([str(log)], listen, jsonl__path=str(bench.path / "eddy.json"),
                          textfile__path=str(bench.path / "eddy.prom"))
    daemon.start()
    daemon.wait_lines(10)
    with socket.socket(socket.AF_UNIX) as one, socket.create_connection(("127.0.0.1", port)), \
            socket.create_connection(("127.0.0.1", daemon.port)) as web:
        one.connect(f"{bench.path}/s")
        web.sendall(b"GET ")
        wait_for(lambda: daemon.metric("eddyd_input_connections_open") == 2, 5, "two connections")
        open_ones = inherited(daemon.process.pid)
    check(len(open_ones) > 10, f"only {open_ones}")
    left = [name for number, name, kept in open_ones if kept and number > 2]
    check(not left, f"a child would have {left}")
    daemon.stop()


@test
def systemd_is_told(bench: Bench) -> None:
    for name, address in (("path", str(bench.path / "notify")), ("abstract", "\0eddy-test-notify-"
                                                                 + str(os.getpid()))):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(address)
            systemd.settimeout(5)
            daemon = bench.daemon([str(bench.path / "eve.json")])
            daemon.write_conf()
            told = []

            def hear(until: str) -> None:
                try:
                    while not any(until in t for t in told):
                        told.append(systemd.recv(4096).decode())
                except TimeoutError:
                    raise Failed(f"{name}: heard only {told}, not {until}") from None

            daemon.start(env={"NOTIFY_SOCKET": address.replace("\0", "@"),
                              "WATCHDOG_USEC": "400000"})
            hear("READY=1")
            hear("WATCHDOG=1")
            del told[:]
            daemon.process.send_signal(signal.SIGHUP)
            hear("RELOADING=1")
            hear("READY=1")
            daemon.process.send_signal(signal.SIGSTOP)  # a hang: no more signs of life
            time.sleep(0.3)
            systemd.setblocking(False)
            try:
                while systemd.recv(4096):
                    pass
            except BlockingIOError:
                pass
            systemd.settimeout(0.8)
            try:
                raise Failed(f"a stopped eddyd said {systemd.recv(4096)!r}")
            except TimeoutError:
                pass
            systemd.settimeout(5)
            daemon.process.send_signal(signal.SIGCONT)
            daemon.process.send_signal(signal.SIGTERM)
            hear("STOPPING=1")
            check(daemon.process.wait(10) == 0, "did not end well")


@test
def http_answers_and_refuses(bench: Bench) -> None:
    daemon = bench.daemon([str(bench.path / "eve.json")])
    append(bench.path / "eve.json", 0, 100)
    daemon.start()
    daemon.wait_lines(100)
    for path, status in (("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/", 404),
                         ("/metrics/../etc/passwd", 404)):
        check(daemon.get(path)[0] == status, f"{path}: {daemon.get(path)}")
    check(daemon.get("/metrics", "HEAD") == (200, ""), "HEAD")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        check(daemon.get("/metrics", method)[0] == 405, method)
    with socket.create_connection(("127.0.0.1", daemon.port), 5) as big:
        big.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100000 + b"\r\n\r\n")
        answer = big.recv(100)
        check(answer == b"" or b" 431 " in answer or b" 413 " in answer, f"{answer!r}")
    check(daemon.get("/healthz")[0] == 200, "dead after a long header")
    daemon.stop()


@test
def metrics_please_promtool(bench: Bench) -> None:
    if shutil.which("promtool") is None:
        raise Skipped("no promtool")
    daemon = bench.daemon([str(bench.path / 'odd "name"\\.json')],
                          [f"unix_stream:{bench.path}/eve.sock"])
    append(bench.path / 'odd "name"\\.json', 0, 100)
    daemon.start()
    daemon.wait_lines(100)
    time.sleep(1.1)
    status, text = daemon.get("/metrics")
    check(status == 200 and "eddyd_input_lag_bytes" in text, text[:200])
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True, check=False)
    check(done.returncode == 0 and not done.stderr.strip(), done.stderr + done.stdout)
    check(daemon.metric("eddyd_input_rotations_total", -1) == 0, "no sample for the odd name")
    daemon.stop()


@test
def hung_scrapes_do_not_delay_scoring(bench: Bench) -> None:
    log, count = bench.path / "eve.json", 60000
    daemon = bench.daemon([str(log)])
    daemon.start()
    hung = []
    for i in range(200):
        try:
            s = socket.create_connection(("127.0.0.1", daemon.port), 1)
            s.sendall(b"GET /metrics HTTP/1.1\r\n" if i % 2 else
                      b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            hung.append(s)
        except OSError:
            break
    generator = bench.generator(log, "eve", count, 20000, 0, "rename")
    bench.finish(generator)
    wait_for(lambda: daemon.lines() >= count, 10, "all lines scored while scrapes hang")
    for s in hung:
        s.close()
    daemon.stop()
    daemon.expect_exactly(count)


@test
def scrapes_while_reloading_and_reading(bench: Bench) -> None:
    log, count = bench.path / "eve.json", 40000
    daemon = bench.daemon([str(log)])
    daemon.start()
    over = threading.Event()
    bad = []

    def scrape() -> None:
        while not over.is_set():
            status, text = daemon.get("/metrics")
            if status not in (200, 0) or (status == 200 and "eddyd_start_time_seconds" not in text):
                bad.append((status, text[-200:]))

    threads = [threading.Thread(target=scrape) for _ in range(3)]
    for t in threads:
        t.start()
    generator = bench.generator(log, "eve", count, 20000, 0.2, "rename")
    while generator.poll() is None:
        daemon.process.send_signal(signal.SIGHUP)
        time.sleep(0.05)
    daemon.wait_lines(count)
    over.set()
    for t in threads:
        t.join()
    check(not bad, f"{bad[:2]}")
    daemon.stop()
    daemon.expect_exactly(count)
