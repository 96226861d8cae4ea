"""Where the plotting library comes from, and what is said where there is none."""

import hashlib
import os
import pathlib
import stat
import subprocess
import tempfile
import unittest
from unittest import mock

from abacus.errors import AbacusError
from abacus.report.library import MINIFIED_SHA256, SHA256, SOURCE, VERSION, read_library
from fake_programs import SCRIPTS, TINY_RESULTS

FILE = f"plotly-{VERSION}.min.js"


class Library(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.kept = self.folder / "abacus" / FILE

    def environment(self, path: str = "") -> dict[str, str]:
        """With a cache of its own; `path` is where programs are looked for, default: as here."""
        return {
            **os.environ,
            "XDG_CACHE_HOME": str(self.folder),
            "PATH": path or os.environ["PATH"],
        }

    def report(self, path: str = "") -> subprocess.CompletedProcess[str]:
        """Of the tiny results, into page.html."""
        return subprocess.run(
            [SCRIPTS / "report", TINY_RESULTS, "--out", self.folder / "page.html"],
            capture_output=True,
            text=True,
            timeout=120,
            env=self.environment(path),
        )

    def esbuild(self, text: str) -> str:
        """A program of that name; its folder."""
        program = self.folder / "esbuild"
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(stat.S_IRWXU)
        return str(self.folder)

    def assert_refused(self, done: subprocess.CompletedProcess[str], *words: str) -> None:
        """In one line, without a page."""
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for text in words:
            self.assertIn(text, done.stderr)
        self.assertFalse((self.folder / "page.html").exists())
        self.assertFalse(self.kept.exists())

    def assert_page(self, done: subprocess.CompletedProcess[str]) -> str:
        """Its text, the version and the authors' notice in it."""
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (self.folder / "page.html").read_text()
        self.assertIn(f"* plotly.js v{VERSION}\n* Copyright 2012-2021, Plotly, Inc.", text)
        self.assertIn(f"plotly.js {VERSION} (Plotly, Inc., MIT licence)", text)
        return text

    def test_it_is_made_short_once_and_kept(self) -> None:
        first = self.assert_page(self.report())
        content = self.kept.read_bytes()
        self.assertEqual(hashlib.sha256(content).hexdigest(), MINIFIED_SHA256)
        self.assertIn(content.decode(), first)
        # From then on without esbuild.
        self.assertEqual(self.assert_page(self.report(path="/nowhere")), first)

    def test_a_damaged_one_is_made_anew(self) -> None:
        self.kept.parent.mkdir()
        self.kept.write_bytes(b"alert(1)")
        self.assert_page(self.report())
        self.assertEqual(hashlib.sha256(self.kept.read_bytes()).hexdigest(), MINIFIED_SHA256)

    def test_what_another_esbuild_makes_serves_and_is_not_kept(self) -> None:
        path = self.esbuild("echo 'console.log(1)'")
        self.assertIn("console.log(1)", self.assert_page(self.report(path)))
        self.assertFalse(self.kept.exists())

    def test_a_cache_that_cannot_be_written_is_no_hindrance(self) -> None:
        self.kept.parent.write_text("a file")
        self.assert_page(self.report())

    def test_without_esbuild_there_is_no_page_and_the_packages_are_told(self) -> None:
        self.assert_refused(
            self.report(path="/nowhere"), "no esbuild", f"plotly.js {VERSION}", "scripts/setup.sh"
        )

    def test_what_esbuild_says_is_told(self) -> None:
        path = self.esbuild("echo '1.2: what is this?' >&2; exit 3")
        self.assert_refused(self.report(path), "esbuild: 1.2: what is this?")

    def test_without_the_library_the_packages_are_told(self) -> None:
        with mock.patch.dict(os.environ, self.environment()):
            with self.assertRaises(AbacusError) as raised:
                read_library(self.folder / "none.js")
        for words in ("none.js: No such file", "python3-plotly and esbuild", "scripts/setup.sh"):
            self.assertIn(words, str(raised.exception))

    def test_another_library_is_refused(self) -> None:
        other = self.folder / "plotly.js"
        other.write_bytes(SOURCE.read_bytes()[:-1])
        with mock.patch.dict(os.environ, self.environment()):
            with self.assertRaises(AbacusError) as raised:
                read_library(other)
        for words in (f"{other}: it is not plotly.js {VERSION}: found", f"allowed: {SHA256}"):
            self.assertIn(words, str(raised.exception))


if __name__ == "__main__":
    unittest.main()
