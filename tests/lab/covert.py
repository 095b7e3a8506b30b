#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""covert.py - both ends of the two attacks that need more than a program of Debian's.

    covert.py tunnel-server DOMAIN                    authoritative for DOMAIN, UDP port 53
    covert.py tunnel-client --resolver IP --bytes N --seed N DOMAIN
    covert.py shell-server | shell-client IP          TCP port 4444

Debian's iodine needs a tun device, which not every machine gives. This tunnel is shaped as the
known tools describe theirs: data as base32 in labels of up to 63 characters, a few characters of
session and serial, answers in TXT or NULL records, lots of queries while there is data and a poll
now and then when there is none, each from a port of its own as when the system's resolver asks. The
data are random bytes; nothing of this machine is sent.

The shell takes orders but obeys none: whatever line comes, the answer is made up.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import random
import socket
import struct
import sys
import time
from collections.abc import Iterator

TXT, NULL = 16, 10  # RFC 1035 3.2.2
SHELL_PORT = 4444
DATA_BYTES = 95  # base32 makes 152 characters of them: three labels
KEEPALIVE_S = (4.0, 12.0)  # shorter than any sensor's time-out


def name_bytes(name: str) -> bytes:
    labels = [label.encode() for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def query(number: int, name: str, kind: int) -> bytes:
    return (
        struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0)
        + name_bytes(name)
        + struct.pack("!HH", kind, 1)
    )


def question_end(message: bytes) -> int:
    """Where the first question ends (no compression there)."""
    at = 12
    while message[at]:
        at += 1 + message[at]
    return at + 5


def serve_tunnel(domain: str) -> None:
    """Answer every query below the domain with a few bytes that come the other way."""
    rng = random.Random(domain)
    ending = name_bytes(domain)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", 53))
        while True:
            message, peer = s.recvfrom(4096)
            with contextlib.suppress(IndexError):  # not a query: no answer
                end = question_end(message)
                kind = int.from_bytes(message[end - 4 : end - 2], "big")
                if not message[12 : end - 4].lower().endswith(ending):
                    continue
                back = base64.b32encode(rng.randbytes(rng.randrange(5, 60))).rstrip(b"=").lower()
                data = bytes([len(back)]) + back if kind == TXT else back
                record = struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(data)) + data
                head = message[:2] + struct.pack("!HHHHH", 0x8580, 1, 1, 0, 0)
                s.sendto(head + message[12:end] + record, peer)


def tunnel_names(rng: random.Random, total: int, domain: str) -> Iterator[tuple[str, float]]:
    """(name, seconds to wait after it): full ones for data, short ones that only ask for more."""
    session, serial = f"{rng.randrange(16**4):04x}", 0
    while total > 0:
        for _ in range(rng.randrange(5, 30)):
            size = min(total, DATA_BYTES)
            text = base64.b32encode(rng.randbytes(size)).decode().rstrip("=").lower()
            labels = [text[i : i + 63] for i in range(0, len(text), 63)]
            yield f"{session}{serial:04x}." + ".".join([*labels, domain]), rng.uniform(0.05, 0.3)
            serial, total = serial + 1, total - size
            if total <= 0:
                return
        for _ in range(rng.randrange(3, 8)):
            text = base64.b32encode(rng.randbytes(5)).decode().lower()
            yield f"{session}{serial:04x}{text}.{domain}", rng.uniform(0.4, 1.0)
            serial += 1


def send_tunnel(resolver: str, total: int, seed: int, domain: str) -> int:
    rng = random.Random(seed)
    answered = 0
    for name, pause_s in tunnel_names(rng, total, domain):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(2)
            s.sendto(
                query(rng.randrange(65536), name, rng.choice([TXT, TXT, NULL])), (resolver, 53)
            )
            with contextlib.suppress(TimeoutError):
                s.recv(4096)
                answered += 1
        time.sleep(pause_s)
    return 0 if answered else 1


def serve_shell() -> None:
    """One caller at a time: a blank line as keepalive, an order now and then."""
    rng = random.Random("operator")
    with socket.create_server(("", SHELL_PORT)) as listener:
        while True:
            caller, _ = listener.accept()
            with caller, contextlib.suppress(OSError):
                caller.settimeout(30)
                while True:
                    order = rng.choice(["whoami", "ls -la", "ps ax"]) if rng.random() < 0.2 else ""
                    caller.sendall(f"{order}\n".encode())
                    if not caller.recv(65536):
                        break
                    time.sleep(rng.uniform(*KEEPALIVE_S))


def hold_shell(server: str) -> int:
    rng = random.Random(server)
    with socket.create_connection((server, SHELL_PORT), timeout=5) as s:
        s.settimeout(60)
        while order := s.recv(4096):
            # As long as an answer would be, but not one.
            size = rng.randrange(200, 2500) if order.strip() else 1
            s.sendall(rng.randbytes(size))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("tunnel-server").add_argument("domain")
    client = modes.add_parser("tunnel-client")
    client.add_argument("--resolver", required=True)
    client.add_argument("--bytes", type=int, required=True)
    client.add_argument("--seed", type=int, required=True)
    client.add_argument("domain")
    modes.add_parser("shell-server")
    modes.add_parser("shell-client").add_argument("server")
    a = parser.parse_args()
    if a.mode == "tunnel-server":
        serve_tunnel(a.domain)
    elif a.mode == "tunnel-client":
        return send_tunnel(a.resolver, a.bytes, a.seed, a.domain)
    elif a.mode == "shell-server":
        serve_shell()
    return hold_shell(a.server)


if __name__ == "__main__":
    sys.exit(main())
