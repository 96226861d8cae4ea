"""Errors of weights at the quantizers' levels."""

import unittest

import numpy as np
from numpy.typing import NDArray

from abacus.figures.weights import PER_CHANNEL, PER_LAYER, relative_error
from fake_programs import SCRIPTS, levels
from reproduce_case import ReproduceCase


Array = NDArray[np.float64]

QUANTILE = 0.99  # 0: the best scale


class Weights(ReproduceCase):
    def test_errors_of_weights_are_those_of_the_levels_and_the_scale(self) -> None:
        random = np.random.default_rng(1)

        def nearest(weights: Array, of: list[float], scale: float) -> Array:
            scaled: Array = scale * np.array(of)
            rounded: Array = scaled[np.abs(weights[:, None] - scaled).argmin(1)]
            return rounded

        for of in (one["levels"] for one in levels(4)["level_sets"]):
            # Weights that are levels, the largest among them, lose nothing.
            exact = np.stack([scale * random.choice(of, 300) for scale in (0.3, 5.0)])
            exact[:, 0] = (0.3, 5.0)
            self.assertAlmostEqual(
                relative_error(exact, of, PER_CHANNEL, 0),
                0,
                delta=1e-6 if max(np.abs(of)) == 1 else 0.01,
            )
            self.assertGreater(relative_error(exact, of, PER_LAYER, 0), 1e-3)
            normal = random.normal(size=(2, 1500)) * [[1], [3]]
            flat = normal.ravel()
            scales = np.abs(flat).max() * np.linspace(0.1, 1.4, 400)
            wanted = min(float(np.linalg.norm(flat - nearest(flat, of, s))) for s in scales)
            self.assertAlmostEqual(
                relative_error(normal, of, PER_LAYER, 0),
                wanted / float(np.linalg.norm(flat)),
                delta=2e-3,
            )
            square = sum(
                np.sum((row - nearest(row, of, float(np.quantile(np.abs(row), QUANTILE)))) ** 2)
                for row in normal
            )
            self.assertAlmostEqual(
                relative_error(normal, of, PER_CHANNEL, QUANTILE),
                float(np.sqrt(square / np.sum(flat**2))),
                places=9,
            )
        for quantile in (0, QUANTILE):
            self.assertEqual(relative_error(np.zeros((2, 4)), [-1, 0, 1], PER_CHANNEL, quantile), 0)

    def test_the_figure_of_weights_needs_a_checkpoint_alone(self) -> None:
        done = self.run_it("asq-weights", "--dataset", "cifar100")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no checkpoint of ResNet-20 cnn cifar100", done.stderr)
        shipped = SCRIPTS.parent / "scenarios" / "checkpoints" / "resnet20-cifar10-cnn.safetensors"
        done = self.run_it("asq-weights", "--dataset", "cifar10", "--checkpoint", str(shipped))
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = self.figure_lines("asq-weights")
        self.assertEqual(len(lines), 5 * (20 + 1))  # the edges are left out
        errors = {
            (line["method"], line["scale"], line["per"]): float(line["relative_error"])
            for line in lines
            if line["layer"] == "root mean square"
        }
        post, lsq = errors["POST", "0.99-quantile", "channel"], errors["LSQ", "best", "layer"]
        self.assertLess(errors["LSQ", "best", "channel"], post)
        self.assertLess(post, lsq)
        self.assertLess(lsq, errors["POT", "0.99-quantile", "channel"])
        self.assertEqual(self.calls(), ["abacus-train levels --bits 4 --json"])
        for kind in ("svg", "png"):
            self.assertTrue((self.out / f"asq-weights.{kind}").is_file())
        done = self.run_it(
            "asq-weights", "--dataset", "cifar10", "--bits", "3", "--checkpoint", str(shipped)
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({line["bits"] for line in self.figure_lines("asq-weights")}, {"3"})
        cut = self.folder / "cut.safetensors"
        cut.write_bytes(shipped.read_bytes()[:-1000])
        done = self.run_it("asq-weights", "--dataset", "cifar10", "--checkpoint", str(cut))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"cut.safetensors: tensor \S+: found .* bytes of tensors")
        empty, more = self.add_cnn()
        done = self.run_it("asq-weights", "--dataset", "cifar10", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{empty}: found no weights of convolutions between the edges", done.stderr)


if __name__ == "__main__":
    unittest.main()
