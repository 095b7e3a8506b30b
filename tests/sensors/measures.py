# SPDX-License-Identifier: MIT
"""What is compared between the two sensors, how far they may be apart, and how often they must not be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

DIRECTION = 2  # EDDY_QUALITY_DIRECTION
SYN_FIN_RST = 7
TCP, UDP = "6", "17"


@dataclass
class Pair:
    """One connection, as eddy has it from both logs."""

    capture: str
    suricata: dict[str, str]
    zeek: dict[str, str]
    apps: tuple[str, str]  # as the sensors call it: Suricata, Zeek
    frame_bytes: tuple[int, int]
    tags: int

    @property
    def same_way(self) -> bool:
        return self.equal("src", "src_port", "dst", "dst_port")

    def equal(self, *names: str) -> bool:
        return all(self.suricata[name] == self.zeek[name] for name in names)

    def apart(self, name: str) -> float:
        return abs(float(self.suricata[name] or 0) - float(self.zeek[name] or 0))

    def doubt(self, sensor: str) -> bool:
        return int(getattr(self, sensor)["quality"]) & DIRECTION != 0

    def flags_apart(self, mask: int = 31) -> int:
        return sum((int(self.suricata[side]) ^ int(self.zeek[side])) & mask for side in ("tcp_out", "tcp_in"))


@dataclass
class Line:
    """One row of a table."""

    name: str
    cells: str  # in the middle
    measured: float
    floor: float

    def good(self) -> bool:
        return self.measured >= self.floor

    def text(self) -> str:
        return f"| {self.name} | {self.cells} | {self.measured:.1%} | {self.floor:.1%} |"


def share(pairs: list[Pair], holds: Callable[[Pair], bool]) -> float:
    return sum(map(holds, pairs)) / len(pairs)


# ---- Fields of a flow


def bytes_lines(pairs: list[Pair], settings: str, exact: float, near: float) -> list[Line]:
    """Of each direction that has packets: as bytes of one do not tell of the other's."""
    ways = [(pair, way) for pair in pairs for way in ("out", "in") if int(pair.zeek["packets_" + way]) > 0]
    same = sum(pair.equal("bytes_" + way) for pair, way in ways) / len(ways)
    close = sum(pair.apart("bytes_" + way) <= 6 * int(pair.zeek["packets_" + way]) for pair, way in ways) / len(ways)
    return [Line("IP bytes of a direction", f"equal, {settings}", same, exact),
            Line("IP bytes of a direction", f"within 6 a packet, {settings}", close, near)]


def fields(initial: list[Pair], pairs: list[Pair]) -> list[Line]:
    same = [pair for pair in pairs if pair.same_way]
    turned = [pair for pair in pairs if not pair.same_way]
    tcp = [pair for pair in same if pair.suricata["proto"] == TCP]
    followed = [pair for pair in tcp if pair.suricata["tcp_out"] != "0" or pair.suricata["tcp_in"] != "0"]
    timed = [pair for pair in same if pair.suricata["duration_us"] and pair.zeek["duration_us"]]
    untimed = [pair for pair in same if not pair.zeek["duration_us"]]
    named = [pair for pair in same if pair.suricata["app"] and pair.zeek["app"]]
    return [
        Line("protocol", "equal", share(pairs, lambda p: p.equal("proto")), 1),
        Line("start", "equal", share(pairs, lambda p: p.equal("start_us")), 0.99),
        Line("start", "within 1 ms", share(pairs, lambda p: p.apart("start_us") <= 1000), 1),
        Line("direction", "same", share(pairs, lambda p: p.same_way), 0.963),
        Line("direction", "in doubt by one of them, where it is not the same",
             share(turned, lambda p: p.doubt("suricata") or p.doubt("zeek")), 0.99),
        Line("direction", "in doubt by Suricata, where it is not the same", share(turned, lambda p: p.doubt("suricata")), 0.89),
        Line("direction", "not in doubt by Suricata, where it is the same", share(same, lambda p: not p.doubt("suricata")), 0.97),
        Line("duration", "within 1 ms, where both have one", share(timed, lambda p: p.apart("duration_us") <= 1e3), 0.9),
        Line("duration", "within 1 s", share(timed, lambda p: p.apart("duration_us") <= 1e6), 0.99),
        Line("duration", "Suricata's is 0, where Zeek's is unset", share(untimed, lambda p: p.suricata["duration_us"] == "0"), 0.98),
        Line("packets", "equal in both directions", share(same, lambda p: p.equal("packets_out", "packets_in")), 0.991),
        *bytes_lines([p for p in initial if p.same_way], "initial settings", 0.86, 0.91),
        *bytes_lines(same, "`ingest.link_header` set", 0.9, 0.95),
        Line("state", "equal", share(same, lambda p: p.equal("state")), 0.995),
        Line("TCP flags", "all of both sides equal", share(tcp, lambda p: p.flags_apart() == 0), 0.94),
        Line("TCP flags", "all equal, of what Suricata follows", share(followed, lambda p: p.flags_apart() == 0), 0.98),
        Line("TCP flags", "SYN, FIN and RST equal", share(tcp, lambda p: p.flags_apart(SYN_FIN_RST) == 0), 0.985),
        Line("application", "equal", share(pairs, lambda p: p.equal("app")), 0.85),
        Line("application", "equal, where both know one", share(named, lambda p: p.equal("app")), 0.98),
        Line("application", "(equal as the sensors call it)", share(pairs, lambda p: p.apps[0] == p.apps[1]), 0),
    ]


# ---- Feature columns

# How far apart a column may be in how many of the pairs of the same direction: 0 is equal. Logarithms are to the base of 2:
# 0.1 is 7 %. The first are of the flow alone; from window_flows on, of what the sensor logged before as well.
LIMITS: dict[str, tuple[float, float]] = {
    "duration": (0.1, 0.95), "bytes_out": (0.25, 0.93), "bytes_in": (0.25, 0.99), "packets_out": (0, 0.99),
    "packets_in": (0, 0.99), "packet_size_out": (6, 0.91), "packet_size_in": (6, 0.98), "balance": (0.25, 0.93),
    "rate": (0.5, 0.96), "tcp": (0, 1), "udp": (0, 1), "icmp": (0, 1), "attempt": (0, 0.99), "established": (0, 0.99),
    "closed": (0, 0.99), "reset_out": (0, 0.99), "reset_in": (0, 0.99), "dns": (0, 1), "web": (0, 0.99), "remote": (0, 0.99),
    "files": (0, 0.99), "other_high": (0, 0.98), "src_local": (0, 1), "dst_local": (0, 1), "window_flows": (0.5, 0.92),
    "window_peers": (0.5, 0.96), "window_failed": (0.1, 0.97), "window_width": (0.5, 0.98), "pair_flows": (0.5, 0.98),
    "pair_gap": (0.1, 0.98), "prevalence": (0, 0.99), "service_flows": (0.5, 0.98),
}


def columns(pairs: list[Pair]) -> list[Line]:
    same = [pair for pair in pairs if pair.same_way]
    names = [name.removeprefix("column.") for name in same[0].zeek if name.startswith("column.")]
    lines = []
    for name in names:
        limit, floor = LIMITS[name]  # a new column needs a line there
        apart = [pair.apart("column." + name) for pair in same]
        equal, within = (sum(a <= most for a in apart) / len(apart) for most in (0, limit))
        lines.append(Line(f"`{name}`", f"{equal:.1%} | {limit:g}", within, floor))
    return lines
