#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every source says its licence and what it is, and none names a path of the machine it was written on."""

from __future__ import annotations

import re

import tree

SPDX = "SPDX-License-Identifier: MIT"
# In two pieces, so that this file does not name them itself.
MACHINE = re.compile("(?<![\\w.$}])/(" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]+")) + ")/")
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|atoi|atol|atof|strtok|gets|alloca)\s*\(")
MARK = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")


def check_head(name: str, text: list[str]) -> list[str]:
    first = 1 if text and text[0].startswith("#!") else 0
    if len(text) <= first or SPDX not in text[first]:
        return [f"{name}:{first + 1}: no '{SPDX}'"]
    if name.endswith((".c", ".h")):
        file = name.rsplit("/", 1)[-1]
        if len(text) < 2 or not (text[1].startswith((f"/* {file} - ", "/**"))):
            return [f"{name}:2: no '/* {file} - what it is. */'"]
    return []


def main() -> None:
    faults: list[str] = []
    checked = 0
    for path in tree.files(".c", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".def", ".conf", ".yaml", ".json.in"):
        name = tree.name(path)
        text = tree.lines(path)
        checked += 1
        if path.suffix in (".c", ".h", ".py", ".sh"):
            faults += check_head(name, text)
        for number, line in enumerate(text, 1):
            if MACHINE.search(line):
                faults.append(f"{name}:{number}: a path of somebody's machine: {line.strip()[:60]}")
            if path.suffix in (".c", ".h") and BANNED.search(line) and not line.lstrip().startswith(("*", "/*")):
                faults.append(f"{name}:{number}: a banned function: {line.strip()[:60]}")
            if path.suffix in (".c", ".h", ".py", ".sh") and MARK.search(line):
                faults.append(f"{name}:{number}: unfinished: {line.strip()[:60]}")
    tree.report(faults, checked, "files")


if __name__ == "__main__":
    main()
