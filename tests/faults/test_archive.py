# SPDX-License-Identifier: MIT
"""Parts that go elsewhere, and files that look alike: nothing lost, nothing twice."""

import gzip
import os
import pathlib
import shutil
import signal
import time

from generator import HEADER, record
from harness import Bench, Eddyd, Skipped, check, test, wait_for


def rows(begin: int, end: int, form: str = "zeek-tsv") -> str:
    return "".join(record(form, n) for n in range(begin, end))


def header(second: int) -> str:
    return HEADER.replace("00-00-00", f"00-{second // 60:02}-{second % 60:02}")


def archive(part: pathlib.Path, to: pathlib.Path) -> None:
    """As zeekctl: compressed into another directory, with the time of now, then unlinked."""
    with open(part, "rb") as plain, gzip.open(to, "wb") as packed:
        packed.write(plain.read())
    part.unlink()


def stop(daemon: Eddyd) -> None:
    daemon.process.send_signal(signal.SIGSTOP)


def go_on(daemon: Eddyd) -> None:
    daemon.process.send_signal(signal.SIGCONT)


def finish(daemon: Eddyd, count: int) -> None:
    daemon.wait_lines(count)
    time.sleep(0.3)  # what comes twice comes now
    check(daemon.metric("eddyd_input_gaps_total") == 0, "gaps were counted")
    daemon.stop()
    daemon.expect_exactly(count)


def three_hours(bench: Bench, packed: bool) -> None:
    """While eddyd is stopped but alive, the part it reads and the two after it go elsewhere."""
    spool, queue = bench.path / "spool", bench.path / "queue" / "2026-01-01"
    spool.mkdir()
    queue.mkdir(parents=True)
    log = spool / "conn.log"
    daemon = bench.daemon([str(log)], eddyd__archive=str(queue.parent / "*"))
    log.write_text(header(0) + rows(0, 100))
    daemon.start()
    daemon.wait_lines(100)
    stop(daemon)
    n = 100
    with open(log, "a", encoding="ascii") as f:
        f.write(rows(n, n + 50))
    for hour in range(3):
        n += 50
        name = (
            f"conn.{hour:02}:00:00-{hour + 1:02}:00:00.log.gz"
            if packed
            else f"conn__2026_{hour}__2026_{hour + 1}__.log"
        )
        if packed:
            archive(log, queue / name)
        else:
            os.rename(log, queue / name)
        time.sleep(0.02)
        log.write_text(header(hour + 1) + rows(n, n + 50))
    go_on(daemon)
    finish(daemon, n + 50)


@test
def stalled_while_parts_are_compressed_into_an_archive(bench: Bench) -> None:
    three_hours(bench, True)


@test
def stalled_while_parts_go_to_the_log_queue(bench: Bench) -> None:
    three_hours(bench, False)


@test
def archived_part_that_is_half_written_is_not_read_again(bench: Bench) -> None:
    """The compressed copy of a part that was read appears in pieces: of its first bytes nobody can
    tell what it is."""
    day = bench.path / "logs" / "2026-01-01"
    day.mkdir(parents=True)
    log = bench.path / "conn.log"
    daemon = bench.daemon([str(log)], eddyd__archive=str(day))
    log.write_text(header(0) + rows(0, 100))
    daemon.start()
    daemon.wait_lines(100)
    packed = gzip.compress(log.read_bytes())
    os.rename(log, bench.path / "rotated")  # no sibling's name
    with open(day / "conn.00:00:00-01:00:00.log.gz", "wb", buffering=0) as f:
        for end in (10, 60, 150, 400, len(packed)):
            f.write(packed[f.tell() : end])
            time.sleep(0.3)
        log.write_text(header(1) + rows(100, 150))
        time.sleep(0.3)
    finish(daemon, 150)


@test
def compressed_part_that_is_half_written_is_waited_for(bench: Bench) -> None:
    """It was never read; its first bytes must not be taken for all of it."""
    day = bench.path / "logs"
    day.mkdir()
    log = bench.path / "conn.log"
    daemon = bench.daemon([str(log)], eddyd__archive=str(day))
    log.write_text(header(0) + rows(0, 100))
    daemon.start()
    daemon.wait_lines(100)
    stop(daemon)
    archive(log, day / "conn.00:00:00-01:00:00.log.gz")
    packed = gzip.compress((header(1) + rows(100, 200)).encode())
    with open(day / "conn.01:00:00-02:00:00.log.gz", "wb", buffering=0) as f:
        f.write(packed[:200])
        time.sleep(0.02)
        log.write_text(header(2) + rows(200, 250))
        go_on(daemon)
        time.sleep(1)
        check(daemon.lines() == 100, f"{daemon.lines()} lines before the part was whole")
        f.write(packed[200:])
    finish(daemon, 250)


