#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py - one forest, asked through eddy and through what else walks trees, in turns in one run.

    tests/bench/models/compare.py --build DIR [--quick] [--only TEXT]

Exit status 1 if an answer of eddy's differs from the trainer's, or if eddy takes more than two fifths of the time of
ONNX Runtime or TL2cgen; the aim is a fifth. One thread, CPU time, the least of the rounds. Run by tests/bench/run, with
the Python that has what requirements.txt lists.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "models"))

BATCHES = (1, 1024)
AIM, LIMIT = 1 / 5, 2 / 5  # of the time of JUDGED
JUDGED = ("ONNX Runtime", "TL2cgen")
ULP = 2.5e-16  # of a score in 0..1: exp2 of this libm and numpy's differ by up to two
TOLERANCE, ASTRAY = 1e-5, 0.01  # of floats; rows that may be off by more, for thresholds are rounded to floats
LAP = 0.05  # seconds, about

QUICK = ["random forest, depth 10, 2 classes", "random forest, no limit, 2 classes", "isolation forest, 256 samples"]

failures: list[str] = []


def judge(good: bool, text: str) -> None:
    if not good:
        print(f"  FAIL {text}")
        failures.append(text)


@dataclass
class Laps:
    rows: int
    seconds: list[float] = field(default_factory=list)

    def ns(self) -> float:
        return min(self.seconds) / self.rows * 1e9


def timed(peer: object, rows: object, batch: int) -> float:
    from peers import OnnxRuntime

    if isinstance(peer, OnnxRuntime):
        _, _, bindings = peer.prepare(rows, batch)
        begin = time.thread_time()
        peer.run(bindings)
    else:
        begin = time.thread_time()
        peer.answers(rows, batch)
    return time.thread_time() - begin


def check_answers(forest: object, peers: list) -> None:
    """All rows, in both ways. The trainer's own answer is the measure; of LightGBM, its own interface."""
    import numpy as np

    truth = next(peer for peer in peers if (peer.exact and not peer.name.startswith("eddy")) or "LightGBM" in peer.name)
    rows = forest.rows
    expected = truth.answers(rows, 1024)
    for peer in peers:
        for batch in BATCHES:
            some = rows if (peer.exact and peer is not truth) or batch > 1 else rows[:64]
            off = np.abs(peer.answers(np.ascontiguousarray(some), batch) - expected[: len(some)])
            if not peer.exact:
                judge(
                    peer is truth or (off > TOLERANCE).mean() <= ASTRAY,
                    f"{peer.name}, batch {batch}: {(off > TOLERANCE).sum()} of {len(some)} answers are others",
                )
                continue
            bound = 0.0 if hasattr(forest.estimator, "estimators_") and hasattr(forest.estimator, "classes_") else ULP
            judge(off.max() <= bound, f"{peer.name}, batch {batch}: answers differ from the trainer's by {off.max():g}")


def measure(forest: object, peers: list, rounds: int) -> dict[tuple[str, int], Laps]:
    """In turns. A slow one is asked fewer rows, so that a lap takes about as long for all."""
    laps: dict[tuple[str, int], Laps] = {}
    for peer in peers:
        for batch in BATCHES:
            first = forest.rows[: max(batch, 16)]
            timed(peer, first, batch)
            each = timed(peer, first, batch) / len(first)
            rows = min(len(forest.rows), max(batch, int(LAP / max(each, 1e-9)) // batch * batch))
            laps[peer.name, batch] = Laps(rows)
    for _ in range(rounds):
        for peer in peers:
            for batch in BATCHES:
                lap = laps[peer.name, batch]
                lap.seconds.append(timed(peer, forest.rows[: lap.rows], batch))
    return laps


def show(forest: object, peers: list, laps: dict[tuple[str, int], Laps]) -> None:
    depth = f", {forest.depth} deep" if forest.depth else ""
    print(
        f"\n{forest.name}: {len(peers[0].model.columns)} columns, {peers[0].model.trees} trees, "
        f"{forest.nodes:,} nodes{depth}"
    )
    print(f"  {'':32} {'batch 1':>12} {'eddy takes':>11} {'batch 1024':>12} {'eddy takes':>11}   ns a row")
    for peer in peers:
        cells = []
        for batch in BATCHES:
            ns, ours = laps[peer.name, batch].ns(), laps[peers[0].name, batch].ns()
            cells.append(f"{ns:12,.0f} {'' if peer is peers[0] else f'{ours / ns:.3f}':>11}")
        print(f"  {peer.name:32} {' '.join(cells)}")
        if peer.call > 0:
            rest = max(laps[peer.name, 1].ns() - peer.call * 1e9, 1.0)
            print(
                f"  {'  less a call that does nothing':32} {rest:12,.0f} {laps[peers[0].name, 1].ns() / rest:11.3f}"
                f"   (the call: {peer.call * 1e9:,.0f} ns)"
            )


def compare(peers: list, laps: dict[tuple[str, int], Laps], name: str) -> None:
    for peer in peers:
        if not peer.name.startswith(JUDGED):
            continue
        for batch in BATCHES:
            theirs = laps[peer.name, batch].ns() - (peer.call * 1e9 if batch == 1 else 0.0)
            share = laps[peers[0].name, batch].ns() / max(theirs, 1.0)
            print(
                f"  {'met    ' if share <= AIM else 'NOT MET'} batch {batch}: "
                f"{share:.3f} of the time of {peer.name} (aim: {AIM})"
            )
            judge(share <= LIMIT, f"{name}, batch {batch}: {share:.2f} of the time of {peer.name}, more than {LIMIT}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="a build of eddy with its tests")
    parser.add_argument("--quick", action="store_true", help="three forests, no generated code")
    parser.add_argument("--without-generated", action="store_true", help="leave out what a compiler needs minutes for")
    parser.add_argument("--only", metavar="TEXT", default="", help="forests with this in their name")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    os.environ["EDDY_LIBRARY"] = str(args.build.resolve() / "core" / "libeddy.so.0")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import forests
    from peers import peers_of

    loops = ctypes.CDLL(str(args.build.resolve() / "tests" / "bench" / "libbench_loops.so"))
    names = [name for name in (QUICK if args.quick else forests.estimators()) if args.only in name]
    with tempfile.TemporaryDirectory(prefix="eddy-bench-models-") as work:
        for forest in forests.make(names, Path(work)):
            peers = peers_of(forest, loops, Path(work), not (args.quick or args.without_generated))
            check_answers(forest, peers)
            laps = measure(forest, peers, args.rounds)
            show(forest, peers, laps)
            compare(peers, laps, forest.name)
            sys.stdout.flush()
    print(f"\n{len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
