# SPDX-License-Identifier: MIT
"""The package installs from the clone, is typed, and finds libeddy or says how."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eddy_ml.__main__ import COMMANDS


def ran(words: list[str], **rest: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, **rest)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install ./models` installs; from a copy, because setuptools builds beside the sources."""
    folder = tmp_path_factory.mktemp("package")
    left_out = shutil.ignore_patterns("__pycache__", "build", "shipped")
    shutil.copytree(root / "models", folder / "models", ignore=left_out)
    done = ran([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check", "--target",
                str(folder / "to"), str(folder / "models")])  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "to"


def test_pip_installs_it_from_the_clone(installed: Path, root: Path) -> None:
    theirs = {path.relative_to(installed).as_posix() for path in (installed / "eddy_ml").rglob("*.py")}
    ours = {path.relative_to(root / "models").as_posix() for path in (root / "models" / "eddy_ml").rglob("*.py")}
    assert theirs == ours
    assert (installed / "eddy_ml" / "py.typed").exists()


def test_without_a_library_it_says_what_to_do(installed: Path, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "EDDY_LIBRARY"}
    words = [sys.executable, "-m", "eddy_ml", "features", "/dev/null", "-o", "x.parquet"]
    env |= {"PYTHONPATH": str(installed), "EDDY_LIBRARY": str(tmp_path / "nowhere.so")}
    done = ran(words, env=env, cwd=tmp_path)
    assert done.returncode == 1 and "set EDDY_LIBRARY" in done.stderr and "nowhere.so" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_command_has_help(root: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(root / "models")}
    for name in COMMANDS:
        done = ran([sys.executable, "-m", "eddy_ml", name, "--help"], env=env)
        assert done.returncode == 0 and "usage:" in done.stdout, f"{name}: {done.stderr}"


def test_ruff_finds_nothing(root: Path) -> None:
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not in this stack")
    words = [sys.executable, "-m", "ruff", "check", "--config", "pyproject.toml", "--no-cache", ".", "../tests/models"]
    done = ran(words, cwd=root / "models")
    assert done.returncode == 0, done.stdout


def test_mypy_finds_nothing(root: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not in this stack")
    words = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--cache-dir", str(tmp_path), "eddy_ml"]
    done = ran(words, cwd=root / "models")
    assert done.returncode == 0, done.stdout
