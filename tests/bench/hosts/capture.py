#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""capture.py - a capture of many short connections, for what a sensor costs a flow.

    capture.py [--flows 400000] OUT.pcap

Three packets a flow on average: UDP questions with their answers, TCP connections from SYN to FIN, SYNs without answer.
No application is spoken that a sensor would parse. The same number of flows gives the same bytes."""

from __future__ import annotations

import argparse
import random
import struct
from collections.abc import Iterator

START_S, FLOWS_A_SECOND = 1_772_496_000, 2000
CLIENTS, SERVERS, HABITS = 3000, 6000, 6
MAC = bytes.fromhex("020000000001020000000002")
PAYLOAD = bytes(random.Random(1).randrange(128, 256) for _ in range(1400))
UDP, TCP = 17, 6
SYN, ACK, PUSH, FIN = 2, 16, 8, 1

Packet = tuple[float, bytes]  # seconds after the flow began, frame


def frame(proto: int, ends: tuple[int, int], ports: tuple[int, int], length: int, flags: int, seq: int, ack: int) -> bytes:
    """Ethernet, IPv4, UDP or TCP. Checksums are left 0: the sensor is told not to look."""
    if proto == UDP:
        above = struct.pack("!HHHH", *ports, 8 + length, 0)
    else:
        above = struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x50, flags, 65535, 0, 0)
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(above) + length, 0, 0x4000, 64, proto, 0, *ends)
    return (MAC + b"\x08\x00" + ip + above + PAYLOAD[:length]).ljust(60, b"\0")


def question(chance: random.Random, client: int, server: int, port: int) -> Iterator[Packet]:
    there, back = (client, server), (server, client)
    mine = chance.randrange(1024, 65536)
    yield 0, frame(UDP, there, (mine, port), chance.randrange(20, 80), 0, 0, 0)
    yield 0.02, frame(UDP, back, (port, mine), chance.randrange(40, 400), 0, 0, 0)


def connection(chance: random.Random, client: int, server: int, port: int) -> Iterator[Packet]:
    there, back = (client, server), (server, client)
    mine, asked, told = chance.randrange(1024, 65536), chance.randrange(100, 600), chance.randrange(100, 1400)
    yield 0, frame(TCP, there, (mine, port), 0, SYN, 1, 0)
    yield 0.01, frame(TCP, back, (port, mine), 0, SYN | ACK, 1, 2)
    yield 0.02, frame(TCP, there, (mine, port), asked, PUSH | ACK, 2, 2)
    yield 0.05, frame(TCP, back, (port, mine), told, PUSH | ACK | FIN, 2, 2 + asked)
    yield 0.06, frame(TCP, there, (mine, port), 0, ACK | FIN, 2 + asked, 3 + told)


def unanswered(chance: random.Random, client: int, server: int, port: int) -> Iterator[Packet]:
    yield 0, frame(TCP, (client, server), (chance.randrange(1024, 65536), port), 0, SYN, 1, 0)


def packets(flows: int) -> Iterator[Packet]:
    """In order of time: a flow is over long before the next but one begins to matter."""
    chance = random.Random(7)
    habits = [[chance.randrange(SERVERS) for _ in range(HABITS)] for _ in range(CLIENTS)]
    for i in range(flows):
        client = chance.randrange(CLIENTS)
        server = chance.choice(habits[client]) if chance.random() < 0.9 else chance.randrange(SERVERS)
        kind = chance.choices((question, connection, unanswered), (45, 40, 15))[0]
        port = 9999 if kind is question else (8443, 9443, 7777)[server % 3]
        for later, bytes_ in kind(chance, 0x0A000000 + client, 0xC6330000 + server, port):
            yield i / FLOWS_A_SECOND + later / FLOWS_A_SECOND, bytes_


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flows", type=int, default=400_000)
    parser.add_argument("out")
    options = parser.parse_args()
    with open(options.out, "wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for seconds, bytes_ in packets(options.flows):
            micros = int(seconds * 1e6)
            out.write(struct.pack("<IIII", START_S + micros // 1_000_000, micros % 1_000_000, len(bytes_), len(bytes_)))
            out.write(bytes_)


if __name__ == "__main__":
    main()
