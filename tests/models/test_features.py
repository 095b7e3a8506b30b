# SPDX-License-Identifier: MIT
"""Tables of logs: the very numbers of `eddy features`, whatever the pieces; every record accounted for."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eddy_ml import clean, features, lib
from eddy_ml.__main__ import main
from eddy_ml.stream import Report, Stream

LOCAL = {"nets.local": "10.0.0.0/8"}


@pytest.fixture(scope="module")
def data(root: Path) -> Path:
    return root / "examples" / "data"


@pytest.mark.parametrize("log", ["eve.json.gz", "conn.log.gz"])
def test_columns_are_those_of_the_command_line(log: str, data: Path, eddy: Path) -> None:
    told = subprocess.run([eddy, "features", "-q", "-s", "nets.local=10.0.0.0/8", data / log], check=True,
                          capture_output=True, text=True).stdout  # fmt: skip
    head, *lines = csv.reader(io.StringIO(told))
    table = features.table([data / log], LOCAL)
    assert head == ["id", *features.names()]
    assert table.column("id").to_pylist() == [line[0] for line in lines]
    theirs = np.array([[float(number or "nan") for number in line[1:]] for line in lines])
    assert np.array_equal(features.matrix(table), theirs, equal_nan=True)
    assert len(lines) > 8000


def test_pieces_change_nothing(data: Path) -> None:
    whole = features.table([data / "conn.log.gz"], LOCAL)
    with Stream(LOCAL) as stream:
        small = list(stream.batches([data / "conn.log.gz"], rows=100))
    assert len(small) > 5, "a batch for each piece of the file"
    kept = [features.select(batch, whole.schema.names) for batch in small]
    assert pa.Table.from_batches(kept).equals(whole)


def test_several_logs_are_one_stream_of_time(data: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((data / "eve.json.gz").read_bytes()).splitlines(keepends=True)
    half = len(lines) // 2
    (tmp_path / "1.json").write_bytes(b"".join(lines[:half]))
    (tmp_path / "2.json.gz").write_bytes(gzip.compress(b"".join(lines[half:])))
    report = Report()
    both = features.table([tmp_path / "1.json", tmp_path / "2.json.gz"], LOCAL, report=report)
    assert both.equals(features.table([data / "eve.json.gz"], LOCAL))
    assert list(report.files) == [str(tmp_path / "1.json"), str(tmp_path / "2.json.gz")]
    assert sum(report.files.values()) == both.num_rows
    alone = features.table([tmp_path / "2.json.gz"], LOCAL)
    assert not both.slice(both.num_rows - alone.num_rows).equals(alone), "the first log's past counts"


def test_zstd_is_read(data: Path, tmp_path: Path) -> None:
    plain = gzip.decompress((data / "conn.log.gz").read_bytes())
    with pa.CompressedOutputStream(str(tmp_path / "conn.log.zst"), "zstd") as out:
        out.write(plain)
    assert features.table([tmp_path / "conn.log.zst"]).equals(features.table([data / "conn.log.gz"]))


def test_every_record_is_accounted_for(tmp_path: Path) -> None:
    flow = {"timestamp": "2026-01-05T10:00:00.000000+0000", "event_type": "flow", "src_ip": "10.0.0.1", "dest_ip":
            "10.0.0.2", "src_port": 5, "dest_port": 80, "proto": "TCP", "flow": {"pkts_toserver": 3, "pkts_toclient": 2,
            "bytes_toserver": 300, "bytes_toclient": 200, "start": "2026-01-05T10:00:00.000000+0000", "end":
            "2026-01-05T10:00:01.000000+0000", "state": "closed"}}  # fmt: skip
    impossible = json.loads(json.dumps(flow))
    impossible["flow"]["bytes_toserver"] = 7
    lines = [json.dumps(flow), json.dumps(impossible), '{"event_type":"stats"}', "{bad", ""]
    (tmp_path / "eve.json").write_text("\n".join(lines) + "\n")
    report = Report()
    table = clean.table([tmp_path / "eve.json"], report=report)
    assert table.column("corrected").to_pylist() == [False, True]
    assert (report.read, report.scored, report.rejected) == (5, 2, 1)
    assert report.read == report.scored + report.skipped + report.rejected + report.dropped
    assert list(report.rejected_by) == ["bad_json"] and report.rejected_by["bad_json"].help
    assert sum(reason.count for reason in report.skipped_by.values()) == report.skipped == 2
    assert report.corrected_by == {"few_bytes": 1}
    json.dumps(report.as_dict())


def test_unset_counts_are_null_and_known_ones_as_logged(data: Path) -> None:
    flows = clean.table([data / "conn.log.gz"])
    duration = flows.column("duration_us")
    assert duration.null_count > 0 and flows.num_rows > 8000
    with gzip.open(data / "conn.log.gz", "rt") as text:
        unset = sum(line.split("\t")[8] == "-" for line in text if not line.startswith("#"))
    assert duration.null_count == unset


def test_the_commands_write_parquet(data: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "f.parquet", tmp_path / "r.json"
    words = ["features", str(data / "conn.log.gz"), "-o", str(out), "-r", str(told), "-s", "nets.local=10.0.0.0/8",
             "-s", "nets.local=192.168.0.0/16"]  # fmt: skip
    assert main(words) == 0
    assert pq.read_table(out).equals(features.table([data / "conn.log.gz"], {"nets.local": ["10.0.0.0/8",
                                                                                             "192.168.0.0/16"]}))
    assert json.loads(told.read_text())["scored"] == pq.read_metadata(out).num_rows
    assert main(["clean", str(data / "conn.log.gz"), "-o", str(out)]) == 0
    assert pq.read_schema(out).names == [*features.KEYS, *features.COUNTS, "corrected"]


@pytest.mark.parametrize(("words", "said"), [
    (["features", "nowhere.log", "-o", "x"], "nowhere.log"),
    (["features", "-s", "no.such=1", "/dev/null", "-o", "x"], "no.such"),
    (["clean", "-s", "nothing", "/dev/null", "-o", "x"], "not section.name=value"),
])  # fmt: skip
def test_mistakes_are_told(words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
                           monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    assert said in capsys.readouterr().err


def test_a_damaged_log_is_told_and_the_rest_is_kept(data: Path, tmp_path: Path) -> None:
    whole = bytearray((data / "conn.log.gz").read_bytes())
    whole[len(whole) // 2 :] = bytes(len(whole) - len(whole) // 2)
    bad = tmp_path / "bad.log.gz"
    bad.write_bytes(whole)
    report = Report()
    flows = features.table([bad], report=report)
    assert str(bad) in report.unreadable and 0 < flows.num_rows < 8000
    assert main(["clean", str(bad), "-o", str(tmp_path / "x")]) == 1


def test_memory_does_not_grow_with_the_log(data: Path, tmp_path: Path) -> None:
    """Ten times the flows, less than a third more memory."""
    program = ("import resource, sys; from eddy_ml.__main__ import main; main(sys.argv[1:]); "
               "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")  # fmt: skip
    plain = gzip.decompress((data / "benign-long-eve.json.gz").read_bytes())
    peak = []
    for times in (3, 30):
        log = tmp_path / f"{times}.json"
        with open(log, "wb") as file:
            for _ in range(times):
                file.write(plain)
        words = ["features", str(log), "-o", str(tmp_path / "x.parquet")]
        env = {"PYTHONPATH": str(Path(lib.__file__).parents[1]), "EDDY_LIBRARY": lib.load()._name}
        command = [sys.executable, "-c", program, *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
        peak.append(int(done.stdout.split()[-1]))
        log.unlink()
    print(f"peak {peak[0] / 1024:.0f} MiB, {peak[1] / 1024:.0f} MiB of ten times as much")
    assert peak[1] < 1.33 * peak[0]
