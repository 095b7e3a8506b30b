# SPDX-License-Identifier: MIT
"""Rotation, truncation, missing files: nothing lost, nothing twice."""
import gzip
import os
import pathlib
import shutil
import signal
import time

from generator import HEADER, record
from harness import Bench, check, test, wait_for


def torture(bench: Bench, name: str, form: str, style: str, count: int, rotate_s: float) -> None:
    log = bench.path / name
    daemon = bench.daemon([str(log)])
    daemon.start()
    generator = bench.generator(log, form, count, 20000, rotate_s, style)
    bench.finish(generator)
    daemon.wait_lines(count)
    wait_for(lambda: daemon.metric("eddyd_input_rotations_total") > 3, 3, "rotations are counted")
    check(daemon.metric("eddyd_input_gaps_total") == 0, "gaps were counted")
    daemon.stop()
    daemon.expect_exactly(count)


@test
def rotate_by_rename_ten_times_a_second(bench: Bench) -> None:
    torture(bench, "conn.log", "zeek-tsv", "rename", 100000, 0.1)


@test
def rotate_by_number_ten_times_a_second(bench: Bench) -> None:
    torture(bench, "eve.json", "eve", "numbered", 100000, 0.1)


@test
def rotate_and_compress_ten_times_a_second(bench: Bench) -> None:
    torture(bench, "conn.log", "zeek-json", "gzip", 100000, 0.1)


def stalled(bench: Bench, style: str, rotate_s: float) -> None:
    log = bench.path / "conn.log"
    daemon = bench.daemon([str(log)])
    daemon.start()
    count = 110000
    generator = bench.generator(log, "zeek-tsv", count, 20000, rotate_s, style)
    time.sleep(1)
    daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(3)
    daemon.process.send_signal(signal.SIGCONT)
    bench.finish(generator)
    daemon.wait_lines(count)
    daemon.stop()
    daemon.expect_exactly(count)


@test
def stall_of_3_s_over_rotations(bench: Bench) -> None:
    stalled(bench, "rename", 0.5)


@test
def stall_of_3_s_while_parts_are_compressed(bench: Bench) -> None:
    stalled(bench, "gzip", 0.5)


@test
def down_while_parts_are_compressed(bench: Bench) -> None:
    log = bench.path / "conn.log"
    daemon = bench.daemon([str(log)])
    daemon.start()
    count = 90000
    generator = bench.generator(log, "zeek-tsv", count, 20000, 0.4, "gzip")
    time.sleep(1)
    daemon.stop()
    bench.finish(generator)
    check(len(list(bench.path.glob("conn.*.log.gz"))) >= 3, "nothing was compressed")
    daemon.start()
    daemon.wait_lines(count)
    check(daemon.metric("eddyd_input_gaps_total") == 0, "gaps were counted")
    daemon.stop()
    daemon.expect_exactly(count)


@test
def down_while_parts_go_to_an_archive_directory(bench: Bench) -> None:
    """zeekctl: compressed into logs/<day>/, with the time of the compression."""
    log, day = bench.path / "spool" / "conn.log", bench.path / "logs" / "2026-01-01"
    log.parent.mkdir()
    day.mkdir(parents=True)
    daemon = bench.daemon([str(log)], eddyd__archive=str(bench.path / "logs" / "*"))
    log.write_text(HEADER + "".join(record("zeek-tsv", n) for n in range(100)))
    daemon.start()
    daemon.wait_lines(100)
    daemon.kill()
    begin = 100
    for hour in (10, 11):
        with open(log, "a", encoding="ascii") as f:
            f.write("".join(record("zeek-tsv", n) for n in range(begin, begin + 100)))
        begin += 100
        with gzip.open(day / f"conn.{hour}:00:00-{hour + 1}:00:00.log.gz", "wb") as packed:
            packed.write(log.read_bytes())
        log.unlink()
        log.write_text(HEADER.replace("00-00-00", f"{hour}-00-00"))
        time.sleep(0.02)
    with open(log, "a", encoding="ascii") as f:
        f.write("".join(record("zeek-tsv", n) for n in range(begin, begin + 100)))
    daemon.start()
    daemon.wait_lines(begin + 100)
    daemon.stop()
    daemon.expect_exactly(begin + 100)


