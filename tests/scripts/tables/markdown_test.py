"""A table's Markdown file."""

import unittest

from reproduce_case import ReproduceCase


class Markdown(ReproduceCase):
    def test_the_markdown_has_a_line_a_cell(self) -> None:
        self.make("table1", "--qat-epochs", "0", "--dataset", "cifar10")
        rows = [
            line
            for line in (self.out / "table1.md").read_text().splitlines()
            if line.startswith("| ResNet-20")
        ]
        self.assertEqual(len(rows), 6)
        self.assertIn(
            "| ResNet-20 CIFAR-10 | PTQ | 4 | 90.72 | 90.40 | 0.70 | 1.43 | 10000 | – |", rows
        )

    def test_rows_of_other_units_get_a_table_of_their_own(self) -> None:
        self.make("adapter-cost", "--bits", "4", "--dataset", "cifar10")
        text = (self.out / "adapter-cost.md").read_text().splitlines()
        heads = [line for line in text if line.startswith("| Network, data")]
        self.assertEqual(len(heads), 2)
        self.assertNotIn("cycles LSQ", heads[0])
        self.assertNotIn("Images", heads[1])
        self.assertIn("| ResNet-20 CIFAR-10 | LSQ | 4 | 4000 | 10.5 | 1 | – |", text)


if __name__ == "__main__":
    unittest.main()
