"""The ASQ and POST paper's figures."""

import unittest

from reproduce_case import ReproduceCase


class AsqFigures(ReproduceCase):
    def test_level_sets_are_those_of_the_formulas(self) -> None:
        done = self.run_it("asq-figure3")
        self.assertEqual(done.returncode, 0, done.stderr)
        found: dict[str, list[float]] = {}
        for line in self.figure_lines("asq-figure3"):
            found.setdefault(line["method"], []).append(float(line["level"]))
        self.assertEqual(
            {method: len(of) for method, of in found.items()},
            dict.fromkeys(("uniform", "POT", "POST", "APoT"), 15),
        )
        root = 2**-0.5
        for method, wanted in (
            ("uniform", [i / 7 for i in range(1, 8)]),
            ("POT", [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]),
            ("POST", [1 / 8, root / 4, 1 / 4, root / 2, 1 / 2, root, 1]),
            ("APoT", [0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1]),
        ):
            for level, value in zip(found[method], [-w for w in reversed(wanted)] + [0] + wanted):
                self.assertAlmostEqual(level, value, places=5)
        self.assertEqual(self.calls(), ["abacus-train levels --bits 4 --json"])
        for kind in ("svg", "png"):
            self.assertTrue((self.out / f"asq-figure3.{kind}").is_file())

    def test_figures_of_activations_show_lsq_beside_asq(self) -> None:
        _, more = self.add_cnn()
        for name, bits, layers in (
            ("asq-figure5", "3", ["layer1.0.conv2", "layer2.0.conv1"]),
            ("asq-figure6", "3", ["layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1"]),
        ):
            done = self.run_it(name, "--qat-epochs", "2", "--seeds", "5,9", *more)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = self.figure_lines(name)
            for method, scale in (("LSQ", 1.0), ("ASQ", 0.5)):
                of = [line for line in lines if line["method"] == method]
                self.assertEqual([line["layer"] for line in of], layers)
                self.assertEqual({line["bits"] for line in of}, {bits})
                self.assertEqual(float(of[-1]["error_mean"]), 4 * scale)
                self.assertEqual(float(of[-1]["norm_mean"]), 4)
            hindsight = {
                line["method"]: float(line["error_mean"])
                for line in lines
                if line["method"] not in ("LSQ", "ASQ")
            }  # of the last layer
            self.assertEqual(
                hindsight,
                {"LSQ, best step for all images": 3, "LSQ, best step for each image": 1}
                if name == "asq-figure6"
                else {},
            )
            for kind in ("svg", "png"):
                self.assertTrue((self.out / f"{name}.{kind}").is_file())
        self.assertEqual(len(self.trainings()), 2)  # the first seed's, shared by both figures
        self.assertIn("-seed5.safetensors", self.trainings()[0])
        calls = self.calls("abacus-train activations")
        self.assertEqual(len(calls), 2)
        self.assertIn("--images 200", calls[0])
        done = self.run_it("asq-figure4", "--qat-epochs", "2", "--images", "50", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = self.figure_lines("asq-figure4")
        self.assertEqual(
            {(line["method"], line["histogram"]) for line in lines},
            {
                (method, histogram)
                for method in ("LSQ", "ASQ")
                for histogram in ("level", "stored", "quantized")
            },
        )
        self.assertIn(
            "w2a2-seed1.safetensors --images 50 --histogram layer2.0.conv1",
            self.calls("abacus-train activations")[-1],
        )

    def test_users_options_reach_a_figures_trainings(self) -> None:
        _, more = self.add_cnn()
        done = self.run_it(
            "asq-figure6", "--qat-epochs", "2", "--bits", "4", "--option", "qat:lr=0.5", *more
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        for call in self.trainings():
            self.assertIn("--lr=0.5", call)
            self.assertIn("--weight-bits 4 ", call)

    def test_figures_of_activations_tell_what_is_missing(self) -> None:
        done = self.run_it("asq-figure5", "--dataset", "cifar100")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no checkpoint of ResNet-20 cnn cifar100", done.stderr)
        _, more = self.add_cnn()
        done = self.run_it("asq-figure5", "--qat-epochs", "0", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("LSQ, 3 bit, seed 1: not trained", done.stderr)
        (self.folder / "short").write_text("")
        done = self.run_it("asq-figure5", "--qat-epochs", "2", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no layers of activations --json: no 'output_error'", done.stderr)
        self.assertFalse((self.out / "asq-figure5.csv").exists())
        self.assertFalse((self.out / "asq-figure5.png").exists())


if __name__ == "__main__":
    unittest.main()
