#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""eddy suppress and eddy mark as a user calls them: from an incident to its silence and back.

The program is $EDDY.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import unittest
from collections.abc import Callable
from pathlib import Path

from test_eddy import EDDY, LINES, Eddy, flow


class Said(Eddy):
    """The office of test_eddy: the scan of 10.0.0.66, as fanout tells it. Other detectors may tell of it, too."""

    def setUp(self) -> None:
        super().setUp()
        self.rules, self.marks = str(self.path / "suppressions"), str(self.path / "marks")
        self.history = str(self.path / "history.jsonl")
        self.conf = self.write(
            "eddy.conf",
            f"[suppress]\npath = {self.rules}\n[feedback]\npath = {self.marks}\n[history]\npath = {self.history}\n".encode(),
        )
        self.ok("score", "-c", self.conf, "-s", f"history.path={self.history}", self.log)
        found = [json.loads(line) for line in self.ok("score", self.log).splitlines()]
        self.total = len(found)
        (self.id,) = [i["incident_id"] for i in found if i["detector"] == "fanout"]

    def say(self, *args: str) -> str:
        return self.ok(args[0], "-c", self.conf, *args[1:])

    def add(self, *args: str) -> str:
        return self.say("suppress", "add", "--owner", "ann", "--why", "our scanner, every night", *args)

    def sent(self) -> list[str]:
        out = self.ok("score", "-q", "-s", f"suppress.path={self.rules}", "-s", f"feedback.path={self.marks}", self.log)
        found = [json.loads(line) for line in out.splitlines()]
        return [i["incident_id"] for i in found if i["detector"] == "fanout"]

    def text(self, path: str) -> str:
        with open(path, encoding="utf-8") as file:
            return file.read()


