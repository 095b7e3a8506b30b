# SPDX-License-Identifier: MIT
"""The package for Zeek and the way back. No Zeek is run: no registry that can be reached has one."""

import gzip
import json
import os
import pathlib
import re
import shutil
import sys
import threading
import time

from harness import ROOT, Bench, Skipped, check, test, wait_for
from zeek_reader import SCRIPTS, Zeek, declared, mark_text, severities

PACKAGE = SCRIPTS.parent
TOOLS = ("zeekscript==1.3.6", "zkg==3.2.0", "btest==1.3")  # from PyPI: Zeek's own grammar, package manager, test runner


def tools(bench: Bench) -> dict[str, str]:
    """An environment with Zeek's tools in PATH; the test is skipped where PyPI can't be reached."""
    bench.run(sys.executable, "-m", "venv", bench.path / "venv")
    done = bench.run(
        bench.path / "venv" / "bin" / "pip", "-q", "--disable-pip-version-check", "install", "--retries", "1", *TOOLS
    )
    if done.returncode != 0:
        raise Skipped(f"Zeek's tools can't be had from PyPI: {done.stderr.strip().splitlines()[-1][:100]}")
    return {**os.environ, "PATH": f"{bench.path / 'venv' / 'bin'}:{os.environ['PATH']}"}


@test
def zeek_scripts_parse_and_the_package_installs(bench: Bench) -> None:
    env = tools(bench)
    scripts = sorted([*PACKAGE.glob("scripts/*.zeek"), *PACKAGE.glob("testing/tests/*.zeek")])
    check(len(scripts) >= 7, f"only {scripts}")
    for script in scripts:
        done = bench.run("zeek-script", "parse", script, env=env)
        check(done.returncode == 0, f"{script}: {done.stdout[-300:]} {done.stderr}")
        done = bench.run("zeek-script", "format", script, env=env)
        check(done.stdout == script.read_text(), f"{script}: not as zeek-script format writes it")
    (bench.path / "broken.zeek").write_text(
        (SCRIPTS / "notices.zeek").read_text().replace("function start()", "function start(")
    )
    done = bench.run("zeek-script", "parse", bench.path / "broken.zeek", env=env)
    check(done.returncode != 0, "the parser takes anything")

    done = bench.run(
        "btest", "-c", "btest.cfg", "-t", cwd=shutil.copytree(PACKAGE, bench.path / "eddy") / "testing", env=env
    )
    tests = len(list(PACKAGE.glob("testing/tests/*.zeek")))
    ran = re.search(r"(?:all )?(\d+) tests? successful(?:, (\d+) skipped)?", done.stdout + done.stderr)
    check(ran is not None and sum(int(n or 0) for n in ran.groups()) == tests, f"btest: {done.stdout} {done.stderr}")

    shutil.rmtree(bench.path / "eddy" / "testing" / ".tmp", ignore_errors=True)
    git = ("git", "-C", bench.path / "eddy", "-c", "user.name=x", "-c", "user.email=x@localhost")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "package")):
        check(bench.run(*git, *words).returncode == 0, f"git {words}")
    (bench.path / "zkg.conf").write_text(
        "[sources]\n[paths]\n"
        + "".join(f"{name}_dir = {bench.path / 'zkg' / name}\n" for name in ("state", "script", "plugin", "bin"))
    )
    done = bench.run(
        "zkg",
        "--configfile",
        bench.path / "zkg.conf",
        "install",
        "--force",
        "--skiptests",
        bench.path / "eddy",
        env=env,
    )
    installed = bench.path / "zkg" / "script" / "packages" / "eddy"
    check(
        done.returncode == 0 and {f.name for f in installed.glob("*.zeek")} == {f.name for f in SCRIPTS.glob("*.zeek")},
        f"zkg: {done.stdout} {done.stderr}",
    )


@test
def zeek_scripts_print_no_tab_into_a_file(bench: Bench) -> None:
    """Zeek's `print` writes bytes outside of 32 to 126 as \\xHH, also into files (src/Desc.cc, EXPANDED_STRING): a header
    written so is none. `write_file` writes what it is given."""
    text = (SCRIPTS / "notices.zeek").read_text()
    check(re.search(r"^\s*print f\b", text, re.M) is None, "print into a file")
    header = re.search(r'"(#fields.*?)"', text)
    check(header is not None and header[1] == r"#fields\tserial\n", "the mark's header")
    check("write_file(f, text)" in text, "how the mark is written")


