#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A file has at most 500 lines, a function of C at most 60, with its head. The public interface is one file
whatever it takes: nobody should have to guess in which of several headers a function is.

Relies on the formatter: a function's braces, and nothing else's but an initialiser's, are alone in
column 0.
"""

from __future__ import annotations

import re
from pathlib import Path

import tree

FILE_LINES = 500
FUNCTION_LINES = 60
WHOLE = {"core/eddy.h"}


def functions(path: Path) -> list[tuple[int, str, int]]:
    """(line, name, lines) of every function."""
    text = tree.lines(path)
    found = []
    begin = None
    for i, line in enumerate(text):
        if line == "{":
            begin = i
            while begin > 0 and text[begin - 1] and not text[begin - 1].startswith(("#", "/*", " *", "}")):
                begin -= 1
        elif line == "}" and begin is not None:
            head = " ".join(text[begin : begin + 4])
            match = re.search(r"(\w+)\(", head)
            found.append((begin + 1, match.group(1) if match else "?", i - begin + 1))
            begin = None
    return found


def main() -> None:
    faults: list[str] = []
    checked = 0
    for path in tree.files(".c", ".h", ".py", under=("core", "plugins", "models", "tests", "examples")):
        checked += 1
        length = len(tree.lines(path))
        if length > FILE_LINES and tree.name(path) not in WHOLE:
            faults.append(f"{tree.name(path)}: {length} lines, more than {FILE_LINES}")
        if path.suffix != ".c":
            continue
        for line, function, length in functions(path):
            if length > FUNCTION_LINES:
                faults.append(f"{tree.name(path)}:{line}: {function}() has {length} lines, more than {FUNCTION_LINES}")
    tree.report(faults, checked, "files")


if __name__ == "__main__":
    main()
