#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page of `eddy report`, read as HTML: what is in it, and that nothing from outside becomes markup.

The program is $EDDY.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

import made

EDDY = os.environ["EDDY"]
LOG = Path(__file__).parents[2] / "examples" / "data" / "eve.json.gz"

TAGS = set("html head meta title style body header p h1 h2 h3 dl dt dd div small section figure svg path rect circle text desc a "
           "table thead tbody tr th td article span code details summary main footer time b i br".split())
ATTRIBUTES = set("lang charset name content http-equiv class id role aria-labelledby aria-hidden viewbox d x y cx cy r rx width "
                 "height href rel scope datetime".split())
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Tags, attributes and text; balanced or not."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


class Report(unittest.TestCase):
    def setUp(self) -> None:
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.path = Path(self.scratch.name)

    def report(self, *words: object, status: int = 0) -> str:
        out = self.path / "report.html"
        done = subprocess.run([EDDY, "report", *map(str, words), "-o", out], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, status, done.stderr)
        self.messages = done.stderr
        return out.read_text(encoding="utf-8") if out.exists() else ""

    def recorded(self, incidents: list[dict[str, object]], name: str = "history.jsonl") -> Path:
        path = self.path / name
        path.write_text(made.text(incidents), encoding="utf-8")
        return path

    def check(self, html: str) -> Page:
        """Sound markup without anything that loads or runs."""
        page = Page(html)
        self.assertEqual(page.faults, [])
        self.assertEqual(page.open, [])
        self.assertLessEqual(set(page.tags), TAGS)
        self.assertLessEqual(page.attributes, ATTRIBUTES)
        self.assertEqual(len(page.ids), len(set(page.ids)))
        for link in page.links:
            self.assertRegex(link, r"^(#i\d+|https://attack\.mitre\.org/techniques/T\d{4}(/\d{3})?/)$")
            if link.startswith("#"):
                self.assertIn(link[1:], page.ids)
        style = html[html.index("<style>") : html.index("</style>")]
        for loads in ("url(", "@import", "http", "expression"):
            self.assertNotIn(loads, style)
        return page

    def test_a_log_is_scored(self) -> None:
        page = self.check(self.report("-q", "-s", "decide.max_incidents_per_day=9", LOG))
        scored = subprocess.run([EDDY, "score", "-q", "-s", "decide.max_incidents_per_day=9", LOG], capture_output=True, text=True)
        self.assertEqual(page.tags.count("article"), len(scored.stdout.splitlines()))
        self.assertGreater(page.tags.count("article"), 0)
        self.assertIn("other_event", page.text)  # why records were skipped
        self.assertIn("decide.max_incidents_per_day", page.text)
        self.assertIn(f"Made from {LOG}.", page.text)
        self.assertNotIn("All settings had their initial values", page.text)

    def test_the_same_files_give_the_same_page(self) -> None:
        first = self.report("-q", LOG)
        self.assertEqual(first, self.report("-q", LOG))
        self.assertNotEqual(first, self.report("-q", "--stamp", LOG))

    def test_every_kind_of_evidence_is_plotted(self) -> None:
        page = self.check(self.report(self.recorded(made.kinds() + made.held())))
        self.assertEqual(page.tags.count("article"), 9)
        # timeline, severity marks and shares aside: a plot of activity for each, of evidence where there are points
        titles = [t for t in page.ids if re.fullmatch(r"e\d+t", t)]
        self.assertEqual(len(titles), 9)
        self.assertEqual(len([t for t in page.ids if re.fullmatch(r"a\d+t", t)]), 9)
        for text in ("this incident", "median", "1 withheld: over the daily budget", "1 suppressed: covered by a rule",
                     "a withheld one", "a suppressed one", "backup", "speaks against it", "drop.example", "CuX1a2",
                     "eddy suppress add detector=tail src=10.0.0.2 dst=203.0.113.9 port=443 proto=tcp --expires 30d --owner",
                     "eddy suppress remove backup", "of history.jsonl What was unusual"):
            self.assertIn(text, page.text)
        self.assertNotIn("Flows scored", page.text)  # nothing was scored for it

    def test_what_people_said_is_there(self) -> None:
        conf, marks, rules = self.path / "eddy.conf", self.path / "marks", self.path / "suppressions"
        conf.write_text(f"[feedback]\npath = {marks}\n[suppress]\npath = {rules}\n", encoding="utf-8")
        history = self.recorded(made.kinds() + made.held())
        for word in ("0001", "0064"):  # one with a section, one that is withheld
            subprocess.run([EDDY, "mark", word, "benign", "--by", "ann", "--why", "<b>tests</b>", "-c", conf, "--in", history], check=True)
        rules.write_text('id=backup detector=tail src=10.0.0.1 owner=bob why="every night" expires=2030-01-01\n', encoding="utf-8")
        page = self.check(self.report("-c", conf, history))
        self.assertEqual(len(re.findall(r"marked benign, by ann at 20\S+ \S+: <b>tests</b>", page.text)), 2)
        self.assertIn("bob: every night; expires 2030-01-01", page.text)
        self.assertNotIn("marked", self.check(self.report(history)).text)

    def test_what_there_is_none_of_is_not_shown(self) -> None:
        page = self.check(self.report(self.recorded([made.incident(1)])))
        for text in ("withheld", "suppressed", "Held back"):
            self.assertNotIn(text, page.text.lower().replace("suppress add", ""))

    def test_every_technique_has_its_name(self) -> None:
        core = Path(__file__).parents[2] / "core"
        used = sorted({t for p in core.glob("score/*.c") for t in re.findall(r'"(T1\d{3}(?:\.\d{3})?)"', p.read_text(encoding="utf-8"))})
        self.assertGreater(len(used), 8)
        page = self.check(self.report(self.recorded([made.incident(i, technique=t) for i, t in enumerate(used)])))
        for technique in used:
            self.assertRegex(page.text, rf"Technique{re.escape(technique)} [A-Z][\w-]+ ")

    def test_plots_say_whose_and_when(self) -> None:
        html = self.report(self.recorded(made.kinds()))
        timeline = html[html.index("<h2>Timeline") : html.index("<h2>Hosts")]
        for i in range(6):
            self.assertRegex(timeline, rf"<text class=\"t[^>]*>10\.0\.0\.{i}</text>")
        self.assertIn("flows in each 22m, 2026-01-02 00:00:00 to 2026-01-02 12:00:00", html)
        self.assertIn("time since the first of them, over 6h 20m", html)
        self.assertRegex(html, r">2\.1 GB</td><td class=\"num\">14 MB<")  # as the words have it

    def test_numbers_of_a_plot_are_numbers(self) -> None:
        html = self.report(self.recorded(made.kinds()))
        self.assertNotRegex(html, r"(?i)[\"MLHV ,](-?nan|-?inf)")

    def test_nothing_from_outside_becomes_markup(self) -> None:
        name = "<script>alert(1)<%2fscript>.jsonl"
        page = self.check(self.report(self.recorded([made.hostile()], name)))
        self.assertNotIn("script", page.tags)
        self.assertIn("<script>document.title='owned'</script>", page.text)  # as text it is there
        self.assertIn("<script>alert(1)", page.text)  # of the file's name
        self.assertNotIn("\u202e", page.text)
        self.assertNotIn("eddy suppress add", page.text)  # such an id is not for a shell

    def test_it_is_bounded(self) -> None:
        many = [made.incident(i) for i in range(1500)] + [made.incident(2000 + i, withheld=True) for i in range(1100)]
        html = self.report(self.recorded(many))
        page = self.check(html)
        self.assertEqual(page.tags.count("article"), 200)
        self.assertIn("1300 more", page.text)
        self.assertIn("300 more are not shown", page.text)
        self.assertIn("The first 2000 of 2600 are drawn", page.text)
        self.assertLess(len(html), 4_000_000)

    def test_no_incident_is_a_page_too(self) -> None:
        page = self.check(self.report("-q", "-s", "decide.p=0", LOG))
        self.assertIn("No incident was reported", page.text)
        self.assertNotIn("article", page.tags)

    def test_logs_and_recorded_incidents_together_and_gzip(self) -> None:
        packed = self.path / "packed.gz"
        packed.write_bytes(gzip.compress(made.text([made.incident(1)]).encode()))
        page = self.check(self.report("-q", packed, LOG))
        self.assertIn("host 1 sends", page.text)
        self.assertIn("Flows scored", page.text)

    def test_what_fails_leaves_the_report_of_before(self) -> None:
        before = self.report(self.recorded([made.incident(1)]))
        out = self.path / "report.html"
        done = subprocess.run([EDDY, "report", "-q", self.path / "none", "-o", out], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("none: No such file", done.stderr)
        self.assertEqual(out.read_text(encoding="utf-8"), before)
        full = subprocess.run([EDDY, "report", self.path / "history.jsonl", "-o", "/dev/full/x"], capture_output=True, text=True)
        self.assertEqual(full.returncode, 1)
        self.assertIn("/dev/full/x", full.stderr)
        limited = subprocess.run(["bash", "-c", f"ulimit -f 4; exec '{EDDY}' report '{self.path}/history.jsonl' -o '{out}'"],
                                 capture_output=True, text=True)
        self.assertNotEqual(limited.returncode, 0)
        self.assertEqual(out.read_text(encoding="utf-8"), before)

    def test_wrong_usage(self) -> None:
        for words in ([], ["-o", "x"], [LOG], ["--nonsense", LOG, "-o", "x"], ["-s", "no.such=1", LOG, "-o", self.path / "x"]):
            with self.subTest(words=words):
                done = subprocess.run([EDDY, "report", *map(str, words)], capture_output=True, text=True)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertFalse((self.path / "x").exists())


if __name__ == "__main__":
    unittest.main()
