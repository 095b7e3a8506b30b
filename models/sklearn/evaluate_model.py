#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Judges a model file on labelled captures; `python3 -m eddy_ml evaluate` is the same.

    python3 models/sklearn/evaluate_model.py out/office.eddy --captures captures.yaml --on tuesday \\
        --out out/
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package of this clone

from eddy_ml.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
