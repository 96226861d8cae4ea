"""ShiftAddNet's energy beside AdderNet's."""

import unittest

from reproduce_case import ReproduceCase


class EnergyRatio(ReproduceCase):
    def test_the_energy_ratio_under_each_table_by_component_and_by_hand(self) -> None:
        lines = self.make("energy-ratio", "--dataset", "cifar10")  # without any checkpoint of it
        for table in ("shiftadd-papers", "horowitz-45nm", "accelergy-40nm"):
            for method in ("ShiftAddNet", "ShiftAddNet without fraction bits"):
                row = {
                    "row": f"ResNet-20 CIFAR-10, {method}, {table}",
                    "bits": "6",
                    "unit": "x energy",
                }
                self.assertEqual(self.one(lines, method="all", **row)["ours"], "2.0000")
                self.assertEqual(self.one(lines, method="dram", **row)["ours"], "2.0000")
                # 1 + 0.5 + 0.5 pJ against 2 + 0.5 + 0.25 + 0.5 pJ
                self.assertEqual(
                    self.one(lines, method="arithmetic alone", **row)["ours"], "1.6250"
                )
        # 8 bits of the papers' table: 0.03 pJ an addition, 0.024 a shift; half as many shift taps.
        by_hand = {"row": "ResNet-20 CIFAR-10, shiftadd-papers, by hand", "bits": "8"}
        self.assertEqual(
            sorted(line["ours"] for line in lines if all(line[k] == v for k, v in by_hand.items())),
            [f"{1 + 0.5 * 0.024 / 0.06:.4f}", f"{1 + 0.5 * 0.054 / 0.06:.4f}"],
        )
        published = self.one(lines, row="as published")
        self.assertEqual((published["published"], published["ours"]), ("0.748", ""))
        text = (self.out / "energy-ratio.md").read_text()
        self.assertIn("the ratio is at least 1", text)
        self.assertIn("2.00 to 2.00 times AdderNet's energy", text)
        texts = [file.read_text() for file in self.out.glob("runs/*/scenario.toml")]
        self.assertEqual(len(texts), 3 * 3 * 3)
        for one in texts:
            self.assertIn('weights = "synthetic"\n', one)
            self.assertIn("hardware.array.accumulator_bits = 28\n", one)
            self.assertIn("images = 1\n", one)
        self.assertEqual(len([one for one in texts if "array.fraction_bits = 0\n" in one]), 9)

    def test_the_ratios_reason_is_said_without_a_run(self) -> None:
        (self.folder / "fails").write_text("ShiftAddNet")
        self.assertEqual(
            self.run_it("energy-ratio", "--dataset", "cifar10", "--keep-going").returncode, 1
        )
        self.assertEqual(
            [one["row"] for one in self.lines("energy-ratio") if one["unit"] == "x energy"],
            ["as published"],
        )
        self.assertIn("the ratio is at least 1", (self.out / "energy-ratio.md").read_text())


if __name__ == "__main__":
    unittest.main()
