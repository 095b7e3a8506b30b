#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mmdb.py - writes two MaxMind databases of about the size of real ones, with made-up contents.

The speed of a lookup depends on the depth and the size of the tree, not on what it says: IPv4 is
split at random into some 300,000 networks between /9 and /24, IPv6 (2000::/3) into 60,000 up to
/48. Format: MaxMind DB 2.0, https://maxmind.github.io/MaxMind-DB/

    mmdb.py COUNTRY.mmdb ASN.mmdb
"""
import random
import struct
import sys
from collections.abc import Callable

V4_NETWORKS, V6_NETWORKS, COUNTRIES, SYSTEMS = 300_000, 60_000, 240, 70_000
MARKER = b"\xab\xcd\xefMaxMind.com"
TEXT, MAP, U16, U32, U64, ARRAY = 2, 7, 5, 6, 9, 11


def encoded(kind: int, size: int) -> bytes:
    """The control byte(s) of a value; all of ours are shorter than 29 + 256."""
    extra = b"" if kind < 8 else bytes([kind - 7])
    first = (kind if kind < 8 else 0) << 5
    return bytes([first | size]) + extra if size < 29 else bytes([first | 29]) + extra + bytes([size - 29])


def value(of: object, kind: int = U32) -> bytes:
    if isinstance(of, str):
        return encoded(TEXT, len(of)) + of.encode()
    if isinstance(of, dict):
        return encoded(MAP, len(of)) + b"".join(value(k) + value(v) for k, v in of.items())
    if isinstance(of, list):
        return encoded(ARRAY, len(of)) + b"".join(value(v) for v in of)
    if isinstance(of, tuple):  # a number and its type
        return value(of[0], of[1])
    number = int(of).to_bytes(8, "big").lstrip(b"\0")
    return encoded(kind, len(number)) + number


class Tree:
    """nodes[i] is [left, right]: >= 0 a node, else -1 - (number of the record)."""

    def __init__(self, rng: random.Random, records: int) -> None:
        self.rng, self.records = rng, records
        self.nodes: list[list[int]] = []

    def leaf(self) -> int:
        # Most networks belong to few systems and countries.
        return -1 - int(self.records * self.rng.random() ** 3)

    def add(self) -> int:
        self.nodes.append([self.leaf(), self.leaf()])
        return len(self.nodes) - 1

    def path(self, node: int, bits: int, depth: int) -> int:
        """Goes down along the first `depth` bits of an IPv6 address, making nodes; returns the last."""
        for i in range(depth):
            side = bits >> 127 - i & 1
            if self.nodes[node][side] < 0:
                self.nodes[node][side] = self.add()
            node = self.nodes[node][side]
        return node

    def split(self, root: int, depth: int, least: int, most: int, networks: int) -> None:
        """Splits below root (at `depth`): all down to `least`, then at random, none beyond `most`."""
        ends = [(root, depth)]
        while networks > 0 and ends:
            # Taking the oldest while shallow keeps the tree even, then any.
            at = 0 if ends[0][1] < least else self.rng.randrange(len(ends))
            ends[at], ends[-1] = ends[-1], ends[at]
            node, deep = ends.pop()
            for side in (0, 1):
                if deep + 1 < most and self.nodes[node][side] < 0:
                    self.nodes[node][side] = self.add()
                    ends.append((self.nodes[node][side], deep + 1))
                    networks -= 1


def write(path: str, kind: str, records: int, record: Callable[[int], dict]) -> None:
    tree = Tree(random.Random(kind), records)
    root = tree.add()
    v4, v6 = tree.path(root, 0, 96), tree.path(root, 0x2 << 124, 3)
    tree.split(v4, 0, 9, 24, V4_NETWORKS)
    tree.split(v6, 3, 12, 48, V6_NETWORKS)
    data, places = bytearray(), []
    for i in range(records):
        places.append(len(data))
        data += value(record(i))
    count = len(tree.nodes)
    with open(path, "wb") as out:
        for left, right in tree.nodes:
            out.write(struct.pack(">II", *(child if child >= 0 else count + 16 + places[-1 - child]
                                           for child in (left, right))))
        out.write(bytes(16) + data + MARKER + value({
            "binary_format_major_version": (2, U16), "binary_format_minor_version": (0, U16),
            "build_epoch": (1_772_496_000, U64), "database_type": kind, "description": {"en": "made up"},
            "ip_version": (6, U16), "languages": ["en"], "node_count": (count, U32),
            "record_size": (32, U16)}))


def main() -> None:
    country, asn = sys.argv[1:]
    write(country, "Bench-Country", COUNTRIES, lambda i: {
        "country": {"geoname_id": i + 1, "iso_code": chr(65 + i // 26) + chr(65 + i % 26)}})
    write(asn, "Bench-ASN", SYSTEMS, lambda i: {
        "autonomous_system_number": i + 1, "autonomous_system_organization": f"Example network {i}"})


if __name__ == "__main__":
    main()
