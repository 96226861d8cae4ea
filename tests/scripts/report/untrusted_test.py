"""Whatever stands in a results.json: a page whose tags are all its own, or an error that says where
and what; never anything else."""

import json
import random
import unittest
from typing import Any

from abacus.errors import AbacusError
from results_case import (
    HOSTILE,
    LEAVES,
    Path,
    ResultsCase,
    at,
    hostile,
    nodes,
    page_of,
    put,
    tiny,
)

NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    0.5,
    5e-324,
    1e-30,
    1e18,
    1e308,
    2**64,
    10**400,
    float("inf"),
    float("nan"),
)
OTHERS: tuple[Any, ...] = (None, True, "", HOSTILE, [], {}, [[]], {HOSTILE: HOSTILE}, [HOSTILE])
VALUES = NUMBERS + OTHERS


def path_text(path: Path) -> str:
    """As errors name it."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text[1:]


def mutate(results: Any, source: random.Random) -> None:
    """One to three values of it: replaced by another one, of it or of VALUES, or removed."""
    for _ in range(source.randint(1, 3)):
        paths = [path for path in nodes(results) if path]
        path = source.choice(paths)
        kind = source.random()
        if kind < 0.1:
            del at(results, path[:-1])[path[-1]]
        elif kind < 0.3:
            other = json.loads(json.dumps(at(results, source.choice(paths))))
            put(results, path, other)
        else:
            put(results, path, source.choice(VALUES))


class Untrusted(ResultsCase):
    def try_page(self, results: Any) -> bool:
        """Whether there is one."""
        try:
            text = page_of(results)
        except AbacusError as error:
            self.assertRegex(str(error), r"^r\.json: .*found .*; (allowed: |it is needed)")
            self.assertTrue(str(error).isprintable(), str(error))
            return False
        self.assert_harmless(text)
        return True

    def test_each_leaf_in_turn(self) -> None:
        texts = 0
        for path in LEAVES:
            for value in VALUES:
                results = tiny()
                put(results, path, value)
                with self.subTest(path=path_text(path), value=value):
                    made = self.try_page(results)
                    texts += made and value is HOSTILE
        self.assertGreater(texts, 30)

    def test_an_error_names_file_leaf_and_both_sides(self) -> None:
        cases: tuple[tuple[Path, Any, str], ...] = (
            (("runs", 0, "images"), 0.5, "found 0.5; allowed: whole numbers from 0 to 1844"),
            (("runs", 0, "name"), ["a"], "found a list of 1 entries; allowed: text"),
            (("runs", 0, "layers", 1, "cycles"), None, "found null; allowed: 0, or numbers from"),
            (("runs", 0, "cycles_per_image"), 0, "found 0; allowed: numbers from 1 to"),
            (("runs", 0, "weights"), "?", 'found "?"; allowed: trained or synthetic'),
            (("runs", 1, "bit_exact"), 0, "found 0; allowed: true or false"),
            (("runs", 1, "mismatch"), None, "found null; allowed: text"),
            (("runs", 0, "accuracy_percent"), 101, "found 101; allowed: numbers from 0 to 100"),
            (("times", "seconds"), float("inf"), "found Infinity; allowed: 0, or numbers"),
            (("runs", 0, "hardware", "bus"), [], "found a list of 0 entries; allowed: text, true"),
        )
        for path, value, words in cases:
            results = tiny()
            put(results, path, value)
            with self.assertRaises(AbacusError) as caught:
                page_of(results)
            self.assertIn(f"r.json: {path_text(path)}: {words}", str(caught.exception))

    def test_random_changes(self) -> None:
        source = random.Random(1)
        made = 0
        for _ in range(400):
            results = tiny()
            mutate(results, source)
            made += self.try_page(results)
        self.assertGreater(made, 40)
        self.assertLess(made, 360)

    def test_all_names_hostile(self) -> None:
        self.assertTrue(self.try_page(hostile()))

    def test_numbers_at_their_limits(self) -> None:
        for number, integer in ((0, 0), (1e-30, 1), (1e18, 2**64 - 1)):
            results = tiny()
            for path in LEAVES:
                old = at(results, path)
                if isinstance(old, bool) or not isinstance(old, (int, float)):
                    continue
                if path[0] == "runs" and path[2] == "cycles_per_image":
                    put(results, path, max(number, 1))
                elif "percent" in str(path[-1]):
                    put(results, path, min(number, 100))
                elif path[-1] in ("images", "groups", "macs_or_taps", "saturations"):
                    put(results, path, integer)
                elif isinstance(old, float) or "cycles" in str(path[-1]):
                    put(results, path, number)
            with self.subTest(number=number):
                self.assertTrue(self.try_page(results))


if __name__ == "__main__":
    unittest.main()
