"""POST's lookup table."""

import unittest

from reproduce_case import ReproduceCase


class PostFractions(ReproduceCase):
    def test_one_post_package_with_each_fraction_and_in_exact_arithmetic(self) -> None:
        _, more = self.add_cnn()
        lines = self.make("post-fractions", "--qat-epochs", "3", *more)
        self.assertEqual(len(self.trainings()), 2)
        cell = {"row": "ResNet-20 CIFAR-10", "bits": "4", "unit": "%"}
        exact = self.one(lines, method="POST, exact arithmetic", **cell)
        self.assertEqual((exact["ours"], exact["images"]), ("93.10", "10000"))
        for bits in range(2, 9):
            line = self.one(lines, method=f"POST, table of {bits} fraction bits", **cell)
            self.assertEqual(line["ours"], f"{90.9 - 0.1 * (8 - bits):.2f}")
        table = self.one(lines, method="POST, table of 3 fraction bits", unit="µJ table reads")
        self.assertEqual(table["ours"], "0.12")
        self.assertEqual(
            self.one(lines, method="LSQ, multipliers", unit="µJ table reads")["ours"], "0.00"
        )
        text = (self.out / "post-fractions.md").read_text()
        self.assertIn("exact arithmetic: -2.20 with 8 fraction bits, -2.30 with 7", text)
        self.assertIn("an image is 0.01 points", text)
        self.assertIn(
            "with multipliers: 4.00 µJ; with shifts and a table: 4.00 µJ (8 fraction", text
        )
        calls = self.calls("abacus-train evaluate")
        self.assertEqual(len(calls), 1)
        self.assertIn(
            "resnet20-cifar10-post-lsq-w4a4-seed1.safetensors --exponents exact --images 0",
            calls[0],
        )
        shared = [
            text
            for text in (file.read_text() for file in self.out.glob("runs/*/scenario.toml"))
            if "hardware.array.table.lanes = 16" in text
        ]
        self.assertEqual(len(shared), 1)
        self.assertIn("images = 1\n", shared[0])
        simulated = len(self.calls("abacus simulate"))
        self.make("post-fractions", "--qat-epochs", "3", *more)  # all of it was kept
        self.assertEqual(len(self.trainings()), 2)
        self.assertEqual(len(self.calls("abacus-train evaluate")), 1)
        self.assertEqual(len(self.calls("abacus simulate")), simulated)

    def test_an_evaluation_without_an_accuracy_is_refused(self) -> None:
        _, more = self.add_cnn()
        (self.folder / "says").write_text("nothing of use")
        done = self.run_it("post-fractions", "--qat-epochs", "3", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing of use", done.stderr)
        self.assertFalse((self.out / "post-fractions.csv").exists())


if __name__ == "__main__":
    unittest.main()
