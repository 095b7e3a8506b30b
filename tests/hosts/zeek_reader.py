# SPDX-License-Identifier: MIT
"""Reads a table as Zeek's Input framework does in mode REREAD, and does with its rows what
plugins/zeek/scripts/notices.zeek does. By the rules of src/input/readers/ascii/Ascii.cc and
src/threading/formatters/Ascii.cc in Zeek 4 to 7, written down here in Python: no Zeek runs."""

import ipaddress
import os
import pathlib
import re
import time
from typing import Callable

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent.parent / "plugins" / "zeek" / "scripts"


class Refused(Exception):
    """Zeek would write a warning and leave this line out."""


def declared(name: str) -> list[tuple[str, str, bool]]:
    """The fields of a record in notices.zeek: name, type, optional."""
    text = re.search(rf"type {name}: record {{(.*?)\n\t?}};", (SCRIPTS / "notices.zeek").read_text(), re.S)[1]
    return [
        (field, kind.strip(), optional is not None)
        for field, kind, optional in re.findall(r"^\s*(\w+): ([^;&]+?)( &optional)?;", text, re.M)
    ]


def unescape(text: str) -> str:
    """util::get_unescaped_string: \\xHH is a byte, a doubled backslash one."""
    return re.sub(r"\\(?:x([0-9a-fA-F]{2})|\\)", lambda m: chr(int(m[1], 16)) if m[1] else "\\", text)


def parse(text: str, kind: str):
    """Ascii::ParseValue; None is unset."""
    if text == "-":
        return None
    if kind == "string":
        return unescape(text)
    if kind == "count":
        if not re.match(r"\s*[0-9]", text):
            raise Refused(f"no number: {text!r}")
        return int(re.match(r"\s*[0-9]+", text)[0])
    if kind in ("double", "time"):
        try:
            return float(text)
        except ValueError:
            raise Refused(f"no number: {text!r}") from None
    if kind == "addr":
        return str(ipaddress.ip_address(unescape(text).strip()))
    if kind == "vector of string":
        return [] if text == "(empty)" else [parse(element, "string") for element in text.split(",")]
    raise Refused(f"a type this reader does not know: {kind}")


class Table:
    """The reader's side: one file, looked at once a heartbeat."""

    def __init__(self, path: pathlib.Path, record: str):
        self.path, self.fields = path, declared(record)
        self.seen = (0, 0)  # inode and whole second of change
        self.reads = 0

    def lines(self, f) -> list[str]:
        """GetLine: empty lines and comments are left out, a last line without newline is taken."""
        found = [line.removesuffix("\r") for line in f.read().split("\n")]
        return [
            line[8:] if line.startswith("#fields\t") else line
            for line in found
            if line and (line[0] != "#" or line.startswith("#fields\t"))
        ]

    def heartbeat(self) -> list[dict] | None:
        """All rows if the file has changed, else None."""
        try:
            info = os.stat(self.path)
        except FileNotFoundError:
            return None
        if (info.st_ino, int(info.st_mtime)) == self.seen:
            return None
        self.seen = (info.st_ino, int(info.st_mtime))
        with open(self.path, encoding="utf-8", newline="\n") as f:
            lines = self.lines(f)
        self.reads += 1
        columns = lines[0].split("\t")
        missing = [name for name, _, optional in self.fields if name not in columns and not optional]
        if missing:
            raise Refused(f"did not find requested field {missing}")
        return [self.row(line, columns) for line in lines[1:]]

    def row(self, line: str, columns: list[str]) -> dict:
        cells = line.split("\t")
        if cells[-1] == "":
            cells.pop()  # older readers drop an empty field at the end
        values = {}
        for name, kind, optional in self.fields:
            if columns.index(name) >= len(cells):
                raise Refused(f"not enough fields in {line!r}")
            values[name] = parse(cells[columns.index(name)], kind)
            if values[name] is None and not optional:
                raise Refused(f"{name} is unset in {line!r}")
        return values


def mark_text(mark: int) -> str:
    """What save_mark() in the script writes: `write_file` its text as it is, `print` with a newline and with bytes outside
    of 32 to 126 as \\xHH (src/Desc.cc), also into a file."""
    body = re.search(r"^function save_mark\(\).*?^\t}", (SCRIPTS / "notices.zeek").read_text(), re.M | re.S)[0]
    variables = dict(re.findall(r"^\s*local (\w+) = (.*?);", body, re.M | re.S))

    def text(expression: str) -> str:
        expression = variables.get(expression.strip(), expression)
        if expression.strip() == "mark":
            return str(mark)
        words = re.findall(r'"((?:[^"\\]|\\.)*)"', expression)
        return "".join(words).replace(r"\t", "\t").replace(r"\n", "\n").replace("%d", str(mark))

    written = ""
    for printed, plain in re.findall(r"^\s*(?:print f, (.*?)|write_file\(f, (.*?)\));", body, re.M | re.S):
        if printed:
            written += "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text(printed)) + "\n"
        else:
            written += text(plain)
    return written


def severities() -> dict[str, int]:
    """The script's table of how grave they are."""
    table = re.search(r"gravities: .*?{(.*?)}", (SCRIPTS / "notices.zeek").read_text(), re.S)[1]
    return {name: int(rank) for name, rank in re.findall(r'\["(\w+)"\] = (\d+)', table)}


class Zeek:
    """The script's side, from zeek_init on: what becomes of the rows. `policy` is the site's hook."""

    def __init__(self, path: pathlib.Path, mark_file: pathlib.Path, policy: Callable[[dict], bool] = lambda row: True):
        self.table, self.mark_file, self.policy = Table(path, "Incident"), mark_file, policy
        self.mark, self.gravities = int(time.time() * 1e6), severities()
        if mark_file.exists():
            self.mark = self.saved = Table(mark_file, "Mark").heartbeat()[-1]["serial"]
        else:
            self.saved = 0
        self.begun = self.mark
        self.raised: dict[str, int] = {}
        self.rows: list[dict] = []
        self.notices: list[dict] = []
        self.save_mark()

    def save_mark(self) -> None:
        if self.mark != self.saved:
            self.mark_file.write_text(mark_text(self.mark))
            self.saved = self.mark

    def heartbeat(self) -> None:
        rows = self.table.heartbeat()
        for row in rows or []:
            self.row(row)
        if rows is not None:
            self.save_mark()  # end_of_data

    def row(self, row: dict) -> None:
        gravity = self.gravities.get(row["severity"], 1)
        if row["serial"] > self.mark:
            self.mark = row["serial"]
            self.rows.append(row)
            if gravity > self.raised.get(row["id"], 0) and self.policy(row):
                self.notices.append(row)
                self.raised[row["id"]] = gravity
        elif row["serial"] <= self.begun and gravity > self.raised.get(row["id"], 0):
            self.raised[row["id"]] = gravity
        if row["state"] == "closed":
            self.raised.pop(row["id"], None)
