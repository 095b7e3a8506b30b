#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same captures, logged by Zeek and by Suricata, give the same flows and feature columns, within limits.

usage: check.py --program SENSOR_FLOWS [--write]

Reads ../shared/data/zeek-suricata-pairs.tar.xz: captures, each logged by both. Connections that have the same Community
ID, one in each log, are compared field by field. Exit status 77 if the data is not there. --write remakes the tables
in README.md; without it they must be those of this run."""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import measures
from measures import Line, Pair

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data" / "zeek-suricata-pairs.tar.xz"
MARKS = ("<!-- tables: remade by check.py --write -->\n", "<!-- end of tables -->\n")
LOGS = ("eve.json", "conn.json.log", "conn.log")


@dataclass
class Record:
    """What is read here from the log itself: to sort it, and to join."""

    id: str
    community: str
    end: float
    line: str
    app: str  # as the sensor calls it
    frame_bytes: tuple[int, int] = (0, 0)  # Suricata
    tags: int = 0  # VLAN


# ---- The logs


def seconds(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def of_eve(line: str) -> Record | None:
    record = json.loads(line)
    if record["event_type"] != "flow":
        return None
    flow = record["flow"]
    return Record(str(record["flow_id"]), record["community_id"], seconds(flow["end"]), line,
                  record.get("app_proto", ""), (flow["bytes_toserver"], flow["bytes_toclient"]), len(record.get("vlan", [])))


def of_conn(line: str) -> Record | None:
    record = json.loads(line)
    return Record(record["uid"], record["community_id"], record["ts"] + record.get("duration", 0), line,
                  record.get("service", ""))


def records_of(path: Path) -> list[Record]:
    read = of_eve if path.name == "eve.json" else of_conn
    return [record for line in path.read_text().splitlines(True) if (record := read(line)) is not None]


def sort_by_end(folder: Path, logs: dict[str, list[Record]]) -> None:
    """As a sensor would have written them live: Suricata writes the flows of a file when it stops, in any order."""
    order = {record.id: i for i, record in enumerate(sorted(logs["conn.json.log"], key=lambda r: r.end))}
    for name, records in logs.items():
        (folder / name).write_text("".join(r.line for r in sorted(records, key=lambda r: r.end)))
    rows = (folder / "conn.log").read_text().splitlines(True)
    head = [row for row in rows if row[0] == "#" and not row.startswith("#close")]
    body = sorted((row for row in rows if row[0] != "#"), key=lambda row: order[row.split("\t")[1]])
    (folder / "conn.log").write_text("".join(head + body))


def score(program: Path, logs: Iterable[Path], *settings: str) -> dict[tuple[str, str], list[dict[str, str]]]:
    """The flows of each log, by capture and name of the log, as libeddy makes them."""
    done = subprocess.run([str(program), "engine.thread=off", "state.memory=4M", *settings], text=True, check=False,
                          input="".join(f"{log}\n" for log in logs), capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{program}: {done.stderr}")
    flows: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in csv.DictReader(done.stdout.splitlines()):
        log = Path(row.pop("log"))
        flows[log.parent.name, log.name].append(row)
    return flows


# ---- Pairs


def alone(records: list[Record]) -> dict[str, Record]:
    """Those whose Community ID no other record of the log has."""
    times = Counter(record.community for record in records)
    return {record.community: record for record in records if times[record.community] == 1}


def pairs_of(capture: str, logs: dict[str, list[Record]], flows: dict[tuple[str, str], list[dict[str, str]]]) -> list[Pair]:
    suricata, zeek = alone(logs["eve.json"]), alone(logs["conn.json.log"])
    by_id = {(name, flow["id"]): flow for name in ("eve.json", "conn.json.log") for flow in flows[capture, name]}
    return [Pair(capture, by_id["eve.json", s.id], by_id["conn.json.log", zeek[c].id], (s.app, zeek[c].app),
                 s.frame_bytes, s.tags)
            for c, s in suricata.items() if c in zeek
            and ("eve.json", s.id) in by_id and ("conn.json.log", zeek[c].id) in by_id]


def link_header(pairs: list[Pair]) -> int:
    """Of the link that a capture was taken from. The logs do not say, so it is what is left between Suricata's frames and
    Zeek's IP packets where that is least; more than Ethernet's 14 is padding, but for the 16 of Linux's "any"."""
    rest = [(frames - int(pair.zeek["bytes_" + way])) / packets - 4 * pair.tags
            for pair in pairs if pair.same_way and pair.equal("packets_out", "packets_in")
            for way, frames in zip(("out", "in"), pair.frame_bytes) if (packets := int(pair.zeek["packets_" + way])) > 0]
    least = min(rest, default=14)
    if least == 16 and set(rest) == {16}:
        return 16
    return int(least) if 0 <= least < 14 and least == int(least) else 14


