#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page of `eddy report` in Chromium: no errors, no requests, nothing cut off, readable in light and dark.

The program is $EDDY. Screenshots and a print are left in $ARTEFACTS. Exit status 77: there is no Chromium.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import made
from browser import Browser

EDDY = os.environ["EDDY"]
ARTEFACTS = Path(os.environ.get("ARTEFACTS", tempfile.gettempdir()))
HERE = Path(__file__).parent
LOG = HERE.parents[1] / "examples" / "data" / "eve.json.gz"

# Every text of a drawing that is not inside of it: [text, where].
OUTSIDE = """[...document.querySelectorAll('.plot svg')].flatMap(svg => {
    const box = svg.viewBox.baseVal;
    return [...svg.querySelectorAll('text')].filter(t => {
        const b = t.getBBox();
        return b.x < -1 || b.y < -1 || b.x + b.width > box.width + 1 || b.y + b.height > box.height + 1;
    }).map(t => t.textContent);
})"""

# Labels of one drawing's axis that lie on each other.
OVERLAPS = """[...document.querySelectorAll('.plot svg')].flatMap(svg => {
    const boxes = [...svg.querySelectorAll('text.t')].map(t => [t.textContent, t.getBBox()]);
    return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) =>
        p.x < q.x + q.width && q.x < p.x + p.width && p.y + 3 < q.y + q.height - 3 && q.y + 3 < p.y + p.height - 3
    ).map(([b]) => a + ' / ' + b));
})"""

# WCAG 2.1: relative luminance, and contrast of each colour of text to the paper.
CONTRAST = """(() => {
    const style = getComputedStyle(document.documentElement);
    const luminance = name => {
        const hex = style.getPropertyValue(name).trim();
        return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16) / 255)
            .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    };
    const paper = luminance('--paper');
    return ['--ink', '--soft', '--accent'].map(name => {
        const [low, high] = [paper, luminance(name)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    });
})()"""


class InTheBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        cls.scratch = tempfile.TemporaryDirectory()
        cls.path = Path(cls.scratch.name)
        cls.browser = Browser(cls.path / "profile")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.browser.close()
        cls.scratch.cleanup()

    def report(self, name: str, *files: Path) -> Path:
        out = self.path / name
        subprocess.run([EDDY, "report", "-q", *files, "-o", out], check=True, timeout=300)
        return out

    def made(self, name: str, incidents: list[dict[str, object]]) -> Path:
        path = self.path / f"{name}.jsonl"
        path.write_text(made.text(incidents), encoding="utf-8")
        return self.report(f"{name}.html", path)

    def open(self, page: Path) -> None:
        """Opens it; nothing may be asked for but the file itself, and nothing complained of."""
        self.browser.open(page)
        self.assertTrue(self.browser.ask("document.readyState === 'complete'"))
        self.assertEqual([r["request"]["url"] for r in self.browser.seen("Network.requestWillBeSent")], [page.as_uri()])
        self.assertEqual(self.browser.seen("Log.entryAdded"), [])
        self.assertEqual(self.browser.seen("Runtime.consoleAPICalled"), [])
        self.assertEqual(self.browser.seen("Runtime.exceptionThrown"), [])

    def test_a_report_of_the_lab_in_light_and_dark_and_on_paper(self) -> None:
        page = self.report("lab.html", LOG)
        for scheme in ("light", "dark"):
            self.browser.look(1280, scheme)
            self.open(page)
            self.browser.screenshot(ARTEFACTS / f"lab-{scheme}.png")
            self.assertGreater(min(self.browser.ask(CONTRAST)), 4.5)
            dark = self.browser.ask("matchMedia('(prefers-color-scheme: dark)').matches")
            paper = self.browser.ask("getComputedStyle(document.documentElement).backgroundColor")
            self.assertEqual(sum(map(int, paper[4:-1].split(","))) < 200, dark)
        self.browser.look(1280, "light")
        self.open(page)
        self.browser.pdf(ARTEFACTS / "lab.pdf")
        scored = subprocess.run([EDDY, "score", "-q", LOG], capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(self.browser.ask("document.querySelectorAll('article').length"), len(scored))
        self.assertGreaterEqual(self.browser.ask("document.querySelectorAll('article .plot circle.p').length"), 5)

    def test_every_plot_is_whole(self) -> None:
        page = self.made("kinds", made.kinds() + made.held())
        self.browser.look(1280, "light")
        self.open(page)
        self.browser.screenshot(ARTEFACTS / "kinds.png")
        self.assertEqual(self.browser.ask("document.querySelectorAll('.plot svg').length"), 1 + 9 + 9)
        self.assertTrue(self.browser.ask("[...document.querySelectorAll('.plot svg')].every(s => s.getBoundingClientRect().height > 40)"))
        self.assertEqual(self.browser.ask(OUTSIDE), [])
        self.assertEqual(self.browser.ask(OVERLAPS), [])

    def test_it_fits_a_telephone(self) -> None:
        page = self.made("telephone", made.kinds() + made.held())
        self.browser.look(390, "light")
        self.open(page)
        self.browser.screenshot(ARTEFACTS / "telephone.png")
        self.assertLessEqual(self.browser.ask("document.documentElement.scrollWidth"), 390)

    def test_hostile_text_stays_text(self) -> None:
        page = self.made("hostile", [made.hostile()])
        # Without its Content-Security-Policy, which would hide that a script is there.
        html = page.read_text(encoding="utf-8")
        page.write_text(html.replace("Content-Security-Policy", "X-Nothing"), encoding="utf-8")
        self.browser.look(390, "light")
        self.open(page)
        self.assertEqual(self.browser.ask("document.title"), "eddy report")
        self.assertEqual(self.browser.ask("document.querySelectorAll('script,img,iframe,object,form,link,base').length"), 0)
        self.assertIn("<script>", self.browser.ask("document.querySelector('.lead').textContent"))
        self.assertLessEqual(self.browser.ask("document.documentElement.scrollWidth"), 390)

    def test_bars_of_the_timeline_lead_to_their_incidents(self) -> None:
        self.browser.look(1280, "light")
        self.open(self.made("links", made.kinds()))
        self.assertTrue(self.browser.ask("[...document.querySelectorAll('.wide a')].length === 9"))
        self.assertTrue(self.browser.ask(
            "[...document.querySelectorAll('.wide a')].every(a => document.querySelector(a.getAttribute('href')).matches('article'))"))


if __name__ == "__main__":
    if subprocess.run([HERE / "install.sh"]).returncode != 0:
        print("skipped: chromium is not here and can't be installed", file=sys.stderr)
        sys.exit(77)
    unittest.main()
