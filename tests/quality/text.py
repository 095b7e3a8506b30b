# SPDX-License-Identifier: MIT
"""Numbers and tables as words of README.md."""

from __future__ import annotations

from collections import Counter


def number(value: float) -> str:
    return f"{value:,.0f}"


def share(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if value < 1 else "1.0"


def span(seconds: float) -> str:
    """Two figures are enough: 45 s, 12 min, 3.4 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def by_detector(detectors: list[str]) -> str:
    return " ".join(f"{count} {name}" for name, count in sorted(Counter(detectors).items())) or "none"


def reasons(counted: dict[str, int]) -> str:
    return ", ".join(f"{number(count)} {reason}" for reason, count in sorted(counted.items())) or "none"
