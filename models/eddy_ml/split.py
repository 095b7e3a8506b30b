# SPDX-License-Identifier: MIT
"""Which captures train and which judge: whole captures, in order of time, never at random.

Flows of one capture resemble each other far more than those of the next one will: a forest judged on flows of captures
that it has seen looks perfect and is not. So captures are never cut; of a single one, where there is no choice, the
later part is held out, and that is said wherever its numbers are told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eddy_ml.captures import Capture, Flows, Source
from eddy_ml.params import Params

BY_CAPTURE, BY_TIME = "by_capture", "by_time_within_one_capture"


@dataclass(frozen=True)
class Split:
    """Names of captures. `cut_us`: where a single one is cut."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    test: tuple[str, ...]
    method: str
    warnings: tuple[str, ...]
    cut_us: int | None = None


def group_of(capture: Capture) -> str:
    return capture.group or f"capture {capture.name}"


def check_names(params: Params, captures: list[Capture]) -> None:
    known = {capture.name for capture in captures}
    named = [*params.train, *params.held_out, *params.test]
    for name in named:
        if name not in known:
            raise ValueError(f"no capture '{name}'; there are: {', '.join(sorted(known))}")
    if len(set(named)) < len(named):
        raise ValueError("a capture is named twice among train, held_out and test")


def check_groups(captures: list[Capture], sides: dict[str, str]) -> None:
    side_of: dict[str, tuple[str, str]] = {}
    for capture in captures:
        side = sides.get(capture.name)
        if side is None:
            continue
        other, first = side_of.setdefault(group_of(capture), (side, capture.name))
        if other != side:
            raise ValueError(f"group '{group_of(capture)}' would be cut: {first} is for {other}, "
                             f"{capture.name} for {side}")


def sides_of(split: Split) -> dict[str, str]:
    """What each capture is for; one that is cut by time is for training."""
    return (dict.fromkeys(split.held_out, "held out") | dict.fromkeys(split.train, "training")
            | dict.fromkeys(split.test, "tests"))


def check_files(captures: list[Capture], sides: dict[str, str], sha256_of: Callable[[Path], str]) -> None:
    """The same log under two names would be on two sides unnoticed."""
    seen: dict[str, tuple[str, str, Path]] = {}
    for capture in captures:
        side = sides.get(capture.name)
        for log in capture.logs if side is not None else ():
            other, name, path = seen.setdefault(sha256_of(log), (str(side), capture.name, log))
            if other != side:
                raise ValueError(f"{log} of {capture.name}, which is for {side}, is the same file as {path} of "
                                 f"{name}, which is for {other}: what was judged would be what was learned")


def latest_groups(sources: list[Source], share: float, all_of_them: bool) -> list[str]:
    """The groups whose last flow is the latest: `share` of all, at least one; never all, unless that is allowed."""
    last: dict[str, int] = {}
    for source in sources:
        group = group_of(source.capture)
        last[group] = max(last.get(group, source.last_us), source.last_us)
    wanted = min(max(1, round(share * len(last))), len(last) if all_of_them else len(last) - 1)
    return sorted(last, key=lambda group: last[group])[len(last) - wanted:]


def time_warnings(sources: list[Source], train: list[str], others: list[str]) -> list[str]:
    first = {source.capture.name: source.first_us for source in sources}
    end = max(source.last_us for source in sources if source.capture.name in train)
    early = [name for name in others if first[name] < end]
    return [f"{', '.join(early)}: began before the last capture for training ended; what was judged is not all of "
            "the future, only of other captures"] if early else []


def split_of(params: Params, sources: list[Source]) -> Split:
    captures = [source.capture for source in sources]
    check_names(params, captures)
    test = params.test
    free = [source for source in sources if source.capture.name not in test]
    held_out = params.held_out
    if not held_out:
        if len({group_of(source.capture) for source in free}) <= 1:
            return split_one(params, sources, free)
        held_out = chosen(params, free)
    train = params.train or tuple(source.capture.name for source in free if source.capture.name not in held_out)
    if set(train) & set(held_out) or not train:
        raise ValueError("nothing is left to train on: all captures are held out or for tests")
    found = Split(train, held_out, test, BY_CAPTURE, tuple(time_warnings(sources, list(train), [*held_out, *test])))
    check_groups(captures, sides_of(found))
    return found


def chosen(params: Params, free: list[Source]) -> tuple[str, ...]:
    """The latest captures, of those whose group is not named for training."""
    taken = {group_of(source.capture) for source in free if source.capture.name in params.train}
    rest = [source for source in free if group_of(source.capture) not in taken]
    if not rest:
        raise ValueError("nothing is left to hold out: all captures are for training or for tests")
    late = latest_groups(rest, params.held_out_share, bool(taken))
    return tuple(source.capture.name for source in rest if group_of(source.capture) in late)


def split_one(params: Params, sources: list[Source], free: list[Source]) -> Split:
    """Of captures of a single group the last part of their time is held out."""
    free = [source for source in free if not params.train or source.capture.name in params.train]
    if not free:
        raise ValueError("nothing is left to train on: all captures are for tests")
    begin, end = min(source.first_us for source in free), max(source.last_us for source in free)
    cut = round(end - params.held_out_share * (end - begin))
    names = tuple(source.capture.name for source in free)
    check_groups([source.capture for source in sources],
                 dict.fromkeys(names, "training") | dict.fromkeys(params.test, "tests"))
    warning = (f"{', '.join(names)}: only one capture, cut at a moment: training and held-out flows are of the same "
               "hosts on the same day, and numbers about them are far better than any other day will be")
    return Split(names, names, params.test, BY_TIME, (warning,), cut)


def parts_of(split: Split, flows: Flows) -> tuple[Flows, Flows, Flows]:
    """Flows to train with, held-out ones, ones for tests. Those that span the cut are in none."""
    test = flows.of(split.test) if split.test else flows.where(np.zeros(len(flows), dtype=bool))
    train, held_out = flows.of(split.train), flows.of(split.held_out)
    if split.cut_us is not None:
        train = train.where(train.end_us < split.cut_us)
        held_out = held_out.where(held_out.start_us >= split.cut_us)
    return train, held_out, test


def thinned(flows: Flows, most: int, seed: int) -> Flows:
    """At most so many of one class and capture, so that no capture outweighs all others; in their order."""
    random = np.random.default_rng(seed)
    kept = []
    for name in dict.fromkeys(flows.captures.tolist()):
        own = flows.captures == name
        for one in sorted(set(flows.classes[own].tolist())):
            rows = np.flatnonzero(own & (flows.classes == one))
            kept.append(np.sort(random.choice(rows, most, replace=False)) if len(rows) > most else rows)
    return flows.where(np.sort(np.concatenate(kept)))

