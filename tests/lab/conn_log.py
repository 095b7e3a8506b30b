#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""conn_log.py - write Zeek's conn.log format from a capture.

    conn_log.py [--json] [--local NET]... CAPTURE.pcap > conn.log

This is eddy's own converter, not Zeek: it follows Zeek's rules for columns, states, timeouts and
order of rows as far as README.md says, and no further. It reads classic pcap files with Ethernet
frames (microseconds or nanoseconds), IPv4 and IPv6, TCP, UDP and ICMP. It needs only Python 3.
"""

from __future__ import annotations

import argparse
import hashlib
import ipaddress
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from packets import ICMP, ICMP6, TCP, UDP, Packet, decode, read_frames

# Zeek's default timeouts, in seconds (init-bare.zeek; the name of each option is beside it).
ATTEMPT_S = 5.0  # tcp_attempt_delay: a SYN that nobody answers
CLOSE_S = 5.0  # tcp_close_delay: after both sides sent FIN
RESET_S = 0.1  # tcp_reset_delay: after a RST
TCP_IDLE_S = 300.0  # tcp_inactivity_timeout
UDP_IDLE_S = 60.0  # udp_inactivity_timeout
ICMP_IDLE_S = 60.0  # icmp_inactivity_timeout
DNS_IDLE_S = 10.0  # dns_session_timeout

PROTO_NAME = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp"}
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
# An echo request and its reply are one connection: request type -> reply type.
ECHO = {(ICMP, 8): 0, (ICMP6, 128): 129}
ECHO_REPLY = {(ICMP, 0): 8, (ICMP6, 129): 128}

HTTP_METHODS = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"CONNECT ")

# Name and type of each column, in the order of Zeek 8.
COLUMNS = [
    ("ts", "time"), ("uid", "string"),
    ("id.orig_h", "addr"), ("id.orig_p", "port"), ("id.resp_h", "addr"), ("id.resp_p", "port"),
    ("proto", "enum"), ("service", "string"), ("duration", "interval"),
    ("orig_bytes", "count"), ("resp_bytes", "count"), ("conn_state", "string"),
    ("local_orig", "bool"), ("local_resp", "bool"), ("missed_bytes", "count"),
    ("history", "string"), ("orig_pkts", "count"), ("orig_ip_bytes", "count"),
    ("resp_pkts", "count"), ("resp_ip_bytes", "count"), ("tunnel_parents", "set[string]"),
    ("ip_proto", "count"),
]  # fmt: skip


@dataclass(slots=True)
class Side:
    """What one endpoint has sent."""

    state: str = "INACTIVE"
    pkts: int = 0
    ip_bytes: int = 0
    payload_bytes: int = 0  # UDP and ICMP
    first_data: bytes = b""
    base: int | None = None  # TCP: number of the first payload byte
    high: int = 0  # TCP: bytes up to the highest one seen, relative to base
    seen: int = 0  # TCP: payload bytes seen at least once
    holes: list[tuple[int, int]] = field(default_factory=list)  # not seen yet, below high

    def add_tcp_data(self, seq: int, length: int) -> bool:
        """Account for payload by sequence number; True if all of it had been seen before."""
        if self.base is None:
            self.base = seq
        start = (seq - self.base) & 0xFFFFFFFF
        if start > 0x7FFFFFFF:  # before the first byte known: an old retransmission
            return True
        end = start + length
        if end > self.high:
            new = end - max(start, self.high)
            if start > self.high:
                self.holes.append((self.high, start))
            self.high = end
        else:
            new = 0
        if self.holes and start < self.holes[-1][1]:
            new += self._fill(start, end)
        self.seen += new
        return new == 0

    def _fill(self, start: int, end: int) -> int:
        """Remove [start, end) from the holes; returns how many bytes that filled."""
        filled, left = 0, []
        for low, high in self.holes:
            cut_low, cut_high = max(low, start), min(high, end)
            if cut_low >= cut_high:
                left.append((low, high))
                continue
            filled += cut_high - cut_low
            left += [part for part in ((low, cut_low), (cut_high, high)) if part[0] < part[1]]
        self.holes = left
        return filled


@dataclass(slots=True)
class Flow:
    """One connection, from its first packet to the moment Zeek would write its row."""

    first: Packet
    flipped: bool  # the first packet came from the responder
    orig: Side = field(default_factory=Side)
    resp: Side = field(default_factory=Side)
    last_ts: float = 0.0
    history: str = ""
    counts: dict[str, int] = field(default_factory=dict)  # of letters that count by tens
    closed_ts: float = 0.0
    reset_ts: float = 0.0
    end_ts: float = 0.0

    def note(self, letter: str) -> None:
        """Add a letter of the history once; t, w and their capitals again at 10x, 100x, ..."""
        n = self.counts.get(letter, 0) + 1
        self.counts[letter] = n
        power_of_ten = n == 10 ** (len(str(n)) - 1)
        if n == 1 or (letter in "tTwW" and power_of_ten):
            self.history += letter

    def deadline(self) -> float:
        """When this flow ends if no other packet comes."""
        proto = self.first.proto
        if proto == UDP:
            idle = DNS_IDLE_S if service_of(self) == "dns" else UDP_IDLE_S
            return self.last_ts + idle
        if proto != TCP:
            return self.last_ts + ICMP_IDLE_S
        states = self.orig.state, self.resp.state
        if self.reset_ts:
            return self.reset_ts + RESET_S
        if states == ("CLOSED", "CLOSED"):
            return self.closed_ts + CLOSE_S
        if states == ("SYN_SENT", "INACTIVE"):
            return self.first.ts + ATTEMPT_S
        return self.last_ts + TCP_IDLE_S

    def is_over(self) -> bool:
        """A new SYN on the same ports would be a new connection."""
        return bool(self.reset_ts) or (self.orig.state == self.resp.state == "CLOSED")


def service_of(flow: Flow) -> str | None:
    """The application by the first bytes of both sides; DNS by port and header."""
    orig, resp = flow.orig.first_data, flow.resp.first_data
    if flow.first.proto == UDP:
        port = flow.first.sport if flow.flipped else flow.first.dport
        return "dns" if port == 53 and len(orig or resp) >= 12 else None
    if flow.first.proto != TCP:
        return None
    if orig.startswith(b"SSH-") and resp.startswith(b"SSH-"):
        return "ssh"
    if orig[:2] == b"\x16\x03" and orig[5:6] == b"\x01":
        return "ssl"
    if orig.startswith(HTTP_METHODS):
        return "http"
    return None


def update_tcp(flow: Flow, p: Packet, from_orig: bool) -> None:
    """Apply one TCP packet to the states, byte counts and history of its flow."""
    me, peer = (flow.orig, flow.resp) if from_orig else (flow.resp, flow.orig)
    case = str.upper if from_orig else str.lower
    seq = p.seq
    if p.flags & SYN:
        flow.note(case("h" if p.flags & ACK else "s"))
        seq = (seq + 1) & 0xFFFFFFFF
        me.base = seq if me.base is None else me.base
        if me.state == "INACTIVE":
            me.state = "ESTABLISHED" if p.flags & ACK else "SYN_SENT"
        if p.flags & ACK and peer.state == "SYN_SENT":
            peer.state = "ESTABLISHED"
    elif me.state == "INACTIVE" and peer.state != "SYN_SENT":
        me.state = "PARTIAL"
    if p.window == 0 and not p.flags & RST:
        flow.note(case("w"))
    if p.payload_len and not p.flags & RST:
        repeated = me.add_tcp_data(seq, p.payload_len)
        flow.note(case("t" if repeated else "d"))
        me.first_data = me.first_data or p.payload
    elif p.flags & ACK and not p.flags & (SYN | FIN | RST):
        flow.note(case("a"))
    if p.flags & FIN:
        flow.note(case("f"))
        if me.state != "RESET":
            me.state = "CLOSED"
        if peer.state == "CLOSED" and not flow.closed_ts:
            flow.closed_ts = p.ts
    if p.flags & RST:
        flow.note(case("r"))
        # A RST after both FINs changes nothing: Zeek still calls such a connection SF.
        if not flow.closed_ts:
            me.state = "RESET"
            flow.reset_ts = flow.reset_ts or p.ts


def conn_state(flow: Flow) -> str:
    """Zeek's conn_state from the states of both sides (base/protocols/conn/main.zeek)."""
    orig, resp = flow.orig, flow.resp
    if flow.first.proto == UDP:
        return {(True, True): "SF", (True, False): "S0"}.get((orig.pkts > 0, resp.pkts > 0), "SHR")
    if flow.first.proto != TCP:
        return "OTH"
    silent = ("INACTIVE", "PARTIAL")
    if resp.state == "RESET":
        no_data = orig.state == "RESET" and orig.high == 0 and resp.high == 0
        if orig.state == "SYN_SENT" or no_data:
            return "REJ"
        return "RSTRH" if orig.state in silent else "RSTR"
    if orig.state == "RESET":
        return "RSTOS0" if resp.state in silent else "RSTO"
    if orig.state == "CLOSED":
        if resp.state == "CLOSED":
            return "SF"
        return "SH" if resp.state in silent else "S2"
    if resp.state == "CLOSED":
        return "SHR" if orig.state in silent else "S3"
    known = {("SYN_SENT", "INACTIVE"): "S0", ("ESTABLISHED", "ESTABLISHED"): "S1"}
    return known.get((orig.state, resp.state), "OTH")


