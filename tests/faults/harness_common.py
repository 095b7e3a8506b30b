# SPDX-License-Identifier: MIT
"""What the tests of faults and of hosts share: how a test fails, is skipped, and waits."""
import os
import pathlib
import socket
import time
from typing import Callable


class Failed(Exception):
    """A promise that was not kept, in words."""


class Skipped(Exception):
    """This machine does not allow the test."""


def check(true: bool, why: str) -> None:
    if not true:
        raise Failed(why)


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"after {seconds} s still not: {what}")
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def inherited(pid: int) -> list[tuple[int, str, bool]]:
    """The open descriptors of a process: number, what it is, and whether a program it executes would have it."""
    found = []
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = os.readlink(link)
            info = pathlib.Path(f"/proc/{pid}/fdinfo/{link.name}").read_text()
        except FileNotFoundError:  # closed meanwhile
            continue
        flags = next(int(line.split()[1], 8) for line in info.splitlines() if line.startswith("flags:"))
        found.append((int(link.name), name, not flags & os.O_CLOEXEC))
    return found
