"""cmake --install into a folder that is then moved: programs find their data beside themselves, the
manual page is without warnings, completion completes."""

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from abacus import places

EXAMPLE = places.ROOT / "tests" / "package"
RANDOM_WEIGHTS = """
network = "lenet"
arithmetic = "adder"
weights = "synthetic"
image = [1, 28, 28]
classes = 10
timed_images = 1
"""
BUILD = pathlib.Path(os.environ.get("ABACUS_BUILD", "build/release")).resolve()


def said(*command: object, **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        **options,
    )


class Install(unittest.TestCase):
    folder: pathlib.Path
    prefix: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.prefix = cls.folder / "moved"
        done = said("cmake", "--install", BUILD, "--prefix", cls.folder / "first")
        if done.returncode:
            raise AssertionError(done.stderr)
        (cls.folder / "first").rename(cls.prefix)

    def setUp(self) -> None:
        self.environment = {k: v for k, v in os.environ.items() if k != "ABACUS_HOME"}

    def abacus(self, *words: object) -> "subprocess.CompletedProcess[str]":
        program = self.prefix / "bin" / "abacus"
        return said(program, *words, cwd=self.folder, env=self.environment)

    def test_a_shipped_scenario_runs_from_any_prefix(self) -> None:
        scenario = self.prefix / "share" / "abacus" / "scenarios" / "first.toml"
        done = self.abacus("simulate", scenario, "--images", 3, "--check", "--out", "results")
        self.assertEqual(done.returncode, 0, done.stderr)
        results = json.loads((self.folder / "results" / "results.json").read_text())
        self.assertEqual([run["bit_exact"] for run in results["runs"]], [True, True])

    def test_its_data_are_the_installed_ones_and_abacus_home_goes_before(self) -> None:
        data = self.prefix / "share" / "abacus"
        other = self.folder / "other"
        shutil.copytree(data, other, ignore=shutil.ignore_patterns("*.safetensors"))
        for place in (data, other):
            tables = place / "scenarios" / "energy"
            shutil.copy(tables / "horowitz-45nm.toml", tables / f"only-{place.name}.toml")
        self.assertEqual(self.abacus("energy", "only-abacus").returncode, 0)
        self.assertEqual(self.abacus("energy", "only-other").returncode, 1)
        self.environment["ABACUS_HOME"] = str(other)
        self.assertEqual(self.abacus("energy", "only-other").returncode, 0)
        self.assertEqual(self.abacus("energy", "only-abacus").returncode, 1)

    def test_a_project_elsewhere_uses_the_libraries(self) -> None:
        scenario = self.folder / "random.toml"
        scenario.write_text(RANDOM_WEIGHTS)
        done = self.abacus("simulate", scenario, "--out", "random")
        self.assertEqual(done.returncode, 0, done.stderr)
        results = self.folder / "random" / "results.json"
        cycles = json.loads(results.read_text())["runs"][0]["cycles_per_image"]

        build = self.folder / "example"
        steps = [
            ("cmake", "-G", "Ninja", "-S", EXAMPLE, "-B", build, f"-DAbacus_ROOT={self.prefix}"),
            ("cmake", "--build", build),
            (build / "cycles", scenario, results),
        ]
        self.environment["ABACUS_HOME"] = str(self.prefix / "share" / "abacus")
        for step in steps:
            done = said(*step, env=self.environment)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.splitlines()[-2:], [f"simulated {cycles}", f"read {cycles}"])

    def test_the_package_names_no_folder_of_the_build(self) -> None:
        for file in (self.prefix / "lib").rglob("*.cmake"):
            text = file.read_text()
            self.assertNotIn(str(places.ROOT), text, file.name)
            self.assertNotIn(str(self.folder), text, file.name)

    def test_nothing_of_a_checkout_that_is_none_of_it(self) -> None:
        names = {file.name for file in self.prefix.rglob("*")}
        self.assertEqual(names & {"__pycache__", "tests", "build", ".git"}, set())

    def test_the_manual_page_tells_all_commands_without_warnings(self) -> None:
        page = self.prefix / "share" / "man" / "man1" / "abacus.1.gz"
        text = gzip.decompress(page.read_bytes())
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-P-cbou"], input=text, capture_output=True
        )
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        for command in ("simulate", "explore", "help", "version"):
            self.assertIn(f"abacus {command} ", done.stdout.decode())
        self.assertIn(b"EXIT STATUS", text)

    def completed(self, *words: str) -> list[str]:
        script = self.prefix / "share" / "bash-completion" / "completions" / "abacus"
        line = " ".join(f"'{word}'" for word in words)
        done = said(
            "bash",
            "-c",
            f'source "{script}"; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _abacus; '
            'printf "%s\\n" "${COMPREPLY[@]}"',
        )
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes_commands_options_and_choices(self) -> None:
        self.assertEqual(self.completed("abacus", "simu"), ["simulate"])
        self.assertIn("explore", self.completed("abacus", "ex"))
        self.assertEqual(self.completed("abacus", "simulate", "--check-"), ["--check-images"])
        self.assertEqual(self.completed("abacus", "regress", "--tier", "sm"), ["smoke"])
        self.assertEqual(self.completed("abacus", "keys", "har"), ["hardware"])
        self.assertEqual(self.completed("abacus", "simulate", "--no-such"), [])

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh_reads_its_completion(self) -> None:
        script = self.prefix / "share" / "zsh" / "vendor-completions" / "_abacus"
        done = said("zsh", "-n", script)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
