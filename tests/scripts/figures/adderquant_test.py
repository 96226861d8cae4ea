"""The AdderNet quantization paper's figures."""

import unittest

from abacus.figures import catalogue
from fake_programs import write_checkpoint
from reproduce_case import ReproduceCase


class AdderQuantFigures(ReproduceCase):
    def test_every_figure_has_a_module_that_makes_it(self) -> None:
        for name in catalogue.NAMES:
            self.assertIn(name, catalogue.figures_with(name))

    def test_figures_of_a_checkpoint_show_its_statistics(self) -> None:
        _, more = self.add_cnn()
        for name, words in (
            ("figure1", ("CNN: own scales", "Adder: scale of the activations")),
            ("figure2", ("All adder layers", "activations: maximum, 4")),
            ("figure4", ("As trained", "After both clamps, r_x = 4")),
        ):
            self.draw(name, *more)
            plot = (self.out / f"{name}.svg").read_text()  # texts are outlines, a comment each
            for text in words:
                self.assertIn(text, plot)
        # Once for each checkpoint, then kept.
        calls = self.calls("abacus-train statistics")
        self.assertEqual(len(calls), 2)
        for call in calls:
            self.assertIn(" --histogram layer1.1.conv2 --bins 20000 --json", call)

    def test_the_course_of_the_trainings_is_drawn_and_listed(self) -> None:
        self.draw("figure5", "--qat-epochs", "3", "--dataset", "cifar10")
        lines = self.figure_lines("figure5-courses")
        self.assertEqual(
            [(line["method"], line["epoch"]) for line in lines],
            [(method, str(i)) for method in ("QSSF QAT", "AdderQuant QAT") for i in (1, 2, 3)],
        )
        self.assertEqual(lines[-1]["validation_accuracy_percent"], "81")
        plot = (self.out / "figure5.svg").read_text()
        for text in ("PTQ, CIFAR-10", "4-bit QAT, CIFAR-10", "QSSF QAT, held out"):
            self.assertIn(text, plot)

    def test_a_figure_without_its_checkpoint_is_refused(self) -> None:
        write_checkpoint(self.checkpoint, arithmetic="cnn")
        done = self.run_it("figure1", "--dataset", "cifar10")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no checkpoint of ResNet-20 adder cifar10", done.stderr)


if __name__ == "__main__":
    unittest.main()
