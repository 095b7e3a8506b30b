#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command line as a user calls it: exit statuses, what goes where, pipes and terminals.

The program is $EDDY.
"""

from __future__ import annotations

import csv
import fcntl
import gzip
import io
import json
import os
import pty
import random
import struct
import subprocess
import sys
import tempfile
import termios
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

EDDY = os.environ["EDDY"]
BEGIN = datetime(2026, 1, 2, 3, tzinfo=timezone.utc)


def flow(number: int, second: float, src: str, dst: str, port: int, failed: bool = False) -> str:
    start, end = (
        (BEGIN + timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000") for s in (second, second + 2)
    )
    sent = 60 if failed else 1200 + number * 37 % 900
    return json.dumps(
        {
            "timestamp": end,
            "flow_id": 1000000 + number,
            "event_type": "flow",
            "src_ip": src,
            "src_port": 40000 + number % 20000,
            "dest_ip": dst,
            "dest_port": port,
            "proto": "TCP",
            "flow": {
                "pkts_toserver": 1 if failed else 12,
                "pkts_toclient": 0 if failed else 10,
                "bytes_toserver": sent,
                "bytes_toclient": 0 if failed else sent * 5,
                "start": start,
                "end": end,
                "state": "new" if failed else "closed",
            },
        }
    )


def office() -> list[str]:
    """Two hours of 20 hosts at work; after one hour 10.0.0.66 tries 2000 addresses."""
    lines: list[str] = []
    for second in range(0, 7200, 3):
        n = second // 3
        lines.append(flow(len(lines), second, f"10.0.0.{n * 7 % 20 + 1}", f"203.0.113.{n * 11 % 9 + 1}", 443, n % 17 == 0))
        if 3600 <= second < 3660:
            for i in range(100):
                lines.append(flow(len(lines), second, "10.0.0.66", f"10.0.{(second - 3600) // 3 + 1}.{i + 1}", 22, True))
    return lines


LINES = office()
LOG = "".join(line + "\n" for line in LINES).encode()


class Eddy(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.log = self.write("eve.json", LOG)

    def tearDown(self) -> None:
        self.folder.cleanup()

    def write(self, name: str, data: bytes) -> str:
        (self.path / name).write_bytes(data)
        return str(self.path / name)

    def run_eddy(self, *args: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        source: dict[str, object] = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run([EDDY, *args], capture_output=True, timeout=120, check=False, **source)  # type: ignore[call-overload]

    def ok(self, *args: str, stdin: bytes | None = None) -> str:
        run = self.run_eddy(*args, stdin=stdin)
        self.assertEqual(run.returncode, 0, run.stderr.decode())
        return run.stdout.decode()

    def assert_fails(self, status: int, words: str, *args: str, stdin: bytes | None = None) -> str:
        run = self.run_eddy(*args, stdin=stdin)
        self.assertEqual(run.returncode, status, run.stderr.decode())
        self.assertIn(words, run.stderr.decode())
        return run.stdout.decode()


class Usage(Eddy):
    def test_wrong_usage_is_status_2(self) -> None:
        self.assert_fails(2, "eddy score FILE")
        self.assert_fails(2, "no such command: scoer", "scoer")
        self.assert_fails(2, "no file given", "score")
        self.assert_fails(2, "no file given", "features")
        self.assert_fails(2, "--two-passes", "score", "--two-passes", self.log)
        self.assert_fails(2, "not table, json or flows", "score", "-o", "xml", self.log)
        self.assert_fails(2, "not csv", "features", "--format", "arrow", self.log)
        self.assert_fails(2, "not section.name=value", "score", "-s", "emit.interval", self.log)
        self.assert_fails(2, "did you mean emit.interval", "score", "-s", "emit.intervall=1s", self.log)
        self.assert_fails(2, "not in 1s..1h", "score", "-s", "emit.interval=9h", self.log)
        self.assert_fails(2, "pcap", "score", "-f", "pcap", self.log)
        self.assert_fails(2, "reads twice", "score", "--two-pass", "-", stdin=LOG)
        self.assert_fails(2, "no such section: nothing", "options", "nothing")
        self.assert_fails(2, "takes nothing", "version", "now")

    def test_every_command_has_help(self) -> None:
        self.assertIn("eddy score FILE", self.ok("help"))
        for command in ("score", "features", "options"):
            text = self.ok(command, "--help")
            self.assertTrue(text.startswith(f"Usage: eddy {command}"))
            self.assertEqual(self.ok("help", command), text)
        self.assertIn("built with", self.ok("--version"))

    def test_options_of_one_section(self) -> None:
        text = self.ok("options", "jsonl")
        self.assertIn("jsonl.path = ", text)
        self.assertNotIn("syslog.", text)

    def test_the_printed_configuration_can_be_read(self) -> None:
        text = self.ok("options", "--conf")
        self.assert_all_settings_load(text)

    def test_the_configuration_of_the_daemon_can_be_used(self) -> None:
        conf = self.write("eddy.conf", f"[eddyd]\nfollow = {self.log}\n".encode())
        self.ok("score", "-c", conf, self.log)
        self.assertIn("eddyd.follow", self.ok("options", "eddyd"))

    def assert_all_settings_load(self, text: str) -> None:
        used = "\n".join(line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.splitlines())
        self.assertGreater(used.count(" = "), 20)
        conf = self.write("eddy.conf", used.encode())
        self.ok("score", "-c", conf, self.log)


class Score(Eddy):
    def test_json_lines_are_closed_incidents_most_unusual_first(self) -> None:
        incidents = [json.loads(line) for line in self.ok("score", self.log).splitlines()]
        self.assertIn("10.0.0.66", [i["host"] for i in incidents])
        self.assertEqual({i["state"] for i in incidents}, {"closed"})
        self.assertEqual([i["p"] for i in incidents], sorted(i["p"] for i in incidents))
        self.assertFalse(any(i["withheld"] for i in incidents))

    def test_a_pipe_gives_what_the_file_gives(self) -> None:
        whole = self.ok("score", self.log)
        self.assertEqual(self.ok("score", "-", stdin=LOG), whole)
        packed = self.write("eve.json.gz", gzip.compress(LOG))
        self.assertEqual(self.ok("score", packed), whole)
        process = subprocess.Popen([EDDY, "score", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None and process.stdout is not None
        chance = random.Random(1)
        at = 0
        while at < len(LOG):
            size = chance.randrange(1, 60000)
            process.stdin.write(LOG[at : at + size])
            process.stdin.flush()
            at += size
        process.stdin.close()
        self.assertEqual(process.stdout.read().decode(), whole)
        process.stdout.close()
        self.assertEqual(process.wait(), 0)

    def test_files_are_one_stream_of_time(self) -> None:
        half = len(LINES) // 2
        first = self.write("1.json", "".join(line + "\n" for line in LINES[:half]).encode())
        second = self.write("2.json", "".join(line + "\n" for line in LINES[half:]).encode())
        self.assertEqual(self.ok("score", first, second), self.ok("score", self.log))

    def test_flows_has_every_flow_in_order(self) -> None:
        rows = list(csv.DictReader(io.StringIO(self.ok("score", "-o", "flows", self.log))))
        self.assertEqual(list(rows[0]), ["id", "score", "p", "detector"])
        self.assertEqual([r["id"] for r in rows], [str(1000000 + i) for i in range(len(LINES))])
        self.assertTrue(all(0 <= float(r["p"]) <= 1 for r in rows if r["p"]))

    def test_table_can_be_asked_for(self) -> None:
        text = self.ok("score", "-o", "table", self.log)
        self.assertTrue(text.startswith("SEVERITY"))
        self.assertIn("10.0.0.66", text)
        self.assertIn(f"{len(LINES):,} records read: {len(LINES):,} scored, 0 skipped, 0 rejected.", text)
        self.assertNotIn("\033", text)
        self.assertNotIn("records read", self.ok("score", "-q", "-o", "table", self.log))

    def test_two_passes_score_every_flow_once(self) -> None:
        rows = self.ok("score", "--two-pass", "-o", "flows", self.log).splitlines()
        self.assertEqual(len(rows), len(LINES) + 1)

    def test_withheld_incidents_are_listed_when_asked_for(self) -> None:
        none = "decide.max_incidents_per_day=0"
        self.assertEqual(self.ok("score", "-s", none, self.log), "")
        self.assertIn("--withheld lists", self.ok("score", "-o", "table", "-s", none, self.log))
        listed = [json.loads(line) for line in self.ok("score", "--withheld", "-s", none, self.log).splitlines()]
        self.assertTrue(listed and all(i["withheld"] for i in listed))

    def test_configured_outputs_get_the_whole_life_of_an_incident(self) -> None:
        out = self.path / "eddy.json"
        prom = self.path / "eddy.prom"
        conf = self.write("eddy.conf", f"[jsonl]\npath = {out}\n[textfile]\npath = {prom}\n".encode())
        self.ok("score", "-c", conf, self.log)
        states = [json.loads(line)["state"] for line in out.read_text().splitlines()]
        self.assertEqual(states[0], "new")
        self.assertEqual(states[-1], "closed")
        self.assertEqual(states.count("new"), states.count("closed"))
        self.assertIn(f'result="scored"}} {len(LINES)}', prom.read_text())

    def test_command_line_settings_override_the_file(self) -> None:
        first, second = self.path / "1.json", self.path / "2.json"
        conf = self.write("eddy.conf", f"[jsonl]\npath = {first}\n".encode())
        self.ok("score", "-s", f"jsonl.path={second}", "-c", conf, self.log)
        self.assertFalse(first.exists())
        self.assertTrue(second.exists())


class Failures(Eddy):
    def test_one_bad_file_does_not_stop_the_others(self) -> None:
        whole = self.ok("score", self.log)
        missing = str(self.path / "missing.json")
        self.assertEqual(self.assert_fails(1, "missing.json: No such file", "score", missing, self.log), whole)
        self.assertEqual(self.assert_fails(1, "Is a directory", "score", str(self.path), self.log), whole)
        out = self.assert_fails(1, "missing.json", "score", "--two-pass", missing, self.log)
        self.assertEqual(out, self.ok("score", "--two-pass", self.log))

    def test_a_failure_is_said_once_in_two_passes(self) -> None:
        run = self.run_eddy("score", "--two-pass", str(self.path / "missing.json"), self.log)
        self.assertEqual(run.stderr.count(b"missing.json"), 1)

    def test_bad_records_are_told_and_are_no_failure(self) -> None:
        log = self.write("mixed.json", LOG + b'{"event_type":"flow",\n' * 3 + b"garbage\n")
        run = self.run_eddy("score", "-o", "table", log)
        self.assertEqual(run.returncode, 0)
        self.assertIn(f"byte {len(LOG)}", run.stderr.decode())
        self.assertIn("4 records rejected, bad_json", run.stderr.decode())
        self.assertIn("4 rejected (4 bad_json).", run.stdout.decode())

    def test_a_file_of_another_kind_is_a_failure(self) -> None:
        log = self.write("passwd", b"root:x:0:0\n" * 50)
        self.assert_fails(1, "not one record in it could be scored", "score", log)
        self.assert_fails(1, "not one record in it could be scored", "features", log)

    def test_empty_input_is_no_failure(self) -> None:
        self.assertEqual(self.ok("score", self.write("empty.json", b"")), "")
        self.assertEqual(self.ok("score", self.write("blank.json", b"\n\n")), "")
        self.assertEqual(self.ok("score", "-", stdin=b""), "")

    def test_a_damaged_archive_is_a_failure_and_what_came_before_counts(self) -> None:
        cut = self.write("cut.json.gz", gzip.compress(LOG)[:-2000])
        out = self.assert_fails(1, "cut.json.gz", "score", "-o", "flows", cut)
        self.assertGreater(out.count("\n"), 100)

    def test_a_bad_configuration_is_a_failure(self) -> None:
        self.assert_fails(1, "none.conf: No such file", "score", "-c", str(self.path / "none.conf"), self.log)
        conf = self.write("bad.conf", b"[emit]\ninterval = 9h\n")
        self.assert_fails(1, "bad.conf:2: emit.interval = '9h': not in 1s..1h", "score", "-c", conf, self.log)
        self.assert_fails(1, "nonexistent", "score", "-s", "geoip.asn=/nonexistent", self.log)

    def test_a_reader_that_goes_away_is_a_quiet_failure(self) -> None:
        for args in (("score", "-o", "flows"), ("features",), ("options",)):
            read, write = os.pipe()
            os.close(read)
            files = [] if args == ("options",) else [self.log]
            run = subprocess.run([EDDY, *args, *files], stdout=write, stderr=subprocess.PIPE, check=False)
            os.close(write)
            self.assertEqual(run.returncode, 1, args)
            self.assertEqual(run.stderr, b"", args)

    def test_a_full_disk_is_a_failure_that_is_said(self) -> None:
        for args in (("score",), ("score", "-o", "flows"), ("features",)):
            with open("/dev/full", "wb") as full:
                run = subprocess.run([EDDY, *args, self.log], stdout=full, stderr=subprocess.PIPE, check=False)
            self.assertEqual(run.returncode, 1, args)
            self.assertIn(b"No space left on device", run.stderr, args)

    def test_an_output_that_can_not_be_written_is_a_failure(self) -> None:
        out = self.path / "eddy.json"
        script = f"ulimit -f 1; trap '' XFSZ; exec {EDDY} score -s jsonl.path={out} -s decide.max_incidents_per_day=1000 {self.log}"
        out.write_bytes(b"x" * 1023 + b"\n")  # a block, as far as the limit goes
        run = subprocess.run(["bash", "-c", script], capture_output=True, check=False)
        self.assertEqual(run.returncode, 1, run.stderr.decode())
        self.assertIn("could not be written", run.stderr.decode())
        self.assertEqual(out.stat().st_size, 1024)


class Features(Eddy):
    def test_columns_come_with_names_and_ids(self) -> None:
        rows = list(csv.reader(io.StringIO(self.ok("features", self.log))))
        self.assertEqual(rows[0][0], "id")
        self.assertIn("bytes_out", rows[0])
        self.assertEqual(len(rows), len(LINES) + 1)
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})
        self.assertEqual([row[0] for row in rows[1:]], [str(1000000 + i) for i in range(len(LINES))])

    def test_numbers_read_back_as_they_were(self) -> None:
        for row in list(csv.reader(io.StringIO(self.ok("features", self.log))))[1:300]:
            for number in row[1:]:
                if "." in number:
                    self.assertEqual(f"{float(number):.17g}", number)


class Terminal(Eddy):
    def on_terminal(self, *args: str, columns: int = 100, env: dict[str, str] | None = None) -> str:
        """Runs eddy with a terminal as standard output and error."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | (env or {})
        process = subprocess.Popen([EDDY, *args], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=environment)
        os.close(slave)
        seen = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the terminal has no writer any more
                break
            if not piece:
                break
            seen += piece
        os.close(master)
        self.assertEqual(process.wait(), 0, seen)
        return seen.decode().replace("\r\n", "\n")

    def test_a_terminal_gets_a_table(self) -> None:
        text = self.on_terminal("score", self.log)
        self.assertIn("SEVERITY", text)
        self.assertIn("10.0.0.66", text)
        self.assertIn("records read", text)

    def test_the_table_fits_the_width(self) -> None:
        for columns in (50, 72, 100, 200):
            text = self.on_terminal("score", self.log, columns=columns, env={"NO_COLOR": "1"})
            table = text[text.index("SEVERITY") : text.index("records read")].splitlines()[:-1]
            self.assertLessEqual(max(len(line) for line in table), columns)

    def test_no_color_is_heeded(self) -> None:
        log = self.write("much.json", LOG)
        severe = ("-s", "decide.extreme=1e-3")  # makes the incident a severe, coloured one
        self.assertIn("\033[1;31m", self.on_terminal("score", *severe, log))
        self.assertNotIn("\033[1;31m", self.on_terminal("score", *severe, log, env={"NO_COLOR": "1"}))
        self.assertNotIn("\033[1;31m", self.on_terminal("score", *severe, log, env={"TERM": "dumb"}))

    def test_long_work_shows_progress_and_clears_it(self) -> None:
        process_log = self.path / "slow.json"
        os.mkfifo(process_log)
        feeder = subprocess.Popen(
            [sys.executable, "-c", FEEDER, str(process_log), self.log], stdin=subprocess.DEVNULL
        )
        self.addCleanup(feeder.kill)  # it waits for a reader, should eddy not come to be one
        text = self.on_terminal("score", str(process_log))
        self.assertEqual(feeder.wait(timeout=30), 0)
        self.assertIn("flows/s", text)
        self.assertIn("\r\033[K", text)
        self.assertNotIn("flows/s", self.on_terminal("score", self.log))


FEEDER = """
import sys, time
with open(sys.argv[1], "wb") as out, open(sys.argv[2], "rb") as log:
    lines = log.readlines()
    for i in range(0, len(lines), len(lines) // 10 + 1):
        out.write(b"".join(lines[i : i + len(lines) // 10 + 1]))
        out.flush()
        time.sleep(0.2)
"""


if __name__ == "__main__":
    unittest.main()
