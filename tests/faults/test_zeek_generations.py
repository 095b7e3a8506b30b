# SPDX-License-Identifier: MIT
"""The log of its own that plugins/zeek/scripts/conn-log.zeek makes: at each rotation all names shift, as keep_generations()
there does it, and the oldest is overwritten."""
import collections
import os
import pathlib
import re
import signal
import time

from generator import record
from harness import HERE, Bench, Eddyd, check, test, wait_for

SCRIPT = HERE.parent.parent / "plugins" / "zeek" / "scripts" / "conn-log.zeek"
ROWS = 150  # in each generation


class Generations:
    """What Zeek writes, and how many it keeps."""

    def __init__(self, folder: pathlib.Path):
        text = SCRIPT.read_text()
        self.keep = int(re.search(r"const conn_generations = (\d+)", text)[1])
        self.stem = re.search(r'const conn_path = "(\w+)"', text)[1]
        names = re.findall(r'fmt\("(%s\S*?)"', text)
        check(names == ["%s.%d.%s", "%s.%d.%s", "%s.1.%s"], f"the script's names are others: {names}")
        self.folder, self.log, self.written = folder, folder / f"{self.stem}.log", 0

    def write(self, rows: int) -> None:
        """In two pieces, cut in the middle of a row."""
        text = "".join(record("zeek-json", n) for n in range(self.written, self.written + rows))
        for piece in (text[: len(text) // 2 + 40], text[len(text) // 2 + 40 :]):
            with open(self.log, "a", encoding="ascii") as f:
                f.write(piece)
        self.written += rows

    def rotate(self) -> None:
        for i in range(self.keep, 1, -1):
            newer = self.folder / f"{self.stem}.{i - 1}.log"
            if newer.exists():
                os.rename(newer, self.folder / f"{self.stem}.{i}.log")
        os.rename(self.log, self.folder / f"{self.stem}.1.log")

    def run(self, count: int, pause: float = 0.08) -> None:
        for _ in range(count):
            self.write(ROWS)
            time.sleep(pause / 2)
            self.rotate()
            time.sleep(pause / 2)  # there is no log until the next connection


def begin(bench: Bench) -> tuple[Generations, Eddyd]:
    zeek = Generations(bench.path)
    daemon = bench.daemon([str(zeek.log)])
    daemon.start()
    return zeek, daemon


@test
def zeek_generations_over_a_stall_and_a_kill(bench: Bench) -> None:
    zeek, daemon = begin(bench)
    zeek.run(10)
    daemon.process.send_signal(signal.SIGSTOP)
    zeek.run(zeek.keep - 3)
    daemon.process.send_signal(signal.SIGCONT)
    zeek.run(3)
    daemon.wait_lines(zeek.written)
    zeek.run(3)
    daemon.kill()
    zeek.run(zeek.keep - 3)
    daemon.start()
    zeek.run(5)
    zeek.write(ROWS)
    daemon.wait_lines(zeek.written)
    check(daemon.metric("eddyd_input_gaps_total") == 0, "gaps were counted")
    daemon.stop()
    daemon.expect_exactly(zeek.written)


@test
def zeek_generations_down_for_longer_than_they_are_kept(bench: Bench) -> None:
    """What is overwritten is lost, and it is counted, as one of them had been begun; all that is still there is read once."""
    zeek, daemon = begin(bench)
    zeek.write(ROWS)
    daemon.wait_lines(ROWS)
    daemon.stop()
    zeek.run(zeek.keep + 5, 0.02)
    zeek.write(ROWS)
    daemon.start()
    left = (zeek.keep + 1) * ROWS  # the generations and the log itself
    daemon.wait_lines(ROWS + left)
    wait_for(lambda: daemon.metric("eddyd_input_gaps_total") == 1, 3, "the gap is counted")
    check("gone" in daemon.log.read_text(), f"the gap is not told: {daemon.tail()}")
    daemon.stop()
    lines = daemon.flows.read_text().splitlines()[1:]
    seen = collections.Counter(int(line.split(",", 1)[0]) for line in lines)
    due = set(range(ROWS)) | set(range(zeek.written - left, zeek.written))
    check(set(seen) == due and max(seen.values()) == 1, f"{len(seen)} records of {len(due)}, {len(lines)} lines")
