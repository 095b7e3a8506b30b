# SPDX-License-Identifier: MIT
"""The real Prometheus, node_exporter and Alertmanager, on loopback, as a site has them."""
import json
import pathlib
import urllib.error
import urllib.parse
import urllib.request

from harness import Bench, free_port, need, wait_for

CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}
scrape_configs: [{{job_name: sensor, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]
"""
RULES = """
groups:
  - name: eddy
    rules:
      - alert: EddyIncident
        expr: eddy_incidents_total > 0
        annotations: {summary: 'eddy on {{ $labels.instance }}: incidents by {{ $labels.detector }}'}
"""
ROUTES = "route: {receiver: nobody, group_wait: 1s, group_interval: 1s}\nreceivers: [{name: nobody}]\n"


def ask(port: int, path: str, **query: str) -> object:
    """The JSON that is served there, None while nobody answers."""
    url = f"http://127.0.0.1:{port}{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None


class Monitoring:
    """Prometheus asks node_exporter, which serves the *.prom files of a directory, and tells Alertmanager."""

    def __init__(self, bench: Bench, textfiles: pathlib.Path):
        self.prometheus, self.alertmanager, self.exporter = free_port(), free_port(), free_port()
        folder = bench.path / "monitoring"
        folder.mkdir()
        (folder / "rules.yml").write_text(RULES)
        (folder / "routes.yml").write_text(ROUTES)
        (folder / "prometheus.yml").write_text(CONFIG.format(rules=folder / "rules.yml", alertmanager=self.alertmanager,
                                                             target=self.exporter))
        bench.start(need("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.textfile",
                    f"--collector.textfile.directory={textfiles}", f"--web.listen-address=127.0.0.1:{self.exporter}",
                    log="node-exporter.out")
        bench.start(need("prometheus-alertmanager"), f"--config.file={folder}/routes.yml", f"--storage.path={folder}/alerts",
                    f"--web.listen-address=127.0.0.1:{self.alertmanager}", "--cluster.listen-address=", log="alertmanager.out")
        bench.start(need("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address=127.0.0.1:{self.prometheus}", log="prometheus.out")
        wait_for(lambda: self.query("up") and ask(self.alertmanager, "/api/v2/status"), 30, "Prometheus and Alertmanager: "
                 + bench.text("prometheus.out")[-500:] + bench.text("alertmanager.out")[-500:])

    def query(self, expression: str) -> list[dict]:
        """Samples as Prometheus has them now, labels under "metric"."""
        answer = ask(self.prometheus, "/api/v1/query", query=expression)
        return answer["data"]["result"] if answer else []

    def values(self, expression: str, label: str) -> dict[str, float]:
        return {sample["metric"].get(label, ""): float(sample["value"][1]) for sample in self.query(expression)}

    def alerts(self) -> set[str]:
        """Detectors that there is an alert of, at Alertmanager."""
        answer = ask(self.alertmanager, "/api/v2/alerts") or []
        return {alert["labels"]["detector"] for alert in answer if alert["labels"]["alertname"] == "EddyIncident"}
