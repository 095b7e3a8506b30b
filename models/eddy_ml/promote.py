# SPDX-License-Identifier: MIT
"""Makes a version of a registered model the champion: what sensors pull."""

from __future__ import annotations

import argparse

from eddy_ml import registry


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="of the registered model")
    parser.add_argument("version", nargs="?", help=f"else the {registry.CHALLENGER}")
    registry.server_argument(parser)


def run(options: argparse.Namespace) -> int:
    client = registry.connect(options.server)

    def action() -> int:
        now, before = registry.promote(client, options.name, options.version)
        print(f"{options.name}: version {now} is {registry.CHAMPION}; before: {before or 'none'}")
        return 0

    return registry.guarded(action)
