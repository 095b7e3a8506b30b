# SPDX-License-Identifier: MIT
"""eddyd again and again; with a build under a sanitizer, which fails its exit status, without leak or race.
What else it promises is in tests/faults."""
import gzip
import http.client
import re

from harness import ROOT, Bench, check, free_port, long_test, test, wait_for


def page(port: int, path: str) -> str:
    """What it answers; empty while it does not."""
    try:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        client.request("GET", path)
        answer = client.getresponse()
        return answer.read().decode() if answer.status == 200 else ""
    except OSError:
        return ""


def scored(port: int) -> int:
    return sum(int(n) for n in re.findall(r'^eddy_flows_total\{.*\} (\d+)$', page(port, "/metrics"), re.M))


def cycles(bench: Bench, count: int) -> None:
    log = bench.path / "eve.json"
    log.write_bytes(gzip.open(ROOT / "examples" / "data" / "eve.json.gz").read())
    flows = log.read_bytes().count(b'"event_type":"flow"')
    for n in range(count):
        port = free_port()
        settings = {"follow": log, "listen": f"unix_stream:{bench.path}/socket", "http": f"127.0.0.1:{port}",
                    "checkpoint": bench.path / f"checkpoint-{n}", "flows": bench.path / f"flows-{n}.csv"}
        words = [word for key, value in settings.items() for word in ("-s", f"eddyd.{key}={value}")]
        process = bench.start(bench.eddyd, *words, "-s", f"jsonl.path={bench.path}/eddy.json", "-s", "state.memory=16M")
        wait_for(lambda: page(port, "/readyz") != "", 20, "ready: " + bench.text()[-800:])
        if n % 2 == 0:  # in the middle of reading, and with all read
            wait_for(lambda: scored(port) == flows, 30, f"{flows} flows scored, are {scored(port)}")
        status = bench.stop(process)
        check(status == 0, f"cycle {n}: status {status}: {bench.text()[-3000:]}")
        check(not (bench.path / "socket").exists(), f"cycle {n} left its socket")
        lines = (bench.path / f"flows-{n}.csv").read_bytes().count(b"\n") - 1
        check(lines == flows, f"cycle {n}: {lines} lines of {flows} flows")


@test
def eddyd_starts_and_stops(bench: Bench) -> None:
    cycles(bench, 10)


@long_test
def eddyd_starts_and_stops_a_hundred_times(bench: Bench) -> None:
    cycles(bench, 100)
