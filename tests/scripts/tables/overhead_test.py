"""What step adapters add to ResNet-18."""

import unittest

from reproduce_case import ReproduceCase


class Overhead(ReproduceCase):
    def test_the_adapters_overhead_comes_out_as_published_in_all_eight_figures(self) -> None:
        lines = self.make("asq-table1")
        for unit in ("% parameters", "% operations"):
            for bits in ("8", "4", "3", "2"):
                line = self.one(
                    lines, row="ResNet-18 ImageNet", method="adapters", bits=bits, unit=unit
                )
                self.assertLessEqual(abs(float(line["ours"]) - float(line["published"])), 0.005)
        whole = {"row": "ResNet-18 ImageNet", "method": "adapters, all layers", "bits": "8"}
        self.assertEqual(
            self.one(lines, unit="% parameters", **whole)["ours"], f"{100 * 307091 / 11678912:.4f}"
        )
        self.assertEqual(
            self.one(lines, unit="% operations", **whole)["ours"],
            f"{100 * 2 * 306112 / 1814073344:.4f}",
        )
        self.assertEqual(
            self.one(lines, method="layer1.0.conv1", bits="4", unit="adapter cycles")["ours"], "100"
        )
        self.assertFalse(
            [one for one in lines if one["method"] == "layer1.0.conv1" and one["bits"] != "4"]
        )
        text = (self.out / "asq-table1.md").read_text()
        for words in (
            "before each of 19 convolutions",
            "307,091 weights and biases",
            "11,511,784",
            "1,695,547,392",
            "adapters, % parameters: 2.67 / 5.34 / 7.11 / 10.67, 4 of 4",
            "adapters, % operations: 0.04 / 0.07 / 0.10 / 0.14, 4 of 4",
            "+100 cycles (+2.50 %)",
        ):
            self.assertIn(words, text)
        self.assertNotIn("Accuracies", text)
        scenario = next(self.out.glob("runs/*asq--4-bit*/scenario.toml")).read_text()
        for words in (
            "image = [3, 224, 224]\nclasses = 1000\n",
            'weights = "synthetic"\n',
            "hardware.weight_sram.bytes = 131072\n",
            "adapters = true\n",
        ):
            self.assertIn(words, scenario)
        self.assertNotIn("dataset =", scenario)


if __name__ == "__main__":
    unittest.main()
