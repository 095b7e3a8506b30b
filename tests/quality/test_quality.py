#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The measures themselves, against numbers worked by hand."""

from __future__ import annotations

import unittest

import compose
import episodes
import ranking
import rita
from episodes import Incident
from flows import Flow, is_own


def flow(name: str, start: float, src: str = "10.0.0.1", dst: str = "203.0.113.9", label: int = 1,
         family: str = "scan") -> Flow:
    return Flow(name, start, start + 1, src, dst, 443, 100, label, family, "set")


def incident(**fields) -> Incident:
    usual = {"host": "10.0.0.1", "peer": "", "detector": "fanout", "start": 0.0, "end": 100.0, "opened": 40.0,
             "score": 9.0, "flow_ids": ["a0"]}
    return Incident(**{**usual, **fields})


class Rankings(unittest.TestCase):
    # By score: 9 malicious, 8 benign, 7 malicious, 6 benign; no score: malicious.
    FLOWS = [("a", 1, "x"), ("b", 0, ""), ("c", 1, "x"), ("d", 0, ""), ("e", 1, "y"), ("u", -1, "")]
    SCORES = {"a": 9.0, "b": 8.0, "c": 7.0, "d": 6.0, "u": 99.0}

    def test_average_precision_by_hand(self) -> None:
        got = ranking.rank(self.SCORES, self.FLOWS)
        # Precision where malicious ones are met: 1/1, 2/3, and 3/5 for the one without a score, which comes last.
        self.assertAlmostEqual(got.pr_auc, (1 + 2 / 3 + 3 / 5) / 3)
        # Pairs in the right order: a before b and d, c before d; e before none: 3 of 6.
        self.assertAlmostEqual(got.roc_auc, 0.5)
        self.assertAlmostEqual(got.base_rate, 3 / 5)

    def test_equal_scores_are_one_step(self) -> None:
        got = ranking.rank({"a": 1.0, "b": 1.0}, [("a", 1, ""), ("b", 0, "")])
        self.assertAlmostEqual(got.roc_auc, 0.5)
        self.assertAlmostEqual(got.pr_auc, 0.5)

    def test_recall_at_false_positives(self) -> None:
        # Ten benign above the first malicious: met at 10, and the second comes after the eleventh.
        scores = {f"b{n}": 100.0 - n for n in range(10)} | {"m": 50.0, "b10": 40.0, "n": 30.0}
        flows = [(name, 0 if name.startswith("b") else 1, "") for name in scores]
        got = ranking.rank(scores, flows)
        self.assertEqual(got.recall, {10: 0.5, 50: 1.0, 200: 1.0})

    def test_one_label_alone_is_no_ranking(self) -> None:
        self.assertIsNone(ranking.rank({"a": 1.0}, [("a", 1, "")]))

    def test_calibration_counts_what_is_below(self) -> None:
        got = ranking.calibration([0.001, 0.01, 0.02] + [0.5] * 97, 1e-2)
        self.assertEqual(got.seen, 2)
        self.assertAlmostEqual(got.ratio(), 2.0)


class Episodes(unittest.TestCase):
    def setUp(self) -> None:
        self.flows = [flow(f"a{n}", 10 * n) for n in range(10)]
        self.flows += [flow(f"l{n}", 90 + 3601 + n) for n in range(9)]  # after a pause, and too few
        self.flows += [flow(f"b{n}", n, label=0, family="") for n in range(5)]
        self.flow_of = {one.id: one for one in self.flows}

    def test_a_pause_ends_a_stretch_and_short_ones_are_left(self) -> None:
        found, left = episodes.stretches(self.flows)
        self.assertEqual([(one.attacker, one.count, one.start, one.end) for one in found], [("10.0.0.1", 10, 0, 91)])
        self.assertEqual(left, 9)
        self.assertEqual(found[0].victim, "203.0.113.9")

    def test_an_hour_is_no_pause(self) -> None:
        flows = [flow(f"a{n}", 3600 * n) for n in range(10)]
        self.assertEqual(len(episodes.stretches(flows)[0]), 1)

    def test_an_incident_must_name_overlap_and_show(self) -> None:
        [episode], _ = episodes.stretches(self.flows)
        good = incident()
        self.assertTrue(episodes.finds(good, episode, self.flow_of))
        self.assertTrue(episodes.finds(incident(host="203.0.113.9"), episode, self.flow_of), "the victim")
        self.assertTrue(episodes.finds(incident(host="10.0.0.7", peer="10.0.0.1"), episode, self.flow_of))
        self.assertFalse(episodes.finds(incident(host="10.0.0.7"), episode, self.flow_of), "another host")
        self.assertFalse(episodes.finds(incident(start=92.0), episode, self.flow_of), "later")
        self.assertFalse(episodes.finds(incident(flow_ids=["b0"]), episode, self.flow_of), "benign samples")
        self.assertFalse(episodes.finds(incident(flow_ids=["a0", "b0", "b1"]), episode, self.flow_of), "mostly benign")
        self.assertTrue(episodes.finds(incident(flow_ids=["a0", "b0"]), episode, self.flow_of), "half is enough")

    def test_another_family_is_not_found(self) -> None:
        [episode], _ = episodes.stretches(self.flows)
        other = {**self.flow_of, "z": flow("z", 5, family="flood")}
        self.assertFalse(episodes.finds(incident(flow_ids=["z"]), episode, other))

    def test_time_to_detection_is_of_the_first_telling(self) -> None:
        [episode], _ = episodes.stretches(self.flows)
        late, soon = incident(opened=80.0), incident(opened=40.0)
        self.assertEqual(episodes.seconds_to([late, soon], episode, self.flow_of), 40.0)
        self.assertIsNone(episodes.seconds_to([incident(host="10.0.0.7")], episode, self.flow_of))
        self.assertEqual(episodes.finders([incident(host="10.0.0.7"), soon], episode, self.flow_of), [2])

    def test_groups_join_by_host_and_quiet_time(self) -> None:
        flows = [flow("a", 0), flow("b", 4 * 3600), flow("c", 9 * 3600), flow("d", 0, src="10.0.0.2"), flow("e", 1)]
        scores = {"a": 5.0, "b": 4.0, "c": 3.0, "d": 2.0, "e": 1.0}
        found = episodes.groups(flows, scores, most=2)
        # b is within four hours of a; c is five after b, so it opens the second; d would be a third: the end.
        self.assertEqual([one.flow_ids for one in found], [["a", "b"], ["c"]])


