#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`eddy incidents`: the history that a run leaves, filters, one incident with all its evidence.

The programs are $EDDY and $EDDYD.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

EDDY, EDDYD = os.environ["EDDY"], os.environ["EDDYD"]
DATA = Path(__file__).parents[2] / "examples" / "data"


def incident(number: int, **fields: object) -> str:
    """A line as eddy writes it, ending at 12:00:00 on the `number`th of January 2026."""
    line = {
        "timestamp": f"2026-01-{number:02}T12:00:00.000000+0000",
        "event_type": "eddy",
        "incident_id": f"{number:02}aa",
        "state": "closed",
        "detector": "beacon",
        "severity": "high",
        "p": 1e-9,
        "score": 9,
        "host": f"10.0.0.{number}",
        "peer": "203.0.113.9",
        "peer_port": 443,
        "proto": "TCP",
        "technique": "T1071",
        "start": f"2026-01-{number:02}T10:00:00.000000+0000",
        "end": f"2026-01-{number:02}T12:00:00.000000+0000",
        "flows": 64,
        "withheld": False,
        "summary": f"10.0.0.{number} calls",
        "reasons": [
            {"feature": "gap_variation", "text": "even gaps", "value": 0.12, "usual": 1, "share": 1},
            {"feature": "prevalence", "text": "many do so", "value": 9, "share": -0.25},
        ],
        "flow_ids": ["CuX1", "CuX2"],
    }
    line.update(fields)
    return json.dumps(line) + "\n"