def flow_key(p: Packet) -> tuple[object, ...]:
    """The same key for both directions of a flow."""
    if p.proto in (ICMP, ICMP6):
        kind = ECHO_REPLY.get((p.proto, p.sport), p.sport)
        code = 0 if (p.proto, kind) in ECHO else p.dport
        ends = sorted((p.src, p.dst)) if (p.proto, kind) in ECHO else [p.src, p.dst]
        return p.proto, *ends, kind, code
    a, b = (p.src, p.sport), (p.dst, p.dport)
    return (p.proto, a, b) if a <= b else (p.proto, b, a)


def starts_flipped(p: Packet) -> bool:
    """The first packet we see is an answer: the connection began at the other end."""
    if p.proto == TCP:
        return p.flags & (SYN | ACK) == SYN | ACK
    return (p.proto, p.sport) in ECHO_REPLY


def from_originator(flow: Flow, p: Packet) -> bool:
    same_end = p.src == flow.first.src
    if p.proto in (TCP, UDP):
        same_end = same_end and p.sport == flow.first.sport
    return same_end != flow.flipped


def assemble(packets: Iterator[Packet]) -> list[Flow]:
    """All flows of a capture, in the order in which Zeek would write them."""
    live: dict[tuple[object, ...], Flow] = {}
    done: list[Flow] = []
    now = 0.0
    for p in packets:
        now = max(now, p.ts)
        key = flow_key(p)
        flow = live.get(key)
        if flow is not None:
            again = p.proto == TCP and p.flags & (SYN | ACK) == SYN and flow.is_over()
            deadline = flow.deadline()
            if again or deadline <= p.ts:
                flow.end_ts = min(deadline, p.ts)
                done.append(flow)
                flow = None
        if flow is None:
            flow = Flow(p, starts_flipped(p))
            if flow.flipped:
                flow.history = "^"
            live[key] = flow
        add_packet(flow, p)
    for flow in live.values():  # Zeek writes what is left when it stops
        flow.end_ts = min(flow.deadline(), now)
        done.append(flow)
    done.sort(key=lambda f: (f.end_ts, f.first.ts))
    return done


