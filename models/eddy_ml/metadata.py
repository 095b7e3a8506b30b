# SPDX-License-Identifier: MIT
"""The story of a model, as it goes into the file and beside it: models/metadata.schema.json has the form."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shlex
import subprocess
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eddy_ml import __version__, lib
from eddy_ml.captures import Source
from eddy_ml.split import Split

SCHEMA_VERSION = 1
# Who trains inside a pipeline or a tracked run says so by keyword or by these.
DVC_LOCK_VARIABLE, MLFLOW_RUN_VARIABLE = "EDDY_ML_DVC_LOCK", "MLFLOW_RUN_ID"


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- Origin


def git_commit(folder: Path) -> str | None:
    """Of the clone of eddy that this folder belongs to. None of any other repository that happens to be around it, such
    as of the project whose virtual environment this is installed in."""
    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    top, commit = git("rev-parse", "--show-toplevel"), git("rev-parse", "HEAD")
    if not top or not commit or (Path(top) / "models" / "eddy_ml").resolve() != folder.resolve():
        return None
    if not git("ls-files", "--", str(folder / "metadata.py")):  # copied there, ignored
        return None
    return commit + ("-dirty" if git("status", "--porcelain", "--", str(folder)) else "")


def trainer(command: Sequence[str], dvc_lock_sha256: str | None, mlflow_run_id: str | None) -> dict[str, Any]:
    commit = git_commit(Path(__file__).resolve().parent)
    about: dict[str, Any] = {"name": "eddy_ml", "version": __version__,
                             **({"git_commit": commit} if commit else {}), "command": shlex.join(command)}
    lock = os.environ.get(DVC_LOCK_VARIABLE)
    dvc_lock_sha256 = dvc_lock_sha256 or (sha256_of(Path(lock)) if lock else None)
    mlflow_run_id = mlflow_run_id or os.environ.get(MLFLOW_RUN_VARIABLE)
    if dvc_lock_sha256:
        about["dvc_lock_sha256"] = dvc_lock_sha256
    if mlflow_run_id:
        about["mlflow_run_id"] = mlflow_run_id
    return about


def framework() -> dict[str, str]:
    return {"name": "scikit-learn", "version": importlib.metadata.version("scikit-learn"),
            "python": platform.python_version(), "numpy": np.__version__}


# ---- Data


def file_of(path: Path, beside: Path) -> dict[str, Any]:
    """Its name as the captures file has it: a path of this machine means nothing on another one."""
    return {"uri": os.path.relpath(path, beside), "sha256": sha256_of(path), "bytes": path.stat().st_size}


def role_of(name: str, split: Split) -> str:
    roles = [role for role in ("train", "held_out", "test") if name in getattr(split, role)]
    return " and ".join(roles) or "unused"


def data_of(sources: list[Source], split: Split) -> list[dict[str, Any]]:
    found = []
    for source in sources:
        capture, records = source.capture, source.records
        files = [file_of(log, capture.beside) | {"flows": records.files.get(str(log), 0)} for log in capture.logs]
        one = {"capture": capture.name, "role": role_of(capture.name, split), "files": files,
               "labels": file_of(capture.labels, capture.beside) if capture.labels else None, "joined": source.labels,
               "flows": source.flows, "records_rejected": records.rejected, "classes": source.classes,
               "time_range": [rfc3339(source.first_us / 1e6), rfc3339(source.last_us / 1e6)]}
        if capture.group:
            one["group"] = capture.group
        if capture.settings:
            one["settings"] = capture.settings
        found.append(one)
    return found


def split_of(split: Split, seed: int) -> dict[str, Any]:
    told: dict[str, Any] = {"method": split.method, "seed": seed, "train": list(split.train),
                            "held_out": list(split.held_out), "test": list(split.test),
                            "warnings": list(split.warnings)}
    if split.cut_us is not None:
        told["cut"] = rfc3339(split.cut_us / 1e6)
    return told


def features_of(columns: list[str], values: npt.NDArray[np.float64],
                importances: npt.NDArray[np.float64] | None) -> list[dict[str, Any]]:
    helps = lib.feature_helps()
    found = []
    for i, name in enumerate(columns):
        present = values[:, i][~np.isnan(values[:, i])]
        one: dict[str, Any] = {"name": name, "dtype": "float64", "meaning": helps.get(name, ""),
                               "missing_policy": "NaN goes right, or where the trainer sent it"}
        if len(present) > 0:
            one |= {"min": float(present.min()), "max": float(present.max())}
        if importances is not None:
            one["importance"] = float(importances[i])
        found.append(one)
    return found


def class_counts(classes: npt.NDArray[np.object_]) -> dict[str, int]:
    return dict(sorted(Counter(classes.tolist()).items()))
