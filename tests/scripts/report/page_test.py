"""The page of a results.json, and scripts/report."""

import json
import pathlib
import subprocess
import tempfile
import unittest
from typing import Any

from abacus.report.page import page
from fake_programs import SCRIPTS


def results(**more: Any) -> dict[str, Any]:
    """Of one run with random weights that was not timed."""
    run = {
        "name": "a <b>",
        "network": "resnet20",
        "arithmetic": "adder",
        "dataset": "cifar10",
        "scheme": "none",
        "weight_bits": 8,
        "activation_bits": 4,
        "images": 1000,
        "weights": "synthetic",
        "synthetic": {"seed": 7},
        "accuracy_percent": None,
        "float_accuracy_percent": None,
        "fake_quantized_accuracy_percent": None,
        "cycles_per_image": None,
        "time_per_image_us": None,
        "energy_per_image_uj": None,
        "energy_table": "t",
        "energy_table_title": "a table",
        "bit_exact": False,
        "mismatch": "layer conv1 & more",
        "hardware": {"clock_mhz": 500, "array": {"rows": 16, "columns": 8, "kind": "adder"}},
        "layers": [],
        **more,
    }
    return {
        "schema": 1,
        "runs": [run],
        "scenario": {"name": "s", "file": "s.toml", "text": "name = 1 < 2"},
        "times": {"seconds": 1, "jobs": 2, "started": "then"},
    }


class Page(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def report(self, text: str) -> subprocess.CompletedProcess[str]:
        """The script, of results with this text."""
        (self.folder / "results.json").write_text(text)
        return subprocess.run(
            [SCRIPTS / "report", self.folder / "results.json"],
            capture_output=True,
            text=True,
            timeout=120,
        )

    def test_results_without_a_field_or_of_other_kinds_are_refused_in_one_line(self) -> None:
        broken = results()
        del broken["runs"][0]["images"]
        for text in (
            json.dumps(broken),
            json.dumps({**results(), "runs": 3}),
            json.dumps({**results(), "scenario": []}),
            "[]",
        ):
            done = self.report(text)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(f"report: {self.folder / 'results.json'}: ", done.stderr)
            self.assertFalse((self.folder / "report.html").exists())

    def test_a_page_that_cannot_be_written_and_output_that_does_not_arrive_are_told(self) -> None:
        (self.folder / "report.html").mkdir()
        done = self.report(json.dumps(results()))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            done.stderr,
            f"report: {self.folder / 'report.html'}: cannot write it: it is a folder\n",
        )
        (self.folder / "report.html").rmdir()
        with open("/dev/full", "w", encoding="utf-8") as full:
            status = subprocess.run(
                [SCRIPTS / "report", self.folder / "results.json"],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=120,
            )
        self.assertEqual(status.returncode, 1)
        self.assertEqual(
            status.stderr, "report: cannot write to standard output: No space left on device\n"
        )

    def test_texts_of_the_results_are_escaped(self) -> None:
        text = page(results(), "r.json")
        for words in ("a &lt;b&gt;", "layer conv1 &amp; more", "name = 1 &lt; 2"):
            self.assertIn(words, text)
        self.assertNotIn("a <b>", text)

    def test_a_run_that_is_not_exact_or_has_random_weights_says_so(self) -> None:
        text = page(results(), "r.json")
        self.assertIn("is not bit-exact: layer conv1", text)
        self.assertIn("<b>No accuracy</b> of a &lt;b&gt;", text)
        self.assertIn("Random weights, seed 7.", text)
        self.assertIn("16 × 8 adder", text)

    def test_saturations_are_told_in_red(self) -> None:
        layer = {
            "name": "conv1",
            "kind": "convolution",
            "cycles": None,
            "macs_or_taps": 0,
            "pe_utilisation": None,
            "energy_uj": None,
            "output_tiles": 1,
            "groups": 1,
            "saturations": 1234,
            "step_saturations": {"factors": 1, "multipliers": 2},
        }
        text = page(results(layers=[layer]), "r.json")
        self.assertIn(
            "in 1,000 images accumulators saturated 1,234 times and factors or multipliers of "
            "adapted steps saturated 3 times",
            text,
        )

    def test_the_page_lies_beside_its_results(self) -> None:
        done = self.report(json.dumps(results()))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, f"report: {self.folder / 'report.html'}\n")
        self.assertIn("<h1>s</h1>", (self.folder / "report.html").read_text())

    def test_what_is_no_results_file_leaves_no_page(self) -> None:
        for text, words in (
            ("{", "no JSON"),
            ('{"schema": 2}', "found schema 2; allowed: 1"),
            ("[]", "found schema None"),
            ('{"schema": 1, "runs": []}', "it has no runs"),
        ):
            done = self.report(text)
            self.assertEqual(done.returncode, 1)
            self.assertIn("results.json", done.stderr)
            self.assertIn(words, done.stderr)
            self.assertFalse((self.folder / "report.html").exists())


if __name__ == "__main__":
    unittest.main()
