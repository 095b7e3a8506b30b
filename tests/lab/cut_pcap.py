#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cut_pcap.py - merge captures by time, and optionally keep only what is older than a moment.

    cut_pcap.py [--before EPOCH_SECONDS] OUT.pcap IN.pcap...

The lab records at two places of its router (README.md); the sensors want one file. All inputs must
be classic pcap files in this machine's byte order with microseconds, as tcpdump writes them here.
"""

from __future__ import annotations

import argparse
import heapq
import struct
import sys
from collections.abc import Iterator

HEADER_BYTES = 24
RECORD = struct.Struct("=IIII")  # seconds, microseconds, bytes kept, bytes on the wire


def records(path: str) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Yield ((seconds, microseconds), record) of each packet of a file."""
    with open(path, "rb") as f:
        if struct.unpack("=I", f.read(HEADER_BYTES)[:4])[0] != 0xA1B2C3D4:
            raise ValueError(f"{path}: not a pcap file of this machine's byte order")
        while len(head := f.read(RECORD.size)) == RECORD.size:
            seconds, micros, kept, _ = RECORD.unpack(head)
            yield (seconds, micros), head + f.read(kept)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--before", type=float, default=float("inf"))
    parser.add_argument("out")
    parser.add_argument("captures", nargs="+")
    arguments = parser.parse_args()
    with open(arguments.captures[0], "rb") as f:
        header = f.read(HEADER_BYTES)
    kept = 0
    with open(arguments.out, "wb") as out:
        out.write(header)
        # Records are sorted within each file, so a merge keeps the whole in order of time.
        merged = heapq.merge(*map(records, arguments.captures), key=lambda item: item[0])
        for (seconds, micros), record in merged:
            if seconds + micros / 1e6 >= arguments.before:
                break
            out.write(record)
            kept += 1
    print(f"{arguments.out}: {kept} packets")
    return 0


if __name__ == "__main__":
    sys.exit(main())
