#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_zeek_logs.py - rows of dns.log, ssl.log and http.log from events made here.

Run: python3 tests/lab/test_zeek_logs.py
"""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

import zeek_logs
from label import read_tsv

START = 1795437648.0  # 2026-11-23T12:40:48 UTC
CONN = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n"


def event(
    kind: str, at: float, ends: tuple[str, int, str, int], proto: str = "UDP", **more: object
) -> dict:
    src, sport, dst, dport = ends
    stamp = f"2026-11-23T12:40:{48 + at:09.6f}+0000"
    return {"timestamp": stamp, "flow_id": 7, "event_type": kind, "src_ip": src, "src_port": sport,
            "dest_ip": dst, "dest_port": dport, "proto": proto, kind: more}  # fmt: skip


DNS_ENDS = ("10.20.0.11", 40000, "10.20.1.53", 53)
ASKED = {"type": "query", "id": 9, "rrname": "a.example", "rrtype": "A"}
TOLD = ASKED | {"type": "answer", "rcode": "NOERROR", "rd": True, "ra": True}


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name)

    def convert(
        self, conns: list[tuple[float, str, str]], events: list[dict], log: str
    ) -> list[dict[str, str]]:
        """conns: start, uid, the rest as in conn.log. The rows of one log."""
        rows = [f"{START + at:.6f}\t{uid}\t{rest}\n" for at, uid, rest in conns]
        (self.path / "conn.log").write_text(CONN + "".join(rows))
        (self.path / "eve.json").write_text("".join(json.dumps(e) + "\n" for e in events))
        zeek_logs.convert(self.path)
        return list(read_tsv(self.path / log))


class Dns(Folder):
    conns = [(0.0, "C1", "10.20.0.11\t40000\t10.20.1.53\t53\tudp")]

    def test_a_query_and_its_answer_are_one_row(self) -> None:
        answers = [{"rrname": "a.example", "rrtype": "A", "ttl": 30, "rdata": "192.0.2.1"},
                   {"rrname": "a.example", "rrtype": "TXT", "ttl": 5, "rdata": "x,y"}]  # fmt: skip
        events = [
            event("dns", 0.0, DNS_ENDS, **ASKED),
            event("dns", 0.25, DNS_ENDS, **TOLD, answers=answers),
        ]
        [row] = self.convert(self.conns, events, "dns.log")
        got = [row[name] for name in ("uid", "rtt", "query", "qtype", "rcode_name", "RA", "AA")]
        self.assertEqual(got, ["C1", "0.250000", "a.example", "1", "NOERROR", "T", "F"])
        self.assertEqual(row["answers"], "192.0.2.1,TXT 3 x\\x2cy")
        self.assertEqual(row["TTLs"], "30.000000,5.000000")

    def test_a_query_without_answer_is_a_row(self) -> None:
        [row] = self.convert(self.conns, [event("dns", 0.0, DNS_ENDS, **ASKED)], "dns.log")
        self.assertEqual((row["rtt"], row["rcode"], row["answers"]), ("-", "-", "-"))

    def test_a_port_used_again_has_the_later_uid(self) -> None:
        conns = [*self.conns, (5.0, "C2", self.conns[0][2])]
        events = [event("dns", at, DNS_ENDS, **ASKED) for at in (0.0, 5.0, 5.5)]
        self.assertEqual(
            [row["uid"] for row in self.convert(conns, events, "dns.log")], ["C1", "C2", "C2"]
        )

    def test_an_event_without_a_connection_is_no_row(self) -> None:
        late = [(5.0, "C2", self.conns[0][2])]
        self.assertEqual(self.convert(late, [event("dns", 0.0, DNS_ENDS, **ASKED)], "dns.log"), [])


class TlsAndHttp(Folder):
    def test_ipv6_addresses_are_zeeks(self) -> None:
        conns = [(0.0, "C6", "fd00:20::21\t44302\t2001:db8:30::30\t443\ttcp")]
        ends = (
            "fd00:0020:0000:0000:0000:0000:0000:0021",
            44302,
            "2001:0db8:0030:0000:0000:0000:0000:0030",
            443,
        )
        tls = {"sni": "docs.example.com", "version": "TLS 1.3", "ja3": {"hash": "aa"},
               "ja3s": {"hash": "bb", "string": "771,4866,43-51"}}  # fmt: skip
        [row] = self.convert(conns, [event("tls", 0.1, ends, "TCP", **tls)], "ssl.log")
        got = [
            row[name] for name in ("uid", "id.orig_h", "version", "cipher", "server_name", "ja3")
        ]
        wanted = ["C6", "fd00:20::21", "TLSv13", "TLS_AES_256_GCM_SHA384", "docs.example.com", "aa"]
        self.assertEqual(got, wanted)

    def test_requests_of_a_connection_are_counted(self) -> None:
        conns = [(0.0, "C1", "10.20.0.11\t40000\t10.20.1.80\t80\ttcp")]
        http = {
            "hostname": "intranet",
            "url": "/a\tb",
            "http_user_agent": "-",
            "protocol": "HTTP/1.1",
        }
        events = [
            event("http", at, ("10.20.0.11", 40000, "10.20.1.80", 80), "TCP", **http)
            for at in (0.1, 0.2)
        ]
        rows = self.convert(conns, events, "http.log")
        self.assertEqual([row["trans_depth"] for row in rows], ["1", "2"])
        self.assertEqual(
            [rows[0][name] for name in ("uri", "user_agent", "version")],
            ["/a\\x09b", "\\x2d", "1.1"],
        )


if __name__ == "__main__":
    unittest.main()
