"""What all plots have in common."""

import io
import unittest

import matplotlib
import matplotlib.pyplot as plt

from abacus.plot_style import LONGEST_NAME, log_scale, plain
from abacus.visible import visible


def logarithmic(by_hand: bool) -> str:
    """A plot as SVG; by hand, with all its texts read as formulas."""
    with matplotlib.rc_context({"text.parse_math": by_hand}):
        figure, axes = plt.subplots(figsize=(4, 3))
        if by_hand:
            axes.set_yscale("log")
        else:
            log_scale(axes)
        axes.bar([1, 2, 3], [0.002, 0.7, 50])
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        plt.close(figure)
    return text.getvalue()


class PlotStyle(unittest.TestCase):
    def test_a_name_is_no_formula(self) -> None:
        for name in (r"$\frac$", r"\$a$", "$a$", "$"):
            figure = plt.figure()
            text = figure.text(0, 0, plain(name))
            figure.canvas.draw()
            self.assertEqual(text.get_text(), name)
            self.assertFalse(text.get_parse_math())
            plt.close(figure)

    def test_powers_of_ten_stay_formulas(self) -> None:
        self.assertEqual(logarithmic(by_hand=False), logarithmic(by_hand=True))

    def test_a_name_is_seen_whole_or_ends_in_dots(self) -> None:
        self.assertEqual(plain("a\x1b\n\u202e\ud800µ"), r"a\x1b\n\u202e\ud800µ")
        self.assertEqual(plain("a" * LONGEST_NAME), "a" * LONGEST_NAME)
        self.assertEqual(plain("a" * (LONGEST_NAME + 1)), "a" * (LONGEST_NAME - 1) + "…")

    def test_legends_show_names_with_an_underscore_in_front(self) -> None:
        figure, axes = plt.subplots()
        axes.plot([1, 2], label=plain("_a"))
        self.assertEqual([text.get_text().strip() for text in axes.legend().get_texts()], ["_a"])
        plt.close(figure)

    def test_what_is_seen_stays(self) -> None:
        for text in ("", "ResNet-20, 4 bits", "µJ × ‰ 名 é $<>&"):
            self.assertEqual(visible(text), text)


if __name__ == "__main__":
    unittest.main()
