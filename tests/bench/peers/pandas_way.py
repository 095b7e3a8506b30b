#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pandas_way.py - what a data scientist writes first: read_json in chunks, an isolation forest.

Reads EVE, takes the flows, makes 18 columns, fits on the first chunk, scores every flow, writes
id,score. What is known of a host ends with the chunk; no GeoIP, no explanations: less than eddy does. Says on standard
error how many flows and CPU seconds (imports not counted).
"""
import sys
import time

import pandas as pd
from sklearn.ensemble import IsolationForest

CHUNK = 20_000  # lines


def about_hosts(table: pd.DataFrame, flows: pd.DataFrame, start: pd.Series) -> pd.DataFrame:
    """How many flows, peers and failures the source has here, and the pace of the pair."""
    host = flows["src_ip"]
    table["host_flows"] = table.groupby(host)["tcp"].transform("size")
    table["host_peers"] = flows.groupby("src_ip")["dest_ip"].transform("nunique")
    table["host_failed"] = table.groupby(host)["failed"].transform("mean")
    pair = [host, flows["dest_ip"], table["port"]]
    table["pair_flows"] = table.groupby(pair)["tcp"].transform("size")
    table["pair_gap"] = start.groupby(pair).diff().dt.total_seconds().fillna(0)
    return table


def columns(chunk: pd.DataFrame) -> pd.DataFrame:
    flows = chunk[chunk["event_type"] == "flow"]
    flow = pd.json_normalize(flows["flow"].tolist()).set_index(flows.index)
    start = pd.to_datetime(flow["start"], format="%Y-%m-%dT%H:%M:%S.%f%z")
    end = pd.to_datetime(flow["end"], format="%Y-%m-%dT%H:%M:%S.%f%z")
    table = pd.DataFrame({"id": flows["flow_id"]})
    table["duration"] = (end - start).dt.total_seconds()
    for column in ("pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"):
        table[column] = flow[column]
    table["size_out"] = flow["bytes_toserver"] / flow["pkts_toserver"].clip(lower=1)
    table["size_in"] = flow["bytes_toclient"] / flow["pkts_toclient"].clip(lower=1)
    table["ratio"] = flow["bytes_toserver"] / (flow["bytes_toclient"] + 1)
    table["rate"] = (flow["bytes_toserver"] + flow["bytes_toclient"]) / (table["duration"] + 1e-3)
    table["tcp"] = (flows["proto"] == "TCP").astype(int)
    table["udp"] = (flows["proto"] == "UDP").astype(int)
    table["port"] = flows["dest_port"].fillna(0)
    table["failed"] = (flow["state"] == "new").astype(int)
    return about_hosts(table, flows, start)


def main() -> None:
    begin = time.process_time()
    model, flows = None, 0
    for chunk in pd.read_json(sys.argv[1], lines=True, chunksize=CHUNK, convert_dates=False):
        table = columns(chunk)
        values = table.drop(columns="id")
        if model is None:
            model = IsolationForest(random_state=1, n_jobs=1).fit(values)
        table["score"] = -model.score_samples(values)
        table[["id", "score"]].to_csv(sys.stdout, index=False, header=False)
        flows += len(table)
    print(flows, time.process_time() - begin, file=sys.stderr)


if __name__ == "__main__":
    main()
