# SPDX-License-Identifier: MIT
"""`python3 -m eddy_ml COMMAND ...`: each command is a module that has `arguments(parser)` and `run(args)`."""

from __future__ import annotations

import argparse
import importlib
import sys

from eddy_ml.lib import EddyError

# name: (module, what it does in one line)
COMMANDS: dict[str, tuple[str, str]] = {
    "clean": ("clean", "logs -> a table of flows, and what became of every record"),
    "features": ("features", "logs -> a table of columns, as the sensor works them out"),
    "train": ("train", "captures with labels -> a model file, its metadata, numbers, plots and card"),
    "evaluate": ("evaluate", "a model file and captures with labels -> how good it is"),
    "across": ("across", "captures with labels -> how good a way of training is where it has not been"),
    "card": ("card", "metadata and numbers of a model -> its card"),
    "track": ("track", "train, as a run of an MLflow server"),
    "parity": ("parity", "a model file and the estimator it was made from: the same numbers?"),
    "version": ("data_version", "the version of the data that dvc.lock tells"),
    "register": ("registry", "a model file -> a version of a registered model on an MLflow server"),
    "promote": ("promote", "makes a version the champion, which sensors pull"),
    "rollback": ("rollback", "makes the champion before the champion again"),
}


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] not in COMMANDS:
        print("usage: python3 -m eddy_ml COMMAND ...\n", file=sys.stderr)
        for name, (_, purpose) in COMMANDS.items():
            print(f"  {name:10} {purpose}", file=sys.stderr)
        return 0 if words and words[0] in ("-h", "--help") else 2
    name, purpose = COMMANDS[words[0]]
    command = importlib.import_module(f"eddy_ml.{name}")
    parser = argparse.ArgumentParser(prog=f"python3 -m eddy_ml {words[0]}", description=purpose)
    command.arguments(parser)
    try:
        return int(command.run(parser.parse_args(words[1:], argparse.Namespace(words=words))))
    except (OSError, ValueError, EddyError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
