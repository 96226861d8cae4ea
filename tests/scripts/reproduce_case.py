"""A folder in which scripts/reproduce runs with stand-ins for the two programs."""

import csv
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from fake_programs import SCRIPTS, write_checkpoint, write_programs

COLUMNS = ["row", "method", "bits", "published", "ours", "unit", "images", "note"]

Line = dict[str, str]


class ReproduceCase(unittest.TestCase):
    """Its helpers; each test has a folder of its own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"
        self.checkpoint = self.folder / "c10.safetensors"
        write_checkpoint(self.checkpoint)
        write_programs(self.folder)
        self.script = self.copy_of_the_script()

    def copy_of_the_script(self) -> pathlib.Path:
        """In a folder where these checkpoints alone are shipped, whatever is shipped besides."""
        copy = self.folder / "project"
        shutil.copytree(SCRIPTS, copy / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        scenarios = SCRIPTS.parent / "scenarios"
        shipped = copy / "scenarios" / "checkpoints"
        shipped.mkdir(parents=True)
        (copy / "scenarios" / "energy").symlink_to(scenarios / "energy")
        for name in (
            "cifar10-cnn",
            "cifar10-shiftaddnet",
            "fashion-mnist-adder",
            "fashion-mnist-cnn",
            "fashion-mnist-shiftaddnet",
        ):
            file = f"resnet20-{name}.safetensors"
            (shipped / file).symlink_to(scenarios / "checkpoints" / file)
        return copy / "scripts" / "reproduce"

    def command(self, table: str, *more: object) -> list[str]:
        """The script's call, of one checkpoint and the stand-ins."""
        return [
            str(self.script),
            table,
            "--out",
            str(self.out),
            "--bin",
            str(self.folder),
            "--checkpoint",
            str(self.checkpoint),
            "--jobs",
            "1",
            *map(str, more),
        ]

    def run_it(
        self, table: str, *more: object, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Whatever comes of it. The user's data folder has no part in it."""
        inherited = {name: text for name, text in os.environ.items() if name != "ABACUS_DATA"}
        return subprocess.run(
            self.command(table, *more),
            capture_output=True,
            text=True,
            timeout=120,
            env={**inherited, **(environment or {})},
        )

    def draw(self, figure: str, *more: object) -> None:
        """Makes a figure: both formats are there."""
        done = self.run_it(figure, *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        for kind in ("svg", "png"):
            self.assertTrue((self.out / f"{figure}.{kind}").is_file())

    def make(
        self, table: str, *more: object, environment: dict[str, str] | None = None
    ) -> list[Line]:
        """The table's lines."""
        done = self.run_it(table, *more, environment=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.lines(table)

    def lines(self, table: str) -> list[Line]:
        """Of the file that is there."""
        with open(self.out / f"{table}.csv", encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            self.assertEqual(reader.fieldnames, COLUMNS)
            return list(reader)

    def figure_lines(self, name: str) -> list[Line]:
        """Of a figure's data."""
        with open(self.out / f"{name}.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    @staticmethod
    def one(lines: list[Line], **wanted: str) -> Line:
        """The one that has these."""
        found = [line for line in lines if all(line[k] == v for k, v in wanted.items())]
        assert len(found) == 1, (wanted, found)
        return found[0]

    def calls(self, start: str = "") -> list[str]:
        """Of the programs, those that begin so."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(start)]

    def trainings(self) -> list[str]:
        """Calls of `abacus-train qat`."""
        return self.calls("abacus-train qat")

    def add_cnn(self) -> tuple[pathlib.Path, tuple[object, ...]]:
        """A checkpoint of the ordinary network beside the adder one; the arguments that name it."""
        file = self.folder / "cnn.safetensors"
        write_checkpoint(file, arithmetic="cnn", accuracy="92.50")
        return file, ("--checkpoint", file, "--dataset", "cifar10")
