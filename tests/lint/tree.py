# SPDX-License-Identifier: MIT
"""What the lints have in common: which files there are, and how offenders are told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Another tree than this one: for test_lints.py.
ROOT = Path(os.environ.get("LINT_ROOT", Path(__file__).resolve().parents[2])).resolve()
SKIPPED = {".git", "build", "__pycache__", "data", "corpus", "corpora"}


def files(*suffixes: str, under: tuple[str, ...] = ("",)) -> Iterator[Path]:
    """All files of the repository with one of these suffixes, in a fixed order."""
    for top in under:
        for folder, folders, names in os.walk(ROOT / top):
            folders[:] = sorted(f for f in folders if f not in SKIPPED)
            for name in sorted(names):
                if not suffixes or name.endswith(suffixes):
                    yield Path(folder) / name


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def report(faults: list[str], checked: int, what: str) -> None:
    """Prints the offenders and ends the program; a lint that looked at nothing fails too."""
    for fault in faults:
        print(fault)
    print(f"{checked} {what} checked, {len(faults)} faults")
    sys.exit(1 if faults or checked == 0 else 0)
