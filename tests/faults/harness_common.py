# SPDX-License-Identifier: MIT
"""What the tests of faults and of hosts share: how a test fails, is skipped, and waits."""
import contextlib
import os
import pathlib
import socket
import subprocess
import time
from typing import Callable, Iterator


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


@contextlib.contextmanager
def disk_that_hangs(folder: pathlib.Path) -> Iterator[Callable[[str], None]]:
    """A file system of its own in `folder`. What this gives, called with "-f", makes all who write there wait; with
    "-u" they go on."""
    image = folder.with_suffix(".img")
    path = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}

    def freeze(way: str) -> None:
        subprocess.run(["fsfreeze", way, str(folder)], check=True, capture_output=True, env=path)

    folder.mkdir()
    image.touch()
    os.truncate(image, 16 << 20)
    try:
        for command in (["fsfreeze", "-V"], ["mkfs.ext4", "-q", str(image)],
                        ["mount", "-o", "loop", str(image), str(folder)]):
            subprocess.run(command, check=True, capture_output=True, env=path)
    except (subprocess.CalledProcessError, FileNotFoundError):
        raise Skipped("mounting a loop device is not permitted here") from None
    try:
        yield freeze
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # it goes on already
            freeze("-u")
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)