class Suppress(Said):
    def test_an_incident_is_silenced_and_back_again(self) -> None:
        self.assertEqual(self.sent(), [self.id])
        out = self.add("--from", self.id[:8], "--expires", "30d")
        line = self.text(self.rules)
        self.assertIn(line, out)
        self.assertRegex(
            line,
            r'^id=([0-9a-f]{8}) detector=fanout about=10\.0\.0\.66 expires=20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ '
            r'owner=ann why="our scanner, every night"\n$',
        )
        self.assertEqual(self.sent(), [])
        kept = self.ok("score", "-q", "--suppressed", "-s", f"suppress.path={self.rules}", self.log)
        rule = line[3:11]
        self.assertEqual([i["suppressed_by"] for i in map(json.loads, kept.splitlines()) if i["incident_id"] == self.id], [rule])
        self.say("suppress", "remove", rule[:4])
        self.assertEqual(self.text(self.rules), "")
        self.assertEqual(self.sent(), [self.id])

    def test_words_replace_what_the_incident_says(self) -> None:
        self.add("--from", self.id, "about=any", "src=10.0.0.64/30", "port=22", "proto=tcp")
        self.assertIn(" detector=fanout src=10.0.0.64/30 port=22 proto=tcp owner=", self.text(self.rules))
        self.assertEqual(self.sent(), [])

    def test_another_host_is_not_silenced(self) -> None:
        self.add("detector=fanout", "about=10.0.0.65")
        self.assertEqual(self.sent(), [self.id])

    def test_a_dry_run_tells_what_would_have_been_hidden(self) -> None:
        run = json.loads(self.say("suppress", "test", "--json", "--force", "--from", self.id, self.log))
        self.assertEqual(run["flows"], len(LINES))
        self.assertEqual(run["sent"], self.total)
        self.assertEqual([i["incident_id"] for i in run["hidden"]], [self.id])
        (rule,) = run["rules"]
        self.assertEqual(rule["hidden"], 1)
        self.assertEqual(rule["flows"], sum('"src_ip": "10.0.0.66"' in line for line in LINES))
        self.assertAlmostEqual(rule["share"], rule["flows"] / len(LINES), places=5)
        self.assertFalse((self.path / "suppressions").exists())
        nothing = self.say("suppress", "test", "src=10.0.0.1", "dst=203.0.113.1", self.log)
        self.assertIn(f"Would have hidden 0 of {self.total} incidents that were sent.", nothing)

    def test_a_dry_run_writes_to_no_output(self) -> None:
        before = self.text(self.history)
        self.say("suppress", "test", "--force", "--from", self.id, self.log)
        self.assertEqual(self.text(self.history), before)

    def test_a_wide_rule_is_refused_unless_forced(self) -> None:
        self.assert_fails(1, "more than suppress.max_share = 5 %", "suppress", "test", "src=10.0.0.0/8", self.log)
        words = ["suppress", "add", "-c", self.conf, "--owner", "a", "--why", "b", "src=10.0.0.0/8", "--test", self.log]
        self.assert_fails(1, "name more of what is meant, or use --force", *words)
        self.assertEqual(self.text(self.rules), "")
        self.ok(*words, "--force")
        self.assertIn("src=10.0.0.0/8", self.text(self.rules))
        narrow = ["suppress", "test", "src=10.0.0.1", "dst=203.0.113.1", self.log]
        self.assert_fails(1, "max_share = 0.01 %", *narrow, "-s", "suppress.max_share=0.0001")
        self.ok(*narrow)

    def test_the_rules_of_the_file_are_tried_when_none_are_given(self) -> None:
        self.add("detector=fanout", "about=10.0.0.66")
        self.add("detector=beacon", "about=10.0.0.66")
        run = json.loads(self.say("suppress", "test", "--json", "--force", self.log))
        self.assertEqual([rule["hidden"] for rule in run["rules"]], [1, 0])
        more = json.loads(self.say("suppress", "test", "--json", "--force", "about=10.0.0.67", self.log))
        self.assertEqual(len(more["rules"]), 1)  # the others are in force in both runs
        self.assertEqual(more["sent"], self.total - 1)

    def test_list_tells_hits_by_the_history(self) -> None:
        self.add("--from", self.id, "--expires", "2100-01-01")
        with open(self.rules, "a", encoding="utf-8") as file:
            file.write("id=never-used detector=beacon expires=2020-01-01 owner=bob\n")
        self.ok("score", "-c", self.conf, "-s", f"history.path={self.history}", self.log)
        used, unused = json.loads(self.say("suppress", "list", "--json"))
        self.assertEqual((used["state"], used["incidents"]), ("active", 1))
        self.assertGreater(used["flows"], 100)
        self.assertTrue(used["last"].startswith("2026-01-02 04:0"))
        self.assertEqual((unused["id"], unused["state"], unused["incidents"]), ("never-used", "expired", 0))
        text = self.say("suppress", "list")
        self.assertIn("active until 2100-01-01 00:00:00, hid 1 incident", text)
        self.assertIn("never-used  expired since 2020-01-01 00:00:00, never hit", text)
        self.assertIn("    ann: our scanner, every night\n", text)
        self.assertIn(f"2 suppressions in {self.rules}, 1 expired, 1 never hit.", text)
        self.assertIn("hits not known", self.ok("suppress", "list", "--file", self.rules))
        self.assertIn("No suppressions in", self.ok("suppress", "list", "--file", "/nonexistent"))

    def test_comments_and_order_of_the_file_stay(self) -> None:
        self.write("suppressions", b"# ours\nid=a src=10.0.0.1 # one\n\nid=b src=10.0.0.2\n")
        self.say("suppress", "remove", "a")
        self.assertEqual(self.text(self.rules), "# ours\n\nid=b src=10.0.0.2\n")
        self.assert_fails(1, "no id begins with zz", "suppress", "remove", "-c", self.conf, "zz")
        self.add("src=10.0.0.3", "--id", "b2")
        self.assert_fails(1, "no id begins with c", "suppress", "remove", "-c", self.conf, "c")
        self.say("suppress", "remove", "b")  # a whole id, though b2 begins so, too
        self.assertNotIn("10.0.0.2", self.text(self.rules))

    def test_two_adds_at_once_lose_none(self) -> None:
        def add(number: int) -> None:
            self.add(f"src=10.1.{number}.1")

        threads = [threading.Thread(target=add, args=(n,)) for n in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = sorted(int(n) for n in re.findall(r"src=10\.1\.(\d+)\.1", self.text(self.rules)))
        self.assertEqual(found, list(range(24)))
        self.assertEqual(sorted(p.name for p in self.path.glob("suppressions*")), ["suppressions"])

    def test_a_link_to_the_file_stays_a_link_and_the_mode_stays(self) -> None:
        real = self.path / "real"
        real.write_text("", encoding="utf-8")
        real.chmod(0o640)
        (self.path / "suppressions").symlink_to(real)
        self.add("src=10.0.0.1")
        self.assertTrue((self.path / "suppressions").is_symlink())
        self.assertIn("src=10.0.0.1", real.read_text(encoding="utf-8"))
        self.assertEqual(real.stat().st_mode & 0o777, 0o640)

    def test_what_is_wrong_is_said_and_nothing_is_written(self) -> None:
        who = ["--owner", "a", "--why", "b", "-c", self.conf]
        for status, words, args in (
            (2, "what? add, test, list or remove", []),
            (2, "delete: not add, test, list or remove", ["delete"]),
            (2, "add needs --owner WHO and --why TEXT", ["add", "src=10.0.0.1", "--owner", "a"]),
            (2, "add needs --from INCIDENT or KEY=VALUE words", ["add", *who]),
            (2, "port=0: not in 1..65535", ["add", "port=0", *who]),
            (2, "src=10.0.0.1/8: not a network", ["add", "src=10.0.0.1/8", *who]),
            (2, "names nothing to match", ["add", "port=any", *who]),
            (2, "eve.json: no KEY=VALUE", ["add", "src=10.0.0.1", "eve.json", *who]),
            (2, "--expires soon: neither a span", ["add", "src=10.0.0.1", "--expires", "soon", *who]),
            (2, "--why has a control character: \\x1b[2J", ["add", "src=10.0.0.1", "--owner", "a", "--why", "\x1b[2J", "-c", self.conf]),
            (2, "--owner has a control character", ["add", "src=10.0.0.1", "--owner", "a\nsrc=10.0.0.2", "--why", "b", "-c", self.conf]),
            (2, "src has a control character", ["add", "src=10.0.0.1\nsrc=10.0.0.2", *who]),
            (2, "sni=foo.example: no such key (or file); keys are detector, about, src,", ["test", "sni=foo.example", self.log]),
            (2, "sni=foo.example: no such key (or file)", ["add", "sni=foo.example", *who]),
            (2, "--expires 2020-01-01 is past", ["add", "src=10.0.0.1", "--expires", "2020-01-01", *who]),
            (1, "names no address, network, port, AS or country", ["add", "detector=beacon", "proto=tcp", *who]),
            (1, "no incident has the id ffff", ["add", "--from", "ffff", *who]),
            (1, "/nonexistent: ", ["add", "--from", self.id, "--in", "/nonexistent", *who]),
            (1, "history.path is not set", ["add", "--from", self.id, "--file", self.rules, "--owner", "a", "--why", "b"]),
            (1, "suppress.path is not set", ["list", "-c", "/dev/null"]),
            (2, "test needs the LOGs", ["test", "src=10.0.0.1"]),
            (1, "/nonexistent: ", ["test", "src=10.0.0.1", "/nonexistent"]),
            (2, "remove needs the id", ["remove", *who]),
        ):
            with self.subTest(args=args):
                self.assert_fails(status, words, "suppress", *args)
                self.assertFalse((self.path / "suppressions").exists())
        self.write("suppressions", b"id=a src=10.0.0.1\nscr=10.0.0.2\n")
        for args in (["add", "src=10.0.0.9", *who], ["list", "-c", self.conf], ["remove", "a", "-c", self.conf]):
            self.assert_fails(1, "suppressions:2: scr: no such key", "suppress", *args)
        self.assertEqual(self.text(self.rules), "id=a src=10.0.0.1\nscr=10.0.0.2\n")

    def test_the_same_rule_is_renewed(self) -> None:
        self.write(
            "suppressions",
            "# ours\nid=scan about=10.0.0.66 detector=fanout expires=2025-01-01 owner=x # old\nid=b src=10.0.0.2\n".encode(),
        )
        self.assertEqual(self.sent(), [self.id])  # it has expired
        out = self.add("--from", self.id, "--expires", "2100-01-01")
        renewed = 'id=scan detector=fanout about=10.0.0.66 expires=2100-01-01T00:00:00Z owner=ann why="our scanner, every night"'
        self.assertEqual(self.text(self.rules), f"# ours\n{renewed}\nid=b src=10.0.0.2\n")
        self.assertEqual(
            out,
            f"Renewed in {self.rules}:\n{renewed}\nIt was:\nid=scan about=10.0.0.66 detector=fanout expires=2025-01-01 owner=x\n",
        )
        self.assertEqual(self.sent(), [])
        self.add("--from", self.id, "--id", "other")
        self.assertIn("\nid=other detector=fanout about=10.0.0.66 owner=ann", self.text(self.rules))
        self.assertEqual(self.text(self.rules).count("\n"), 3)
        self.assert_fails(1, "the same id as line", "suppress", "add", "-c", self.conf, "--owner", "b", "--why", "c", "src=10.9.9.9", "--id", "b")

    def test_a_rule_in_force_is_tried_as_if_it_were_not(self) -> None:
        self.add("--from", self.id)
        for args in (["--from", self.id], ["--rule", "about=10.0.0.66 detector=fanout"]):
            run = json.loads(self.say("suppress", "test", "--json", *args, self.log))
            self.assertEqual([i["incident_id"] for i in run["hidden"]], [self.id])
            self.assertEqual(len(run["rules"]), 1)

    def test_words_that_were_not_tried_are_said(self) -> None:
        words = ["--owner", "a", "--why", "b", "-c", self.conf]
        run = self.run_eddy("suppress", "add", "detector=fanout", "about=10.0.0.66", *words)
        self.assertEqual(run.returncode, 0)
        self.assertIn(b"was not tried; with a log that is: eddy suppress test detector=fanout about=10.0.0.66 LOG\n", run.stderr)
        run = self.run_eddy("suppress", "add", "src=10.0.0.1", "dst=203.0.113.1", *words, "--test", self.log)
        self.assertNotIn(b"not tried", run.stderr)
        self.ok("suppress", "add", "detector=beacon", "--force", *words)

    def test_one_detector_about_one_host_is_never_too_wide(self) -> None:
        tight = ["-s", "suppress.max_share=0.0001", self.log]
        self.ok("suppress", "test", "detector=fanout", "about=10.0.0.66", *tight)
        self.ok("suppress", "test", "detector=fanout", "src=10.0.0.66/32", *tight)
        for words in (["about=10.0.0.66"], ["detector=fanout", "about=10.0.0.64/30"], ["detector=fanout", "host=10.0.0.66"]):
            self.assert_fails(1, "max_share", "suppress", "test", *words, *tight)


class EachIncident(Eddy):
    """Every incident of the lab's recording, as Suricata and as Zeek saw it."""

    def recordings(self) -> list[list[str]]:
        data = Path(__file__).resolve().parents[2] / "examples" / "data"
        return [[str(data / "eve.json.gz")], [str(data / "conn.log.gz"), str(data / "dns.log.gz")]]

    def conf(self) -> str:
        text = "".join(f"[{part}]\npath = {self.path / part}\n" for part in ("suppress", "feedback", "history"))
        return self.write("eddy.conf", text.encode())

    def told(self, conf: str, logs: list[str]) -> dict[str, dict[str, object]]:
        out = self.ok("score", "-q", "--withheld", "-o", "json", "-c", conf, *logs)
        return {i["incident_id"]: i for i in map(json.loads, out.splitlines())}

    def check_all(self, say: Callable[[str, str], None], file: str) -> set[str]:
        """The detectors of what was silenced; no incident of the same host and detector may be left."""
        detectors: set[str] = set()
        for logs in self.recordings():
            conf = self.conf()
            (self.path / "history").unlink(missing_ok=True)
            self.ok("score", "-q", "-c", conf, "-s", f"history.path={self.path / 'history'}", *logs)
            for id, incident in self.told(conf, logs).items():
                with self.subTest(log=logs[0], incident=id, detector=incident["detector"]):
                    say(conf, id)
                    left = self.told(conf, logs).values()
                    about = (incident["host"], incident["detector"])
                    self.assertEqual([i["summary"] for i in left if (i["host"], i["detector"]) == about], [])
                    self.assertGreater(len(left), 0)  # the others are told
                    (self.path / file).unlink()
                    detectors.add(str(incident["detector"]))
        return detectors

    def test_a_rule_made_of_an_incident_silences_it(self) -> None:
        def say(conf: str, id: str) -> None:
            self.ok("suppress", "add", "-c", conf, "--from", id, "--owner", "a", "--why", "b")

        self.assertLessEqual({"beacon", "burst", "dns", "exfil", "fanout"}, self.check_all(say, "suppress"))

    def test_a_rule_made_of_an_incident_is_not_too_wide(self) -> None:
        logs, conf = self.recordings()[0], self.conf()
        self.ok("score", "-q", "-c", conf, "-s", f"history.path={self.path / 'history'}", *logs)
        for id in self.told(conf, logs):
            run = json.loads(self.ok("suppress", "test", "--json", "-c", conf, "--from", id, *logs))
            self.assertIn(id, [i["incident_id"] for i in run["hidden"]])

    def test_a_benign_mark_silences_it(self) -> None:
        def say(conf: str, id: str) -> None:
            self.ok("mark", id, "benign", "-c", conf)

        self.check_all(say, "feedback")


class Mark(Said):
    def mark(self, *args: str) -> str:
        return self.say("mark", self.id, *args)

    def test_a_benign_mark_makes_the_incident_usual(self) -> None:
        out = self.mark("benign", "--why", "inventory", "--by", "ann")
        self.assertIn(f"Marked benign in {self.marks}: {self.id} (fanout, 10.0.0.66", out)
        self.assertRegex(self.text(self.marks), rf"^incident={self.id} verdict=benign detector=fanout host=10\.0\.0\.66 reason=\w+ score=[\d.]+ ")
        self.assertEqual(self.sent(), [])
        self.mark("none")
        self.assertEqual(self.sent(), [self.id])

    def test_a_mark_is_about_its_host_alone(self) -> None:
        scan = [flow(5000000 + i, 5000 + i / 50, "10.0.0.67", f"10.7.{i // 200}.{i % 200 + 1}", 22, True) for i in range(2000)]
        self.mark("benign")
        self.log = self.write("more.json", "".join(line + "\n" for line in LINES + scan).encode())
        self.assertEqual(len(self.sent()), 1)  # of the two scans

    def test_marked_flows_are_exported_as_labels(self) -> None:
        self.mark("malicious")
        rows = self.say("mark", "--export", self.log).splitlines()
        self.assertEqual(rows[0], "id,label,family")
        ids = {str(json.loads(line)["flow_id"]) for line in LINES if '"src_ip": "10.0.0.66"' in line}
        self.assertGreater(len(rows), 1000)
        self.assertLessEqual({row.split(",")[0] for row in rows[1:]}, ids)
        self.assertEqual({row.split(",", 1)[1] for row in rows[1:]}, {"1,fanout"})
        self.mark("benign")  # the last one counts
        rows = self.say("mark", "--export", self.log).splitlines()
        self.assertEqual({row.split(",", 1)[1] for row in rows[1:]}, {"0,fanout"})
        self.mark("none")
        self.assertEqual(self.say("mark", "--export", self.log).splitlines(), ["id,label,family"])

    def test_the_export_says_how_much_of_an_incident_is_labelled(self) -> None:
        data = Path(__file__).resolve().parents[2] / "examples" / "data"
        log = str(data / "eve.json.gz")
        self.ok("score", "-q", "-c", self.conf, "-s", f"history.path={self.history}", log)
        found = [json.loads(line) for line in self.ok("score", "-q", log).splitlines()]
        (scan,) = [i for i in found if i["detector"] == "fanout"]
        (tunnel,) = [i for i in found if i["detector"] == "dns"]
        for incident in (scan, tunnel):
            self.say("mark", incident["incident_id"], "malicious")
        run = self.run_eddy("mark", "--export", "-c", self.conf, log)
        rows = [row.split(",") for row in run.stdout.decode().splitlines()[1:]]
        count = {name: sum(row[2] == name for row in rows) for name in ("fanout", "dns")}
        self.assertGreaterEqual(count["fanout"], 0.95 * scan["flows"])
        self.assertGreater(count["dns"], 0)
        said = run.stderr.decode()
        self.assertIn(f"{scan['incident_id']}: {count['fanout']:,} flows labelled: those of its host that were part", said)
        self.assertIn(f"; the incident had {scan['flows']:,}\n", said)
        self.assertIn(f"{tunnel['incident_id']}: {count['dns']:,} flows labelled: all of its host to port 53", said)

    def test_a_peer_makes_labels_of_the_whole_conversation(self) -> None:
        self.write(
            "marks",
            b"incident=x verdict=malicious detector=beacon host=10.0.0.8 peer=203.0.113.1 port=443 marked=2026-01-03 "
            b"start=2026-01-02T03:00:00Z end=2026-01-02T03:30:00Z\n",
        )
        rows = self.say("mark", "--export", self.log).splitlines()[1:]
        expected = [
            str(record["flow_id"])
            for record in map(json.loads, LINES)
            if (record["src_ip"], record["dest_ip"]) == ("10.0.0.8", "203.0.113.1")
            and record["flow"]["start"] <= "2026-01-02T03:30:00.000000+0000"
        ]
        self.assertGreater(len(expected), 0)
        self.assertEqual(rows, [f"{id},1,beacon" for id in expected])

    def test_the_list_is_the_file(self) -> None:
        self.assertIn("No marks in", self.say("mark", "--list"))
        self.mark("benign", "--why", 'a "b"')
        self.assertEqual(self.say("mark", "--list"), self.text(self.marks))
        (entry,) = json.loads(self.say("mark", "--list", "--json"))
        self.assertEqual((entry["incident"], entry["verdict"], entry["why"]), (self.id, "benign", 'a "b"'))
        self.mark("malicious", "--by", "bob")
        first, second = self.text(self.marks).splitlines()
        self.assertEqual(self.say("mark", "--list"), f"# superseded: {first}\n{second}\n")
        self.assertEqual([mark["superseded"] for mark in json.loads(self.say("mark", "--list", "--json"))], [True, False])

    def test_what_is_wrong_is_said(self) -> None:
        for status, words, args in (
            (2, "needs INCIDENT and benign, malicious or none", [self.id]),
            (2, "good: not benign, malicious or none", [self.id, "good"]),
            (1, "no incident has the id ffff", ["ffff", "benign", "-c", self.conf]),
            (1, "feedback.path is not set", [self.id, "benign", "-c", "/dev/null"]),
            (2, "--why has a control character: \\x07", [self.id, "benign", "--why", "\x07", "-c", self.conf]),
            (2, "--export needs the LOGs", ["--export", "-c", self.conf]),
            (2, "--list takes nothing", ["--list", "x", "-c", self.conf]),
        ):
            with self.subTest(args=args):
                self.assert_fails(status, words, "mark", *args)
        self.write("marks", b"incident=x verdict=bening\n")
        self.assert_fails(1, "marks:1: verdict=bening: not benign, malicious or none", "mark", "--list", "-c", self.conf)
        self.assert_fails(1, "marks:1: verdict=bening", "mark", self.id, "benign", "-c", self.conf)
        self.assertEqual(self.text(self.marks), "incident=x verdict=bening\n")


class Help(Eddy):
    def test_help_tells_every_option(self) -> None:
        for command in ("suppress", "mark"):
            text = self.ok(command, "--help")
            self.assertTrue(text.startswith(f"Usage: eddy {command} "))
            for option in ("--in FILE", "--file FILE", "--json", "--config FILE", "Exit status"):
                self.assertIn(option, text)

    def test_a_faulty_file_ends_a_run_before_it_begins(self) -> None:
        rules = self.write("rules", b"src=10.0.0.1/99\n")
        for command in (["score"], ["report", "-o", str(self.path / "page.html")], ["suppress", "test", "src=10.0.0.1"]):
            with self.subTest(command=command):
                run = self.run_eddy(*command, "-s", f"suppress.path={rules}", self.log)
                self.assertEqual((run.returncode, run.stdout), (1, b""))
                self.assertIn(b"1: src=10.0.0.1/99: not an address", run.stderr)
        self.assertFalse((self.path / "page.html").exists())
        marks = self.write("marks", b"incident=x verdict=bening\n")
        self.assert_fails(1, "marks:1: verdict=bening", "score", "-s", f"feedback.path={marks}", self.log)

    def test_messages_move_no_cursor(self) -> None:
        for status, args in (
            (2, ["\x1b[2J"]),
            (2, ["mark", "x", "\x1b[2J"]),
            (2, ["suppress", "\x1b[2J"]),
            (1, ["score", "/nonexistent\x1b[2J\x9b"]),
        ):
            run = self.run_eddy(*args)
            self.assertEqual(run.returncode, status, run.stderr)
            self.assertIn(b"\\x1b[2J", run.stderr)
            self.assertNotRegex(run.stderr, b"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")


del Eddy, Said


if __name__ == "__main__":
    unittest.main()
