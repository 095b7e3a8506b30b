#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The plugin in a collectd of ours: its types are those of types.db; read, flushed and fed all at
once it neither races (under the thread sanitizer) nor hangs; what never returns is left when it stops.

usage: fake_collectd.py FAKE PLUGIN"""
from __future__ import annotations

import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(*command: object, **env: str) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **env})
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}")
    return done.stdout + done.stderr


def types_are_those_of_types_db(fake: str, plugin: str) -> None:
    made = run(fake, plugin, "types")
    kept = (ROOT / "plugins" / "collectd" / "types.db").read_text()
    if made != kept:
        sys.exit("plugins/collectd/types.db is not what the plugin registers; it should be:\n" + made)


def write_in_pieces(log: pathlib.Path, records: bytes) -> None:
    size = len(records) // 20
    with open(log, "ab") as file:
        for begin in range(0, len(records), size):
            file.write(records[begin:begin + size])
            file.flush()
            time.sleep(0.05)


def check_severities(said: str) -> None:
    """How grave an incident is depends on the recording; that high ones, and only those, are failures (1) does not."""
    told = re.findall(r"^notification (\d) .* \[(low|medium|high) \w+, p=", said, re.M)
    wrong = [(number, grave) for number, grave in told if (number == "1") != (grave == "high") or number not in "12"]
    if wrong or {grave for _, grave in told} == {"high"}:
        sys.exit(f"notifications as {wrong or told} in\n{said}")


def all_at_once(fake: str, plugin: str, scratch: pathlib.Path) -> None:
    records = gzip.decompress((ROOT / "examples" / "data" / "eve.json.gz").read_bytes())
    conf, log, settings = scratch / "conf", scratch / "eve.json", scratch / "eddy.conf"
    settings.write_text("[beacon]\nmin_gaps = 12\n")
    conf.write_text(f'Config "{settings}"\nCheckpoint "{scratch}/checkpoint"\nCheckpointInterval "50ms"\n'
                    f'<Input "a">\nFollow "{log}"\n</Input>\n'
                    f'<Input "b">\nListen "unix_dgram:{scratch}/socket"\n</Input>\n'
                    "<State>\nMemory 16M\n</State>\n")
    writer = threading.Thread(target=write_in_pieces, args=(log, records))
    writer.start()
    said = run(fake, plugin, "run", conf, 4)
    writer.join()
    for wanted in (r"notification 1 fanout: 10\.20\.0\.21 ", r"notification [12] beacon: 10\.20\.0\.15 ",
                   "settings read again", r"value all/config_ok-", r"value a/flows-", r"value b/input_connections-"):
        if not re.search(wanted, said):
            sys.exit(f"no {wanted!r} in\n{said}")
    check_severities(said)
    print("\n".join(re.findall(r"^read .*$", said, re.M)))


def a_receiver_that_never_returns_is_left(fake: str, plugin: str, scratch: pathlib.Path) -> None:
    conf = scratch / "conf"
    shutil.copy(ROOT / "examples" / "data" / "eve.json.gz", scratch / "old.json.gz")
    conf.write_text(f'Checkpoint "{scratch}/checkpoint"\n<Input "a">\nFollow "{scratch}/old.json.gz"\n</Input>\n')
    begun = time.monotonic()
    said = run(fake, plugin, "run", conf, 1.5, MUTE="yes")
    took = time.monotonic() - begun
    if "did not answer: left it, " not in said or took > 12 or len(re.findall("^notification ", said, re.M)) != 1:
        sys.exit(f"after {took:.1f} s:\n{said}")


def what_is_left_out_is_told_though_the_receiver_hangs(fake: str, plugin: str, scratch: pathlib.Path) -> None:
    conf = scratch / "conf"
    shutil.copy(ROOT / "examples" / "data" / "eve.json.gz", scratch / "old.json.gz")
    conf.write_text(f'Checkpoint "{scratch}/checkpoint"\n<Input "a">\nFollow "{scratch}/old.json.gz"\n</Input>\n'
                    "NotificationsPerMinute 1\n")
    said = run(fake, plugin, "run", conf, 3, MUTE="yes")
    told = re.search(r"left out: [1-9]\d* over NotificationsPerMinute, 0 as receivers are too slow", said)
    if not told or told.start() > said.index("did not answer: left it"):
        sys.exit(f"what is left out is not told:\n{said}")


def what_hangs_does_not_hold_up_the_end(fake: str, plugin: str, scratch: pathlib.Path) -> None:
    """The scoring thread, here in a log that takes a line and never returns."""
    conf, folder, log = scratch / "conf", scratch / "folder", scratch / "eve.json"
    folder.mkdir()
    log.touch()
    conf.write_text(f'Checkpoint "{folder}/checkpoint"\nCheckpointInterval "50ms"\n<Input "a">\nFollow "{log}"\n</Input>\n')

    def spoil() -> None:
        while not (folder / "checkpoint").exists():
            time.sleep(0.01)
        shutil.rmtree(folder)
        log.write_bytes(gzip.decompress((ROOT / "examples" / "data" / "eve.json.gz").read_bytes())[:10000])
    spoiler = threading.Thread(target=spoil)
    spoiler.start()
    begun = time.monotonic()
    said = run(fake, plugin, "run", conf, 2, HANG="trying again, scoring goes on")
    spoiler.join()
    took = time.monotonic() - begun
    if "scoring goes on" not in said or "what eddy reads or writes hangs: left as it is" not in said or took > 20:
        sys.exit(f"after {took:.1f} s:\n{said}")


def main() -> None:
    fake, plugin = sys.argv[1:]
    types_are_those_of_types_db(fake, plugin)
    for test in (all_at_once, a_receiver_that_never_returns_is_left, what_is_left_out_is_told_though_the_receiver_hangs,
                 what_hangs_does_not_hold_up_the_end):
        with tempfile.TemporaryDirectory() as scratch:
            test(fake, plugin, pathlib.Path(scratch))


if __name__ == "__main__":
    main()
