"""The AdderNet quantization paper's tables."""

import unittest

from fake_programs import write_checkpoint
from reproduce_case import ReproduceCase


class AdderQuantTables(ReproduceCase):
    def test_a_line_has_our_figure_beside_the_published_one(self) -> None:
        lines = self.make("table1", "--qat-epochs", "0", "--images", "2000")
        cell = {"row": "ResNet-20 CIFAR-10", "method": "PTQ", "bits": "6"}
        accuracy = self.one(lines, unit="%", **cell)
        self.assertEqual(
            (accuracy["published"], accuracy["ours"], accuracy["images"]),
            ("91.32", "90.60", "2000"),
        )
        lost = self.one(lines, unit="points lost", **cell)
        self.assertEqual((lost["published"], lost["ours"]), ("0.10", "1.23"))
        self.assertEqual(self.one(lines, row="ResNet-20 CIFAR-10", method="float")["ours"], "91.83")

    def test_accuracy_against_energy_with_the_published_statements(self) -> None:
        _, more = self.add_cnn()
        shiftaddnet = self.folder / "shiftaddnet.safetensors"
        write_checkpoint(shiftaddnet, arithmetic="shiftaddnet", accuracy="89.00")
        lines = self.make("figure6", "--checkpoint", shiftaddnet, *more)
        self.assertEqual(self.one(lines, method="ShiftAddNet float")["published"], "89.32")
        self.assertEqual(
            self.one(lines, method="AdderNet, AdderQuant", bits="8", unit="µJ")["ours"], "10.5"
        )
        text = (self.out / "figure6.md").read_text()
        self.assertIn(
            "CNN, BRECQ at 8 bits, 90.80 % for 10.5 µJ: AdderNet of 8 bits has 90.80 % for no "
            "more (+0.00 points)",
            text,
        )
        self.assertIn(
            "ShiftAddNet at 4 bits, 90.40 % for 21.0 µJ: AdderNet of 8 bits has 90.80 % for no "
            "more (+0.40 points)",
            text,
        )
        self.assertTrue((self.out / "figure6.png").is_file())
        # Texts are drawn as outlines, a comment before each.
        plot = (self.out / "figure6.svg").read_text()
        for words in (
            "AdderNet, AdderQuant",
            "CNN, BRECQ",
            "ShiftAddNet as published: 89.32 %, at the",
        ):
            self.assertIn(words, plot)

    def test_operations_count_what_lies_outside_of_the_edge_array(self) -> None:
        lines = self.make("table4", "--qat-epochs", "0", "--dataset", "cifar10")
        line = self.one(
            lines, row="ResNet-20 CIFAR-10", method="8 groups, PTQ", unit="x operations"
        )
        self.assertEqual(line["ours"], f"{(1000 + 80) / (1000 + 10):.4f}")
        proposition = self.one(lines, row="32 channels in and out", method="4 groups")
        self.assertEqual(proposition["published"], "1.005")
        self.assertEqual(proposition["ours"], f"{1 + 1 / (6 * 32 + 1):.4f}")

    def test_rows_without_a_checkpoint_are_listed_with_the_reason(self) -> None:
        lines = self.make("table1", "--qat-epochs", "0")
        line = self.one(lines, row="VGG-Small CIFAR-100", method="PTQ", bits="5", unit="%")
        self.assertEqual((line["published"], line["ours"]), ("73.50", ""))
        self.assertIn("no checkpoint of VGG-Small adder cifar100", line["note"])
        self.assertIn("VGG-Small CIFAR-100", (self.out / "table1.md").read_text())


if __name__ == "__main__":
    unittest.main()