def add_packet(flow: Flow, p: Packet) -> None:
    from_orig = from_originator(flow, p)
    side = flow.orig if from_orig else flow.resp
    flow.last_ts = max(flow.last_ts, p.ts)
    side.pkts += 1
    side.ip_bytes += p.ip_bytes
    if p.proto == TCP:
        update_tcp(flow, p, from_orig)
        return
    side.payload_bytes += p.payload_len
    side.first_data = side.first_data or p.payload
    if p.proto == UDP and p.payload_len:
        flow.note("D" if from_orig else "d")


def base62(number: int, length: int) -> str:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    text = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        text += digits[digit]
    return text


def make_uid(flow: Flow) -> str:
    """Zeek's are random; ours is a hash of the first packet, so that a rerun gives the same."""
    p = flow.first
    seed = repr((p.ts, p.src, p.dst, p.proto, p.sport, p.dport)).encode()
    return "C" + base62(int.from_bytes(hashlib.sha256(seed).digest(), "big"), 17)


def ends_of(flow: Flow) -> tuple[bytes, int, bytes, int]:
    """Originator and responder, with Zeek's ports for ICMP: type, and type of reply or code."""
    p = flow.first
    if p.proto in (ICMP, ICMP6):
        kind = ECHO_REPLY.get((p.proto, p.sport), p.sport)
        ports = kind, ECHO.get((p.proto, kind), p.dport)
    else:
        ports = (p.dport, p.sport) if flow.flipped else (p.sport, p.dport)
    hosts = (p.dst, p.src) if flow.flipped else (p.src, p.dst)
    return hosts[0], ports[0], hosts[1], ports[1]


