# SPDX-License-Identifier: MIT
"""packets.py - the IP packets of a classic pcap file with Ethernet frames, IPv4 and IPv6."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58


@dataclass(slots=True)
class Packet:
    """One IP packet: addresses as raw bytes, ports (ICMP: type and code), upper layer fields."""

    ts: float
    src: bytes
    dst: bytes
    proto: int
    sport: int
    dport: int
    ip_bytes: int
    payload_len: int
    payload: bytes
    flags: int = 0
    seq: int = 0
    window: int = 1


def read_frames(f: BinaryIO) -> Iterator[tuple[float, bytes]]:
    """Yield (time, frame) of each record of a pcap file with Ethernet frames."""
    head = f.read(24)
    magics = {
        b"\xd4\xc3\xb2\xa1": ("<", 1e6),
        b"\xa1\xb2\xc3\xd4": (">", 1e6),
        b"\x4d\x3c\xb2\xa1": ("<", 1e9),
        b"\xa1\xb2\x3c\x4d": (">", 1e9),
    }
    if head[:4] not in magics:
        raise ValueError("not a classic pcap file")
    order, scale = magics[head[:4]]
    if struct.unpack(order + "I", head[20:24])[0] != 1:
        raise ValueError("not a capture of Ethernet frames")
    record = struct.Struct(order + "IIII")
    while len(header := f.read(16)) == 16:
        seconds, fraction, caplen, _ = record.unpack(header)
        yield seconds + fraction / scale, f.read(caplen)


def ip_payload(frame: bytes) -> tuple[bytes, bytes, int, int, int, int] | None:
    """(src, dst, proto, IP length, upper layer's start and end) of a frame, or None if not IP.

    Fragments other than the first have no ports and are left out.
    """
    at = 12
    ethertype = frame[at : at + 2]
    while ethertype in (b"\x81\x00", b"\x88\xa8"):
        at += 4
        ethertype = frame[at : at + 2]
    at += 2
    if ethertype == b"\x08\x00" and len(frame) >= at + 20:
        length = int.from_bytes(frame[at + 2 : at + 4], "big")
        if int.from_bytes(frame[at + 6 : at + 8], "big") & 0x1FFF:
            return None
        upper = at + (frame[at] & 0x0F) * 4
        addresses = frame[at + 12 : at + 16], frame[at + 16 : at + 20]
        return *addresses, frame[at + 9], length, upper, at + length
    if ethertype == b"\x86\xdd" and len(frame) >= at + 40:
        length = 40 + int.from_bytes(frame[at + 4 : at + 6], "big")
        proto, upper, end = frame[at + 6], at + 40, at + length
        while proto in (0, 43, 60) and upper + 2 <= min(end, len(frame)):
            proto, upper = frame[upper], upper + 8 + frame[upper + 1] * 8
        return frame[at + 8 : at + 24], frame[at + 24 : at + 40], proto, length, upper, end
    return None


def decode(ts: float, frame: bytes) -> Packet | None:
    """The packet in a frame, or None if it is not complete TCP, UDP or ICMP over IP."""
    ip = ip_payload(frame)
    if ip is None:
        return None
    src, dst, proto, ip_bytes, at, end = ip
    needed = {TCP: 20, UDP: 8, ICMP: 4, ICMP6: 4}.get(proto)
    if needed is None or len(frame) < at + needed:
        return None
    if proto == TCP:
        sport, dport, seq = struct.unpack_from("!HHI", frame, at)
        offset, flags, window = struct.unpack_from("!BBH", frame, at + 12)
        data = at + (offset >> 4) * 4
        return Packet(
            ts,
            src,
            dst,
            proto,
            sport,
            dport,
            ip_bytes,
            max(0, end - data),
            frame[data : min(end, data + 16)],
            flags & 0x3F,
            seq,
            window,
        )
    if proto == UDP:
        sport, dport = struct.unpack_from("!HH", frame, at)
        data = at + 8
    else:
        sport, dport = frame[at], frame[at + 1]
        data = at + 8
    return Packet(
        ts,
        src,
        dst,
        proto,
        sport,
        dport,
        ip_bytes,
        max(0, end - data),
        frame[data : min(end, data + 16)],
    )
