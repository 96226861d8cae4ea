"""Tables of our own."""

import unittest

from reproduce_case import ReproduceCase


class OwnTables(ReproduceCase):
    def test_the_best_trainings_have_exact_gradients_and_no_labels(self) -> None:
        self.make("best", "--qat-epochs", "2", "--bits", "4", "--dataset", "cifar10")
        self.assertEqual(len(self.trainings()), 1)
        for part in (
            "--scheme nonnegative ",
            "--optimizer=adam",
            "--adder-gradient=exact",
            "--distill=1",
            "--temperature=4",
            "--bn-images=10000",
            "--lr=0.002",
        ):
            self.assertIn(part, self.trainings()[0] + " ")


if __name__ == "__main__":
    unittest.main()
