# SPDX-License-Identifier: MIT
"""kill -9 at random moments, while logs are written and rotated."""
import time

from harness import Bench, test

KILLS = 50  # in all; run --kills sets it


def kill_often(bench: Bench, name: str, form: str, style: str, kills: int) -> None:
    log = bench.path / "logs" / name
    log.parent.mkdir()
    daemon = bench.daemon([f"{log}"])
    count = max(40000, int(kills * 0.45 * 20000))
    daemon.start()
    generator = bench.generator(log, form, count, 20000, 0.25, style)
    for _ in range(kills):
        time.sleep(bench.dice.uniform(0.02, 0.6))
        daemon.kill()
        if bench.dice.random() < 0.2:
            time.sleep(bench.dice.uniform(0.1, 0.6))  # several parts are rotated meanwhile
        daemon.start(ready=False)
    bench.finish(generator)
    daemon.wait_lines(count, 30)
    daemon.stop()
    daemon.expect_exactly(count)


@test
def kill_eve_numbered(bench: Bench) -> None:
    kill_often(bench, "eve.json", "eve", "numbered", KILLS * 3 // 10)


@test
def kill_zeek_tsv_gzip(bench: Bench) -> None:
    kill_often(bench, "conn.log", "zeek-tsv", "gzip", KILLS * 4 // 10)


@test
def kill_zeek_json_gzip(bench: Bench) -> None:
    kill_often(bench, "conn.log", "zeek-json", "gzip", KILLS - KILLS * 3 // 10 - KILLS * 4 // 10)
