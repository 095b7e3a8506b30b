# SPDX-License-Identifier: MIT
"""Records over Unix and TCP sockets."""
import os
import pathlib
import socket
import stat
import threading
import time

from generator import HEADER, record
from harness import Bench, check, free_port, test, wait_for


def dial(path: pathlib.Path, kind: int = socket.SOCK_STREAM) -> socket.socket:
    s = socket.socket(socket.AF_UNIX, kind)
    s.settimeout(10)
    s.connect(str(path))
    return s


@test
def datagrams_with_and_without_newline(bench: Bench) -> None:
    path, count = bench.path / "eve.sock", 20000
    daemon = bench.daemon([], [f"unix_dgram:{path}"])
    daemon.start()
    with dial(path, socket.SOCK_DGRAM) as s:
        for n in range(count):
            s.send(record("eve", n)[: None if n % 2 else -1].encode())
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        try:
            s.send(b'{"event_type":"alert","x":"' + b"y" * 900000 + b'"}')
        except OSError as why:  # net.core.wmem_max decides how long one can be
            print(f"   a datagram of 900 kB can't be sent here: {why}")
        s.send(record("eve", count).encode())
    daemon.wait_lines(count + 1)
    daemon.stop()
    daemon.expect_exactly(count + 1)


@test
def streams_of_several_clients(bench: Bench) -> None:
    path, each, clients = bench.path / "eve.sock", 3000, 12
    daemon = bench.daemon([], [f"unix_stream:{path}"])
    daemon.start()
    check(stat.S_IMODE(os.stat(path).st_mode) == 0o660, "mode is not 0660")

    def send(i: int) -> None:
        with dial(path) as s:
            text = "".join(record("eve", n) for n in range(i * each, (i + 1) * each)).encode()
            text = text[:-1] if i % 2 else text  # the last record without newline
            for at in range(0, len(text), 4096 + i):
                s.sendall(text[at: at + 4096 + i])

    threads = [threading.Thread(target=send, args=(i,)) for i in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    daemon.wait_lines(each * clients)
    daemon.stop()
    check(not path.exists(), "the socket file is left behind")
    daemon.expect_exactly(each * clients)


@test
def streams_over_tcp_4_and_6(bench: Bench) -> None:
    port, port6 = free_port(), free_port()
    listen = [f"tcp:127.0.0.1:{port}"]
    has6 = socket.has_ipv6 and pathlib.Path("/proc/net/if_inet6").exists() and \
        "00000000000000000000000000000001" in pathlib.Path("/proc/net/if_inet6").read_text()
    if has6:
        listen.append(f"tcp:[::1]:{port6}")
    daemon = bench.daemon([], listen)
    daemon.start()
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall((HEADER + "".join(record("zeek-tsv", n) for n in range(1000))).encode())
    if has6:
        with socket.create_connection(("::1", port6)) as s:
            s.sendall("".join(record("eve", n) for n in range(1000, 2000)).encode())
    count = 2000 if has6 else 1000
    daemon.wait_lines(count)
    daemon.stop()
    daemon.expect_exactly(count)


@test
def the_sensor_reconnects_after_eddyd_was_killed(bench: Bench) -> None:
    path, n = bench.path / "eve.sock", 0
    daemon = bench.daemon([], [f"unix_stream:{path}"])
    for _ in range(4):
        daemon.start()
        with dial(path) as s:
            s.sendall("".join(record("eve", k) for k in range(n, n + 50)).encode())
            n += 50
            daemon.wait_lines(n)
            daemon.kill()  # leaves the socket file behind
    daemon.start()
    daemon.stop()
    daemon.expect_exactly(n)


@test
def a_crowd_of_clients_is_bounded(bench: Bench) -> None:
    path = bench.path / "eve.sock"
    daemon = bench.daemon([], [f"unix_stream:{path}"])
    daemon.start()
    crowd = []
    for _ in range(100):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.setblocking(False)
        try:
            s.connect(str(path))
            crowd.append(s)
        except BlockingIOError:
            s.close()
    wait_for(lambda: daemon.metric("eddyd_input_connections_open") == 64, 5, "64 connections")
    for s in crowd[:64]:
        s.close()
    crowd[-1].setblocking(True)
    crowd[-1].sendall(record("eve", 0).encode())
    daemon.wait_lines(1)
    daemon.stop()
    daemon.expect_exactly(1)


@test
def garbage_on_a_socket_costs_only_itself(bench: Bench) -> None:
    path = bench.path / "eve.sock"
    daemon = bench.daemon([], [f"unix_stream:{path}"])
    daemon.start()
    for junk in (b"\0" * 100000, bytes(bench.dice.randrange(256) for _ in range(50000)),
                 b"\x1f\x8b\x08\0" + b"junk" * 1000, b"\x28\xb5\x2f\xfd" + b"junk" * 1000,
                 b"[" * 200000 + b"\n", b"{" * 70000):
        with dial(path) as s:
            try:
                s.sendall(junk)
            except OSError:
                pass
    with dial(path) as s:
        s.sendall(b"rubbish\n" + record("eve", 0).encode())
    daemon.wait_lines(1)
    time.sleep(0.2)
    check(daemon.get("/healthz")[0] == 200, "not healthy")
    daemon.stop()
    daemon.expect_exactly(1)


@test
def logs_and_sockets_together(bench: Bench) -> None:
    log, path, count = bench.path / "eve.json", bench.path / "eve.sock", 30000
    daemon = bench.daemon([str(log)], [f"unix_stream:{path}"])
    daemon.start()
    generator = bench.generator(log, "eve", count, 20000, 0.3, "rename")
    with dial(path) as s:
        for n in range(count, count * 2):
            s.sendall(record("eve", n).encode())
    bench.finish(generator)
    daemon.wait_lines(count * 2)
    daemon.stop()
    daemon.expect_exactly(count * 2)
