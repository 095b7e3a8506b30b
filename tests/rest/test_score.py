# SPDX-License-Identifier: MIT
"""POST /v1/score: lines in, scored flows out, every record counted."""

from __future__ import annotations

import csv
import gzip
import io
import subprocess
import threading
import time
import unittest
import zlib

from harness import DATA, Answer, Case, lines_of, many, program, wait_for

BOMB = 256 << 20  # bytes, all the same


def adds_up(counts: dict[str, int]) -> bool:
    return counts["read"] == sum(counts[name] for name in ("scored", "skipped", "rejected", "dropped"))


def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    piece = b"a" * (1 << 20)
    return b"".join(packer.compress(piece) for _ in range(BOMB >> 20)) + packer.flush()


class Scored(Case):
    def test_flows_are_scored_as_by_the_command_line(self) -> None:
        lines = lines_of("eve.json.gz", 0, 4000)
        log = self.folder / "eve.json"
        log.write_bytes(b"".join(lines))
        done = subprocess.run([program("eddy"), "score", "-s", "state.memory=16M", "-o", "flows", str(log)],
                              capture_output=True, text=True, check=True)  # fmt: skip
        wanted = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertGreater(len(wanted), 500)
        eddyd = self.eddyd().start()
        flows = []
        for begin in range(0, len(lines), 500):  # as many streams of one engine
            got = self.expect(eddyd.score(b"".join(lines[begin : begin + 500])), 200).json()
            self.assertTrue(adds_up(got), got)
            self.assertEqual(got["read"], 500)
            flows += got["flows"]
        self.assertEqual([f["id"] for f in flows], [w["id"] for w in wanted])
        for flow, want in zip(flows, wanted, strict=True):
            self.assertEqual(flow["detector"], want["detector"], flow)
            self.assertAlmostEqual(flow["p"], float(want["p"]), delta=1e-5 * float(want["p"]))
            self.assertAlmostEqual(flow["score"], float(want["score"]), delta=1e-4)
        eddyd.stop()

    def test_what_a_flow_says(self) -> None:
        eddyd = self.eddyd().start()
        line = (b'{"timestamp":"2026-01-02T03:04:06.000000+0000","flow_id":77,"event_type":"flow","src_ip":"10.0.0.5",'
                b'"src_port":4242,"dest_ip":"2001:db8::7","dest_port":443,"proto":"TCP","flow":{"pkts_toserver":5,'
                b'"pkts_toclient":4,"bytes_toserver":600,"bytes_toclient":900,"start":"2026-01-02T03:04:05.678901+0000",'
                b'"end":"2026-01-02T03:04:06.000000+0000","state":"closed"}}')  # fmt: skip
        got = self.expect(eddyd.score(line), 200).json()  # without newline
        (flow,) = got["flows"]
        self.assertEqual({k: flow[k] for k in ("id", "start", "src", "dst", "dst_port", "proto")},
                         {"id": "77", "start": "2026-01-02T03:04:05.678901Z", "src": "10.0.0.5", "dst": "2001:db8::7",
                          "dst_port": 443, "proto": 6})  # fmt: skip
        self.assertEqual(flow["flags"], ["learning"])
        eddyd.stop()

    def test_zeek_and_gzip_are_recognised(self) -> None:
        eddyd = self.eddyd(rest__max_batch=65536).start()
        packed = (DATA / "conn.log.gz").read_bytes()
        lines = gzip.decompress(packed).count(b"\n")
        for headers in ({}, {"Content_Encoding": "gzip"}):
            got = self.expect(eddyd.score(packed, **headers), 200).json()
            self.assertTrue(adds_up(got), got)
            self.assertGreater(got["scored"], 0.9 * lines)
            self.assertEqual(len(got["flows"]), got["scored"])
        eddyd.stop()

    def test_garbage_is_counted_by_reason(self) -> None:
        eddyd = self.eddyd().start()
        good = lines_of("eve.json.gz", 0, 50)
        got = self.expect(eddyd.score(b"".join(good) + b"{]\n" + b"\xff\xfe{\n" + b"".join(good)), 200).json()
        self.assertTrue(adds_up(got), got)
        self.assertEqual((got["read"], got["rejected"]), (102, 2))
        self.assertEqual(sum(r["count"] for r in got["reasons"] if r["rejected"]), 2)
        self.assertEqual(sum(r["count"] for r in got["reasons"]), got["skipped"] + got["rejected"])
        self.assertEqual(self.expect(eddyd.score(b""), 200).json()["read"], 0)
        eddyd.stop()

    def test_no_log_at_all_is_no_crash(self) -> None:
        eddyd = self.eddyd().start()
        for body in (b"\x00" * 5000, b"\n" * 100, bytes(range(256)) * 20, b"%PDF-1.7\n"):
            answer = eddyd.score(body)
            self.assertIn(answer.status, (200, 422), answer.body[:200])
            self.assertEqual(answer.json()["scored"], 0)
        self.expect(eddyd.get("/v2"), 200)
        eddyd.stop()


