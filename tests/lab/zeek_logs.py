#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""zeek_logs.py - Zeek's dns.log, ssl.log and http.log from Suricata's events and our conn.log.

    zeek_logs.py OUT_DIR          reads OUT_DIR/eve.json and OUT_DIR/conn.log

Zeek has no part in it: what Suricata parsed is put into Zeek's columns, with the uid that the same
connection has in conn.log. Columns that Suricata does not tell are unset. README.md has the list.
"""

from __future__ import annotations

import collections
import ipaddress
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from label import read_tsv, seconds

Event = dict[str, Any]
Ends = tuple[str, str, int, str, int]

SLACK_S = 0.001  # Suricata's and conn_log.py's times are of the same packets, rounded

COMMON = [("ts", "time"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port"),
          ("id.resp_h", "addr"), ("id.resp_p", "port")]  # fmt: skip
DNS = [*COMMON, ("proto", "enum"), ("trans_id", "count"), ("rtt", "interval"), ("query", "string"),
       ("qclass", "count"), ("qclass_name", "string"), ("qtype", "count"), ("qtype_name", "string"),
       ("rcode", "count"), ("rcode_name", "string"), ("AA", "bool"), ("TC", "bool"), ("RD", "bool"),
       ("RA", "bool"), ("Z", "count"), ("answers", "vector[string]"), ("TTLs", "vector[interval]"),
       ("rejected", "bool")]  # fmt: skip
SSL = [*COMMON, ("version", "string"), ("cipher", "string"), ("curve", "string"),
       ("server_name", "string"), ("resumed", "bool"), ("last_alert", "string"),
       ("next_protocol", "string"), ("established", "bool"), ("ssl_history", "string"),
       ("cert_chain_fps", "vector[string]"), ("client_cert_chain_fps", "vector[string]"),
       ("sni_matches_cert", "bool"), ("ja3", "string"), ("ja3s", "string")]  # fmt: skip
HTTP = [*COMMON, ("trans_depth", "count"), ("method", "string"), ("host", "string"),
        ("uri", "string"), ("referrer", "string"), ("version", "string"),
        ("user_agent", "string"), ("origin", "string"), ("request_body_len", "count"),
        ("response_body_len", "count"), ("status_code", "count"),
        ("status_msg", "string"), ("tags", "set[enum]"), ("username", "string"),
        ("password", "string"), ("proxied", "set[string]"),
        ("resp_mime_types", "vector[string]")]  # fmt: skip

# RFC 1035 3.2.2, 3596, 2782, 9460; RFC 1035 4.1.1 with the names that Zeek gives.
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "NULL": 10, "PTR": 12, "MX": 15, "TXT": 16,
         "AAAA": 28, "SRV": 33, "HTTPS": 65}  # fmt: skip
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
VERSIONS = {"TLSv1": "TLSv10", "TLS 1.1": "TLSv11", "TLS 1.2": "TLSv12", "TLS 1.3": "TLSv13"}
# The number in JA3S -> IANA's name, of the suites that the lab's programs agree on.
CIPHERS = {4865: "TLS_AES_128_GCM_SHA256", 4866: "TLS_AES_256_GCM_SHA384",
           4867: "TLS_CHACHA20_POLY1305_SHA256",
           49199: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
           49200: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
           52392: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"}  # fmt: skip


def read_conns(path: Path) -> dict[Ends, list[tuple[float, str]]]:
    """(start, uid) of each row of a conn.log, by its ends, in both directions."""
    found: dict[Ends, list[tuple[float, str]]] = collections.defaultdict(list)
    for r in read_tsv(path):
        a, b = (r["id.orig_h"], int(r["id.orig_p"])), (r["id.resp_h"], int(r["id.resp_p"]))
        for one, other in ((a, b), (b, a)):
            found[r["proto"], *one, *other].append((float(r["ts"]), r["uid"]))
    return found


def plain(address: str) -> str:
    """As Zeek writes it: Suricata writes IPv6 addresses in full."""
    return str(ipaddress.ip_address(address))


class Uids:
    """Which connection of conn.log an event belongs to: the latest of its ends that has begun."""

    def __init__(self, path: Path) -> None:
        self.conns = read_conns(path)
        self.lost = 0

    def of(self, r: Event, ts: float) -> str | None:
        ends = (
            r["proto"].lower(),
            plain(r["src_ip"]),
            r["src_port"],
            plain(r["dest_ip"]),
            r["dest_port"],
        )
        begun = [(begin, uid) for begin, uid in self.conns.get(ends, ()) if begin <= ts + SLACK_S]
        if begun:
            return max(begun)[1]
        self.lost += 1
        return None


def common(r: Event, ts: float, uid: str) -> list[object]:
    """The first columns, as Suricata saw the direction of the event."""
    return [ts, uid, plain(r["src_ip"]), r["src_port"], plain(r["dest_ip"]), r["dest_port"]]


def answer_text(answer: Event) -> str:
    """As Zeek writes it: a TXT record with its length before it."""
    text = answer.get("rdata", "")
    return f"TXT {len(text)} {text}" if answer["rrtype"] == "TXT" else str(text)


def dns_row(query: Event, answer: Event | None, uid: str) -> list[object]:
    ts, asked = seconds(query["timestamp"]), query["dns"]
    kind = asked["rrtype"]
    row: list[object] = [*common(query, ts, uid), query["proto"].lower(), asked["id"]]
    question = [asked["rrname"] or None, 1, "C_INTERNET", TYPES.get(kind), kind]
    if answer is None:
        return [*row, None, *question, None, None, False, False, True, False, 0, None, None, False]
    told = answer["dns"]
    code = told["rcode"]
    flags = [bool(told.get(name)) for name in ("aa", "tc", "rd", "ra")]
    records = told.get("answers", [])
    texts, ttls = [answer_text(a) for a in records], [float(a["ttl"]) for a in records]
    return [*row, seconds(answer["timestamp"]) - ts, *question, RCODES.get(code), code, *flags, 0,
            texts or None, ttls or None, code == "REFUSED"]  # fmt: skip


def dns_rows(events: Iterable[Event], uids: Uids) -> Iterator[list[object]]:
    """A row for each query, with its answer if one came."""
    open_queries: dict[tuple[object, ...], list[Event]] = collections.defaultdict(list)
    pairs: list[tuple[Event, Event | None]] = []
    for r in events:
        key = r["flow_id"], r["dns"]["id"], r["dns"].get("rrname", ""), r["dns"].get("rrtype", "")
        if r["dns"]["type"] == "query":
            open_queries[key].append(r)
        elif open_queries[key]:
            pairs.append((open_queries[key].pop(0), r))
        else:
            uids.lost += 1
    pairs += [(query, None) for queries in open_queries.values() for query in queries]
    for query, answer in pairs:
        uid = uids.of(query, seconds(query["timestamp"]))
        if uid is not None:
            yield dns_row(query, answer, uid)


def ssl_rows(events: Iterable[Event], uids: Uids) -> Iterator[list[object]]:
    for r in events:
        ts, tls = seconds(r["timestamp"]), r["tls"]
        uid = uids.of(r, ts)
        if uid is None:
            continue
        ja3s = tls.get("ja3s", {})
        suite = ja3s.get("string", ",").split(",")[1]
        version = VERSIONS.get(tls.get("version", ""))
        yield [*common(r, ts, uid), version, CIPHERS.get(int(suite)) if suite else None, None,
               tls.get("sni"), bool(tls.get("session_resumed")), None, None, True, None, None, None,
               None, tls.get("ja3", {}).get("hash"), ja3s.get("hash")]  # fmt: skip


def http_rows(events: Iterable[Event], uids: Uids) -> Iterator[list[object]]:
    depth: collections.Counter[str] = collections.Counter()
    for r in events:
        ts, http = seconds(r["timestamp"]), r["http"]
        uid = uids.of(r, ts)
        if uid is None:
            continue
        depth[uid] += 1
        mime = http.get("http_content_type")
        version = http.get("protocol", "").removeprefix("HTTP/") or None
        yield [*common(r, ts, uid), depth[uid], http.get("http_method"), http.get("hostname"),
               http.get("url"), http.get("http_refer"), version, http.get("http_user_agent"), None,
               None, http.get("length"), http.get("status"), None, [], None, None, None,
               [mime] if mime else None]  # fmt: skip


def tsv_value(value: object) -> str:
    """Zeek's escapes: unset, empty, and bytes that would be read as something else."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, list):
        return ",".join(tsv_value(v).replace(",", "\\x2c") for v in value) if value else "(empty)"
    text = str(value).replace("\\", "\\\\")
    text = "".join(c if c.isprintable() and c.isascii() else escaped(c) for c in text)
    return {"": "(empty)", "-": "\\x2d", "(empty)": "\\x28empty)"}.get(text, text)


def escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def write_log(path: Path, columns: list[tuple[str, str]], rows: list[list[object]]) -> None:
    """Sorted by time; #open and #close carry the first and last row's: a rerun is identical."""
    rows.sort(key=lambda row: (row[0], row[1]))

    def stamp(row: list[object]) -> str:
        return time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime(float(str(row[0]))))

    with open(path, "w") as out:
        out.write("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n")
        out.write(f"#path\t{path.stem}\n#open\t{stamp(rows[0] if rows else [0])}\n")
        out.write("\t".join(["#fields"] + [name for name, _ in columns]) + "\n")
        out.write("\t".join(["#types"] + [kind for _, kind in columns]) + "\n")
        for row in rows:
            if len(row) != len(columns):
                raise ValueError(f"{path}: {len(row)} values for {len(columns)} columns")
            out.write("\t".join(map(tsv_value, row)) + "\n")
        out.write(f"#close\t{stamp(rows[-1] if rows else [0])}\n")


def convert(folder: Path) -> None:
    events: dict[str, list[Event]] = {"dns": [], "tls": [], "http": []}
    with open(folder / "eve.json") as f:
        for line in f:
            r = json.loads(line)
            if r["event_type"] in events:
                events[r["event_type"]].append(r)
    for kind, name, columns, make in (
        ("dns", "dns.log", DNS, dns_rows),
        ("tls", "ssl.log", SSL, ssl_rows),
        ("http", "http.log", HTTP, http_rows),
    ):
        uids = Uids(folder / "conn.log")
        rows = list(make(events[kind], uids))
        write_log(folder / name, columns, rows)
        if uids.lost:
            print(f"{folder / name}: {uids.lost} events without a connection or query: left out")


def main() -> int:
    convert(Path(sys.argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
