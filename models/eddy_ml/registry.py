# SPDX-License-Identifier: MIT
"""A trained model, with its story, to an MLflow server: a run, a version of a registered model, and its alias.

`eddy model pull models:/NAME@champion` on a sensor asks for what the alias names, and compares the file with the
version's tag `eddy.sha256`. Aliases: `champion` is what sensors use, `challenger` what only scores beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eddy_ml import lib, predict

CHAMPION, CHALLENGER = "champion", "challenger"
SHA256, FEATURES, VERSION, RUNNER_UP = "eddy.sha256", "eddy.features_sha256", "eddy.version", "eddy.champion_before"
FLAVOR = Path(__file__).resolve().parent / "mlflow_flavor.py"
KEY_MOST, VALUE_MOST = 250, 6000  # of MLflow's parameters and tags; runs of PostgreSQL servers take no more
AT_ONCE = 100  # parameters or metrics of one request


@dataclass(frozen=True)
class Registered:
    name: str
    version: str
    run_id: str
    sha256: str
    feature_schema_sha256: str


def connect(server: str | None = None) -> Any:
    """A client of the server that is named, or by $MLFLOW_TRACKING_URI."""
    server = server or os.environ.get("MLFLOW_TRACKING_URI")
    if not server:
        raise ValueError("which MLflow server? --server URL or $MLFLOW_TRACKING_URI")
    # A sensor's trainer should not hang for minutes on a server that is down; MLflow's own initial values do.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    import mlflow
    mlflow.set_tracking_uri(server)
    return mlflow.MlflowClient()


# ---- Runs


def open_run(client: Any, experiment: str, name: str) -> str:
    """A new run; whoever opens it closes it with `client.set_terminated`."""
    found = client.get_experiment_by_name(experiment)
    number = found.experiment_id if found else client.create_experiment(experiment)
    return str(client.create_run(number, run_name=name).info.run_id)


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """{"a": {"b": 1}} as a.b: 1; of lists, their words together."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        yield name, " ".join(map(str, value))
    elif not isinstance(value, list):
        yield name, value


def allowed(name: str) -> str:
    """Names that MLflow takes: letters, digits and _-./ and blanks."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-./ ") else "_" for letter in name)
    return kept[:KEY_MOST]


def params_of(about: dict[str, Any]) -> dict[str, str]:
    """What the training was told: settings, hyperparameters, the split."""
    told = {key: about[key] for key in ("algorithm", "params", "split", "hyperparameters", "classes") if key in about}
    return {allowed(name): str(value)[:VALUE_MOST] for name, value in leaves(told)}


def numbers_of(metrics: dict[str, Any]) -> dict[str, float]:
    return {allowed(name): float(value) for name, value in leaves(metrics)
            if isinstance(value, int | float) and not isinstance(value, bool)}


def files_of(about: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The files that a model was made from, and what each was for."""
    for one in about.get("training_data", []):
        for file in one["files"]:
            yield file, one["role"]
        if one.get("labels"):
            yield one["labels"], f"labels, {one['role']}"


