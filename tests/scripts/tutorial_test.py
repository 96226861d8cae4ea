"""docs/tutorial.md: its commands run, and say what the text around them says."""

import os
import pathlib
import re
import unittest
from unittest import mock

from abacus.doc_tables import tutorial
from abacus.errors import AbacusError


class Tutorial(unittest.TestCase):
    program = pathlib.Path(os.environ.get("ABACUS_PROGRAM", "build/release/bin/abacus"))

    def test_its_commands_say_what_it_says(self) -> None:
        shipped = tutorial.DOCUMENT.read_text(encoding="utf-8")
        text = tutorial.done(shipped, self.program)
        said = [found["said"] for found in tutorial.STEP.finditer(text) if found["said"]]
        self.assertEqual(len(said), shipped.count("```text\n"))
        run, explained, traced, wide, changed, refused, explored, best, table, guarded, page = said
        self.assertEqual(run.count(" bit-exact"), 2)
        self.assertIn("limit: lanes", explained)
        self.assertIn("bound by work", explained)
        self.assertIn("bus transactions", traced)
        self.assertEqual(wide.count(" bit-exact"), 2)
        self.assertRegex(changed, r"cycles_per_image: \d+ → \d+ cycles \(-4\d\.\d %\)")
        self.assertRegex(changed, r"energy_per_image_uj: .*\(-\d")
        self.assertRegex(refused, "unknown key `hardware.array.row`; did you mean `rows`")
        self.assertIn("18 ok, 0 infeasible, 0 failed", explored)
        self.assertGreater(len(best.splitlines()), 3)
        self.assertIn("rows", table)
        self.assertRegex(guarded, "same +first")
        self.assertIn("report.html", page)
        # As many lines as are shipped: scripts/doc-tables tutorial makes them anew.
        lines = [
            step["said"].count("\n") for step in tutorial.STEP.finditer(shipped) if step["said"]
        ]
        self.assertEqual([one.count("\n") for one in said], lines)

    def test_where_ci_is_set_it_says_the_same(self) -> None:
        step = '```sh\necho "CI=${CI-}"\n```\n\n```text\n```\n'
        with mock.patch.dict(os.environ, {"CI": "true"}):
            self.assertIn("CI=\n", tutorial.done(step, self.program))

    def test_a_command_that_fails_is_told(self) -> None:
        with self.assertRaisesRegex(AbacusError, "this failed:\nfalse"):
            tutorial.done("```sh\nfalse\n```\n", self.program)

    def test_only_what_commands_say_is_changed(self) -> None:
        text = "a\n\n```sh\necho b\n```\n\n```text\nold\n```\n\n```sh\ntrue\n```\n\nc\n"
        self.assertEqual(tutorial.done(text, self.program), re.sub("old", "b", text))


if __name__ == "__main__":
    unittest.main()
