#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""systemd has nothing to say against our units, and finds services confined (an exposure of at most 2.0 of 10).

usage: units.py path/to/eddy path/to/eddyd
Without systemd-analyze nothing is checked: exit status 77.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import tree

UNITS = tree.ROOT / "packaging" / "systemd"
EXPOSURE_MAX = "20"  # of 100


def place(units: Path, programs: dict[str, str]) -> list[Path]:
    """Copies that name the programs where they are: systemd looks whether they can be run."""
    placed = []
    for unit in sorted(UNITS.iterdir()):
        text = unit.read_text()
        for name, path in programs.items():
            text = text.replace(f"/usr/bin/{name} ", f"{path} ").replace(f"/usr/sbin/{name}\n", f"{path}\n")
            text = text.replace(f"/usr/sbin/{name} ", f"{path} ")
        copy = units / unit.name
        copy.write_text(text)
        placed.append(copy)
    return placed


def complaints(*words: object) -> list[str]:
    done = subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines() if done.returncode != 0 or done.stderr else []


def main() -> None:
    if shutil.which("systemd-analyze") is None:
        print("no systemd-analyze: Debian's package systemd has it")
        sys.exit(77)
    programs = {"eddy": sys.argv[1], "eddyd": sys.argv[2]}
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        units = place(Path(folder), programs)
        for unit in units:
            faults += [line for line in complaints("verify", "--man=no", unit) if folder in line or unit.name in line]
            if unit.suffix == ".service":
                faults += [line for line in complaints("security", "--no-pager", "--offline=true",
                                                       f"--threshold={EXPOSURE_MAX}", unit) if not line.startswith("✓")]
    tree.report(faults, len(units), "units")


if __name__ == "__main__":
    main()
