#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains a forest on labelled captures, with scikit-learn; `python3 -m eddy_ml train` is the same.

    python3 models/sklearn/train_model.py --captures captures.yaml --params models/sklearn/params.yaml \\
        --name office --version 1.0.0 --out out/
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package of this clone

from eddy_ml.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
