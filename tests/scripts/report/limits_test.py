"""What a page of many points costs, the plotting library included."""

import json
import pathlib
import resource
import subprocess
import tempfile
import unittest
from typing import Any

from fake_programs import SCRIPTS
from made_up import many_runs, study, study_folder

POINTS = 500
MOST_SECONDS = 5.0
MOST_BYTES = 6_000_000


def processor_seconds() -> float:
    """Of all finished children: the machine may do much else."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Limits(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def assert_cheap(self, *arguments: str | pathlib.Path) -> None:
        """The page of it, report.html in the folder."""
        before = processor_seconds()
        done = subprocess.run(
            [SCRIPTS / "report", *arguments], capture_output=True, text=True, timeout=300
        )
        seconds = processor_seconds() - before
        self.assertEqual(done.returncode, 0, done.stderr)
        size = (self.folder / "report.html").stat().st_size
        print(f"{POINTS} points: {seconds:.2f} s, {size / 1e6:.2f} MB")
        self.assertLess(seconds, MOST_SECONDS)
        self.assertLess(size, MOST_BYTES)
        self.assertGreater(size, 1_000_000)  # the library is there

    def results(self, content: dict[str, Any]) -> pathlib.Path:
        """In a file."""
        file = self.folder / "results.json"
        file.write_text(json.dumps(content))
        return file

    def test_a_page_of_many_runs(self) -> None:
        self.assert_cheap(self.results(many_runs(POINTS)))

    def test_a_page_of_points(self) -> None:
        self.assert_cheap("--points", self.results(study(POINTS)))

    def test_a_page_of_a_studys_folder(self) -> None:
        study_folder(self.folder, POINTS)
        self.assert_cheap(self.folder)


if __name__ == "__main__":
    unittest.main()
