#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""C files are as clang-format 14 writes them. Exit status 77 (skipped) where it is not installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import tree


def find_formatter() -> str | None:
    for candidate in ("clang-format-14", "clang-format"):
        path = shutil.which(candidate)
        if path is None:
            continue
        version = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout
        if re.search(r"version 14\.", version):
            return path
    return None


def main() -> None:
    formatter = find_formatter()
    if formatter is None:
        print("skipped: clang-format 14 is not installed")
        sys.exit(77)
    paths = [str(p) for p in tree.files(".c", ".h", under=("core", "plugins", "tests", "examples"))]
    faults: list[str] = []
    for path in paths:
        run = subprocess.run([formatter, "--dry-run", path], check=True, capture_output=True, text=True)
        match = re.search(r":(\d+):\d+: warning", run.stderr)
        if match:
            faults.append(f"{tree.name(tree.Path(path))}:{match.group(1)}: not as clang-format writes it")
    tree.report(faults, len(paths), "files")


if __name__ == "__main__":
    main()