@test
def history_in_the_archive_is_not_read_at_the_first_start(bench: Bench) -> None:
    day = bench.path / "logs" / "2026-01-01"
    day.mkdir(parents=True)
    for hour in range(5):
        old = bench.path / "old"
        old.write_text(header(hour) + rows(1000 * hour + 5000, 1000 * hour + 5100))
        archive(old, day / f"conn.{hour:02}:00:00-{hour + 1:02}:00:00.log.gz")
    log = bench.path / "conn.log"
    daemon = bench.daemon([str(log)], eddyd__archive=str(bench.path / "logs" / "*"))
    daemon.start()
    time.sleep(0.3)
    check(daemon.lines() <= 0, "the archive was read as if it were new")
    log.write_text(header(9) + rows(0, 100))
    daemon.wait_lines(100)
    archive(log, day / "conn.09:00:00-10:00:00.log.gz")
    log.write_text(header(10) + rows(100, 150))
    finish(daemon, 150)


def two_loggers(bench: Bench, form: str, put_away, pause) -> None:
    """Their parts go to one archive, under names that do not tell whose they are."""
    day = bench.path / "logs" / "2026-01-01"
    day.mkdir(parents=True)
    logs = [bench.path / f"logger-{i}" / "conn.log" for i in (1, 2)]
    daemon = bench.daemon([str(log) for log in logs], eddyd__archive=str(day))

    def head(second: int) -> str:
        return header(second) if form == "zeek-tsv" else ""

    n = 0
    for log in logs:
        log.parent.mkdir()
        log.write_text(head(0) + rows(n, n + 60, form))  # opened in the same second
        n += 60
    daemon.start()
    daemon.wait_lines(n)
    resume = pause(daemon)
    for hour in range(4):
        for i, log in enumerate(logs):
            if hour > 0 or i > 0:  # the first log is at its end, and looks further before the second has begun
                with open(log, "a", encoding="ascii") as f:
                    f.write(rows(n, n + 40, form))
                n += 40
            put_away(log, day / f"conn.{hour:02}:00:00-{hour + 1:02}:00:0{i}.log")
            more = 40 if hour < 3 or i == 0 else 0
            log.write_text(head(hour + 1) + rows(n, n + more, form))
            n += more
        if hour == 1:
            resume()
            daemon.wait_lines(n)
    finish(daemon, n)


@test
def two_loggers_with_one_archive_over_a_stall(bench: Bench) -> None:
    def pause(daemon: Eddyd):
        stop(daemon)
        return lambda: go_on(daemon)

    two_loggers(bench, "zeek-tsv", lambda log, to: archive(log, to.with_suffix(".log.gz")), pause)


def kill_with_checkpoint(daemon: Eddyd):
    time.sleep(0.3)  # for a checkpoint with both positions
    daemon.kill()
    return daemon.start


@test
def two_loggers_with_one_archive_over_a_kill(bench: Bench) -> None:
    two_loggers(bench, "zeek-tsv", lambda log, to: archive(log, to.with_suffix(".log.gz")), kill_with_checkpoint)


@test
def two_loggers_with_one_log_queue_over_a_kill(bench: Bench) -> None:
    two_loggers(bench, "zeek-json", os.rename, kill_with_checkpoint)


def loggers_and_archive(bench: Bench) -> tuple[Eddyd, list[pathlib.Path], pathlib.Path]:
    """Two loggers with one archive, each with 60 records that are read; eddyd is killed."""
    day = bench.path / "logs" / "2026-01-01"
    day.mkdir(parents=True)
    logs = [bench.path / f"logger-{i}" / "conn.log" for i in (1, 2)]
    daemon = bench.daemon([str(log) for log in logs], eddyd__archive=str(day))
    for i, log in enumerate(logs):
        log.parent.mkdir()
        log.write_text(header(0) + rows(60 * i, 60 * i + 60))
    daemon.start()
    daemon.wait_lines(120)
    kill_with_checkpoint(daemon)
    return daemon, logs, day