def row_of(flow: Flow, local: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> list[object]:
    """The values of COLUMNS for one flow; None where Zeek leaves a column unset."""
    p = flow.first
    ends = ends_of(flow)
    orig_h, resp_h = (ipaddress.ip_address(host) for host in (ends[0], ends[2]))
    duration = flow.last_ts - p.ts
    tcp = p.proto == TCP
    orig_bytes, resp_bytes = (s.high if tcp else s.payload_bytes for s in (flow.orig, flow.resp))
    missed = sum(s.high - s.seen for s in (flow.orig, flow.resp))
    timed = duration > 0  # Zeek leaves duration and bytes unset when there is one moment only
    return [
        p.ts, make_uid(flow), str(orig_h), ends[1], str(resp_h), ends[3],
        PROTO_NAME[p.proto], service_of(flow), duration if timed else None,
        orig_bytes if timed else None, resp_bytes if timed else None, conn_state(flow),
        any(orig_h in net for net in local), any(resp_h in net for net in local), missed,
        flow.history or None, flow.orig.pkts, flow.orig.ip_bytes, flow.resp.pkts,
        flow.resp.ip_bytes, None, p.proto,
    ]  # fmt: skip


def tsv_value(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, float):
        return f"{value:.6f}"
    return str(value)


def write_tsv(rows: list[list[object]], opened: float, closed: float, out: TextIO) -> None:
    """#open and #close carry the first and the last packet's time, so that a rerun is identical."""

    def stamp(ts: float) -> str:
        return time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime(ts))

    out.write("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n")
    out.write(f"#path\tconn\n#open\t{stamp(opened)}\n")
    out.write("\t".join(["#fields"] + [name for name, _ in COLUMNS]) + "\n")
    out.write("\t".join(["#types"] + [kind for _, kind in COLUMNS]) + "\n")
    for row in rows:
        out.write("\t".join(map(tsv_value, row)) + "\n")
    out.write(f"#close\t{stamp(closed)}\n")


def write_json(rows: list[list[object]], out: TextIO) -> None:
    for row in rows:
        values = {name: v for (name, _), v in zip(COLUMNS, row, strict=True) if v is not None}
        for name in ("ts", "duration"):
            if name in values:
                values[name] = round(float(str(values[name])), 6)
        out.write(json.dumps(values, separators=(",", ":")) + "\n")


def main() -> int:
    about = (__doc__ or "").split("\n", 1)[0]
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("capture")
    parser.add_argument("--json", action="store_true", help="Zeek's JSON form instead of TSV")
    parser.add_argument(
        "--local",
        action="append",
        type=ipaddress.ip_network,
        metavar="NET",
        help="a local network (Site::local_nets); default: RFC 1918 and fc00::/7",
    )
    arguments = parser.parse_args()
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    local = arguments.local or [ipaddress.ip_network(net) for net in private]
    with open(arguments.capture, "rb") as f:
        decoded = (decode(ts, frame) for ts, frame in read_frames(f))
        flows = assemble(p for p in decoded if p is not None)
    rows = [row_of(flow, local) for flow in flows]
    if arguments.json:
        write_json(rows, sys.stdout)
    else:
        starts = [flow.first.ts for flow in flows] or [0.0]
        write_tsv(rows, min(starts), max([flow.last_ts for flow in flows] or [0.0]), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
