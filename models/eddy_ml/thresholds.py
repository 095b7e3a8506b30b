# SPDX-License-Identifier: MIT
"""What the sensor must know beside the trees, from held-out flows: the alert threshold, and how much to trust it.

A flow whose score reaches `alert` counts as an alert. Of each host the sensor compares how many of its flows are alerts
with the share of alerts among held-out benign flows. That share differs from host to host: it is taken to be
distributed as Beta(a, b), and `weight` = a + b says how many flows of a host it is worth against what the host shows.

With n_i flows and k_i alerts in hour and host i of m, N = sum n_i, s_i = k_i / n_i and s = sum k_i / N, a beta-binomial
distribution has the variance s (1 - s) (1 + (n_i - 1) r) / n_i of s_i, where r = 1 / (a + b + 1); so

    S = sum n_i (s_i - s)^2,     E[S] = s (1 - s) ((m - 1) + r (N - sum n_i^2 / N - (m - 1)))

which is solved for r: the method of moments with weights n_i (Kleinman, Proportions with extraneous variance: single
and independent samples, Journal of the American Statistical Association 68, 1973, pages 46-54). No weight above the
number of alerts that it was told from is claimed. That is a margin of safety and no theorem: a likelihood might tell
more from the same alerts; who overrates the weight has false alarms, who underrates it finds attacks later.

How surprising many alerts of one host are is told by the tail of that distribution. The tail is an assumption: a few
dozen or hundred held-out hours of hosts, which is what there usually is, cannot prove it so far out, nor the p-values
that follow from it. The metadata say how many hours of hosts, and how many alerts, there were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

LEAST_WEIGHT, MOST_WEIGHT, USUAL_WEIGHT = 1.0, 1000.0, 20.0
FEW_HOURS, FEW_ALERTS = 10, 10  # with fewer, a variance means nothing: USUAL_WEIGHT
ENOUGH_EXPECTED = 10.0  # alerts in as many benign flows as were held out, at the wanted rate
HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Alert:
    threshold: float
    rate: float  # share of held-out benign flows that reach it
    flows: int  # held-out benign ones
    established: bool  # there were enough of them to tell the wanted rate


def alert_of(scores: Numbers, false_rate: float, least: float) -> Alert:
    """The smallest threshold, not below `least`, that at most `false_rate` of these benign scores reach."""
    if len(scores) == 0:
        raise ValueError("no benign flow is held out: no alert threshold can be told")
    falling = np.sort(scores)[::-1]
    allowed = int(false_rate * len(scores))
    threshold = 0.0
    if allowed < len(scores):
        threshold = float(np.nextafter(falling[allowed], 2.0))  # ties with it would be too many
    threshold = min(max(threshold, least), 1.0)
    rate = float(np.mean(scores >= threshold))
    return Alert(threshold, rate, len(scores), false_rate * len(scores) >= ENOUGH_EXPECTED and rate <= false_rate)


def weight_of(flows: npt.NDArray[np.int64], alerts: npt.NDArray[np.int64]) -> float:
    """a + b of how the share of alerts is distributed among hours of hosts with so many flows and alerts."""
    if len(flows) < FEW_HOURS or alerts.sum() < FEW_ALERTS:
        return USUAL_WEIGHT
    n, k = flows.astype(np.float64), alerts.astype(np.float64)
    share, count = k.sum() / n.sum(), len(n) - 1
    room = n.sum() - (n**2).sum() / n.sum() - count
    if share >= 1.0 or room <= 0.0:  # all are alerts, or each has one flow
        return USUAL_WEIGHT
    spread = (n * (k / n - share) ** 2).sum() / (share * (1.0 - share))
    correlation = (spread - count) / room
    most = min(MOST_WEIGHT, max(USUAL_WEIGHT, float(alerts.sum())))
    if correlation <= 0.0:  # no more spread than chance
        return most
    return float(np.clip(1.0 / correlation - 1.0, LEAST_WEIGHT, most))


def by_host_and_hour(captures: npt.NDArray[np.object_], hosts: npt.NDArray[np.object_],
                     start_us: npt.NDArray[np.int64], alerts: npt.NDArray[np.bool_],
                     ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Flows and alerts of each host and hour that has any; an address in two captures may be two hosts."""
    places: dict[tuple[str, str, int], int] = {}
    keys = zip(captures, hosts, (start_us // HOUR_US).tolist(), strict=True)
    place = np.fromiter((places.setdefault(key, len(places)) for key in keys), np.int64, len(hosts))
    return np.bincount(place), np.bincount(place, weights=alerts).astype(np.int64)


def rates_by_capture(captures: npt.NDArray[np.object_], alerts: npt.NDArray[np.bool_]) -> dict[str, float]:
    """One rate for all hides a place that is unlike the others."""
    return {str(name): float(np.mean(alerts[captures == name])) for name in dict.fromkeys(captures.tolist())}
