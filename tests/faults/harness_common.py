# SPDX-License-Identifier: MIT
"""What the tests of faults and of hosts share: how a test fails, is skipped, and waits."""
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
