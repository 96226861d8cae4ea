"""docs/commands.md is what the program says of its commands, docs/mistakes.md what it answers."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from abacus.places import ROOT

PROGRAM = pathlib.Path(os.environ.get("ABACUS_PROGRAM", "build/release/bin/abacus")).resolve()
STEP = re.compile(r"```sh\n(?P<command>.*?)```\n\n```text\n(?P<said>.*?)```\n", re.DOTALL)


def shell(command: str, folder: pathlib.Path) -> "subprocess.CompletedProcess[str]":
    """In a folder with scenarios/, abacus being the program."""
    return subprocess.run(
        ["bash", "-c", f'abacus() {{ "{PROGRAM}" "$@"; }}\n{command}'],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


class Commands(unittest.TestCase):
    def test_the_reference_is_the_programs_own(self) -> None:
        page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
        found = re.search(
            r"<!-- scripts/doc-tables commands -->\n\n(.*?)\n<!-- end -->", page, flags=re.DOTALL
        )
        assert found
        now = subprocess.run(
            [PROGRAM, "help", "--format", "markdown"], capture_output=True, text=True, check=True
        )
        self.assertEqual(found[1], now.stdout, "run: scripts/doc-tables commands")

    def test_help_and_version_are_commands_too(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for command, option in (("help", "--help"), ("version", "--version")):
                one, other = shell(f"abacus {command}", folder), shell(f"abacus {option}", folder)
                self.assertEqual((one.returncode, one.stdout), (0, other.stdout))
            one, other = (
                shell(f"abacus {words}", folder) for words in ("help best", "best --help")
            )
            self.assertEqual((one.returncode, one.stdout), (0, other.stdout))
            self.assertIn("Examples:\n  abacus best ", one.stdout)
            wrong = shell("abacus help bset", folder)
            self.assertEqual(wrong.returncode, 1)
            self.assertIn("there is no command bset; did you mean best?", wrong.stdout)

    def test_nothing_is_coloured(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            self.assertNotIn("\x1b", shell("abacus help", pathlib.Path(name)).stdout)


class Mistakes(unittest.TestCase):
    def test_are_answered_as_the_page_says(self) -> None:
        page = (ROOT / "docs" / "mistakes.md").read_text(encoding="utf-8")
        steps = list(STEP.finditer(page))
        self.assertGreaterEqual(len(steps), 10)
        for step in steps:
            with self.subTest(step["command"]), tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                (folder / "scenarios").symlink_to(ROOT / "scenarios")
                answer = shell(step["command"], folder)
                self.assertNotEqual(answer.returncode, 0)
                # … stands for what is left out.
                wanted = r".*".join(re.escape(part) for part in step["said"].strip().split("…"))
                self.assertRegex(answer.stdout.strip(), re.compile(f"^{wanted}$", re.DOTALL))
                left = [file for file in (folder / "results").rglob("*") if file.is_file()]
                self.assertEqual([file.name for file in left if file.suffix == ".json"], [])


if __name__ == "__main__":
    unittest.main()
