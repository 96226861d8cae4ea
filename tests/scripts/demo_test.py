"""scripts/demo.sh, with stand-ins for what it calls: its order, and how it ends."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from fake_programs import SCRIPTS

CALLED = '#!/bin/sh\necho "$(basename "$0") $*" >>calls\n'


class Demo(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.stand_in("scripts/setup.sh")
        self.stand_in("scripts/build.sh")
        self.stand_in("build/program/bin/abacus")
        shutil.copy(SCRIPTS / "demo.sh", self.folder / "scripts")

    def stand_in(self, name: str, more: str = "") -> None:
        """A program that writes down how it was called."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(CALLED + more)
        file.chmod(0o755)

    def demo(self, *words: str) -> subprocess.CompletedProcess[str]:
        """From elsewhere."""
        return subprocess.run(
            [self.folder / "scripts" / "demo.sh", *words],
            capture_output=True,
            text=True,
            timeout=60,
        )

    def calls(self) -> list[str]:
        """What ran."""
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def test_it_installs_builds_runs_and_shows(self) -> None:
        done = self.demo("first")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(
            self.calls(),
            [
                "setup.sh demo",
                "build.sh program",
                "abacus simulate scenarios/first.toml --check --out results/first",
                "abacus report results/first/results.json",
            ],
        )

    def test_without_a_page_the_results_are_told(self) -> None:
        self.stand_in(
            "build/program/bin/abacus",
            '[ "$1" != report ] || { echo "report: there is no esbuild" >&2; exit 1; }\n',
        )
        done = self.demo()
        self.assertEqual(done.returncode, 1)
        told = done.stderr.splitlines()
        self.assertEqual(told[0], "report: there is no esbuild")
        self.assertIn("all but the page is done: results/demo/results.json", told[1])
        self.assertIn("build/program/bin/abacus report results/demo/results.json", told[2])

    def test_where_the_run_fails_there_is_no_page(self) -> None:
        self.stand_in("build/program/bin/abacus", "exit 3\n")
        self.assertEqual(self.demo("first").returncode, 3)
        self.assertEqual(len(self.calls()), 3)

    def test_another_scenario_is_refused(self) -> None:
        done = self.demo("second")
        self.assertEqual(done.returncode, 2)
        self.assertIn('found "second"; allowed: first, demo', done.stderr)
        self.assertEqual(self.calls(), [])


if __name__ == "__main__":
    unittest.main()
