#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What documents and configurations name exists: metrics in metrics.def, settings in `eddy options`.

usage: facts.py path/to/eddy
"""

from __future__ import annotations

import re
import subprocess
import sys

import tree

# Prometheus adds these to a name; eddy_* names in code that are no metrics end otherwise.
METRIC = re.compile(r"\beddy_\w+(?:_total|_seconds|_bytes|_ratio)\b")
FILE_ENDINGS = {"c", "h", "md", "py", "def", "conf", "json", "jsonl", "prom", "service", "sock", "log", "org", "socket",
                "yaml"}


def metrics() -> set[str]:
    text = (tree.ROOT / "core" / "metrics.def").read_text(encoding="utf-8")
    return {f"eddy_{m}" for m in re.findall(r"^METRIC\((\w+),", text, flags=re.MULTILINE)}


def settings(eddy: str) -> set[str]:
    out = subprocess.run([eddy, "options"], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"^  ([a-z_]+\.[a-z0-9_]+) = ", out, flags=re.MULTILINE))


def main() -> None:
    known_metrics, known_settings = metrics(), settings(sys.argv[1])
    sections = {s.split(".")[0] for s in known_settings}
    setting = re.compile(r"(?<![\w./-])(" + "|".join(sorted(sections)) + r")\.([a-z][a-z0-9_]*)(?![\w(/-])")
    faults: list[str] = []
    checked = 0
    for path in tree.files(".md", ".yaml", ".yml", ".rules", ".libsonnet"):
        for number, line in enumerate(tree.lines(path), 1):
            where = f"{tree.name(path)}:{number}"
            for name in METRIC.findall(line):
                checked += 1
                if name not in known_metrics:
                    faults.append(f"{where}: no such metric: {name}")
            for section, option in setting.findall(line):
                if option in FILE_ENDINGS:
                    continue
                checked += 1
                if f"{section}.{option}" not in known_settings:
                    faults.append(f"{where}: no such setting: {section}.{option}")
    tree.report(faults, checked, "names")


if __name__ == "__main__":
    main()
