#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Man pages are complete, and mandoc has nothing to say against them.

usage: man.py path/to/eddy path/to/made/pages

Every command of `eddy help` and every long option of the commands below is in eddy(1); every setting, with
its initial value, is in eddy.conf(5). Without mandoc (Debian: mandoc) the rest is not checked: exit status 77.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import tree

PAGES = tree.ROOT / "packaging" / "man"
WITH_OPTIONS = ("score", "incidents", "report", "suppress", "mark", "features", "train", "model", "options")


def said(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def commands(eddy: str) -> list[str]:
    return re.findall(r"^    eddy (\w+) ", said(eddy, "help"), flags=re.MULTILINE)


def check_commands(eddy: str, page: str) -> list[str]:
    faults = []
    for command in commands(eddy):
        if not re.search(rf"^\.Nm eddy Cm {command}( .*)?$", page, flags=re.MULTILINE):
            faults.append(f"eddy.1: {command} is not in the SYNOPSIS")
        if not re.search(rf"^\.It Cm {command}$", page, flags=re.MULTILINE):
            faults.append(f"eddy.1: {command} is not described")
    for command in WITH_OPTIONS:
        for option in re.findall(r"--([a-z][a-z-]+)", said(eddy, command, "--help")):
            if option != "help" and f"-{option}" not in re.findall(r"-[a-z][a-z-]+", page):
                faults.append(f"eddy.1: --{option} of {command} is missing")
    return faults


def check_settings(eddy: str, page: str) -> list[str]:
    settings = re.findall(r"^  ([a-z_]+\.[a-z0-9_]+) = ", said(eddy, "options"), flags=re.MULTILINE)
    if not settings:
        return ["eddy options lists nothing"]
    return [f"eddy.conf.5: {s} is missing" for s in settings if f".It Cm {s} No = " not in page]


def check_mandoc(paths: list[Path]) -> list[str]:
    done = subprocess.run(["mandoc", "-Tlint", "-Wstyle", *map(str, paths)], capture_output=True, text=True)
    ours = "|".join(f"{p.stem} {p.suffix[1:]}" for p in paths)
    return [line for line in (done.stdout + done.stderr).splitlines()
            if not re.search(rf"referenced manual not found: Xr ({ours})( |$)", line)]  # not installed yet


def main() -> None:
    eddy, made = sys.argv[1], Path(sys.argv[2])
    paths = sorted(PAGES.glob("*.[0-9]")) + sorted(made.glob("*.[0-9]"))
    pages = {p.name: p.read_text(encoding="utf-8") for p in paths}
    faults = check_commands(eddy, pages["eddy.1"]) + check_settings(eddy, pages["eddy.conf.5"])
    if shutil.which("mandoc"):
        faults += check_mandoc(paths)
    elif not faults:
        print("the pages are complete; skipped: no mandoc to read them with")
        sys.exit(77)
    tree.report(faults, len(paths), "pages")


if __name__ == "__main__":
    main()
