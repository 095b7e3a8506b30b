# SPDX-License-Identifier: MIT
"""Versions of the data, from dvc.lock.

DVC writes what a stage was made from into dvc.lock when the stage has ended, so a stage cannot tell its own entry. The
entry of an earlier stage that reads the same files can be told: it was written moments ago. `sha256` is that of the
entry as JSON with sorted keys and without blanks, and of nothing else: the file also has what later stages came to the
last time.

    python3 -m eddy_ml version dvc.lock clean        # prints it, to compare with a model's metadata
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DataVersion:
    sha256: str
    md5: dict[Path, str]  # of files

    def annotate(self, about: dict[str, Any], beside: Path) -> None:
        """Each file in the metadata gets its `dvc_md5`. One that DVC does not know is an error: its version would
        be lost."""
        for one in about["training_data"]:
            for file in [*one["files"], *([one["labels"]] if one["labels"] else [])]:
                path = (beside / file["uri"]).resolve()
                if path not in self.md5:
                    raise ValueError(f"{file['uri']}: is no dependency of the stage in dvc.lock; name it in dvc.yaml")
                file["dvc_md5"] = self.md5[path]


def md5_of(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def check(path: Path, md5: str) -> str:
    """The file as it is now: an entry that is older than the data is no version of it."""
    if md5_of(path) != md5:
        raise ValueError(f"{path}: has changed since dvc.lock was written: run `dvc repro`")
    return md5


def read_lock(lock: Path, stage: str) -> DataVersion:
    import yaml
    given = yaml.safe_load(lock.read_text(encoding="utf-8"))
    entry = given.get("stages", {}).get(stage) if isinstance(given, dict) else None
    if entry is None:
        raise ValueError(f"{lock}: has no stage '{stage}'")
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"))
    files = {(lock.parent / dep["path"]).resolve(): dep["md5"] for dep in entry.get("deps", [])
             if "md5" in dep and not dep["md5"].endswith(".dir")}
    return DataVersion(hashlib.sha256(text.encode()).hexdigest(),
                       {path: check(path, md5) for path, md5 in files.items()})


# ---- python3 -m eddy_ml version


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lock", type=Path, metavar="dvc.lock")
    parser.add_argument("stage")


def run(options: argparse.Namespace) -> int:
    found = read_lock(options.lock, options.stage)
    print(found.sha256)
    for path, md5 in found.md5.items():
        print(f"  {md5}  {path}")
    return 0
