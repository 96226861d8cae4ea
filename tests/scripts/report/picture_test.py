"""scripts/picture: a part of a report's page as PNG."""

import json
import pathlib
import struct
import subprocess
import tempfile
import unittest

from fake_programs import SCRIPTS
from results_case import tiny

try:
    import selenium  # noqa: F401
except ImportError:
    MISSING = "python3-selenium"
else:
    PROGRAMS = (pathlib.Path("/usr/bin/chromium"), pathlib.Path("/usr/bin/chromedriver"))
    MISSING = ", ".join(str(file) for file in PROGRAMS if not file.exists())

SECONDS = 240  # a busy machine


def picture(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPTS / "picture", *map(str, words)], capture_output=True, text=True, timeout=SECONDS
    )


class Picture(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    @unittest.skipIf(MISSING, f"skipped: no {MISSING}; scripts/setup.sh lint installs it")
    def test_a_part_of_the_page(self) -> None:
        results = self.folder / "results.json"
        results.write_text(json.dumps(tiny()))
        subprocess.run([SCRIPTS / "report", results], check=True, timeout=SECONDS)
        page, out = self.folder / "report.html", self.folder / "front.png"
        done = picture(page, "--out", out, "--width", 700)
        self.assertEqual(done.returncode, 0, done.stderr)
        head = out.read_bytes()[:24]
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", head[16:])
        self.assertTrue(300 <= width <= 700, width)
        self.assertGreater(height, 100)
        for wrong in (["--element", "#nothing"], ["--choose", "x=nothing"], ["--choose", "x"]):
            done = picture(page, *wrong, "--out", self.folder / "no.png")
            self.assertEqual(done.returncode, 1)
            self.assertIn("nothing" if "nothing" in wrong[1] else "must be ID=ENTRY", done.stderr)
            self.assertFalse((self.folder / "no.png").exists())

    def test_what_it_refuses(self) -> None:
        done = picture(self.folder / "none.html", "--out", self.folder / "a.png")
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.html: no such file; abacus report makes it", done.stderr)
        (self.folder / "report.html").write_text("")
        done = picture(self.folder / "report.html", "--out", self.folder / "a.svg")
        self.assertEqual(done.returncode, 1)
        self.assertIn("must be a file ending in .png", done.stderr)


if __name__ == "__main__":
    unittest.main()