def one_logger_is_removed(bench: Bench, packed: bool) -> None:
    """The directory of the second is gone at the restart; its parts are in the archive, the one that was
    read in part and one that never was. The first goes on, and nothing waits."""
    daemon, (first, second), day = loggers_and_archive(bench)
    n = 120
    for hour in range(2):
        with open(second, "a", encoding="ascii") as f:
            f.write((header(hour) if hour else "") + rows(n, n + 40))
        n += 40
        name = day / f"conn.{hour:02}:00:00-{hour + 1:02}:00:00.log"
        if packed:
            archive(second, name.with_suffix(".log.gz"))
        else:
            os.rename(second, name)
    second.parent.rmdir()
    time.sleep(0.02)
    os.rename(first, first.parent / "conn.2026-01-01-00-00-00.log")
    first.write_text(header(3) + rows(n, n + 30))
    n += 30
    daemon.start()
    daemon.wait_lines(n)
    with open(first, "a", encoding="ascii") as f:
        f.write(rows(n, n + 30))
    n += 30
    daemon.wait_lines(n)
    second.parent.mkdir()
    second.write_text(header(4) + rows(n, n + 30))
    finish(daemon, n + 30)


@test
def one_of_two_loggers_is_removed_and_its_parts_are_compressed(bench: Bench) -> None:
    one_logger_is_removed(bench, True)


@test
def one_of_two_loggers_is_removed_and_its_parts_are_in_the_log_queue(bench: Bench) -> None:
    one_logger_is_removed(bench, False)


@test
def a_logger_whose_part_is_nowhere_holds_back_no_other(bench: Bench) -> None:
    """Its directory is gone, with what was read of it: told, counted, and the other one goes on. The
    directory comes back later, as that of a disk that was mounted late, and with it the part."""
    daemon, (first, second), day = loggers_and_archive(bench)
    with open(second, "a", encoding="ascii") as f:
        f.write(rows(120, 160))
    os.rename(second.parent, bench.path / "not-mounted")
    archive(first, day / "conn.00:00:00-01:00:00.log.gz")
    first.write_text(header(1) + rows(160, 200))
    daemon.start()
    daemon.wait_lines(160)
    wait_for(lambda: daemon.metric("eddyd_input_unresolved") == 1, 3, "what is not found is counted")
    check("in no archive" in daemon.log.read_text(), "what is not found is not told")
    daemon.stop()  # also over another restart
    daemon.start()
    archive(first, day / "conn.01:00:00-02:00:00.log.gz")
    first.write_text(header(2) + rows(200, 240))
    daemon.wait_lines(200)
    os.rename(bench.path / "not-mounted", second.parent)
    daemon.wait_lines(240)
    wait_for(lambda: daemon.metric("eddyd_input_unresolved") == 0, 3, "found is not counted any more")
    finish(daemon, 240)


@test
def equal_headers_of_a_logger_that_is_gone_hold_back_no_other(bench: Bench) -> None:
    """Of the second log only the header was read, which the first one's next part has to the byte:
    opened in the same second. Its directory does not come back."""
    day = bench.path / "logs"
    day.mkdir()
    logs = [bench.path / f"logger-{i}" / "conn.log" for i in (1, 2)]
    daemon = bench.daemon([str(log) for log in logs], eddyd__archive=str(day))
    for i, log in enumerate(logs):
        log.parent.mkdir()
        log.write_text(header(i) + (rows(0, 60) if i == 0 else ""))
    daemon.start()
    daemon.wait_lines(60)
    kill_with_checkpoint(daemon)
    shutil.rmtree(logs[1].parent)
    for part in range(3):
        os.rename(logs[0], logs[0].parent / f"conn.2026-01-01-00-00-{part:02}.log")
        time.sleep(0.02)
        logs[0].write_text(header(1) + rows(60 + 40 * part, 100 + 40 * part))
    daemon.start()
    finish(daemon, 180)


@test
def current_is_swapped_twice_while_stalled(bench: Bench) -> None:
    """`current` leads to another spool directory after each; the one between is found as archive."""
    current, n = bench.path / "current", 0
    daemon = bench.daemon([str(current / "conn.log")], eddyd__archive=str(bench.path / "spool*"))
    for i in range(4):
        spool = bench.path / f"spool{i}"
        spool.mkdir()
        (spool / "conn.log").write_text(header(i) + rows(n, n + 40))
        n += 40
        (bench.path / "new").symlink_to(spool.name)
        os.rename(bench.path / "new", current)
        if i == 0:
            daemon.start()
            daemon.wait_lines(n)
            stop(daemon)
        time.sleep(0.02)
    go_on(daemon)
    finish(daemon, n)


