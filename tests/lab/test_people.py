#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_people.py - schedule, truth and labels, rehearsed without a network.

Run: python3 tests/lab/test_people.py
"""

from __future__ import annotations

import contextlib
import csv
import ipaddress
import random
import re
import tempfile
import unittest
from pathlib import Path

import attacks
import check
import covert
from attacks import Episode, episodes
from habits import everybody
from lab import FAILED, HERE, LEARN_SHARE, Lab
from label import Flow, read_truth
from people import write_truth

SECONDS = 600.0


class Rehearsal(Lab):
    """A lab whose programs take half a second each and do nothing; time is only counted."""

    def begin(self) -> Rehearsal:
        self.clock = self.start
        self.done: list[tuple[float, str, str]] = []
        return self

    def now(self) -> float:
        return self.clock

    def run(self, host: str, command: str, limit_s: float = 120) -> int | None:
        self.done.append((self.clock, host, command))
        self.clock += 0.5
        return 0

    def sleep(self, seconds: float) -> bool:
        self.clock = min(self.end, self.clock + max(0.0, seconds))
        return self.clock < self.end


class Refusal(Rehearsal):
    """None of its programs can be started."""

    def run(self, host: str, command: str, limit_s: float = 120) -> int | None:
        super().run(host, command, limit_s)
        return FAILED


def rehearse(seed: int, work: Path) -> tuple[list[list[tuple[float, str, str]]], list[Episode]]:
    """What each habit and then each attack would do and when; the attacks as they were played."""

    def lab() -> Rehearsal:
        learn_end = LEARN_SHARE * SECONDS
        return Rehearsal("test", work, seed, 0.0, learn_end, SECONDS).begin()

    played, all_done = episodes(lab()), []
    for habit, arguments in everybody():
        one = lab()
        habit(one, *arguments)
        all_done.append(one.done)
    for episode in played:
        one = lab()
        with contextlib.redirect_stdout(None):
            episode.play(one)
        all_done.append(one.done)
    return all_done, played


def addresses() -> dict[str, str]:
    """Names and addresses, as network.sh and servers.sh have them."""
    known = {}
    for name, address in re.findall(
        r"^    (\w+) +(?:srv|net|lan) +([\d.]+)", (HERE / "network.sh").read_text(), re.M
    ):
        known[name] = address
    for name, address in re.findall(
        r"--address=/([^/$]+)/(\d+\.[\d.]+)", (HERE / "servers.sh").read_text()
    ):
        known[name] = address
    known |= {f"s{i}.example.com": f"203.0.113.{i}" for i in range(101, 131)}
    return known | {f"c{i}": f"10.20.0.{i}" for i in range(11, 23)}


def targets(command: str, known: dict[str, str]) -> list[tuple[str, int]]:
    """(address, port) of what a habit's command connects to; DNS and ping have no part in this."""
    found = []
    for scheme, host, port in re.findall(r"(https?)://([\w.-]+)(?::(\d+))?/", command):
        found.append((host, int(port) if port else {"http": 80, "https": 443}[scheme]))
    found += [(host, 22) for host in re.findall(r"ana@([\w.-]+)", command)]
    found += [(host, int(port)) for host, port in re.findall(r"-h ([\w.-]+) -p (\d+)", command)]
    plain = [(known.get(re.sub(r"^d[0-9a-f]+\.", "", host), host), port) for host, port in found]
    return [(str(ipaddress.ip_address(host)), port) for host, port in plain]


class Schedule(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)

    def test_a_seed_gives_the_same_schedule(self) -> None:
        once, _ = rehearse(20, self.work)
        self.assertEqual(once, rehearse(20, self.work)[0])
        self.assertNotEqual(once, rehearse(21, self.work)[0])

    def test_every_kind_is_planned_and_begins_after_the_learning_part(self) -> None:
        done, played = rehearse(20, self.work)
        self.assertEqual({e.kind for e in played} | {check.FORWARDED}, set(check.KINDS))
        self.assertTrue(all(e.happened and LEARN_SHARE * SECONDS < e.start < e.end for e in played))
        self.assertEqual(len(done), len(everybody()) + len(played))

    def test_no_habit_has_an_attacks_ends(self) -> None:
        """So a label by addresses and port is the truth, where the row of truth.csv has no name."""
        known = addresses()
        done, played = rehearse(20, self.work)
        for begun in done[: len(everybody())]:
            for _, host, command in begun:
                src = known[host]
                for dst, port in targets(command, known):
                    flow = Flow("", 0, 0, src, 40000, dst, port, set())
                    hit = [e.kind for e in self.truth_of(played) if e.has(flow)]
                    self.assertFalse(hit, f"{src} {command}")

    def truth_of(self, played: list[Episode]) -> list[check.Episode]:
        """As truth.csv has them, but at all times."""
        if not hasattr(self, "truth"):
            write_truth(Lab("test", self.work, 1, 0.0, 0.0, SECONDS), played, self.work)
            self.truth = [e for e in read_truth(self.work / "truth.csv") if not e.name]
            for e in self.truth:
                e.start, e.end = 0.0, SECONDS
        return self.truth

    def test_targets_are_read_from_commands(self) -> None:
        known = addresses()
        self.assertEqual(
            targets("curl -k https://d0a1.fastedge.example/p1", known), [("198.51.100.40", 443)]
        )
        self.assertEqual(targets("ssh -q ana@wiki.office.test 'id'", known), [("10.20.1.41", 22)])
        self.assertEqual(targets("curl http://10.20.1.90:8080/push", known), [("10.20.1.90", 8080)])


