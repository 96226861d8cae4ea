"""Plots of frames."""

import pathlib
import unittest

import pandas as pd

from abacus import frames, plots
from abacus.errors import AbacusError

TINY = pathlib.Path(__file__).resolve().parent / "report" / "tiny_results.json"


def some_runs() -> pd.DataFrame:
    """Three, the last without accuracy."""
    return pd.DataFrame(
        {
            "arithmetic": ["adder", "cnn", "adder"],
            "energy_per_image_uj": [1.0, 2.0, 3.0],
            "accuracy_percent": [90.0, 91.0, None],
        },
        index=["a", "b $x$", "c"],
    )


class Front(unittest.TestCase):
    def test_has_what_no_other_beats(self) -> None:
        points = [(3.0, 90.0), (1.0, 80.0), (2.0, 85.0), (2.5, 85.0), (4.0, 89.0), (1.0, 79.0)]
        self.assertEqual(plots.front(points), [(1.0, 80.0), (2.0, 85.0), (3.0, 90.0)])


class TradeOff(unittest.TestCase):
    def test_every_run_that_has_both_is_named_at_its_point(self) -> None:
        (axes,) = plots.trade_off(some_runs(), title="A title").axes
        self.assertEqual([text.get_text() for text in axes.texts], ["a", "b $x$"])
        self.assertEqual([text.xy for text in axes.texts], [(1.0, 90.0), (2.0, 91.0)])
        self.assertEqual(axes.get_title(loc="left"), "A title")
        self.assertIn("µJ", axes.get_xlabel())

    def test_arithmetics_have_colours_of_their_own(self) -> None:
        runs = some_runs().fillna(89.0)
        (axes,) = plots.trade_off(runs).axes
        one, other, third = (tuple(mark.get_facecolor()[0]) for mark in axes.collections)
        self.assertNotEqual(one, other)
        self.assertEqual(one, third)

    def test_other_columns_serve(self) -> None:
        (axes,) = plots.trade_off(frames.runs(TINY), "cycles_per_image").axes
        self.assertEqual(axes.get_xlabel(), "cycles an image")

    def test_what_is_not_there_is_told(self) -> None:
        with self.assertRaisesRegex(AbacusError, "no column speed; allowed: arithmetic, energy"):
            plots.trade_off(some_runs(), "speed")
        without = some_runs().assign(accuracy_percent=None)
        with self.assertRaisesRegex(AbacusError, "no row has all of energy_per_image_uj, accuracy"):
            plots.trade_off(without)


class Energy(unittest.TestCase):
    def test_bars_reach_the_sum_of_the_components(self) -> None:
        energy = frames.energy(TINY)
        (axes,) = plots.energy_by_component(energy).axes
        sums = energy.dropna(how="all").sum(axis=1)
        ends = [0.0] * len(sums)
        for bar in axes.patches:
            place = round(bar.get_y() + bar.get_height() / 2)
            ends[place] = max(ends[place], bar.get_x() + bar.get_width())
        for end, total in zip(ends, sums):
            self.assertAlmostEqual(end, total)

    def test_without_energies_there_is_no_plot(self) -> None:
        with self.assertRaisesRegex(AbacusError, "none of the runs has energies"):
            plots.energy_by_component(pd.DataFrame(index=["a"]))


class Cycles(unittest.TestCase):
    def test_a_bar_a_unit_and_layer(self) -> None:
        layers = frames.layers(TINY)
        run = str(layers.dropna(subset=["cycles"]).index[0][0])
        (axes,) = plots.cycles_by_layer(layers, run).axes
        of = layers.loc[run].dropna(subset=["cycles"])
        units = [f"units.{unit}.busy_cycles" for unit in plots.UNITS]
        heights = sorted(bar.get_height() for bar in axes.patches)
        wanted = [value for unit in units if unit in of for value in of[unit].fillna(0)]
        self.assertEqual(heights, sorted(wanted))
        self.assertEqual(list(axes.lines[0].get_ydata()), list(of["cycles"]))

    def test_another_run_is_refused(self) -> None:
        with self.assertRaisesRegex(AbacusError, "found run 'none'; allowed: "):
            plots.cycles_by_layer(frames.layers(TINY), "none")


if __name__ == "__main__":
    unittest.main()
