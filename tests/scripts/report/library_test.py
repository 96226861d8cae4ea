"""Where the plotting library comes from, and what is said where there is none."""

import io
import os
import pathlib
import stat
import subprocess
import tarfile
import tempfile
import unittest

from abacus.report.library import MEMBER, PACKAGE, SHA256, VERSION, library_file
from fake_programs import SCRIPTS, TINY_RESULTS

FILE = f"plotly-basic-{VERSION}.min.js"


class Library(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def call(self, script: str, *words: object, path: str = "") -> subprocess.CompletedProcess[str]:
        """With a cache of its own; `path` comes first where programs are looked for."""
        return subprocess.run(
            [SCRIPTS / script, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=120,
            env={
                **os.environ,
                "XDG_CACHE_HOME": str(self.folder),
                "PATH": f"{path}:{os.environ['PATH']}",
            },
        )

    def archive(self, content: bytes) -> pathlib.Path:
        """As npm packs one."""
        file = self.folder / "archive.tgz"
        with tarfile.open(file, "w:gz") as archive:
            member = tarfile.TarInfo(MEMBER)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        return file

    def assert_refused(self, done: subprocess.CompletedProcess[str], *words: str) -> None:
        """In one line, without a library."""
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for text in words:
            self.assertIn(text, done.stderr)
        self.assertFalse((self.folder / "abacus" / FILE).exists())

    def test_an_archive_brought_by_hand_serves(self) -> None:
        archive = self.archive(library_file().read_bytes())
        done = self.call("fetch-plotly", archive)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.call("fetch-plotly", "--check").returncode, 0)
        self.assertEqual((self.folder / "abacus" / FILE).read_bytes(), library_file().read_bytes())

    def test_another_library_is_refused(self) -> None:
        done = self.call("fetch-plotly", self.archive(b"alert(1)"))
        self.assert_refused(done, f"it is not plotly.js {VERSION}", f"allowed: {SHA256}")

    def test_what_is_no_archive_is_refused(self) -> None:
        file = self.folder / "no.tgz"
        self.assert_refused(self.call("fetch-plotly", file), "No such file")
        file.write_bytes(b"no archive")
        self.assert_refused(self.call("fetch-plotly", file), f"it is no {PACKAGE}-{VERSION}.tgz")

    def test_a_registry_that_does_not_answer_is_an_error(self) -> None:
        npm = self.folder / "npm"
        npm.write_text("#!/bin/sh\necho npm error code ENOTFOUND >&2\nexit 1\n")
        npm.chmod(stat.S_IRWXU)
        done = self.call("fetch-plotly", path=str(self.folder))
        self.assert_refused(done, f"{PACKAGE}@{VERSION}: npm error code ENOTFOUND")

    def test_without_it_there_is_no_page_and_the_command_is_told(self) -> None:
        out = self.folder / "page.html"
        done = self.call("report", TINY_RESULTS, "--out", out)
        self.assert_refused(
            done, "scripts/fetch-plotly", "scripts/setup.sh", f"{PACKAGE}-{VERSION}"
        )
        self.assertFalse(out.exists())

    def test_a_damaged_one_is_found(self) -> None:
        (self.folder / "abacus").mkdir()
        damaged = self.folder / "abacus" / FILE
        damaged.write_bytes(library_file().read_bytes()[:-1])
        done = self.call("report", TINY_RESULTS, "--out", self.folder / "page.html")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{damaged}: it is not plotly.js {VERSION}", done.stderr)


if __name__ == "__main__":
    unittest.main()