class Truth(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)
        self.lab = Rehearsal("test", self.work, 1, 0.0, 10.0, 100.0).begin()

    def rows(self, played: list[Episode]) -> list[dict[str, str]]:
        for episode in played:
            with contextlib.redirect_stdout(None):
                episode.play(self.lab)
        write_truth(self.lab, played, self.work)
        with open(self.work / "truth.csv", newline="") as f:
            return list(csv.DictReader(f))

    def test_what_did_not_run_is_left_out(self) -> None:
        ends = ("10.0.0.1", "10.0.0.2", "80", "text")
        rows = self.rows([
            Episode("ran", *ends, 5, lambda lab: True),
            Episode("failed", *ends, 6, lambda lab: False),
            Episode("too_late", *ends, 95, lambda lab: True),
        ])  # fmt: skip
        self.assertEqual([row["kind"] for row in rows], ["ran"])

    def test_a_program_that_cannot_start_did_not_happen(self) -> None:
        for act in {e.act for e in episodes(self.lab)}:
            lab = Refusal("test", self.work, 1, 0.0, 10.0, 100.0).begin()
            self.assertFalse(act(lab), act)

    def test_a_tunnel_has_a_row_for_what_the_resolver_passes_on(self) -> None:
        made = Episode(
            "dns_tunnel", "10.0.0.1", "10.0.0.2", "53", "text", 5, lambda lab: True, "x.example"
        )
        first, second = self.rows([made])
        self.assertEqual((second["kind"], second["name"]), ("dns_tunnel_forwarded", "x.example"))
        self.assertEqual((first["start"], first["end"]), (second["start"], second["end"]))


class Labels(unittest.TestCase):
    def episode(self, dst: str, name: str = "") -> check.Episode:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "truth.csv"
            path.write_text(
                f"{','.join(attacks.HEAD)}\nk,10.0.0.1,{dst},22;8080-8081,100,200,m,{name}\n"
            )
            return read_truth(path)[0]

    def flow(
        self, dst: str, port: int = 22, start: float = 150, names: tuple[str, ...] = ()
    ) -> Flow:
        return Flow("id", start, start, "10.0.0.1", 40000, dst, port, set(names))

    def test_a_list_of_targets_and_ports(self) -> None:
        e = self.episode("10.0.0.2;10.0.1.0/24")
        self.assertTrue(e.has(self.flow("10.0.0.2")) and e.has(self.flow("10.0.1.7", 8081)))
        self.assertFalse(e.has(self.flow("10.0.0.3")) or e.has(self.flow("10.0.0.2", 8082)))
        self.assertFalse(
            e.has(self.flow("10.0.0.2", start=97)) or e.has(self.flow("10.0.0.2", start=203))
        )

    def test_a_name_leaves_out_what_does_not_ask_for_it(self) -> None:
        e = self.episode("10.0.0.2", "x.example")
        self.assertTrue(e.has(self.flow("10.0.0.2", names=("news.example.com", "abc.x.example"))))
        self.assertFalse(e.has(self.flow("10.0.0.2", names=("abcx.example",))))
        self.assertFalse(e.has(self.flow("10.0.0.2")))


class Tunnel(unittest.TestCase):
    def test_names_are_names_and_carry_all_bytes(self) -> None:
        names = [
            name
            for name, _ in covert.tunnel_names(random.Random(1), 18_000, "status-relay.example")
        ]
        self.assertTrue(
            all(len(name) <= 253 and max(map(len, name.split("."))) <= 63 for name in names)
        )
        self.assertEqual(len(names), len(set(names)))
        carried = sum(len("".join(name.split(".")[1:-2])) * 5 // 8 for name in names)
        self.assertEqual(carried, 18_000)
        self.assertGreater(len(names), 200)

    def test_a_query_is_read_back(self) -> None:
        message = covert.query(7, "abc.x.example", covert.TXT)
        self.assertEqual(
            message[12 : covert.question_end(message) - 4], b"\x03abc\x01x\x07example\x00"
        )
        self.assertEqual(covert.question_end(message), len(message))


if __name__ == "__main__":
    unittest.main()