@test
def header_changes_in_mid_file_and_eddyd_is_killed_after_it(bench: Bench) -> None:
    """The columns are those of the last header, also when reading begins beyond it."""
    log = bench.path / "conn.log"
    lines = HEADER.splitlines(keepends=True)
    fields, types = (line.rstrip("\n").split("\t") for line in lines[-2:])
    turned = "".join("\t".join([line[0]] + line[:0:-1]) + "\n" for line in (fields, types))

    def turned_rows(begin: int, end: int) -> str:
        return "".join(
            "\t".join(reversed(record("zeek-tsv", n).rstrip("\n").split("\t"))) + "\n" for n in range(begin, end)
        )

    daemon = bench.daemon([str(log)])
    log.write_text(HEADER + rows(0, 50) + "".join(lines[:-2]) + turned + turned_rows(50, 100))
    daemon.start()
    daemon.wait_lines(100)
    wait_for(lambda: daemon.metric("eddyd_checkpoint_timestamp_seconds") > 0, 3, "a checkpoint")
    time.sleep(0.3)
    daemon.kill()
    with open(log, "a", encoding="ascii") as f:
        f.write(turned_rows(100, 150))
    daemon.start()
    daemon.wait_lines(150)
    with open(log, "a", encoding="ascii") as f:
        f.write(HEADER + rows(150, 200))
    finish(daemon, 200)


@test
def parts_begun_in_the_same_second_are_not_mistaken(bench: Bench) -> None:
    """Their headers are the same to the byte, and some hold nothing else for a while."""
    log = bench.path / "conn.log"
    daemon = bench.daemon([str(log)])
    daemon.start()
    n = 0
    for part in range(12):
        log.write_text(HEADER)
        time.sleep(0.15 if part % 2 else 0)  # seen with only its header
        count = (0, 1, 30)[part % 3]
        with open(log, "a", encoding="ascii") as f:
            f.write(rows(n, n + count))
        n += count
        if part % 4 == 3:
            daemon.wait_lines(n)
        os.rename(log, bench.path / f"conn.2026-01-01-00-00-{part:02}.log")
    log.write_text(HEADER + rows(n, n + 5))
    finish(daemon, n + 5)


@test
def inode_used_again_is_not_mistaken(bench: Bench) -> None:
    log = bench.path / "eve.json"
    daemon = bench.daemon([str(log)])
    log.write_text(rows(0, 50, "eve"))
    inode = log.stat().st_ino
    daemon.start()
    daemon.wait_lines(50)
    daemon.stop()
    for attempt in range(200):  # until the file system gives the inode again
        log.unlink()
        log.write_text(rows(50, 150, "eve"))
        if log.stat().st_ino == inode:
            break
        os.rename(log, bench.path / f"other{attempt}")
        log.write_text("")
    else:
        raise Skipped("this file system does not use inodes again")
    daemon.start()
    daemon.wait_lines(150)
    time.sleep(0.3)
    daemon.stop()
    daemon.expect_exactly(150)


@test
def logs_of_other_names_are_left_alone(bench: Bench) -> None:
    """What lies beside conn.log in Zeek's directories, while parts rotate."""
    log = bench.path / "conn.log"
    others = (
        "conn-summary.2026-01-01-00-00-00.log",
        "conn_long.log",
        "open_conn.log",
        "conn.log.tmp",
        "conn-summary.00:00:00-01:00:00.log.gz",
        "known_conn.log",
        "conn.2026-01-01-00-00-00.log.zst",
    )
    daemon = bench.daemon([str(log)])
    daemon.start()
    for part in range(3):
        for name in others:
            (bench.path / name).write_text(header(part) + rows(9000, 9010))
        log.write_text(header(part) + rows(part * 20, part * 20 + 20))
        daemon.wait_lines(part * 20 + 20)
        shutil.move(log, bench.path / f"conn.2026-01-01-00-00-{part:02}.log")
    log.write_text(header(7) + rows(60, 80))
    finish(daemon, 80)