@test
def zeek_columns_are_those_that_the_core_reads(bench: Bench) -> None:
    """One source of truth: the names in core/ingest/zeek.c, of the fields that zeek.h does not call those of other logs."""
    text = (SCRIPTS / "conn-log.zeek").read_text()
    written = re.findall(r'"([^"]+)"', re.search(r"conn_columns: set\[string\] = {(.*?)}", text, re.S)[1])
    enum = re.search(r"enum zeek_field {(.*?)/\* from here on: of other logs", (ROOT / "core" / "ingest" / "zeek.h").read_text(), re.S)
    of_conn = re.findall(r"^    (ZEEK_\w+)(?= = 0|,)", enum[1], re.M)[:-1]  # the last one is of the others
    pairs = re.findall(r'NAME\("(\w+)", (ZEEK_\w+)\)', (ROOT / "core" / "ingest" / "zeek.c").read_text())
    names = [name for name, field in pairs if field in of_conn]
    check(len(names) == len(of_conn) - 1, f"names for {names}, fields {of_conn}")  # ZEEK_NONE has no name
    ends = ("orig_h", "orig_p", "resp_h", "resp_p")
    read = {f"id.{name}" if name in ends else name for name in names}
    check(
        len(read) > 15 and set(written) == read and len(written) == len(read),
        f"only written: {set(written) - read}, only read: {read - set(written)}",
    )


def first_mark(bench: Bench, name: str = "first.mark") -> pathlib.Path:
    """The mark of a Zeek that has seen nothing yet, but wants all."""
    (bench.path / name).write_text(mark_text(1))
    return bench.path / name


def same(row: dict, incident: dict) -> bool:
    """Is this row of the table this line of JSON? Numbers have 6 digits in both."""
    times = [time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(row[n]))) == incident[n][:19] for n in ("start", "end")]
    plain = all(
        row[n] == incident[m]
        for n, m in (
            ("id", "incident_id"),
            ("state", "state"),
            ("detector", "detector"),
            ("severity", "severity"),
            ("host", "host"),
            ("technique", "technique"),
            ("flows", "flows"),
            ("summary", "summary"),
            ("p", "p"),
            ("score", "score"),
            ("uids", "flow_ids"),
        )
    )
    return (
        plain
        and all(times)
        and row["peer"] == incident.get("peer")
        and (
            "peer" not in incident or row["peer_port"] == incident.get("peer_port")
        )  # a sweep has a port without a peer
        and row["proto"] == incident["proto"].lower()
        and row["reasons"] == [r["text"] for r in incident["reasons"]]
    )


@test
def zeek_record_and_table_have_the_same_columns(bench: Bench) -> None:
    done = bench.run(
        bench.eddy,
        "score",
        "-q",
        "-o",
        "json",
        "-s",
        f"zeek_notice.path={bench.path / 'table.tsv'}",
        "-s",
        f"jsonl.path={bench.path / 'eddy.json'}",
        ROOT / "examples" / "data" / "conn.log.gz",
    )
    check(done.returncode == 0, done.stderr)
    incidents = [json.loads(line) for line in bench.text("eddy.json").splitlines()]
    zeek = Zeek(bench.path / "table.tsv", first_mark(bench))
    zeek.heartbeat()
    check(
        {i["detector"] for i in incidents} >= {"fanout", "beacon"} and len(incidents) == len(zeek.rows), f"{incidents}"
    )
    check(all(same(row, incident) for row, incident in zip(zeek.rows, incidents)), f"{zeek.rows} {incidents}")
    lines = (bench.path / "table.tsv").read_text().splitlines()
    record = declared("Incident")
    names, types = (line.split("\t")[1:] for line in lines[:2])
    check(lines[0].startswith("#fields\t") and names == [name for name, _, _ in record], f"{names} {record}")
    kinds = [kind.replace("vector of string", "vector[string]") for _, kind, _ in record]
    check(types == kinds, f"{types} {kinds}")
    check(len(lines) > 2, "no row")
    other = re.search(r'FIELDS = """(.*?)"""', (PACKAGE / "testing" / "scripts" / "make-table").read_text(), re.S)[1]
    check(other.split() == names, "testing/scripts/make-table has other columns")
    detectors = set(re.findall(r"PART\(score, (\w+)\)", (ROOT / "core" / "parts.def").read_text()))
    noticed = set(
        re.findall(
            r'\["(\w+)"\] = \w+,', re.search(r"notice_types: .*?}", (SCRIPTS / "notices.zeek").read_text(), re.S)[0]
        )
    )
    check(detectors == noticed, f"detectors {detectors}, notices for {noticed}")
    identifier = re.search(r"n\$identifier = .*?;", (SCRIPTS / "notices.zeek").read_text(), re.S)[0]
    check("inc$severity" in identifier, f"a graver notice is suppressed: {identifier}")
    names = re.search(r"\*emit_severity\(.*?}", (ROOT / "core" / "emit" / "emit.c").read_text(), re.S)[0]
    gravest_first = re.findall(r'"(\w+)"', names)
    check(severities() == {name: 3 - i for i, name in enumerate(gravest_first)}, f"{gravest_first}, {severities()}")


