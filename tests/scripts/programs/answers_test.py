"""What the programs say, read strictly."""

import json
import pathlib
import tempfile
import unittest

from abacus.errors import AbacusError
from abacus.programs.answer import parse_answer
from abacus.programs.levels import level_sets
from abacus.programs.prices import Prices
from abacus.programs.process import run
from abacus.programs.programs import Programs
from abacus.programs.recipe import Recipe, read_recipe
from fake_programs import write_package, write_programs


class Answers(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        write_programs(self.folder)
        self.programs = Programs(self.folder, None)

    def test_only_an_answer_of_the_command_is_taken(self) -> None:
        answer = {"command": "levels", "schema": 1, "bits": 4}
        self.assertEqual(parse_answer(json.dumps(answer), "levels"), answer)
        for text, words in (
            ("4 bits", "gave no JSON but: 4 bits"),
            ("[1]", "found no object"),
            (json.dumps({**answer, "command": "energy"}), "found command energy; allowed: levels"),
            (json.dumps({**answer, "schema": 2}), "found schema 2; allowed: 1"),
        ):
            with self.assertRaisesRegex(AbacusError, words):
                parse_answer(text, "levels")

    def test_an_answer_is_kept_once_it_is_known_to_be_one(self) -> None:
        kept = self.folder / "kept" / "levels.json"
        trainer = self.programs.trainer()
        for _ in range(2):
            answer = self.programs.ask_once(kept, trainer, "levels", "--bits", 3)
            self.assertEqual(answer["bits"], 3)
        self.assertEqual(len((self.folder / "calls").read_text().splitlines()), 1)
        (self.folder / "says").write_text("nothing of use")
        with self.assertRaisesRegex(AbacusError, "nothing of use"):
            self.programs.ask_once(kept.with_name("other"), trainer, "evaluate")
        self.assertFalse(kept.with_name("other").exists())

    def test_a_failing_program_gives_its_last_words(self) -> None:
        with self.assertRaisesRegex(AbacusError, "no such thing"):
            run(["/bin/sh", "-c", "echo first >&2; echo no such thing >&2; exit 3"])
        with self.assertRaisesRegex(AbacusError, "sh ended with status 3"):
            run(["/bin/sh", "-c", "exit 3"])

    def test_prices_are_those_of_the_widths_asked_for(self) -> None:
        prices = Prices(self.programs, "shiftadd-papers", (32, 8))
        self.assertEqual(prices.picojoules("add", 8), 0.03)
        self.assertEqual(prices.picojoules("shift", 32), 0.13)
        for action, bits in (("add", 16), ("sram_read", 8)):
            with self.assertRaisesRegex(AbacusError, f"no price of {action} at {bits} bits"):
                prices.picojoules(action, bits)

    def test_level_sets_have_names(self) -> None:
        sets = level_sets(self.programs, 3)
        self.assertEqual(sets.levels["pot"], [-1, -0.5, -0.25, 0, 0.25, 0.5, 1])
        self.assertEqual(sets.exponent_quantile, 0.99)

    def test_recipes_have_what_was_left_to_the_program(self) -> None:
        package = self.folder / "p.safetensors"
        write_package(package, "resnet20", "cifar10", "lsq-lsq-qat", 4, None, 2, "lr=0x1p-3")
        recipe = read_recipe(self.programs, package)
        self.assertTrue(recipe.agrees("lr", "0.125"))
        self.assertTrue(recipe.agrees("lr", "1.25e-1"))
        self.assertTrue(recipe.agrees("flip", "true"))
        self.assertFalse(recipe.agrees("flip", "false"))
        self.assertTrue(recipe.agrees("adapter_start", "one"))
        self.assertFalse(recipe.agrees("fraction_bits", "2"))
        self.assertEqual(
            [recipe.text(name) for name in ("lr", "optimizer", "fraction_bits", "seed")],
            ["0.125", "sgd", "the default", "2"],
        )
        self.assertFalse(recipe.tells("momentum"))
        write_package(package, "resnet20", "cifar10", "lsq-lsq-qat", 4)
        self.assertEqual(read_recipe(self.programs, package), Recipe({}))


if __name__ == "__main__":
    unittest.main()
