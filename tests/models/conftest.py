# SPDX-License-Identifier: MIT
"""What the tests of models have in common: the repository's own package, libeddy, and a count of rows compared."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("EDDY_BUILD", ROOT / "build" / "dev")).resolve()
os.environ.setdefault("EDDY_LIBRARY", str(BUILD / "core" / "libeddy.so.0"))
sys.path.insert(0, str(ROOT / "models"))

compared: dict[str, int] = {}  # what: how many rows


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="more forests, drawn anew each time")


def pytest_configure(config: pytest.Config) -> None:
    meant = ("invalid value encountered in reduce", "overflow encountered in cast", "Using the fractional value")
    for warning in meant:
        config.addinivalue_line("filterwarnings", f"ignore:{warning}")  # of data that is meant to hurt
    try:
        import hypothesis
    except ImportError:
        return
    quiet = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture]
    for name, more in (("quick", False), ("long", True)):
        hypothesis.settings.register_profile(name, deadline=None, database=None, derandomize=not more,
                                             suppress_health_check=quiet, max_examples=400 if more else 40,
                                             print_blob=True)  # fmt: skip
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "quick")


def max_examples(share: float) -> int:
    """A share of the profile's examples, for tests of forests that are slow to grow."""
    import hypothesis

    return max(1, int(hypothesis.settings.default.max_examples * share))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, rows in compared.items():
        terminalreporter.write_line(f"compared: {rows:,} rows, {what}")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def eddy() -> Path:
    """The command line of the build."""
    path = BUILD / "plugins" / "eddy" / "eddy"
    if not path.exists():
        pytest.skip(f"{path} is not built")
    return path