def write_slowly(bench: Bench, seconds: float) -> None:
    """The lab's connections, of four sites at once, into a conn.log that is rotated three times."""
    with gzip.open(ROOT / "examples" / "data" / "conn.log.gz", "rt", encoding="utf-8") as f:
        lines = f.readlines()
    head, rows = (
        [line for line in lines if line[0] == "#" and not line.startswith("#close")],
        [line for line in lines if line[0] != "#"],
    )
    rows = [
        row.replace("10.20.", f"10.{site}.").replace("\tC", f"\tC{site}", 1)
        for row in rows
        for site in (20, 21, 22, 23)
    ]
    log, parts = bench.path / "conn.log", 40
    for part in range(parts):
        if part % 10 == 0:
            if part > 0:
                os.rename(log, bench.path / f"conn.2026-01-01-0{part // 10}-00-00.log")
            log.write_text("".join(head).replace("#open\t", f"#open\t{part}-"))
        with open(log, "a", encoding="utf-8") as f:
            f.write("".join(rows[len(rows) * part // parts : len(rows) * (part + 1) // parts]))
        time.sleep(seconds / parts)


def graver_in_turn(lines: list[dict], notices: list[dict], least: int = 1) -> str:
    """What is wrong with the notices: of each incident one at the first row that is at least so grave, and one at each
    row that is graver than all before."""
    due, gravest = [], {}
    for line in lines:
        gravity = severities()[line["severity"]]
        if gravity > gravest.get(line["incident_id"], least - 1):
            gravest[line["incident_id"]] = gravity
            due.append((line["incident_id"], line["severity"], line["flows"]))
    made = [(row["id"], row["severity"], row["flows"]) for row in notices]
    return "" if made == due else f"noticed {made}, due {due}"


@test
def zeek_gets_each_incident_once_and_whole(bench: Bench) -> None:
    """eddyd follows a log; what reads its table is stopped and started again meanwhile, as Zeek may be."""
    table, jsonl, mark = bench.path / "incidents.tsv", bench.path / "eddy.json", first_mark(bench, "eddy.mark")
    conf = bench.path / "eddy.conf"
    conf.write_text(
        f"[eddyd]\nfollow = {bench.path / 'conn.log'}\nhttp = off\ncheckpoint = {bench.path / 'checkpoint'}\n"
        f"[jsonl]\npath = {jsonl}\n[zeek_notice]\npath = {table}\n[decide]\nmax_incidents_per_day = 1000\n"
    )
    zeek = Zeek(table, mark)
    zeek.heartbeat()  # before eddyd: no table yet
    eddyd = bench.start(bench.eddyd, "-c", conf)
    writer = threading.Thread(target=write_slowly, args=(bench, 5))
    writer.start()
    runs = [zeek]
    while writer.is_alive():
        time.sleep(0.1)
        runs[-1].heartbeat()
        if len(runs) < 4 and len(runs[-1].rows) >= 4:  # a new Zeek knows what mark_file says, and comes late
            time.sleep(0.7)
            runs.append(Zeek(table, mark))
    writer.join()
    wait_for(lambda: jsonl.exists() and jsonl.read_text().count('"state":"new"') >= 4, 10, "4 incidents")
    check(bench.stop(eddyd) == 0, bench.text())
    runs[-1].heartbeat()
    runs.append(Zeek(table, mark))
    runs[-1].heartbeat()
    check(not runs[-1].rows, "the last mark is not the last row")
    not_low = Zeek(table, first_mark(bench), lambda row: row["severity"] != "low")  # the README's hook
    not_low.heartbeat()

    lines = [json.loads(line) for line in jsonl.read_text().splitlines()]
    rows = [row for run in runs for row in run.rows]
    noticed = [row for run in runs for row in run.notices]
    check(len(runs) >= 3, "Zeek was never restarted")
    check(len(rows) == len(lines), f"{len(rows)} rows, {len(lines)} incident lines")
    wrong = [(row, line) for row, line in zip(rows, lines) if not same(row, line)]
    check(not wrong, f"differ: {wrong[:1]}")
    wrong = graver_in_turn(lines, noticed) or graver_in_turn(lines, not_low.notices, 2)
    check(not wrong, wrong)
    highest = {line["incident_id"]: line["severity"] for line in lines}
    check("high" in highest.values() and any(len([n for n in noticed if n["id"] == i]) > 1 for i in highest),
          f"nothing got graver: {highest}")
    check({row["id"] for row in not_low.notices} == {i for i, severity in highest.items() if severity != "low"},
          f"without low: {not_low.notices}")
    check(
        {(row["host"], row["detector"]) for row in rows}
        >= {(f"10.{site}.0.21", "fanout") for site in (20, 21, 22, 23)},
        f"of {rows}",
    )
    check(sum(run.table.reads for run in runs) > 5, "the table was not read again and again")
