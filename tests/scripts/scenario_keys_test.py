"""docs/scenario.md has the keys of a scenario that the program knows, no others, and all words that
a key allows. The program is asked by its own errors, which tell what is known and allowed."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from abacus import places

PROGRAM = pathlib.Path(os.environ.get("ABACUS_PROGRAM", "build/release/bin/abacus")).resolve()
PAGE = places.ROOT / "docs" / "scenario.md"
CHECKPOINT = places.CHECKPOINTS / "resnet20-fashion-mnist-cnn.safetensors"

TRAINED = {
    "network": '"resnet20"',
    "arithmetic": '"cnn"',
    "dataset": '"fashion-mnist"',
    "checkpoint": f'"{CHECKPOINT}"',
}
RANDOM = {
    "network": '"lenet"',
    "arithmetic": '"cnn"',
    "weights": '"synthetic"',
    "image": "[1, 28, 28]",
    "classes": "10",
}
# Sections with tables of their own, and what adds a run.
SECTIONS = {"area", "energy", "hardware", "quantization", "run"}


def said(base: dict[str, str], key: str, value: str) -> str:
    """The errors of a scenario with this key, too."""
    lines = {**base, key: value}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [PROGRAM, "simulate", "-", "--out", folder],
            input="".join(f"{name} = {text}\n" for name, text in lines.items()),
            capture_output=True,
            text=True,
            timeout=60,
        )
    if done.returncode == 0:
        raise AssertionError(f"{key} = {value} is taken")
    return done.stderr


def known(base: dict[str, str], section: str = "") -> set[str]:
    """The keys of a section."""
    before = f"{section}." if section else ""
    found = re.search(r"known here: (.*)", said(base, f"{before}no_such_key", "1"))
    if found is None:
        raise AssertionError("no keys are told")
    return set(found[1].split(", "))


def rows(heading: str) -> dict[str, str]:
    """Of the table below a heading: what stands behind each key."""
    text = PAGE.read_text(encoding="utf-8").partition(f"{heading}\n")[2]
    table = text[: re.search(r"^#", text, re.MULTILINE).start()]  # type: ignore[union-attr]
    found: dict[str, str] = {}
    for line in re.findall(r"^\| `(.*)$", table, re.MULTILINE):
        cell, _, rest = f"`{line}".partition(" | ")
        for key in re.findall(r"`([^`]+)`", cell):
            found[key] = rest
    return found


class ScenarioKeys(unittest.TestCase):
    def test_at_the_top(self) -> None:
        self.assertEqual(set(rows("## Keys")), known(TRAINED) - SECTIONS)
        self.assertEqual(known(RANDOM), known(TRAINED))

    def test_of_sections(self) -> None:
        for section in ("quantization", "energy", "area"):
            with self.subTest(section):
                self.assertEqual(set(rows(f"### `[{section}]`")), known(TRAINED, section))

    def test_of_quantization_with_random_weights(self) -> None:
        # These two are known only to be refused with words of their own.
        wanted = known(RANDOM, "quantization") - {"scheme", "options"}
        self.assertEqual(set(rows("### Random weights")), wanted)

    def test_all_words_that_a_key_allows(self) -> None:
        for heading, section, key in (
            ("## Keys", "", "network"),
            ("## Keys", "", "arithmetic"),
            ("## Keys", "", "dataset"),
            ("## Keys", "", "level"),
            ("## Keys", "", "engine"),
            ("### `[energy]`", "energy.", "table"),
            ("### `[energy]`", "energy.", "missing"),
            ("### `[energy]`", "energy.", "between_frames"),
            ("### `[area]`", "area.", "table"),
            ("### `[area]`", "area.", "missing"),
        ):
            with self.subTest(section + key):
                text = said(TRAINED, section + key, '"no such word"')
                allowed = re.search(r"allowed: (.*)", text)
                if allowed is None:
                    self.fail(text)
                words = allowed[1].partition(", or ")[0].split(", ")
                self.assertGreaterEqual(len(words), 1)
                for word in words:
                    self.assertIn(f"`{word}`", rows(heading)[key])


if __name__ == "__main__":
    unittest.main()
