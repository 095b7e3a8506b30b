# SPDX-License-Identifier: MIT
"""Made incidents: every kind of evidence, every state, and text that tries to be markup."""

from __future__ import annotations

import json
import math

EVIL = "</title></text></style><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">'\"&\u202e"


def incident(number: int, **fields: object) -> dict[str, object]:
    line: dict[str, object] = {
        "timestamp": "2026-01-02T12:00:00.000000+0000",
        "event_type": "eddy",
        "incident_id": f"{number:04x}",
        "state": "closed",
        "detector": "tail",
        "severity": "medium",
        "p": 10 ** -(5 + number % 9),
        "score": 5 + number % 9,
        "host": f"10.0.{number // 250}.{number % 250}",
        "peer": "203.0.113.9",
        "peer_port": 443,
        "peer_country": "NL",
        "peer_asn": 64496,
        "proto": "TCP",
        "technique": "T1030",
        "start": f"2026-01-02T{number % 11:02}:00:00.000000+0000",
        "end": "2026-01-02T12:00:00.000000+0000",
        "flows": 64 + number,
        "withheld": False,
        "summary": f"host {number} sends 2.1 GB to 203.0.113.9, usual for this host: 14 MB",
        "reasons": [
            {"feature": "bytes_out", "text": "2.1 GB sent, usual 14 MB", "value": 2.1e9, "usual": 1.4e7, "share": 0.9},
            {"feature": "prevalence", "text": "9 of 40 hosts use it", "value": 9, "share": -0.3},
        ],
        "flow_ids": ["CuX1a2", "CuX1a3"],
    }
    line.update(fields)
    return line


def kinds() -> list[dict[str, object]]:
    """One for each kind of evidence, and shapes that a plot must survive."""
    sizes = [10 ** (2 + i * 0.12) for i in range(64)]
    plots: list[dict[str, object]] = [
        {"kind": "gaps", "x": "seconds since the first of them", "y": "seconds since the one before",
         "points": [[600 * i, 600 + 20 * math.sin(i)] for i in range(1, 40)]},
        {"kind": "over_time", "x": "seconds since the first flow", "y": "failed targets",
         "points": [[i, i * i] for i in range(30)]},
        {"kind": "distribution", "x": "bytes sent by a flow", "y": "flows of this host",
         "points": [[s, round(900 * math.exp(-((math.log10(s) - 4) ** 2)))] for s in sizes], "mark": 2.1e9},
        {"kind": "distribution", "x": "oddness, 0 to 1", "y": "share", "points": [[i / 32, i % 7] for i in range(32)],
         "mark": 0.83},
        {"kind": "distribution", "x": "n", "y": "p", "points": [[2 ** (i / 3), 10 ** (-i / 4)] for i in range(24)] + [[400, 0]],
         "mark": 180},
        {"kind": "over_time", "x": "x", "y": "y", "points": [[0, 0], [0, 0]]},
        {"kind": "gaps", "x": "x", "y": "y", "points": [[-5, -1e30], [1e29, 3], [None, 1]]},
        {"kind": "distribution", "x": "x", "y": "y", "points": [[1, 1]], "mark": 1},
        {"kind": "nobody knows", "x": "x", "y": "y", "points": [[1, 1], [2, 5]]},
    ]
    activity = {"start": "2026-01-02T00:00:00.000000+0000", "step": 1350, "flows": [i * 7 % 11 for i in range(32)]}
    return [incident(i, evidence=plot, activity=activity, severity=["low", "medium", "high"][i % 3],
                     names=[{"kind": "sni", "value": "drop.example"}]) for i, plot in enumerate(plots)]


def held() -> list[dict[str, object]]:
    return [
        incident(100, withheld=True, summary="a withheld one"),
        incident(101, withheld=True, suppressed_by="backup", summary="a suppressed one"),
    ]


def hostile() -> dict[str, object]:
    """Text from outside wherever there is any."""
    return incident(
        200, incident_id="f00d" + EVIL, detector="evil" + EVIL, technique=EVIL, summary=EVIL, host_country=EVIL,
        peer_country=EVIL, names=[{"kind": EVIL, "value": EVIL}], flow_ids=[EVIL],
        reasons=[{"feature": EVIL, "text": EVIL, "value": 1, "share": 1}],
        evidence={"kind": "gaps", "x": EVIL, "y": EVIL, "points": [[1, 1], [2, 2]]}, severity="high", p=1e-20,
    )


def text(incidents: list[dict[str, object]]) -> str:
    return "".join(json.dumps(i) + "\n" for i in incidents)
