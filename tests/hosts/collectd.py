# SPDX-License-Identifier: MIT
"""A real collectd with eddy inside, for the tests, and those that listen to it: a Prometheus, an
Alertmanager, a server that never answers."""
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
from typing import Iterator

from harness import ROOT, Bench, Failed, Skipped, check, free_port, need, wait_for

STOCK = (pathlib.Path("/usr/lib/collectd"), pathlib.Path("/usr/lib64/collectd"))
TYPES = pathlib.Path("/usr/share/collectd/types.db")
DATA = ROOT / "examples" / "data"


def lines_of(log: str) -> list[bytes]:
    """The records of one of the lab's example logs."""
    return gzip.decompress((DATA / log).read_bytes()).splitlines(keepends=True)


def follow(log: object, more: str = "") -> str:
    """The inside of <Plugin eddy> with one input, dmz."""
    return f'<Input "dmz">\nFollow "{log}"\n</Input>\n{more}'


def append(log: pathlib.Path, records: list[bytes]) -> None:
    with open(log, "ab") as file:
        file.write(b"".join(records))


class Collectd:
    """One collectd: its collectd.conf, its plugin directory, and what it says."""

    def __init__(self, bench: Bench, eddy: str, extra: str = "", plugins: tuple[str, ...] = (), name: str = "c",
                 interval: float = 0.5):
        self.bench, self.program, self.name = bench, need("collectd"), name
        self.path, self.port = bench.path / name, free_port()
        (self.path / "plugins").mkdir(parents=True)
        self.plugin = bench.build / "plugins" / "collectd" / "eddy.so"
        self.process: subprocess.Popen | None = None
        if not self.plugin.exists():
            raise Skipped(f"{self.plugin} is not built")
        stock = next((folder for folder in STOCK if folder.is_dir()), STOCK[0])
        plugins = ("logfile", "unixsock", "write_prometheus", *plugins)
        for plugin in plugins:  # collectd knows one directory, and refuses symlinks
            if not (stock / f"{plugin}.so").exists():
                raise Skipped(f"collectd's plugin {plugin} is not installed")
            shutil.copy(stock / f"{plugin}.so", self.path / "plugins")
        shutil.copy(self.plugin, self.path / "plugins")
        self.eddy = f'Checkpoint "{self.path}/checkpoint"\n' if "Checkpoint " not in eddy else ""
        self.eddy += eddy
        self.extra = "".join(f"LoadPlugin {p}\n" for p in plugins[3:]) + extra
        self.interval = interval
        self.write()

    def write(self, load: str = "LoadPlugin eddy\n") -> None:
        eddy = f"{load}<Plugin eddy>\n{self.eddy}\n</Plugin>\n" if load else ""
        (self.path / "collectd.conf").write_text(
            f'Hostname "sensor1"\nBaseDir "{self.path}"\nPIDFile "{self.path}/pid"\nPluginDir "{self.path}/plugins"\n'
            f'TypesDB "{TYPES}"\nInterval {self.interval}\nLoadPlugin logfile\n'
            f'<Plugin logfile>\nLogLevel info\nFile "{self.path}/log"\nPrintSeverity true\n</Plugin>\n'
            f'LoadPlugin unixsock\n<Plugin unixsock>\nSocketFile "{self.path}/sock"\nSocketGroup root\n</Plugin>\n'
            f'LoadPlugin write_prometheus\n<Plugin write_prometheus>\nHost "127.0.0.1"\nPort "{self.port}"\n</Plugin>\n'
            f"{self.extra}\n{eddy}")

    def words(self, *more: str) -> list[str]:
        return [self.program, *more, "-C", str(self.path / "collectd.conf")]

    def start(self, env: dict[str, str] | None = None) -> None:
        self.process = self.bench.start(*self.words("-f"), log=f"{self.name}.out", env={**os.environ, **(env or {})})
        wait_for(lambda: self.process.poll() is not None or "Initialization complete" in self.log(), 20,
                 f"collectd runs: {self.log()[-800:]}")
        check(self.process.poll() is None, f"collectd ended with {self.process.poll()}: {self.said()[-1500:]}")

    def stop(self, seconds: float = 20) -> float:
        """How long it took."""
        begun = time.monotonic()
        status = self.bench.stop(self.process, seconds)
        check(status == 0, f"collectd ended with {status}: {self.said()[-1500:]}")
        return time.monotonic() - begun

    def log(self) -> str:
        return self.bench.text(f"{self.name}/log")

    def said(self) -> str:
        return self.bench.text(f"{self.name}.out") + self.log()

    def wait_said(self, what: str, seconds: float = 10) -> None:
        wait_for(lambda: re.search(what, self.log()) is not None, seconds, f"'{what}' in: {self.log()[-1500:]}")

    def told(self) -> dict[str, list[str]]:
        """The severities of the notifications about each detector, in their order."""
        found: dict[str, list[str]] = {}
        for severity, detector in re.findall(r"Notification: severity = (\w+), .*? type_instance = (\w+), ", self.log()):
            found.setdefault(detector, []).append(severity)
        return found

    def ctl(self, *words: str) -> str:
        done = self.bench.run(need("collectdctl"), "-s", self.path / "sock", *words)
        check(done.returncode == 0, f"collectdctl {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def metrics(self) -> str:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            client.request("GET", "/metrics")
            return client.getresponse().read().decode()
        except OSError:
            return ""

    def value(self, name: str, eddy: str = "all", kind: str | None = None) -> float | None:
        """Of a series, as write_prometheus shows it; None if it has none."""
        type_label = f'type="{kind}",' if kind is not None else ""
        label = re.escape(f'collectd_eddy_{name}{{eddy="{eddy}",{type_label}instance="sensor1"}}')
        found = re.search(rf"^{label} (\S+) \d+$", self.metrics(), re.M)
        return float(found.group(1)) if found else None

    def wait_value(self, value: float, name: str, eddy: str = "all", kind: str | None = None,
                   seconds: float = 15) -> None:
        wait_for(lambda: self.value(name, eddy, kind) == value, seconds,
                 f"{name} {eddy} {kind} = {value}, is {self.value(name, eddy, kind)}; {self.log()[-800:]}")

    def records(self, of: str) -> int:
        """Records of an input, whatever became of them."""
        counts = [self.value("input_records_total", of, kind) for kind in ("scored", "skipped", "rejected", "dropped")]
        return int(sum(count or 0 for count in counts))

    def wait_records(self, of: str, count: int, seconds: float = 20) -> None:
        wait_for(lambda: self.records(of) >= count, seconds, f"{count} records of {of}: {self.log()[-800:]}")
        check(self.records(of) == count, f"{self.records(of)} records instead of {count}")


@contextlib.contextmanager
def mute_server() -> Iterator[int]:
    """A port where connections are taken and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[socket.socket] = []

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in taken:
                connection.close()


def ask(port: int, path: str, **query: str) -> object:
    """A question to Prometheus or Alertmanager; None while it does not answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))
        answer = client.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return None


def start_prometheus(bench: Bench, target: int) -> int:
    """The port of a Prometheus that scrapes `target` each second."""
    port = free_port()
    conf = bench.path / "prometheus.yml"
    conf.write_text("scrape_configs:\n- job_name: eddy\n  honor_labels: true\n  scrape_interval: 1s\n"
                    f"  scrape_timeout: 1s\n  static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n")
    bench.start(need("prometheus"), f"--config.file={conf}", f"--storage.tsdb.path={bench.path}/tsdb",
                f"--web.listen-address=127.0.0.1:{port}", log="prometheus.log")
    return port


def start_alertmanager(bench: Bench) -> int:
    port = free_port()
    conf = bench.path / "alertmanager.yml"
    conf.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    process = bench.start(need("prometheus-alertmanager"), f"--config.file={conf}",
                          f"--storage.path={bench.path}/alerts", f"--web.listen-address=127.0.0.1:{port}",
                          "--cluster.listen-address=", log="alertmanager.log")
    wait_for(lambda: process.poll() is not None or ask(port, "/api/v2/status") is not None, 20, "Alertmanager answers")
    if process.poll() is not None:
        raise Failed(f"Alertmanager ended: {bench.text('alertmanager.log')[-800:]}")
    return port
