# SPDX-License-Identifier: MIT
"""Makes the version that was champion before the champion again."""

from __future__ import annotations

import argparse

from eddy_ml import registry


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="of the registered model")
    registry.server_argument(parser)


def run(options: argparse.Namespace) -> int:
    client = registry.connect(options.server)

    def action() -> int:
        now, before = registry.roll_back(client, options.name)
        print(f"{options.name}: version {now} is {registry.CHAMPION} again, and no longer {before}")
        return 0

    return registry.guarded(action)
