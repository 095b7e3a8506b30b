#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pack.py - a recording of tests/lab as a captures file wants it, small enough to be kept.

    sudo tests/lab/run --seed 41 OUT_DIR && models/shipped/pack.py OUT_DIR models/shipped/recordings/lab-41 [--eve]

Writes NAME.conn.log.gz (with --eve NAME.eve.json.gz, only flows, only what eddy reads of them) and NAME.labels.csv.gz.
Flows are as they were recorded but for their ids, which are numbered: random ones cannot be compressed, and nothing is
learned from them. The events that have names are gone with --eve, so the column `prevalence` of a few flows is lower;
no forest of ours reads it.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path

KEYS = ("timestamp", "flow_id", "event_type", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "app_proto")
INNER = {"flow": ("pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient", "start", "end", "state"),
         "tcp": ("tcp_flags_ts", "tcp_flags_tc", "state")}


def number_uids(text: str, new: dict[str, str]) -> str:
    """A conn.log with uids C1, C2, ...; `new` gets which was which."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            fields = line.split("\t")
            fields[1] = new.setdefault(fields[1], f"C{len(new) + 1}")
            line = "\t".join(fields)
        lines.append(line)
    return "\n".join(lines) + "\n"


def number_flows(text: str, new: dict[str, str]) -> str:
    """The flows of an eve.json with flow_id 1, 2, ..."""
    lines = []
    for record in map(json.loads, text.splitlines()):
        if record["event_type"] == "flow":
            number = new.setdefault(str(record["flow_id"]), str(len(new) + 1))
            kept = {key: record[key] for key in KEYS if key in record} | {"flow_id": int(number)}
            for group, keys in INNER.items():
                if group in record:
                    kept[group] = {key: record[group][key] for key in keys if key in record[group]}
            lines.append(json.dumps(kept, separators=(",", ":")))
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    """The same bytes for the same text: no name and no time in the file."""
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def main() -> None:
    eve = "--eve" in sys.argv
    words = [word for word in sys.argv[1:] if word != "--eve"]
    if len(words) != 2:
        sys.exit("usage: pack.py OUT_DIR NAME [--eve]")
    recording, name = Path(words[0]), words[1]
    new: dict[str, str] = {}
    if eve:
        write(Path(f"{name}.eve.json.gz"), number_flows((recording / "eve.json").read_text(), new))
    else:
        write(Path(f"{name}.conn.log.gz"), number_uids((recording / "conn.log").read_text(), new))
    with open(recording / "truth-flows.csv", newline="") as rows:
        truth = [row for row in csv.DictReader(rows) if row["uid-or-flow_id"] in new]
    labels = [f"{new[row['uid-or-flow_id']]},{row['label']},{row['kind'] if row['label'] == '1' else ''}"
              for row in truth]
    write(Path(f"{name}.labels.csv.gz"), "\n".join(["id,label,family", *labels]) + "\n")
    print(f"{name}: {len(new)} flows, {sum(row['label'] == '1' for row in truth)} of attacks")


if __name__ == "__main__":
    main()