@test
def log_is_truncated_when_the_sensor_restarts(bench: Bench) -> None:
    log = bench.path / "conn.log"
    daemon = bench.daemon([str(log)])
    daemon.start()
    n = 0
    for _ in range(15):
        with open(log, "w", encoding="ascii") as f:  # O_TRUNC, the same inode
            f.write(HEADER)
            for _ in range(bench.dice.randrange(3, 40)):
                f.write(record("zeek-tsv", n))
                n += 1
        daemon.wait_lines(n)
    wait_for(lambda: daemon.metric("eddyd_input_truncations_total") == 14, 3,
             "14 truncations are counted")
    daemon.stop()
    daemon.expect_exactly(n)


@test
def log_is_truncated_and_grows_past_the_offset_while_stalled(bench: Bench) -> None:
    log = bench.path / "eve.json"
    daemon = bench.daemon([str(log)])
    daemon.start()
    log.write_text("".join(record("eve", n) for n in range(50)))
    daemon.wait_lines(50)
    daemon.process.send_signal(signal.SIGSTOP)
    log.write_text("".join(record("eve", n) for n in range(50, 500)))
    daemon.process.send_signal(signal.SIGCONT)
    daemon.wait_lines(500)
    daemon.stop()
    daemon.expect_exactly(500)


@test
def log_is_copied_and_truncated_while_stalled(bench: Bench) -> None:
    log = bench.path / "eve.json"
    daemon = bench.daemon([str(log)])
    daemon.start()
    log.write_text("".join(record("eve", n) for n in range(50)))
    daemon.wait_lines(50)
    daemon.process.send_signal(signal.SIGSTOP)
    with open(log, "a", encoding="ascii") as f:
        f.write("".join(record("eve", n) for n in range(50, 90)))
    shutil.copy(log, bench.path / "eve.json.1")
    log.write_text("".join(record("eve", n) for n in range(90, 95)))
    daemon.process.send_signal(signal.SIGCONT)
    daemon.wait_lines(95)
    daemon.stop()
    daemon.expect_exactly(95)


@test
def log_is_missing_and_appears_within_a_second(bench: Bench) -> None:
    log = bench.path / "later" / "conn.log"
    daemon = bench.daemon([str(log)])
    daemon.start()
    time.sleep(0.3)
    log.parent.mkdir()
    begun = time.monotonic()
    log.write_text(HEADER + record("zeek-tsv", 0))
    daemon.wait_lines(1)
    took = time.monotonic() - begun
    check(took < 1, f"took {took:.2f} s")
    daemon.stop()
    daemon.expect_exactly(1)


@test
def log_directory_is_a_symlink_that_is_swapped(bench: Bench) -> None:
    current, n = bench.path / "current", 0
    daemon = bench.daemon([str(current / "conn.log")])
    daemon.start()
    for i in range(6):
        spool = bench.path / f"spool{i}"
        spool.mkdir()
        (spool / "conn.log").write_text(
            HEADER.replace("00-00-00", f"00-00-{i:02}") +
            "".join(record("zeek-tsv", k) for k in range(n, n + 20)))
        n += 20
        (bench.path / "new").symlink_to(spool.name)
        os.rename(bench.path / "new", current)
        daemon.wait_lines(n)
    daemon.stop()
    daemon.expect_exactly(n)


