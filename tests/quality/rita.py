# SPDX-License-Identifier: MIT
"""RITA's beacon score, written plainly from what RITA v5 says of it, not from its code.

Sources: its default_config.hjson and docs/Configuration.md (weights, limits, thresholds), and the description of
the four parts in words. Not here: modifiers for prevalence, age, signatures; names (SNI); the strobe list. Where the
documents leave a choice, it is made so and said so below.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import mean, median, pstdev

from flows import Flow, is_own

LEAST_CONNECTIONS = 4  # unique_connection_threshold
MOST_CONNECTIONS = 86400  # more is a strobe
HOURS = 24
MIN_HOURS_SEEN = 6  # duration_min_hours_seen: must be exceeded
IDEAL_HOURS = 12  # duration_consistency_ideal_hours_seen
MODE_SENSITIVITY = 0.05  # histogram_mode_sensitivity
OUTLIERS = 1  # histogram_bimodal_outlier_removal
BIMODAL_MIN_HOURS = 11  # histogram_bimodal_min_hours_seen
LISTED, HIGH = 0.5, 0.9  # score_thresholds: base and medium's end


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Linear between the two nearest values, as most programs do; the documents do not say."""
    ordered = sorted(values)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    return at(0.25), at(0.5), at(0.75)


def evenness(values: list[float]) -> float:
    """Mean of 1 - |Bowley's skewness| and of (median - MAD) / median: of gaps, and the same of sizes."""
    low, middle, high = quartiles(values)
    skewness = (low + high - 2 * middle) / (high - low) if high > low else 0.0
    deviation = median(abs(value - middle) for value in values)
    spread = max((middle - deviation) / middle, 0.0) if middle > 0 else 0.0
    return (1 - abs(skewness) + spread) / 2


def histogram_of(times: list[float], begin: float, end: float) -> list[int]:
    """Connections in each of 24 parts of the data's time, of an hour if it is a day."""
    width = max(end - begin, 1e-9) / HOURS
    counts = [0] * HOURS
    for at in times:
        counts[min(max(int((at - begin) / width), 0), HOURS - 1)] += 1
    return counts


def histogram_score(counts: list[int]) -> float:
    """The better of two: all hours are alike (1 - coefficient of variation), or those with any are of two kinds."""
    alike = max(1 - pstdev(counts) / mean(counts), 0.0)
    seen = [count for count in counts if count > 0]
    if len(seen) < BIMODAL_MIN_HOURS:
        return alike
    width = max(max(seen) * MODE_SENSITIVITY, 1.0)
    kinds = Counter(int(count / width) for count in seen).most_common(2)
    two_kinds = sum(n for _, n in kinds) / max(len(seen) - OUTLIERS, 1)
    return max(alike, min(two_kinds, 1.0))


def duration_score(counts: list[int], times: list[float], begin: float, end: float) -> float:
    """The better of two: how much of the data's time lies between first and last connection, and the longest run of
    hours with any, over 12. None of it before more than 6 hours were seen."""
    if sum(count > 0 for count in counts) <= MIN_HOURS_SEEN:
        return 0.0
    coverage = (max(times) - min(times)) / max(end - begin, 1e-9)
    run = longest = 0
    for count in counts:
        run = run + 1 if count > 0 else 0
        longest = max(longest, run)
    return min(max(coverage, longest / IDEAL_HOURS), 1.0)


def score(times: list[float], sizes: list[float], begin: float, end: float) -> float | None:
    """None if it is not judged: too few connections at different times, or too many."""
    times = sorted(times)
    if len(set(times)) < LEAST_CONNECTIONS or len(times) > MOST_CONNECTIONS:
        return None
    gaps = [b - a for a, b in zip(times, times[1:])]
    counts = histogram_of(times, begin, end)
    return mean([evenness(gaps), evenness(sizes), histogram_score(counts), duration_score(counts, times, begin, end)])


def pairs(flows: list[Flow], begin: float) -> dict[tuple[str, str], float]:
    """Score of each pair of an own host and one on the Internet, ports together: RITA leaves out all other traffic.
    The data's time runs from begin to the last flow's start."""
    of_pair: dict[tuple[str, str], list[Flow]] = defaultdict(list)
    for flow in flows:
        if is_own(flow.src) and not is_own(flow.dst):
            of_pair[flow.src, flow.dst].append(flow)
    end = max(flow.start for flow in flows)
    found = {}
    for pair, of_one in of_pair.items():
        judged = score([flow.start for flow in of_one], [float(flow.bytes_out) for flow in of_one], begin, end)
        if judged is not None:
            found[pair] = judged
    return found
