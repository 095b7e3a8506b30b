#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""people.py - the lab's people and machines do what they do, and the attacks; the truth.

    people.py --prefix P --work DIR --out DIR --seconds N --seed N [--benign-only]

Every action is a real program in the namespace of its host: habits.py has what everybody does,
attacks.py the attacks. What they do and in which order is drawn from the seed; when it happens is
real time, so two runs are alike, not equal. The first LEARN_SHARE of the time has no attack in it.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import threading
import time
from pathlib import Path

from attacks import HEAD, Episode, episodes, forwarded
from habits import everybody
from lab import LEARN_SHARE, Lab


def write_truth(lab: Lab, played: list[Episode], out: Path) -> None:
    """Only what happened; and with a tunnel, what the office's resolver made of it."""
    happened = [episode for episode in played if episode.happened]
    happened += [forwarded(episode) for episode in happened if episode.kind == "dns_tunnel"]
    with open(out / "truth.csv", "w", newline="") as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(HEAD)
        rows.writerows(episode.row() for episode in sorted(happened, key=lambda e: e.start))
    moments = {"start": lab.start, "learn_end": lab.learn_end, "end": lab.end, "seed": lab.seed}
    moments["attacks_planned"] = len(played)
    (out / "schedule.json").write_text(json.dumps(moments) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--benign-only", action="store_true")
    a = parser.parse_args()
    start = time.time()
    learn_s = a.seconds if a.benign_only else LEARN_SHARE * a.seconds
    lab = Lab(a.prefix, a.work, a.seed, start, start + learn_s, start + a.seconds)
    planned = [] if a.benign_only else episodes(lab)
    threads = [threading.Thread(target=habit, args=(lab, *args)) for habit, args in everybody()]
    threads += [threading.Thread(target=episode.play, args=(lab,)) for episode in planned]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write_truth(lab, planned, a.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
