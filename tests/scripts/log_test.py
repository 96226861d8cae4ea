"""What abacus tells on standard error: how much, and in which colours."""

import os
import pathlib
import pty
import subprocess
import tempfile
import unittest

from abacus import places

PROGRAM = pathlib.Path(os.environ.get("ABACUS_PROGRAM", "build/release/bin/abacus")).resolve()
FIRST = places.ROOT / "scenarios" / "first.toml"
# An image takes longer than a frame, which is a warning.
SIMULATE = ("simulate", FIRST, "--images=2", "--set=energy.frames_per_second=1e6", "--jobs=1")


class Log(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        self.environment["TERM"] = "xterm"

    def told(self, *words: object) -> list[str]:
        """Lines on standard error, of a simulation that comes to its end."""
        done = subprocess.run(
            [PROGRAM, *map(str, words), "--out", str(self.folder / "results")],
            capture_output=True,
            text=True,
            timeout=300,
            env=self.environment,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr.splitlines()

    def on_a_terminal(self, *words: str) -> bytes:
        """Standard error there."""
        ours, theirs = pty.openpty()
        with open(ours, "rb", buffering=0) as terminal:
            with open(theirs, "wb", buffering=0) as end:
                subprocess.run(
                    [PROGRAM, *words], stdout=subprocess.PIPE, stderr=end, env=self.environment
                )
            # What was written may come in parts; once nobody can write, reading ends by an error.
            found = b""
            try:
                while part := terminal.read(4096):
                    found += part
            except OSError:
                pass
            return found

    def test_levels_tell_what_is_worse_too(self) -> None:
        usual = self.told(*SIMULATE)
        self.assertEqual(len(usual), 2)
        for line in usual:
            self.assertRegex(line, '^abacus: warning: run "(CNN|AdderNet)": an image takes ')
        self.assertEqual(self.told(*SIMULATE, "--log-level", "warning"), usual)
        self.assertEqual(self.told(*SIMULATE, "--log-level", "error"), [])
        more = self.told(*SIMULATE, "-v")
        self.assertLess(set(usual), set(more))
        self.assertEqual([line for line in more if "CNN" in line and "package /" in line][1:], [])
        self.assertTrue([line for line in more if line.startswith('abacus: run "CNN": package /')])
        details = self.told(*SIMULATE, "--log-level=debug")
        self.assertEqual(len(details), len(more))

    def test_errors_are_always_told(self) -> None:
        done = subprocess.run(
            [PROGRAM, "simulate", "none.toml", "--log-level", "error"],
            capture_output=True,
            text=True,
            cwd=self.folder,
        )
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^abacus: .*none.toml")

    def test_other_levels_are_refused(self) -> None:
        for words, said in (
            (("--log-level", "loud"), "debug,info,warning,error"),
            (("--log-level", "info", "-v"), "excludes"),
        ):
            done = subprocess.run(
                [PROGRAM, "simulate", FIRST, *words], capture_output=True, text=True
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stderr)

    def test_a_terminal_has_colours_unless_they_are_unwanted(self) -> None:
        wrong = ("simulat",)
        self.assertRegex(self.on_a_terminal(*wrong), rb"^abacus: \x1b\[.*there is no command")
        self.environment["NO_COLOR"] = ""  # counts as not set
        self.assertIn(b"\x1b[", self.on_a_terminal(*wrong))
        self.environment["NO_COLOR"] = "1"
        self.assertRegex(self.on_a_terminal(*wrong), rb"^abacus: there is no command")

    def test_a_pipe_has_none(self) -> None:
        done = subprocess.run([PROGRAM, "simulat"], capture_output=True, env=self.environment)
        self.assertRegex(done.stderr, rb"^abacus: there is no command simulat[^\x1b]*$")


if __name__ == "__main__":
    unittest.main()