def log_story(client: Any, run_id: str, about: dict[str, Any], metrics: dict[str, Any]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
    params = [Param(*pair) for pair in params_of(about).items()]
    numbers = [Metric(key, value, 0, 0) for key, value in numbers_of(metrics).items()]
    for begin in range(0, len(params), AT_ONCE):
        client.log_batch(run_id, params=params[begin:begin + AT_ONCE])
    for begin in range(0, len(numbers), AT_ONCE):
        client.log_batch(run_id, metrics=numbers[begin:begin + AT_ONCE])
    inputs = [DatasetInput(Dataset(name=file["uri"], digest=file["sha256"][:36], source_type="local",
                                   source=json.dumps({"uri": file["uri"], "sha256": file["sha256"]})),
                           [InputTag("mlflow.data.context", role)]) for file, role in files_of(about)]
    client.log_inputs(run_id, inputs)


def beside(model: Path) -> list[Path]:
    """Everything that `train` wrote for this model: NAME_metadata.json, plots, the card."""
    return sorted(path for path in model.parent.glob(f"{model.stem}_*")
                  if path.suffix in (".json", ".md", ".png", ".csv"))


def log_run(client: Any, run_id: str, model: Path) -> None:
    """Parameters, metrics, hashes of the data, and all files."""
    about = predict.Model(model).metadata
    numbers = model.with_name(f"{model.stem}_metrics.json")
    log_story(client, run_id, about, json.loads(numbers.read_text(encoding="utf-8")) if numbers.exists() else {})
    for path in (model, *beside(model)):
        client.log_artifact(run_id, str(path), "training")


# ---- Versions


def log_flavor(run_id: str, model: Path, asked: predict.Model) -> str:
    """The model as MLflow's own tools load it: `mlflow.pyfunc.load_model`, `mlflow models serve`. Its code is a file
    and no pickle; it needs libeddy where it runs. Returns its address."""
    import warnings

    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    warnings.filterwarnings("ignore", message=r".*input example was not provided")  # the columns are named
    answers = asked.outputs if asked.benign is None else [*asked.outputs, "score"]
    signature = ModelSignature(Schema([ColSpec("double", name) for name in asked.columns]),
                               Schema([ColSpec("double", name) for name in answers]))
    with mlflow.start_run(run_id=run_id, log_system_metrics=False):
        return str(mlflow.pyfunc.log_model(
            name=model.stem, python_model=str(FLAVOR), artifacts={"model": str(model)}, signature=signature,
            code_paths=[str(FLAVOR.parent)], pip_requirements=["numpy", "pandas", "pyarrow"],
            metadata={"sha256": asked.sha256}).model_uri)


def register(client: Any, model: Path, name: str, run_id: str | None = None) -> Registered:
    """A new version of NAME; its run is the one that the model's metadata names, or a new one."""
    import mlflow
    asked = predict.Model(model)  # every byte was looked at
    trainer = asked.metadata.get("trainer")
    run_id = run_id or (trainer.get("mlflow_run_id") if isinstance(trainer, dict) else None)
    if run_id is None:
        run_id = open_run(client, name, f"{asked.name} {asked.version}")
        log_run(client, run_id, model)
    fingerprint = lib.fingerprint(asked.columns).hex()
    tags = {SHA256: asked.sha256, FEATURES: fingerprint, VERSION: asked.version}
    version = mlflow.register_model(log_flavor(run_id, model, asked), name, tags=tags)
    client.set_terminated(run_id)
    return Registered(name, str(version.version), run_id, asked.sha256, fingerprint)


def version_of(client: Any, name: str, alias: str) -> Any | None:
    """The version that an alias names; None if there is no such alias."""
    aliases = client.get_registered_model(name).aliases
    return client.get_model_version(name, aliases[alias]) if alias in aliases else None


def promote(client: Any, name: str, version: str | None = None) -> tuple[str, str | None]:
    """The alias `champion` moves to a version, initially the challenger. Returns both, the new and the one before."""
    before = version_of(client, name, CHAMPION)
    if version is None:
        challenger = version_of(client, name, CHALLENGER)
        if challenger is None:
            raise ValueError(f"{name} has no alias '{CHALLENGER}': which version?")
        version = str(challenger.version)
    chosen = client.get_model_version(name, version)
    if SHA256 not in chosen.tags:
        raise ValueError(f"version {version} of {name} has no tag {SHA256}: sensors would refuse it")
    if before is not None and str(before.version) == version:
        return version, version
    if before is not None:
        client.set_model_version_tag(name, version, RUNNER_UP, str(before.version))
    client.set_registered_model_alias(name, CHAMPION, version)
    return version, str(before.version) if before is not None else None


def roll_back(client: Any, name: str) -> tuple[str, str]:
    """The alias `champion` moves back to the version that was champion before."""
    now = version_of(client, name, CHAMPION)
    if now is None:
        raise ValueError(f"{name} has no alias '{CHAMPION}'")
    before = now.tags.get(RUNNER_UP)
    if before is None:
        raise ValueError(f"version {now.version} of {name} was the first champion: there is none before it")
    client.set_registered_model_alias(name, CHAMPION, before)
    return before, str(now.version)


# ---- python3 -m eddy_ml register


def server_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", metavar="URL", help="of MLflow; else $MLFLOW_TRACKING_URI")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.eddy", help="with what training wrote beside it")
    parser.add_argument("--name", help="of the registered model; else the model's own")
    parser.add_argument("--alias", action="append", default=[], help=f"such as {CHALLENGER}; may be repeated")
    parser.add_argument("--promote", action="store_true", help=f"make it the {CHAMPION} at once")
    parser.add_argument("--run-id", help="a run that is there already; else the one in the metadata, or a new one")
    parser.add_argument("--out", type=Path, metavar="JSON", help="where to write name, version and hashes")
    server_argument(parser)


def guarded(action: Any) -> int:
    """What MLflow raises, as one line."""
    from mlflow.exceptions import MlflowException
    try:
        return int(action())
    except MlflowException as error:
        lines = str(error).splitlines()
        print(f"MLflow: {lines[0] if lines else type(error).__name__}", file=sys.stderr)
        return 1


def run(options: argparse.Namespace) -> int:
    client = connect(options.server)

    def action() -> int:
        done = register(client, options.model, options.name or predict.Model(options.model).name, options.run_id)
        for alias in options.alias:
            client.set_registered_model_alias(done.name, alias, done.version)
        if options.promote:
            promote(client, done.name, done.version)
        if options.out:
            options.out.write_text(json.dumps(asdict(done), indent=1) + "\n", encoding="utf-8")
        names = [*options.alias, *([CHAMPION] if options.promote else [])]
        print(f"{done.name} version {done.version}{''.join(f' @{name}' for name in names)}: run {done.run_id}, "
              f"SHA-256 {done.sha256}")
        return 0

    return guarded(action)
