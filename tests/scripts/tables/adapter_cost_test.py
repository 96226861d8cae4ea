"""What step adapters cost in hardware."""

import unittest

from reproduce_case import ReproduceCase


class AdapterCost(ReproduceCase):
    def test_an_adapters_cost_by_layer_and_in_all(self) -> None:
        lines = self.make("adapter-cost", "--bits", "4", "--dataset", "cifar10")
        layer = {"row": "ResNet-20 CIFAR-10", "method": "layer1.0.conv1", "bits": "4"}
        for unit, value in (
            ("cycles LSQ", "900"),
            ("cycles ASQ", "1000"),
            ("adapter cycles", "100"),
            ("of them stalled", "10"),
            ("µJ LSQ", "2.000"),
            ("µJ ASQ", "2.500"),
            ("% of the layer's operations", f"{100 * 16 * 65 / (64 * 64 * 9 * 56**2):.4f}"),
        ):
            self.assertEqual(self.one(lines, unit=unit, **layer)["ours"], value)
        text = (self.out / "adapter-cost.md").read_text()
        self.assertIn(
            "4 bits: +100 cycles (+2.50 %) an image with adapters, which themselves take 100; "
            "+0.50 µJ (+4.76 %): step_adapter +0.25 µJ.",
            text,
        )

    def test_layers_without_the_needed_columns_are_refused(self) -> None:
        (self.folder / "short").write_text("")
        for table in ("asq-table1", "adapter-cost"):
            done = self.run_it(table, "--dataset", "cifar10")
            self.assertEqual(done.returncode, 1)
            self.assertIn("no layers of describe --json: no 'adapter_weights'", done.stderr)
            self.assertFalse((self.out / f"{table}.csv").exists())


if __name__ == "__main__":
    unittest.main()
