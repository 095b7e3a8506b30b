# SPDX-License-Identifier: MIT
"""The model card: Markdown, made of the metadata and the metrics and nothing else, so that it cannot say more."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from eddy_ml import measures

GOOD_FOR = {
    "random_forest": "Detector `forest`: names flows that look like attacks of the kinds it was trained on.",
    "isolation_forest": "Detector `iforest`: finds flows whose combination of columns is odd. It knows no attacks.",
}
CHANCE = 0.05  # what is less likely is said
NOT_FOR = [
    "Attacks that are of none of its classes: a forest knows only what it was shown.",
    "Blocking traffic. It scores flows for people to look at; a single flow proves nothing.",
    "Networks that are unlike those it was trained on, before its numbers there were measured: forests lose most of "
    "what they seem to know when they come to another place.",
]


def number(value: Any, digits: int = 3) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}f}"


def count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [" | ".join(head), " | ".join(["---", *["--:"] * (len(head) - 1)]), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def about(metadata: dict[str, Any]) -> str:
    framework, trainer = metadata.get("framework", {"name": "eddy", "version": ""}), metadata.get("trainer", {})
    lines = [f"# {metadata['name']} {metadata['version']}", "",
             f"A model file of eddy: {metadata['algorithm'].replace('_', ' ')}, trained with "
             f"{framework['name']} {framework['version']}, made {metadata.get('created', '-')}.", ""]
    if "artifact" in metadata:
        artifact = metadata["artifact"]
        lines.append(f"`{artifact['file']}`, {artifact['bytes']:,} bytes, SHA-256 `{artifact['sha256']}`.")
    if isinstance(trainer, dict):
        lines += ["", f"    {trainer['command']}", "", f"Code: commit {trainer.get('git_commit') or 'not known'}."]
    return "\n".join([*lines, f"Licence: {metadata.get('license') or 'not said'}."])


def purpose(metadata: dict[str, Any]) -> str:
    lines = ["## What for", "", GOOD_FOR.get(metadata["algorithm"], "Not known.")]
    classes = [name for name in metadata.get("classes", []) if name != "benign"]
    if classes:
        lines.append(f"Classes: {', '.join(classes)}, and benign.")
    if metadata.get("purpose"):
        lines += ["", metadata["purpose"]]
    return "\n".join([*lines, "", "## What not for", "", *(f"- {one}" for one in NOT_FOR)])


def data(metadata: dict[str, Any]) -> str:
    rows = []
    for one in metadata.get("training_data", []):
        attacks = sum(count for name, count in one["classes"].items() if name not in ("", "benign"))
        rows.append([one["capture"], one["role"], number(one["flows"]), number(attacks),
                     number(one["classes"].get("", 0)), one["time_range"][0], one["time_range"][1]])
    split = metadata.get("split", {})
    lines = ["## Data", "", table(["capture", "for", "flows", "of attacks", "left out", "from", "to"], rows), "",
             f"Split: {split.get('method', '-').replace('_', ' ')}, never at random. Grown from: " +
             ", ".join(f"{name} {count:,}" for name, count in metadata.get("training_rows", {}).items()) + "."]
    lines += [f"**Beware**: {warning}." for warning in split.get("warnings", [])]
    left = metadata.get("left_out_features", [])
    if left:
        lines.append(f"Columns left out: {', '.join(left)}.")
    return "\n".join(lines)


def thresholds(metadata: dict[str, Any]) -> str:
    told = metadata.get("thresholds", {})
    if "alert" not in told:
        return ""
    words = (f"A flow is an alert from {told['alert']:.4f} on. {told['held_out_rate']:.5f} of "
             f"{told['held_out_flows']:,} held-out benign flows reach it; {told['false_rate']:g} was wanted.")
    if not told["established"]:
        words += " These were too few flows, or their scores too alike, to tell that."
    return words


def ranks(name: str, one: dict[str, Any]) -> list[str]:
    return [name, number(one["roc_auc"]), number(one["pr_auc"]),
            *(number(value) for value in one["recall_at_false_alarms"].values())]


def spread(metrics: dict[str, Any]) -> str:
    told = [f"{name} {number(low)} to {number(high)}" for name, (low, high) in metrics.get("interval", {}).items()]
    if not told:
        return "There are too few recordings to say how far the numbers would differ on others."
    return f"With other recordings of the same kinds (95 % of drawings of whole recordings): {'; '.join(told)}."


def forms(metrics: dict[str, Any]) -> str:
    captures, recordings = len(metrics["by_capture"]), metrics["overall"].get("recordings", 0)
    if not 0 < recordings < captures:
        return ""
    return (f"These {captures} captures are of {recordings} recording{'s' if recordings > 1 else ''}, in several forms "
            "or of one place: the same attacks count more than once, and the numbers are less sure than so many flows "
            "make them look.")


def broken_promise(metadata: dict[str, Any], metrics: dict[str, Any]) -> str:
    """If more benign flows reached the alert threshold than was promised, by more than chance."""
    at, promised = metrics["overall"].get("at_alert"), metadata.get("thresholds", {}).get("false_rate")
    if not at or promised is None:
        return ""
    benign, false = metrics["overall"]["flows"] - metrics["overall"]["attacks"], round(at["false_alarms"])
    chance = measures.at_least(false, benign, promised)
    if benign == 0 or false <= promised * benign or chance >= CHANCE:
        return ""
    return (f"**More false alarms than promised**: {false / benign:.5f} of {benign:,} benign flows reach the "
            f"threshold; {promised:g} was wanted. Chance alone does that with p = {chance:.2g} (binomial, as if flows "
            "were independent).")


def beware(metadata: dict[str, Any], metrics: dict[str, Any]) -> str:
    said = metrics.get("warnings", metadata.get("metrics", {}).get("warnings", []))
    return "\n".join(f"**Beware**: {warning}." for warning in said)


def quality(metadata: dict[str, Any], metrics: dict[str, Any], judged_on: list[str]) -> str:
    whole = metrics["overall"]
    head = ["scores of", "ROC-AUC", "PR-AUC", *(f"recall at {most}" for most in whole["recall_at_false_alarms"])]
    rows = [ranks("this model", whole)]
    for name, one in metrics["baselines"].items():
        rows.append(ranks(f"column {one['column']} alone" if "column" in one else name.replace("_", " "), one))
    lines = ["## How good", "",
             f"On {', '.join(judged_on)}: {whole['flows']:,} flows, {whole['attacks']:,} of attacks, "
             f"{whole['days']:.2f} days. Recall is at so many false alarms.", "", table(head, rows), "",
             spread(metrics), *filter(None, (forms(metrics), beware(metadata, metrics)))]
    at = whole.get("at_alert")
    if at:
        lines += ["", f"At the alert threshold: recall {number(at['recall'])}, precision {number(at['precision'])}, "
                  f"F1 {number(at['f1'])}, {at['false_alarms']:.0f} false alarms."]
    return "\n".join([*lines, thresholds(metadata), broken_promise(metadata, metrics)]).rstrip("\n")


def by_family(metrics: dict[str, Any]) -> str:
    rows = [[name, count(one["flows"]), number(one.get("recall_at_alert")), number(one["recall_at_50_false_alarms"])]
            for name, one in metrics["by_family"].items()]
    return table(["family", "flows", "found at alert", "found at 50 false alarms"], rows) if rows else ""


def by_capture(metrics: dict[str, Any]) -> str:
    rows = []
    for name, one in metrics["by_capture"].items():
        at = one.get("at_alert", {})
        rows.append([name, number(one["flows"]), number(one["attacks"]), number(one["roc_auc"]),
                     number(at.get("recall")), count(at.get("false_alarms")), number(at.get("false_rate"), 5)])
    head = ["capture", "flows", "of attacks", "ROC-AUC", "found at alert", "false alarms", "of benign"]
    return table(head, rows)


def limits(metadata: dict[str, Any], metrics: dict[str, Any]) -> str:
    whole = metrics["overall"]
    said = ["## Limits", ""]
    one = metrics["baselines"].get("one_column")
    if one and (one["pr_auc"] or 0.0) >= (whole["pr_auc"] or 0.0):
        said.append(f"- **The column {one['column']} alone does as well.** These data do not show that a forest is "
                    "needed.")
    if "calibration_error" in whole:
        said.append(f"- The score is no probability: it is off by {number(whole['calibration_error'])} on average. "
                    "eddy makes p-values of it by the scores of held-out benign flows.")
    if metadata.get("split", {}).get("method") == "by_time_within_one_capture":
        said.append("- Judged on the very capture that it was trained on: expect far less elsewhere.")
    if whole["attacks"] == 0:
        said.append("- No attack was among the flows it was judged on.")
    said.append("- Columns that no data of training varied in were not learned from; drift of the others is shown by "
                "`eddy_feature_psi`.")
    return "\n".join(said)


def card(metadata: dict[str, Any], metrics: dict[str, Any], judged_on: list[str]) -> str:
    parts = [about(metadata), purpose(metadata), data(metadata), quality(metadata, metrics, judged_on),
             by_family(metrics), by_capture(metrics), limits(metadata, metrics)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


# ---- python3 -m eddy_ml card


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("metadata", type=Path, metavar="NAME_metadata.json")
    parser.add_argument("metrics", type=Path, metavar="NAME_metrics.json")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="CARD.md")


def run(options: argparse.Namespace) -> int:
    metadata = json.loads(options.metadata.read_text(encoding="utf-8"))
    metrics = json.loads(options.metrics.read_text(encoding="utf-8"))
    options.output.write_text(card(metadata, metrics, metrics["captures"]), encoding="utf-8")
    print(options.output)
    return 0
