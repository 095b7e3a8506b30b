#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Dependencies point one way along the pipeline, and a library is included in one place.

In core/, a step includes util/, the headers all steps share, itself and earlier steps. Only the files
directly in core/ (worker.c, engine.c, keeper.c ...) know all steps. Hosts include eddy.h, common/ and
themselves. A third-party library is included by one file of core/ and one of plugins/.
"""

from __future__ import annotations

import re
from pathlib import Path

import tree

STEPS = ["util", "ingest", "clean", "enrich", "state", "features", "model", "score", "vet", "decide", "emit"]
SHARED = {"eddy.h", "part.h", "row.h", "reason.h", "service.h"}  # and *.def
UTIL_MAY = {"eddy.h"}
LIBRARIES = {
    "inih": r"ini\.h",
    "yajl": r"yajl/.*",
    "libmaxminddb": r"maxminddb\.h",
    "openssl": r"openssl/.*",
    "zlib": r"zlib\.h",
    "zstd": r"zstd.*\.h",
    "libmicrohttpd": r"microhttpd\.h",
    "hiredis": r"hiredis/.*",
    "libcurl": r"curl/.*",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def includes(path: Path) -> list[tuple[int, str, str]]:
    found = []
    for number, line in enumerate(tree.lines(path), 1):
        match = INCLUDE.match(line)
        if match:
            found.append((number, match.group(1), match.group(2)))
    return found


def resolve(path: Path, header: str, folders: list[Path]) -> Path | None:
    for folder in [path.parent, *folders]:
        candidate = (folder / header).resolve()
        if candidate.exists():
            return candidate
    return None


def check_core(path: Path, target: Path) -> str | None:
    core = tree.ROOT / "core"
    mine, theirs = path.relative_to(core).parts, target.relative_to(core).parts
    if len(mine) == 1:  # directly in core/: may know everything
        return None
    step = mine[0]
    if step not in STEPS:
        return f"core/{step} is no step that this lint knows"
    if len(theirs) == 1:
        allowed = UTIL_MAY if step == "util" else SHARED
        if theirs[0] in allowed or (step != "util" and theirs[0].endswith(".def")):
            return None
        return f"core/{theirs[0]} is not for steps"
    if theirs[0] not in STEPS:
        return f"core/{theirs[0]} is no step that this lint knows"
    if STEPS.index(theirs[0]) <= STEPS.index(step):
        return None
    return f"{theirs[0]} comes after {step}"


def check_plugin(path: Path, target: Path) -> str | None:
    plugins, core = tree.ROOT / "plugins", tree.ROOT / "core"
    if target.is_relative_to(core):
        return None if target == core / "eddy.h" else "hosts see only eddy.h"
    mine, theirs = path.relative_to(plugins).parts[0], target.relative_to(plugins).parts[0]
    return None if theirs in (mine, "common") else f"one host includes another's: {theirs}"


def main() -> None:
    faults: list[str] = []
    checked = 0
    users: dict[tuple[str, str], set[str]] = {}
    for top in ("core", "plugins"):
        folders = [tree.ROOT / "core"]
        if top == "plugins":
            folders.append(tree.ROOT / "plugins" / "common")
        for path in tree.files(".c", ".h", under=(top,)):
            checked += 1
            for number, kind, header in includes(path):
                where = f"{tree.name(path)}:{number}: {header}"
                for library, pattern in LIBRARIES.items():
                    if re.fullmatch(pattern, header):
                        users.setdefault((top, library), set()).add(tree.name(path))
                if kind == "<":
                    continue
                target = resolve(path, header, folders)
                if target is None:
                    faults.append(f"{where}: no such header")
                    continue
                fault = check_core(path, target) if top == "core" else check_plugin(path, target)
                if fault:
                    faults.append(f"{where}: {fault}")
    for (top, library), paths in sorted(users.items()):
        if len(paths) > 1:
            faults.append(f"{library} is included by several files of {top}/: {', '.join(sorted(paths))}")
    tree.report(faults, checked, "files")


if __name__ == "__main__":
    main()