class TooMuch(Case):
    def test_nothing_is_scored_of_too_many_lines(self) -> None:
        eddyd = self.eddyd(rest__max_batch=100).start()
        lines = lines_of("eve.json.gz", 0, 101)
        self.expect(eddyd.score(b"".join(lines)), 413, "101 lines, more than the 100")
        self.expect(eddyd.score(gzip.compress(b"".join(lines))), 413, "101 lines")
        self.assertEqual(eddyd.metric(r"eddy_input_records_total\{[^}]*\}"), 0)
        self.assertEqual(self.expect(eddyd.score(b"".join(lines[:100])), 200).json()["read"], 100)
        eddyd.stop()

    def test_a_gzip_bomb_is_refused_with_little_memory(self) -> None:
        eddyd = self.eddyd().start()
        packed = bomb()
        self.assertLess(len(packed), 2 << 20)
        before = eddyd.memory_peak()
        self.expect(eddyd.score(packed), 413, "unpacked")
        self.assertLess(eddyd.memory_peak() - before, 64 << 20)
        self.expect(eddyd.score(gzip.compress(packed)), 422, "compressed twice")
        eddyd.stop()

    def test_damaged_and_other_compression_is_refused(self) -> None:
        eddyd = self.eddyd().start()
        packed = gzip.compress(b"".join(lines_of("eve.json.gz", 0, 50)))
        self.expect(eddyd.score(packed[:-20]), 422, "damaged or cut off")
        self.expect(eddyd.score(packed[:30] + b"\x00" * 40 + packed[70:]), 422, "damaged")
        self.expect(eddyd.score(b"{}\n", Content_Encoding="gzip"), 422, "it is not")
        self.expect(eddyd.score(b"{}\n", Content_Encoding="br"), 415, "only gzip")
        self.expect(eddyd.score(b"\x28\xb5\x2f\xfd" + b"x" * 40), 422, "not by gzip")
        two = gzip.compress(lines_of("eve.json.gz", 0, 1)[0]) + gzip.compress(lines_of("eve.json.gz", 1, 2)[0])
        self.assertEqual(self.expect(eddyd.score(two), 200).json()["read"], 2)
        eddyd.stop()


class Together(Case):
    def test_counters_add_up_while_a_log_is_followed(self) -> None:
        log, flows = self.folder / "eve.json", self.folder / "flows.csv"
        log.write_bytes(b"")
        lines = lines_of("eve.json.gz", 0, 12000)
        eddyd = self.eddyd(eddyd__listen="", eddyd__follow=f"log={log}", eddyd__flows=flows).start()
        answers: list[Answer] = []

        def send(begin: int) -> None:
            for at in range(begin, begin + 2000, 250):
                answers.append(eddyd.score(b"".join(lines[at : at + 250])))

        threads = [threading.Thread(target=send, args=(begin,)) for begin in range(0, 8000, 2000)]
        for thread in threads:
            thread.start()
        with log.open("ab") as out:
            for line in lines[8000:]:
                out.write(line)
        for thread in threads:
            thread.join()
        self.assertEqual([a.status for a in answers], [200] * 32)
        replies = [a.json() for a in answers]
        self.assertTrue(all(adds_up(r) and r["read"] == 250 for r in replies))
        scored = sum(r["scored"] for r in replies)
        self.assertEqual(sum(len(r["flows"]) for r in replies), scored)

        def read(name: str) -> float:
            return eddyd.metric(rf'eddy_input_records_total\{{input="{name}",result="[a-z]+"\}}')

        wait_for(lambda: read("log") == 4000, 20, "the followed log is read")
        self.assertEqual(read("rest"), 8000)
        self.assertEqual(eddyd.metric(r'eddy_input_records_total\{input="rest",result="scored"\}'), scored)
        in_log = eddyd.metric(r'eddy_input_records_total\{input="log",result="scored"\}')
        eddyd.stop()
        self.assertEqual(len(flows.read_text().splitlines()) - 1, in_log, "flows of requests are not in the flows file")

    def test_metrics_answer_while_requests_are_worked_on(self) -> None:
        eddyd = self.eddyd(rest__max_batch=65536, rest__parallel=2, rest__max_body="64M", rest__timeout="60s").start()
        body = b"".join((lines_of("eve.json.gz") * 3)[: many(65000)])
        answers: list[Answer] = []
        workers = [threading.Thread(target=lambda: answers.append(eddyd.score(body))) for _ in range(6)]
        for worker in workers:
            worker.start()
        slowest, asked = 0.0, 0
        while any(worker.is_alive() for worker in workers):
            begun = time.monotonic()
            self.expect(eddyd.get("/metrics"), 200)
            slowest, asked = max(slowest, time.monotonic() - begun), asked + 1
        self.assertEqual([a.status for a in answers], [200] * 6)
        self.assertGreater(asked, 20)
        self.assertLess(slowest, 2.0)
        eddyd.stop()


if __name__ == "__main__":
    unittest.main()
