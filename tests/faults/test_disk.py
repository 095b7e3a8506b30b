# SPDX-License-Identifier: MIT
"""Torn checkpoints, full disks."""
import os
import time

from generator import record
from harness import Bench, check, small_disk, test, wait_for


def append(path, begin: int, end: int) -> None:
    with open(path, "a", encoding="ascii") as f:
        f.write("".join(record("eve", n) for n in range(begin, end)))


@test
def checkpoint_torn_at_any_byte(bench: Bench) -> None:
    """Every prefix is refused, the one before is used, and no record is lost or repeated."""
    log, n = bench.path / "eve.json", 10
    daemon = bench.daemon([str(log)], eddyd__checkpoint_interval="50ms")
    append(log, 0, n)
    daemon.start()
    daemon.wait_lines(n)
    daemon.stop()
    size, cut = daemon.checkpoint.stat().st_size, 0
    while cut < size:
        if daemon.checkpoint.exists():  # a kill between its two renames leaves only the older one
            with open(daemon.checkpoint, "r+b") as f:
                f.truncate(cut)
        append(log, n, n + 3)
        n += 3
        daemon.start()
        daemon.wait_lines(n)
        if bench.dice.random() < 0.5:
            daemon.kill()
        else:
            daemon.stop()
        cut += bench.dice.randrange(1, 12)
    check("torn or damaged" in daemon.log.read_text(), "the damage was not told")
    daemon.expect_exactly(n)


@test
def checkpoint_damaged_with_no_older_one_begins_anew(bench: Bench) -> None:
    log = bench.path / "eve.json"
    daemon = bench.daemon([str(log)])
    daemon.checkpoint.write_text("eddy-checkpoint 1\nrubbish\n")
    append(log, 0, 10)
    daemon.start()
    daemon.wait_lines(10)
    daemon.stop()
    daemon.expect_exactly(10)
    check("beginning anew" in daemon.log.read_text(), "not told")
    check(daemon.checkpoint.with_name("checkpoint.damaged").exists(), "the damaged one is gone")


@test
def full_disk_for_the_checkpoint(bench: Bench) -> None:
    log = bench.path / "eve.json"
    with small_disk(bench, "64k") as small:
        daemon = bench.daemon([str(log)], eddyd__checkpoint=str(small / "checkpoint"))
        append(log, 0, 10)
        daemon.start()
        daemon.wait_lines(10)
        time.sleep(0.3)
        before = (small / "checkpoint").read_bytes()
        filler = os.open(small / "filler", os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(filler, b"x" * 512)
        except OSError:
            os.close(filler)
        append(log, 10, 50)
        daemon.wait_lines(50)  # scoring goes on
        wait_for(lambda: daemon.metric("eddyd_checkpoint_failures_total") > 0, 3,
                 "the failure is counted")
        check((small / "checkpoint").read_bytes() == before, "the old checkpoint was touched")
        daemon.kill()
        os.unlink(small / "filler")
        daemon.start()
        daemon.wait_lines(50)
        append(log, 50, 60)
        daemon.wait_lines(60)
        daemon.stop()
        daemon.expect_exactly(60)


@test
def full_disk_for_the_flows_file(bench: Bench) -> None:
    """Logs wait until there is room again; nothing is lost."""
    log, count = bench.path / "eve.json", 60000
    with small_disk(bench, "512k") as small:
        flows = small / "flows.csv"
        daemon = bench.daemon([str(log)], eddyd__flows=str(flows))
        daemon.flows = flows
        with open(small / "filler", "wb") as f:
            f.write(b"x" * 300000)
        daemon.start()
        append(log, 0, count)
        time.sleep(1)
        check(daemon.get("/healthz")[0] == 200, "the loop is stuck")
        wait_for(lambda: daemon.metric("eddyd_checkpoint_failures_total") > 0, 3,
                 "the failure is counted")
        check(daemon.lines() < count, "the disk was not full: nothing is tested")
        done = os.system(f"mount -o remount,size=8m {small}")
        check(done == 0, "remount failed")
        os.unlink(small / "filler")
        daemon.wait_lines(count)
        check(daemon.metric("eddyd_flows_lost_total") == 0, "lines were lost")
        daemon.stop()
        daemon.expect_exactly(count)