# ---- The whole


@dataclass
class Result:
    captures: int
    records: dict[str, int]  # in the logs, by name of the log
    scored: dict[str, int]
    same_faces: list[str]  # captures where Zeek's TSV and JSON differ
    initial: list[Pair]  # with eddy's initial settings
    pairs: list[Pair]  # with ingest.link_header as it is
    headers: Counter[int]


def measure(program: Path, folder: Path) -> Result:
    captures = sorted(path for path in (folder / "pairs").iterdir() if path.is_dir())
    logs = {capture.name: {name: records_of(capture / name) for name in LOGS[:2]} for capture in captures}
    for capture in captures:
        sort_by_end(capture, logs[capture.name])
    flows = score(program, (capture / name for capture in captures for name in LOGS))
    initial = {name: pairs_of(name, logs[name], flows) for name in logs}
    headers = {name: link_header(found) for name, found in initial.items()}
    differ = [name for name in logs if flows[name, "conn.log"] != flows[name, "conn.json.log"]]
    scored = {log: sum(len(flows[name, log]) for name in logs) for log in LOGS}
    for header in sorted(set(headers.values()) - {14}):
        flows.update(score(program, (capture / "eve.json" for capture in captures if headers[capture.name] == header),
                           f"ingest.link_header={header}"))
    records = {log: sum(len(logs[name][log]) for name in logs) for log in LOGS[:2]}
    records["conn.log"] = records["conn.json.log"]
    return Result(len(captures), records, scored, differ, [p for found in initial.values() for p in found],
                  [p for name in logs for p in pairs_of(name, logs[name], flows)], Counter(headers.values()))


def tables(result: Result) -> tuple[str, list[Line]]:
    fields, columns = measures.fields(result.initial, result.pairs), measures.columns(result.pairs)
    others = ", ".join(f"{n} with {header}" for header, n in sorted(result.headers.items()) if header != 14)
    same = sum(pair.same_way for pair in result.pairs)
    text = [f"{result.captures} captures; {len(result.pairs)} connections that are one record in each log, {same} of them in the same "
            f"direction.\nCaptures whose link header is not 14 bytes: {others}.\n",
            "| field | agreement | measured | floor |", "|---|---|--:|--:|", *(line.text() for line in fields), "",
            "| column | equal | within | measured | floor |", "|---|--:|---|--:|--:|", *(line.text() for line in columns)]
    return "\n".join(text) + "\n", fields + columns


def readme(table: str, write: bool) -> bool:
    """Whether README.md has this table; puts it there if asked."""
    path = HERE / "README.md"
    before, _, rest = path.read_text().partition(MARKS[0])
    old, _, after = rest.partition(MARKS[1])
    if write:
        path.write_text(before + MARKS[0] + table + MARKS[1] + after)
    return write or old == table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help="remake the tables in README.md")
    options = parser.parse_args()
    if not DATA.is_file():
        print(f"skipped: {DATA} is not there")
        return 77
    with tempfile.TemporaryDirectory(prefix="eddy-sensors-") as scratch:
        with tarfile.open(DATA) as archive:
            archive.extractall(scratch)  # noqa: S202  (made by this project)
        result = measure(options.program, Path(scratch))
    table, lines = tables(result)
    print(table)
    checks: list[tuple[Callable[[], bool] | bool, str]] = [
        (len(result.pairs) >= 2870, f"{len(result.pairs)} pairs"),
        (result.scored == result.records, f"every flow is scored: {result.scored} of {result.records}"),
        (not result.same_faces, f"Zeek's TSV and JSON give the same, differ: {result.same_faces[:5]}"),
        (readme(table, options.write), "README.md has these tables (else: check.py --write)"),
        *((line.good(), f"{line.name} ({line.cells}): {line.measured:.1%}, at least {line.floor:.1%}") for line in lines),
    ]
    for good, claim in checks:
        if not good:
            print(f"FAIL {claim}")
    failed = sum(not good for good, _ in checks)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
