"""Tables of approximate multipliers."""

import contextlib
import io
import pathlib
import tempfile
import unittest

import numpy

from abacus.elements import exact, main, mitchell, table, truncated
from abacus.places import ROOT


class Elements(unittest.TestCase):
    def test_mitchell_is_exact_for_powers_of_two_and_at_most_a_ninth_too_small(self) -> None:
        worst = 0.0
        for a in range(256):
            for b in range(256):
                found = mitchell(a, b)
                self.assertLessEqual(found, a * b)
                if a & (a - 1) == 0 or b & (b - 1) == 0:
                    self.assertEqual(found, a * b)
                elif a * b:
                    worst = max(worst, 1 - found / (a * b))
        self.assertAlmostEqual(worst, 1 / 9)

    def test_truncated_leaves_out_columns_and_nothing_where_there_are_none(self) -> None:
        for a in range(0, 256, 7):
            for b in range(256):
                self.assertEqual(truncated(0)(a, b), a * b)
                rows = [(a << i) for i in range(8) if b >> i & 1]
                self.assertEqual(truncated(5)(a, b), sum(row - row % 32 for row in rows))

    def test_tables_have_ascending_codes_and_signed_weights(self) -> None:
        rows = table(exact, 3, 2)
        self.assertEqual(rows, [[w * a for a in range(4)] for w in range(-4, 4)])

    def test_shipped_tables_are_made_by_their_commands(self) -> None:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            for name, options in {
                "truncated-8x8": ["truncated", "--dropped", "7"],
                "mitchell-8x8": ["mitchell"],
            }.items():
                out = pathlib.Path(folder) / f"{name}.npy"
                main([*options, "--out", str(out)])
                shipped = ROOT / "scenarios" / "elements" / f"{name}.npy"
                numpy.testing.assert_array_equal(numpy.load(out), numpy.load(shipped))

    def test_csv_and_numpy_files_hold_the_same(self) -> None:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            files = [pathlib.Path(folder) / f"t.{ending}" for ending in ("csv", "npy")]
            for file in files:
                main(
                    ["mitchell", "--weight-bits", "4", "--activation-bits", "5", "--out", str(file)]
                )
            numpy.testing.assert_array_equal(
                numpy.loadtxt(files[0], delimiter=",", dtype=int), numpy.load(files[1])
            )
            self.assertEqual(numpy.load(files[1]).shape, (16, 32))

    def test_what_is_not_allowed_is_refused(self) -> None:
        for given in (
            ["mitchell", "--weight-bits", "9", "--out", "t.csv"],
            ["mitchell", "--activation-bits", "0", "--out", "t.csv"],
            ["mitchell", "--dropped", "3", "--out", "t.csv"],
            ["truncated", "--dropped", "16", "--out", "t.csv"],
            ["booth", "--out", "t.csv"],
            ["mitchell", "--out", "t.txt"],
        ):
            with self.assertRaises(SystemExit) as ended, contextlib.redirect_stderr(io.StringIO()):
                main(given)
            self.assertNotEqual(ended.exception.code, 0, given)


if __name__ == "__main__":
    unittest.main()
