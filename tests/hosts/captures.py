# SPDX-License-Identifier: MIT
"""Captures with a truth: background traffic, a scan, a beacon. Standard library only; the same
arguments give the same bytes. Checksums are left zero: read with `suricata -k none`.

usage: captures.py FILE.pcap             writes such a capture
       captures.py INTERFACE SCANNER     sends a scan by this address, and some background"""
import pathlib
import random
import socket
import struct
import sys
import time
from typing import Iterator

SYN, ACK, PSH, FIN, RST = 2, 16, 8, 1, 4
START = 1_790_000_000.0  # seconds since 1970
SCANNER, BEACON = "10.20.0.21", "10.20.0.15"
Packet = tuple[float, bytes]


def address(text: str) -> bytes:
    return bytes(int(part) for part in text.split("."))


def tcp(when: float, ends: tuple[str, int, str, int], flags: int, numbers: tuple[int, int], payload: int = 0) -> Packet:
    """One frame from ends[0]:ends[1] to ends[2]:ends[3]."""
    body = b"\x00" * payload
    segment = struct.pack(">HHIIBBHHH", ends[1], ends[3], numbers[0] & 0xFFFFFFFF, numbers[1] & 0xFFFFFFFF, 0x50, flags,
                          64240, 0, 0) + body
    packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0, 64, 6, 0, address(ends[0]),
                         address(ends[2])) + segment
    return when, b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00" + packet


def connection(when: float, ends: tuple[str, int, str, int], sent: int, received: int) -> Iterator[Packet]:
    """A whole connection, 20 ms from its first to its last packet."""
    back = (ends[2], ends[3], ends[0], ends[1])
    yield tcp(when, ends, SYN, (100, 0))
    yield tcp(when + 0.001, back, SYN | ACK, (500, 101))
    yield tcp(when + 0.002, ends, ACK, (101, 501))
    yield tcp(when + 0.003, ends, PSH | ACK, (101, 501), sent)
    yield tcp(when + 0.010, back, PSH | ACK, (501, 101 + sent), received)
    yield tcp(when + 0.012, ends, ACK, (101 + sent, 501 + received))
    yield tcp(when + 0.015, ends, FIN | ACK, (101 + sent, 501 + received))
    yield tcp(when + 0.017, back, FIN | ACK, (501 + received, 102 + sent))
    yield tcp(when + 0.020, ends, ACK, (102 + sent, 502 + received))


def refused(when: float, ends: tuple[str, int, str, int]) -> Iterator[Packet]:
    yield tcp(when, ends, SYN, (100, 0))
    yield tcp(when + 0.001, (ends[2], ends[3], ends[0], ends[1]), RST | ACK, (0, 101))


def packets(flows: int = 1500, seconds: float = 1800, seed: int = 1, start: float = START) -> list[Packet]:
    """`flows` connections of 15 clients to 40 servers; in the last two thirds one client calls home every
    20 s, and in the last third one tries 200 addresses of our own."""
    dice = random.Random(seed)
    found: list[Packet] = []
    ports = {}

    def port(host: str) -> int:
        ports[host] = ports.get(host, 20000) + 1
        return ports[host]

    for _ in range(flows):
        client = f"10.20.0.{dice.randint(11, 25)}"
        server = f"198.51.100.{int(dice.paretovariate(1)) % 40 + 1}"
        found += connection(start + dice.uniform(0, seconds), (client, port(client), server, dice.choice((80, 443, 443))),
                            dice.randint(80, 900), dice.randint(200, 1400))
    at = start + seconds / 3
    while at < start + seconds - 5:
        found += connection(at, (BEACON, port(BEACON), "203.0.113.66", 443), 120, 240)
        at += 20 * dice.uniform(0.97, 1.03)
    for i in range(200):
        found += refused(start + seconds * 2 / 3 + i * 0.05, (SCANNER, port(SCANNER), f"10.20.1.{i + 1}", 445))
    return sorted(found)


def write(path: pathlib.Path, found: list[Packet]) -> pathlib.Path:
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for when, frame in found:
            micro = round(when * 1e6)
            file.write(struct.pack("<IIII", micro // 1_000_000, micro % 1_000_000, len(frame), len(frame)) + frame)
    return path


def send(interface: str, scanner: str) -> None:
    """150 refused connections and 150 whole ones, within about two seconds of real time."""
    found: list[Packet] = []
    for i in range(150):
        found += refused(i * 0.01, (scanner, 30000 + i, f"10.20.1.{i + 1}", 445))
        found += connection(i * 0.01, (f"10.20.0.{i % 9 + 30}", 31000 + i, "198.51.100.7", 443), 100, 200)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        begun = time.monotonic()
        for when, frame in sorted(found):
            time.sleep(max(0.0, begun + when - time.monotonic()))
            out.send(frame)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        write(pathlib.Path(sys.argv[1]), packets())
    else:
        send(sys.argv[1], sys.argv[2])