@test
def directory_is_moved_away_with_parts_not_read(bench: Bench) -> None:
    logs = bench.path / "logs"
    logs.mkdir()
    daemon = bench.daemon([str(logs / "eve.json")])
    daemon.start()
    (logs / "eve.json").write_text("".join(record("eve", n) for n in range(10)))
    daemon.wait_lines(10)
    daemon.process.send_signal(signal.SIGSTOP)
    os.rename(logs / "eve.json", logs / "eve.json.2")
    time.sleep(0.01)
    (logs / "eve.json.1").write_text("".join(record("eve", n) for n in range(10, 20)))
    os.rename(logs, bench.path / "moved")
    logs.mkdir()
    (logs / "eve.json").write_text("".join(record("eve", n) for n in range(20, 30)))
    daemon.process.send_signal(signal.SIGCONT)
    daemon.wait_lines(30)
    daemon.stop()
    daemon.expect_exactly(30)


@test
def record_cut_in_half_at_a_stop_is_read_whole_later(bench: Bench) -> None:
    log = bench.path / "eve.json"
    daemon = bench.daemon([str(log)])
    text = record("eve", 1)
    log.write_text(record("eve", 0) + text[:50])
    daemon.start()
    daemon.wait_lines(1)
    daemon.stop()
    with open(log, "a", encoding="ascii") as f:
        f.write(text[50:] + record("eve", 2))
    daemon.start()
    daemon.wait_lines(3)
    daemon.stop()
    daemon.expect_exactly(3)


@test
def several_logs_of_several_formats_at_once(bench: Bench) -> None:
    forms = {"a.json": "eve", "b.log": "zeek-json", "c.log": "zeek-tsv"}
    daemon = bench.daemon([str(bench.path / name) for name in forms])
    for i, (name, form) in enumerate(forms.items()):
        head = HEADER if form == "zeek-tsv" else ""
        (bench.path / name).write_text(
            head + "".join(record(form, n) for n in range(i * 1000, i * 1000 + 1000)))
    daemon.start()
    daemon.wait_lines(3000)
    daemon.stop()
    daemon.expect_exactly(3000)


@test
def compressed_logs_given_directly_are_read_once(bench: Bench) -> None:
    packed = bench.path / "old.log.gz"
    with gzip.open(packed, "wb") as f:
        f.write((HEADER + "".join(record("zeek-tsv", n) for n in range(5000))).encode())
    daemon = bench.daemon([str(packed)])
    for _ in range(3):
        daemon.start()
        daemon.wait_lines(5000)
        time.sleep(0.3)
        daemon.kill()
    daemon.start()
    time.sleep(0.3)
    daemon.stop()
    daemon.expect_exactly(5000)


@test
def zstd_given_directly_survives_a_kill_in_its_middle(bench: Bench) -> None:
    zstd = shutil.which("zstd")
    check(zstd is not None, "the zstd program is missing")
    plain, count = bench.path / "plain", 200000
    plain.write_text("".join(record("eve", n) for n in range(count)))
    check(os.spawnl(os.P_WAIT, zstd, "zstd", "-q", "-1", str(plain), "-o",
                    str(bench.path / "old.json.zst")) == 0, "zstd failed")
    daemon = bench.daemon([str(bench.path / "old.json.zst")])
    daemon.start()
    wait_for(lambda: daemon.lines() > 1000, 10, "some lines")
    daemon.kill()
    check(daemon.lines() < count, "the kill came too late to test anything")
    daemon.start()
    daemon.wait_lines(count, 30)
    time.sleep(0.3)
    daemon.stop()
    daemon.expect_exactly(count)


@test
def refuses_a_directory_and_a_fifo(bench: Bench) -> None:
    fifo = bench.path / "fifo"
    os.mkfifo(fifo)
    for what, word in ((fifo, "FIFO"), (bench.path, "directory")):
        daemon = bench.daemon([str(what)])
        daemon.write_conf()
        daemon.start(ready=False)
        check(daemon.process.wait(5) == 1, f"started with a {word}")
        check(word in daemon.tail() and str(pathlib.Path(what)) in daemon.tail(),
              f"message: {daemon.tail()}")
