# SPDX-License-Identifier: MIT
"""lab.py - what habits and attacks share: clock, chance, and how a program is started."""

from __future__ import annotations

import random
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

LEARN_SHARE = 0.37  # of the time, before the first attack
CLIENTS = [f"c{i}" for i in range(11, 23)]
SITES = ["news", "shop", "docs", "cdn"]
SMALL_SITES = [f"s{i}" for i in range(101, 131)]  # s101 is 203.0.113.101 and so on

HERE = Path(__file__).resolve().parent
FAILED = 255  # what `ip netns exec` says of a program that cannot be started


@dataclass
class Lab:
    """The run's settings and the moments of its schedule, in seconds since 1970."""

    prefix: str
    work: Path
    seed: int
    start: float
    learn_end: float
    end: float

    def rng(self, *names: str) -> random.Random:
        return random.Random(" ".join([str(self.seed), *names]))

    def now(self) -> float:
        return time.time()

    def run(self, host: str, command: str, limit_s: float = 120) -> int | None:
        """Run a program in a host's namespace, no longer than limit_s and not past the end.

        Returns its exit status, or None if the limit ended it. For habits, whether it succeeds is
        part of the traffic and nobody asks; an attack that did not happen must not be in the truth.
        """
        left = min(limit_s, self.end - self.now())
        if left <= 0:
            return FAILED
        argv = ["ip", "netns", "exec", f"{self.prefix}-{host}", *shlex.split(command)]
        quiet = subprocess.DEVNULL
        try:
            done = subprocess.run(
                argv, stdin=quiet, stdout=quiet, stderr=quiet, timeout=left, cwd=self.work
            )
        except subprocess.TimeoutExpired:  # run() has ended the program then
            return None
        return done.returncode

    def sleep(self, seconds: float) -> bool:
        """Sleep; False when the lab's time is over."""
        left = self.end - self.now()
        time.sleep(max(0.0, min(seconds, left)))
        return self.now() < self.end

    def sleep_until(self, moment: float) -> bool:
        return self.sleep(moment - self.now())

    def curl(self, host: str, arguments: str, limit_s: float = 60) -> int | None:
        fixed = f"curl -s -o /dev/null --cacert {self.work}/tls.crt "
        return self.run(host, fixed + arguments, limit_s=limit_s)

    def ssh_options(self) -> str:
        known = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        return f"-q -i {self.work}/user.key -o IdentitiesOnly=yes {known}"

    def ssh(self, host: str, server: str, script: str, limit_s: float = 60) -> int | None:
        return self.run(host, f"ssh {self.ssh_options()} ana@{server} '{script}'", limit_s=limit_s)


def think(rng: random.Random, typical_s: float) -> float:
    """A human pause: mostly short, sometimes long (log-normal), never machine-regular."""
    return min(typical_s * 8, rng.lognormvariate(0.0, 0.9) * typical_s)


def hexadecimal(rng: random.Random, digits: int) -> str:
    return f"{rng.getrandbits(4 * digits):0{digits}x}"
