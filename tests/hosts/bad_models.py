# SPDX-License-Identifier: MIT
"""Model files that no host may use, made from a good one, and the words and the reason each is refused with."""
import hashlib
import pathlib
import pickle
import struct
from dataclasses import dataclass

from harness import ROOT, Bench, check

HEADER, ENTRY = 64, 16


@dataclass
class Bad:
    name: str
    path: pathlib.Path
    words: str  # in the message
    reason: str  # label of eddy_model_load_failures_total


class Trap:
    """A pickle is a program: whoever loads this one makes a file."""

    def __init__(self, path: pathlib.Path):
        self.path = str(path)

    def __reduce__(self) -> tuple:
        return open, (self.path, "w")


def sections(model: bytes) -> dict[str, tuple[int, int]]:
    """Of each section where it begins, and where its length is told."""
    count = struct.unpack_from("<I", model, 12)[0]
    at, found = HEADER + ENTRY * count, {}
    for i in range(count):
        tag, length = struct.unpack_from("<8sQ", model, HEADER + ENTRY * i)
        found[tag.rstrip(b"\0").decode()] = (at, HEADER + ENTRY * i + 8)
        at += (length + 7) // 8 * 8
    return found


def patched(model: bytes, at: int, put: bytes) -> bytes:
    """With other bytes there, and the SHA-256 that they should have."""
    out = bytearray(model)
    out[at:at + len(put)] = put
    out[24:56] = hashlib.sha256(out[HEADER:]).digest()
    return bytes(out)


def good_model(bench: Bench, name: str = "good.eddy", seed: int = 1) -> pathlib.Path:
    """An isolation forest."""
    path = bench.path / name
    done = bench.run(bench.eddy, "train", "-q", "-m", path, "--seed", seed, "--name", f"seed{seed}",
                     ROOT / "examples" / "data" / "benign-conn.log.gz")
    check(done.returncode == 0, f"eddy train: {done.stderr}")
    path.chmod(0o644)
    return path


def bad_models(bench: Bench, good: pathlib.Path) -> list[Bad]:
    model = good.read_bytes()
    at = sections(model)
    tree, feat, gold = at["TREE"][0], at["FEAT"][0], at["GOLD"][0]
    root = tree + 32 + 4 * struct.unpack_from("<I", model, tree + 4)[0]
    columns = struct.unpack_from("<I", model, gold + 4)[0]
    output = gold + 8 + 8 * columns
    made = [
        ("pickle", pickle.dumps({"model": Trap(bench.path / "trapped")}), "a Python pickle, which is a program", "damaged"),
        ("truncated", model[:len(model) // 2], "cut short, or longer than it says", "damaged"),
        ("foreign", patched(model, feat + 41, b"D"), "Duration", "features"),
        ("formula", patched(model, feat + 8, bytes([model[feat + 8] ^ 1])), "worked out differently by this eddy", "features"),
        ("cycle", patched(model, root + 8, struct.pack("<I", 0)), "children are not its own", "malformed"),
        ("length", patched(model, at["BINS"][1], b"\xff" * 8), "a section is longer than the file", "malformed"),
        ("golden", patched(model, output, bytes([model[output] ^ 1])), "golden row 0 comes to", "golden_rows"),
    ]
    found = []
    for name, content, words, reason in made:
        path = bench.path / f"{name}.eddy"
        path.write_bytes(content)
        found.append(Bad(name, path, words, reason))
    return found


def check_trap(bench: Bench) -> None:
    check(not (bench.path / "trapped").exists(), "somebody has run the pickle")
