#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What libeddy.so exports = core/libeddy.map = the functions of core/eddy.h.

usage: symbols.py libeddy.so
"""

from __future__ import annotations

import re
import subprocess
import sys

import tree


def declared() -> set[str]:
    text = (tree.ROOT / "core" / "eddy.h").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return set(re.findall(r"^EDDY_(?:API|CHECKED)\b[^;(]*?\b(eddy_\w+)\(", text, flags=re.MULTILINE))


def mapped() -> set[str]:
    text = (tree.ROOT / "core" / "libeddy.map").read_text(encoding="utf-8")
    return set(re.findall(r"^\s*(eddy_\w+);", text, flags=re.MULTILINE))


def exported(library: str) -> set[str]:
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    names = set()
    for line in out.splitlines():
        symbol, kind = line.split()[-1], line.split()[-2]
        if kind == "A":  # the version node itself
            continue
        names.add(symbol.split("@")[0])
    return names


def main() -> None:
    header = declared()
    faults = []
    for what, names in (("core/libeddy.map", mapped()), (sys.argv[1], exported(sys.argv[1]))):
        faults += [f"{n}: in eddy.h, not in {what}" for n in sorted(header - names)]
        faults += [f"{n}: in {what}, not in eddy.h" for n in sorted(names - header)]
    tree.report(faults, len(header), "functions")


if __name__ == "__main__":
    main()
