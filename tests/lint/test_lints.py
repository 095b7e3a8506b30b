#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each lint finds what it is for: run on a small tree with one fault."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEAD = "/* SPDX-License-Identifier: MIT */\n/* {} - a file. */\n"


class Lints(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.write("core/eddy.h", HEAD.format("eddy.h") + "EDDY_API int eddy_one(void);\n")
        self.write("core/row.h", HEAD.format("row.h"))
        self.write("core/engine.h", HEAD.format("engine.h"))
        self.write("core/score/score.h", HEAD.format("score.h"))
        self.write("core/clean/clean.c", HEAD.format("clean.c") + '#include "row.h"\n')
        self.write("plugins/common/say.h", HEAD.format("say.h"))
        self.write("plugins/host/host.c", HEAD.format("host.c") + '#include "eddy.h"\n#include "say.h"\n')

    def tearDown(self) -> None:
        self.folder.cleanup()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def add(self, name: str, text: str) -> None:
        self.write(name, (self.root / name).read_text(encoding="utf-8") + text)

    def lint(self, name: str, *args: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "LINT_ROOT": str(self.root)}
        return subprocess.run(
            [sys.executable, str(HERE / f"{name}.py"), *args], env=env, capture_output=True, text=True, check=False
        )

    def assert_finds(self, lint: str, expected: str) -> None:
        run = self.lint(lint)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertIn(expected, run.stdout)

    def test_a_good_tree_passes(self) -> None:
        for lint in ("layers", "sizes", "heads"):
            run = self.lint(lint)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_an_empty_tree_is_no_success(self) -> None:
        self.root = self.root / "nothing"
        for lint in ("layers", "sizes", "heads"):
            self.assertEqual(self.lint(lint).returncode, 1)

    def test_layers_finds_a_later_step(self) -> None:
        self.add("core/clean/clean.c", '#include "score/score.h"\n')
        self.assert_finds("layers", "core/clean/clean.c:4: score/score.h: score comes after clean")

    def test_layers_finds_the_engine_in_a_step(self) -> None:
        self.add("core/clean/clean.c", '#include "engine.h"\n')
        self.assert_finds("layers", "core/engine.h is not for steps")

    def test_layers_finds_a_host_that_looks_inside(self) -> None:
        self.add("plugins/host/host.c", '#include "row.h"\n')
        self.assert_finds("layers", "hosts see only eddy.h")

    def test_layers_finds_a_library_in_two_files(self) -> None:
        self.add("core/clean/clean.c", "#include <zlib.h>\n")
        self.write("core/worker.c", HEAD.format("worker.c") + "#include <zlib.h>\n")
        self.assert_finds("layers", "zlib is included by several files of core/")

    def test_sizes_finds_a_long_function(self) -> None:
        self.add("core/clean/clean.c", "int long_one(void)\n{\n" + "    ;\n" * 58 + "}\n")
        self.assert_finds("sizes", "long_one() has 61 lines")

    def test_sizes_lets_sixty_lines_pass(self) -> None:
        self.add("core/clean/clean.c", "\nint long_one(void)\n{\n" + "    ;\n" * 57 + "}\n")
        self.assertEqual(self.lint("sizes").returncode, 0)

    def test_sizes_finds_a_long_file(self) -> None:
        self.add("core/row.h", "\n" * 499)
        self.assert_finds("sizes", "core/row.h: 501 lines")

    def test_heads_finds_a_missing_licence(self) -> None:
        self.write("core/clean/rule.c", "/* rule.c - a file. */\n")
        self.assert_finds("heads", "core/clean/rule.c:1: no 'SPDX")

    def test_heads_finds_a_path_of_a_machine(self) -> None:
        self.add("core/row.h", "/* see /" + "work/main */\n")
        self.assert_finds("heads", "core/row.h:3: a path of somebody's machine")

    def test_heads_finds_a_banned_function(self) -> None:
        self.add("core/clean/clean.c", "    strcpy(to, from);\n")
        self.assert_finds("heads", "core/clean/clean.c:4: a banned function")

    def test_symbols_finds_a_function_that_the_map_lacks(self) -> None:
        self.write("core/libeddy.map", "EDDY_0.1 { global: local: *; };\n")
        source, library = self.root / "one.c", self.root / "libone.so"
        source.write_text("int eddy_one(void); int eddy_one(void) { return 1; }\n", encoding="utf-8")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
        run = self.lint("symbols", str(library))
        self.assertEqual(run.returncode, 1)
        self.assertIn("eddy_one: in eddy.h, not in core/libeddy.map", run.stdout)
        self.assertNotIn(f"not in {library}", run.stdout)


if __name__ == "__main__":
    unittest.main()