class Rita(unittest.TestCase):
    def test_quartiles_between_values(self) -> None:
        # Places 0.75, 1.5 and 2.25 of 1 2 3 10.
        self.assertEqual(rita.quartiles([10, 1, 2, 3]), (1.75, 2.5, 4.75))

    def test_evenness_by_hand(self) -> None:
        self.assertEqual(rita.evenness([60.0] * 5), 1.0)
        # 1 2 3 10: skewness (1.75 + 4.75 - 5) / 3 = 0.5; deviations from 2.5 are 0.5 0.5 1.5 7.5, their median 1;
        # (2.5 - 1) / 2.5 = 0.6; mean of 0.5 and 0.6.
        self.assertAlmostEqual(rita.evenness([1.0, 2.0, 3.0, 10.0]), 0.55)

    def test_histogram_of_two_kinds_of_hours(self) -> None:
        self.assertEqual(rita.histogram_score([5] * 24), 1.0)
        # 12 hours of 4 and 12 of none: deviation 2 over mean 2 leaves 0; all 12 seen are of one kind, 12 / 11, so 1.
        self.assertEqual(rita.histogram_score([4, 0] * 12), 1.0)
        # 8 hours of 3, 16 of none: mean 1, deviation sqrt(2), so 0; too few hours for kinds.
        self.assertEqual(rita.histogram_score([3, 0, 0] * 8), 0.0)

    def test_what_began_before_the_data_is_in_the_first_hour(self) -> None:
        counts = rita.histogram_of([-7200.0, 0.0, 3600.0, 86400.0], 0, 86400)
        self.assertEqual((counts[0], counts[1], counts[23], sum(counts)), (2, 1, 1, 4))

    def test_duration_needs_hours_and_takes_the_better(self) -> None:
        day = 86400.0
        counts = [1] * 6 + [0] * 18
        self.assertEqual(rita.duration_score(counts, [0.0, 6 * 3600.0], 0, day), 0.0)  # 6 are not more than 6
        counts = [1] * 9 + [0] * 15
        # Coverage 9 h / 24 h = 0.375, longest run 9 / 12 = 0.75.
        self.assertEqual(rita.duration_score(counts, [0.0, 9 * 3600.0], 0, day), 0.75)

    def test_a_perfect_beacon_scores_one(self) -> None:
        times = [300.0 * n for n in range(288)]
        self.assertAlmostEqual(rita.score(times, [100.0] * 288, 0, 86399), 1.0)

    def test_few_or_too_many_are_not_judged(self) -> None:
        self.assertIsNone(rita.score([0.0, 1.0, 2.0], [1.0] * 3, 0, 10))
        self.assertIsNone(rita.score([0.0, 0.0, 1.0, 2.0], [1.0] * 4, 0, 10))
        self.assertIsNotNone(rita.score([0.0, 1.0, 2.0, 3.0], [1.0] * 4, 0, 10))
        self.assertIsNone(rita.score([float(n) for n in range(86401)], [1.0] * 86401, 0, 86401))

    def test_pairs_are_own_to_internet(self) -> None:
        flows = [flow(f"o{n}", 60.0 * n) for n in range(5)]
        flows += [flow(f"i{n}", 60.0 * n, dst="10.0.0.2") for n in range(5)]
        flows += [flow(f"e{n}", 60.0 * n, src="198.51.100.1", dst="10.0.0.2") for n in range(5)]
        self.assertEqual(list(rita.pairs(flows, 0.0)), [("10.0.0.1", "203.0.113.9")])


class Composing(unittest.TestCase):
    def test_sets_keep_hosts_apart(self) -> None:
        mover = compose.Mover()
        self.assertEqual(mover.moved("192.168.1.5", "one"), "10.1.0.5")
        self.assertEqual(mover.moved("192.168.1.5", "two"), "10.2.0.5")
        self.assertEqual(mover.moved("192.168.7.5", "one"), "10.1.1.5")
        self.assertEqual(mover.moved("192.168.1.255", "one"), "10.1.0.255")
        self.assertEqual(mover.moved("8.8.8.8", "one"), "8.8.8.8")
        self.assertEqual(mover.moved("224.0.0.251", "one"), "224.0.0.251")
        self.assertEqual(mover.moved("147.32.81.167", "one"), "10.1.2.167")
        self.assertNotEqual(mover.moved("fe80::1", "one"), mover.moved("fe80::1", "two"))
        self.assertEqual(mover.moved("192.168.0.4", "apt29-day2-zeek"), "203.0.113.4")

    def test_own_networks_are_eddys(self) -> None:
        self.assertTrue(is_own("100.64.0.1") and is_own("fe80::1") and is_own("172.31.255.255"))
        self.assertFalse(is_own("203.0.113.4") or is_own("0.0.0.0") or is_own("172.32.0.1") or is_own("::1"))


if __name__ == "__main__":
    unittest.main()