class Incidents(unittest.TestCase):
    def setUp(self) -> None:
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.path = Path(self.scratch.name)
        self.history = self.path / "history.jsonl"
        self.history.write_text(
            incident(1)
            + '{"event_type":"flow","proto":"TCP"}\n'
            + incident(2, state="growing", severity="low")
            + incident(3, withheld=True, detector="fanout")
            + incident(4, withheld=True, suppressed_by="printer")
            + incident(5, host="2001:db8::5", peer="10.0.0.1"),
            encoding="utf-8",
        )

    def run_eddy(self, *words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([EDDY, *map(str, words)], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def ids(self, *words: object) -> list[str]:
        out = self.run_eddy("incidents", "--at", "2026-01-06T00:00:00Z", *words, self.history).stdout
        return [json.loads(line)["incident_id"] for line in out.splitlines()]

    def test_sent_incidents_are_listed_the_latest_first(self) -> None:
        self.assertEqual(self.ids(), ["05aa", "02aa", "01aa"])

    def test_filters(self) -> None:
        for words, expected in (
            (["--since", "4d"], ["05aa", "02aa"]),
            (["--since", "36h"], ["05aa"]),
            (["--since", "2026-01-02T12:00:01"], ["05aa"]),
            (["--until", "2026-01-02"], ["01aa"]),
            (["--until", "2026-01-02", "--since", "2026-01-01T12:00:01"], []),
            (["--host", "10.0.0.1"], ["05aa", "01aa"]),  # host or peer
            (["--host", "10.0.0.2/31"], ["02aa"]),
            (["--host", "2001:db8::/32"], ["05aa"]),
            (["--detector", "fanout"], []),
            (["--severity", "medium"], ["05aa", "01aa"]),
            (["--state", "growing"], ["02aa"]),
            (["--withheld"], ["05aa", "03aa", "02aa", "01aa"]),
            (["--withheld=only"], ["03aa"]),
            (["--suppressed"], ["05aa", "04aa", "02aa", "01aa"]),
            (["--suppressed=only"], ["04aa"]),
            (["--suppressed=only", "--withheld=only"], ["04aa", "03aa"]),
            (["--limit", "2"], ["05aa", "02aa"]),
        ):
            with self.subTest(words=words):
                self.assertEqual(self.ids(*words), expected)

    def test_what_makes_no_sense_is_refused(self) -> None:
        for words in (
            ["--since", "soon"],
            ["--at", "24h"],
            ["--host", "10.0.0.0/33"],
            ["--host", "10.0.0"],
            ["--host", "10.0.0.0/"],
            ["--severity", "huge"],
            ["--withheld=both"],
            ["--limit", "x"],
            ["--limit", "0"],
            ["--detector", "nosuch"],
            ["--since", "2026-01-03", "--until", "2026-01-02"],
            ["-o", "flows"],
            ["--nonsense"],
        ):
            with self.subTest(words=words):
                said = self.run_eddy("incidents", *words, self.history, status=2).stderr
                self.assertEqual(len(said.splitlines()), 2, said)  # what is wrong, and where to look
        for word, value, expected in (("severity", "huge", "low, medium or high"), ("state", "x", "new, growing, quiet or closed"),
                                      ("output", "x", "table or json")):
            self.assertIn(expected, self.run_eddy("incidents", f"--{word}", value, self.history, status=2).stderr)

    def test_every_detector_can_be_asked_for(self) -> None:
        parts = (Path(__file__).parents[2] / "core" / "parts.def").read_text(encoding="utf-8")
        detectors = re.findall(r"(?m)^PART\(score, (\w+)\)", parts)
        self.assertGreater(len(detectors), 5)
        refusal = self.run_eddy("incidents", "--detector", "x", self.history, status=2).stderr
        for detector in detectors:
            self.assertIn(detector, refusal)
            self.run_eddy("incidents", "--detector", detector, self.history)

    def test_messages_move_no_cursor(self) -> None:
        for words in (["incidents", "show", "a\x1b[31m", self.history], ["score", "no\x1b[31mfile"], ["score", "--no\x1b[31m"],
                      ["incidents", "--state", "\x1b[31m"], ["x\x1b[31m"], ["model", "info", "no\x1b[31mfile"]):
            with self.subTest(words=words):
                done = subprocess.run([EDDY, *map(str, words)], capture_output=True, text=True)
                self.assertNotIn("\x1b", done.stderr)
                self.assertIn("\\x1b[31m", done.stderr)

    def test_show_needs_an_id(self) -> None:
        self.run_eddy("incidents", "show", status=2)

    def test_the_table_says_state_age_and_what_is_left_out(self) -> None:
        at = ["--at", "2026-01-06T00:00:00Z"]
        out = self.run_eddy("incidents", "-o", "table", *at, self.history).stdout
        self.assertIn("growing 3d 12h", out)  # it ended on the 2nd at noon and was never closed
        self.assertIn("3 incidents, 1 more withheld (--withheld), 1 suppressed (--suppressed).", out)
        self.assertNotIn("10.0.0.3 calls", out)
        out = self.run_eddy("incidents", "-o", "table", *at, "--withheld", "--suppressed", self.history).stdout
        self.assertRegex(out, r"(?m)^high \* +closed .*fanout")
        self.assertRegex(out, r"(?m)^high - +closed .*10\.0\.0\.4 ")
        out = self.run_eddy("incidents", "-o", "table", *at, "--since", "1h", self.history).stdout
        self.assertIn("The latest of all 5 ended at 2026-01-05 12:00:00.", out)

    def test_ids_are_shown_as_far_as_show_needs_them(self) -> None:
        long = self.path / "long.jsonl"
        ids = ["7cdc0a1122334455", "7cdc0a11ff334455", "aa00000000000000"]
        kinds = [{}, {"withheld": True}, {"peer": "2001:db8:1111:2222:3333:4444:5555:6666"}]
        long.write_text("".join(incident(n + 1, incident_id=i, **kinds[n]) for n, i in enumerate(ids)), encoding="utf-8")
        for width in (60, 100):
            done = subprocess.run([EDDY, "incidents", "-o", "table", long], capture_output=True, text=True,
                                  env={**os.environ, "COLUMNS": str(width)})
            # told apart from the withheld one, too, which is not in this list
            self.assertRegex(done.stdout, r"(?m)^SEVERITY .* ID$")
            shown = re.findall(r"(?m)^high .* (\S+)$", done.stdout)
            self.assertEqual(shown, ["aa0000000", "7cdc0a11" + "2"])
            if width == 100:
                self.assertLessEqual(max(map(len, done.stdout.splitlines())), width)
            for short in shown:
                self.run_eddy("incidents", "show", short, long)
        out = self.run_eddy("score", "-q", "-o", "table", DATA / "eve.json.gz").stdout
        self.assertRegex(out, r"(?m)^\w+ .* [0-9a-f]{6}$")

    def test_marks_are_shown(self) -> None:
        conf, marks = self.path / "eddy.conf", self.path / "marks"
        conf.write_text(f"[feedback]\npath = {marks}\n", encoding="utf-8")
        at = ["-c", conf, "-o", "table", "--at", "2026-01-06T00:00:00Z"]
        self.assertNotIn("MARK", self.run_eddy("incidents", *at, self.history).stdout)
        for verdict in ("malicious", "benign"):  # the last one counts
            self.run_eddy("mark", "01aa", verdict, "--by", "ann", "--why", "the backup", "-c", conf, "--in", self.history)
        self.run_eddy("mark", "02aa", "malicious", "-c", conf, "--in", self.history)
        self.run_eddy("mark", "02aa", "none", "-c", conf, "--in", self.history)
        out = self.run_eddy("incidents", *at, self.history).stdout
        self.assertRegex(out, r"(?m)^SEVERITY  STATE +MARK ")
        self.assertRegex(out, r"(?m)^high +closed +benign .*10\.0\.0\.1 ")
        self.assertNotIn("malicious", out)
        out = self.run_eddy("incidents", *at, "show", "01aa", self.history).stdout
        self.assertRegex(out, r"(?m)^marked +benign, by ann at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d: the backup$")
        self.assertNotIn("marked ", self.run_eddy("incidents", *at, "show", "02aa", self.history).stdout)
        marks.write_text("nonsense\n", encoding="utf-8")
        done = self.run_eddy("incidents", *at, self.history)
        self.assertIn("marks are not shown", done.stderr)
        self.assertIn("10.0.0.1 calls", done.stdout)

    def test_show_tells_everything(self) -> None:
        out = self.run_eddy("incidents", "-o", "table", "show", "01", self.history).stdout
        for text in (
            "high severity incident 01aa, found by beacon",
            "203.0.113.9:443/tcp",
            "2026-01-01 10:00:00 to 2026-01-01 12:00:00 UTC",
            "T1071",
            "CuX1 CuX2",
            f"eddy suppress add --from 01aa --expires 30d --owner YOU --why 'WHAT IT IS' --in {self.history}\n",
            f"eddy mark 01aa benign|malicious --in {self.history}\n",
        ):
            self.assertIn(text, out)
        self.assertRegex(out, r"gap_variation +0\.12 +1 +100 %")
        self.assertRegex(out, r"AGAINST IT(.*\n)+prevalence +9 +- +-25 %")
        self.assertNotIn("suppress add", self.run_eddy("incidents", "-o", "table", "show", "04", self.history).stdout)
        self.assertEqual(json.loads(self.run_eddy("incidents", "show", "01", self.history).stdout)["flows"], 64)

    def test_what_show_prints_silences_it(self) -> None:
        odd = self.path / "it's a history.jsonl"
        odd.write_text(self.history.read_text(), encoding="utf-8")
        out = self.run_eddy("incidents", "-o", "table", "show", "01", odd).stdout
        command = next(line for line in out.splitlines() if "suppress add" in line).strip()
        rules = self.path / "suppressions"
        done = subprocess.run(["bash", "-c", f"{command} --file '{rules}'"], capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{Path(EDDY).parent}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("detector=beacon src=10.0.0.1 dst=203.0.113.9 port=443 proto=tcp", rules.read_text())

    def test_show_of_none_or_several_fails(self) -> None:
        self.assertIn("no incident has the id 77", self.run_eddy("incidents", "show", "77", self.history, status=1).stderr)
        self.assertIn("5 ids begin with 0: 01aa 02aa 03aa 04aa 05aa\n", self.run_eddy("incidents", "show", "0", self.history, status=1).stderr)

    def test_control_characters_do_not_reach_the_terminal(self) -> None:
        evil = "\x1b]0;x\x07\x9b31m\r\n"
        self.history.write_text(
            incident(1, incident_id="1" + evil, summary=evil, detector=evil, technique=evil, suppressed_by="",
                     flow_ids=[evil], names=[{"kind": evil, "value": evil}], host_country=evil,
                     reasons=[{"feature": evil, "text": evil, "value": 1, "share": 1}]),
            encoding="utf-8",
        )
        for words in (["show", "1"], []):
            out = subprocess.run([EDDY, "incidents", "-o", "table", *words, self.history], capture_output=True).stdout
            self.assertTrue(out)
            self.assertFalse(set(out) & (set(range(32)) - {10}), out)
            self.assertNotIn(b"\xc2\x9b", out)

    def test_bad_lines_are_named_and_the_rest_is_listed(self) -> None:
        with self.history.open("a", encoding="utf-8") as file:
            file.write(incident(6)[:100] + "\n" + incident(7))
        done = self.run_eddy("incidents", self.history)
        self.assertEqual(len(done.stdout.splitlines()), 4)
        self.assertIn("history.jsonl:7: not an object of JSON, or cut", done.stderr)

    def test_the_history_of_a_configuration_is_found(self) -> None:
        conf = self.path / "eddy.conf"
        conf.write_text(f"[history]\npath = {self.history}\n")
        (self.path / "history.jsonl.1").write_text(incident(9) + incident(1, state="new"))
        out = self.run_eddy("incidents", "-c", conf).stdout
        self.assertEqual(len(out.splitlines()), 4)
        conf.write_text("[history]\n")
        self.assertIn("history.path is not set", self.run_eddy("incidents", "-c", conf, status=1).stderr)

    def test_a_run_leaves_a_history_and_a_configuration_alone(self) -> None:
        fresh, log = self.path / "fresh.jsonl", DATA / "eve.json.gz"
        scored = self.run_eddy("score", "-q", "-s", f"history.path={fresh}", log).stdout.splitlines()
        listed = self.run_eddy("incidents", fresh).stdout.splitlines()
        self.assertTrue(scored)
        self.assertEqual(sorted(scored), sorted(listed))  # the last line of each is its closing
        self.assertGreater(len(fresh.read_text().splitlines()), len(listed))
        packed = self.path / "packed.gz"
        packed.write_bytes(gzip.compress(fresh.read_bytes()))
        self.assertEqual(self.run_eddy("incidents", packed).stdout.splitlines(), listed)
        conf = self.path / "eddy.conf"
        conf.write_text(f"[history]\npath = {self.path / 'none.jsonl'}\n")
        self.run_eddy("score", "-q", "-c", conf, log)
        self.assertFalse((self.path / "none.jsonl").exists())

    def test_after_a_crash_incidents_are_as_they_were_last(self) -> None:
        log, conf, history = self.path / "eve.json", self.path / "eddy.conf", self.path / "daemon.jsonl"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log.touch()
        conf.write_text(f"[eddyd]\nfollow = {log}\nhttp = 127.0.0.1:{port}\ncheckpoint = {self.path}/checkpoint\n"
                        f"[decide]\nmax_incidents_per_day = 1\n[history]\npath = {history}\n")
        daemon = subprocess.Popen([EDDYD, "-c", conf], stderr=subprocess.DEVNULL)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        until = time.monotonic() + 60
        while not history.exists() and time.monotonic() < until:  # it is open: the log is followed
            time.sleep(0.05)
        log.write_bytes(gzip.decompress((DATA / "eve.json.gz").read_bytes()))
        while '"withheld":true' not in history.read_text() and time.monotonic() < until:
            time.sleep(0.05)
        daemon.kill()
        daemon.wait()
        out = self.run_eddy("incidents", "-c", conf, "-o", "table", "--at", "2027-11-23", "--withheld").stdout
        self.assertRegex(out, r"(?m)^(low|medium|high) \* +(new|growing|quiet) 36\dd \d+h ")
        self.assertNotIn("closed", out)


if __name__ == "__main__":
    unittest.main()
