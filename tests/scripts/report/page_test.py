"""The page of a results.json, and scripts/report."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
from typing import Any

from fake_programs import SCRIPTS
from results_case import ResultsCase, page_of, tiny


class Page(ResultsCase):
    def test_texts_of_the_results_are_escaped(self) -> None:
        results = tiny()
        results["runs"][1].update(name="a <b>", mismatch="layer conv1 & more")
        results["scenario"]["text"] = "name = 1 < 2"
        text = page_of(results)
        for words in ("a &lt;b&gt;", "layer conv1 &amp; more", "name = 1 &lt; 2"):
            self.assertIn(words, text)
        self.assertNotIn("a <b>", text)

    def test_a_run_that_is_not_exact_or_has_random_weights_says_so(self) -> None:
        text = page_of(tiny())
        name = "AdderNet, area of CNN"
        self.assertIn(f"{name} is not bit-exact: image 0, layer conv2: found 3; wanted 4", text)
        self.assertIn(f"<b>No accuracy</b> of {name}:", text)
        self.assertIn("Random weights, seed 1.", text)
        self.assertIn(f"Checkpoint {'0c' * 32}, package {'1d' * 32}.", text)
        self.assertIn("16 × 31 adder*", text)
        self.assertIn("rows 16, columns 16, table.fraction_bits 3", text)

    def test_saturations_are_told_in_red(self) -> None:
        results = tiny()
        results["runs"][1]["images"] = 1000
        results["runs"][1]["layers"][0]["step_saturations"] = {"factors": 1, "multipliers": 2}
        self.assertIn(
            '<p class="bad">AdderNet, area of CNN: in 1,000 images accumulators saturated 1,234 '
            "times and factors or multipliers of adapted steps saturated 3 times",
            page_of(results),
        )

    def test_a_scenario_keeps_its_lines_and_shows_its_controls(self) -> None:
        results = tiny()
        results["scenario"]["text"] = "a = 1\r\n\tb = 2\x0b\u2028c\n"
        self.assertIn(
            '<pre id="scenario">\na = 1\n        b = 2\\x0b\\u2028c\n</pre>', page_of(results)
        )

    def test_commands_can_be_typed(self) -> None:
        results = tiny()
        results["scenario"]["file"] = "my file.toml"
        self.assertIn(
            "abacus simulate &#39;my file.toml&#39; --set=timed_images=1 --check", page_of(results)
        )

    def test_static_energy_frames_and_what_counts_as_zero_are_shown(self) -> None:
        results = tiny()
        text = page_of(results)
        self.assertIn("<th>Static</th>", text)
        self.assertIn("<td>4.50</td>", text)
        self.assertNotIn("Energy a frame", text)
        run = results["runs"][0]
        run["frame"] = {"frames_per_second": 30, "energy_uj": 777.25, "power_mw": 23.3}
        run["energy_left_out"] = ["leakage.sram"]
        run["area"]["left_out"] = ["area.sram"]
        results["energy_disagreements"] = [{"text": "the tables differ about <a>"}]
        text = page_of(results)
        self.assertIn("<td>777.25</td>", text)
        self.assertIn("energy table horowitz-45nm lacks leakage.sram; they count as 0.", text)
        self.assertIn("Counted as 0, since the table lacks them: area.sram.", text)
        self.assertIn('<p class="bad">the tables differ about &lt;a&gt;</p>', text)
        run["frame"].update(energy_uj=None, power_mw=None)
        self.assertNotIn("777.25", page_of(results))

    def test_data_cannot_leave_its_element(self) -> None:
        results = tiny()
        name = "</script><b>&\u2028\u2029"
        results["runs"][0]["name"] = name
        text = page_of(results)
        start = text.index('id="data">') + len('id="data">')
        data = text[start : text.index("</script>", start)]
        self.assertTrue(data.isascii())
        self.assertFalse(set(data) & set("<>&"))
        self.assertEqual(json.loads(data)["points"][0]["name"], r"</script><b>&\u2028\u2029")

    def test_scripts_are_those_that_the_page_was_made_with(self) -> None:
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page_of(tiny()))
        assert policy
        self.assertIn("default-src 'none'; script-src &#39;sha256-", policy[1])
        self.assertNotIn("unsafe-inline'; style", policy[1])

    def test_commands_read_a_scenario_that_came_from_standard_input(self) -> None:
        results = tiny()
        results["scenario"]["file"] = "-"
        self.assertIn("--check &lt; SCENARIO.toml   # the text above", page_of(results))

    def test_the_interval_of_an_accuracy_is_beside_it(self) -> None:
        self.assertIn("<td>20.77 to 93.85</td>", page_of(tiny()))


class Script(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def report(self, content: bytes, *more: str | bytes) -> subprocess.CompletedProcess[str]:
        """The script, of results with this content."""
        (self.folder / "results.json").write_bytes(content)
        return subprocess.run(
            [SCRIPTS / "report", self.folder / "results.json", *more],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        )

    def untimed(self) -> bytes:
        """Quickly made."""
        results = tiny()
        del results["runs"][0]
        return json.dumps(results).encode()

    def assert_refused(self, done: subprocess.CompletedProcess[str], words: str) -> None:
        """In one line."""
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(words, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_the_page_lies_beside_its_results(self) -> None:
        done = self.report(self.untimed())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, f"report: {self.folder / 'report.html'}\n")
        self.assertIn("<h1>Three networks</h1>", (self.folder / "report.html").read_text())

    @staticmethod
    def of_the_first_schema() -> dict[str, Any]:
        """As the first programs wrote them."""
        results = tiny()
        results["schema"] = 1
        del results["provenance"], results["scenario"]["set"]
        for run in results["runs"]:
            del run["area"], run["weights"]
        return results

    def test_results_of_the_first_schema_have_a_page(self) -> None:
        done = self.report(json.dumps(self.of_the_first_schema()).encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (self.folder / "report.html").read_text()
        self.assertIn("The results do not tell areas", text)
        self.assertIn("Random weights, seed", text)

    def test_what_an_older_schema_lacks_besides_is_an_error_that_says_what_to_do(self) -> None:
        results = self.of_the_first_schema()
        del results["runs"][0]["hardware"]
        self.assert_refused(
            self.report(json.dumps(results).encode()),
            "runs[0]: found no field hardware; it is needed; an older abacus wrote the file "
            "(schema 1): make it anew with abacus simulate",
        )

    def test_the_page_says_what_made_the_results_and_how_to_make_them_again(self) -> None:
        done = self.report(json.dumps(tiny()).encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (self.folder / "report.html").read_text()
        self.assertIn("by abacus 0.1.0, commit 0123456789abcdef", text)
        self.assertIn("--set=timed_images=1", text)

    def test_what_is_no_results_file_leaves_no_page(self) -> None:
        def with_name(name: Any) -> bytes:
            results = tiny()
            results["runs"][1]["name"] = name
            return json.dumps(results).encode()

        allowed = "results.json: runs[1].name: found {}; allowed: text"
        for content, words in (
            (b"{", "no JSON"),
            (b'{"a": "\xff"}', "byte 7: found 0xff; allowed: UTF-8"),
            (b"[" * 100000, "nested too deep"),
            (b'{"schema": 3}', "found schema 3; allowed: 1 to 2; a newer abacus wrote it"),
            (b'{"schema": 0}', "found schema 0; allowed: 1 to 2"),
            (b'{"schema": 2}', "it has no runs"),
            (b"[]", "found schema null"),
            (b'{"schema": 1, "runs": []}', "it has no runs"),
            (b'{"schema": 1, "runs": 5}', "results.json: found no field scenario; it is needed"),
            (with_name(5), allowed.format(5)),
            (with_name(float("nan")), allowed.format("NaN")),
            (with_name({}), allowed.format("an object of 0 fields")),
        ):
            done = self.report(content)
            self.assert_refused(done, words)
            self.assertIn("results.json", done.stderr)
            self.assertFalse((self.folder / "report.html").exists())

    def test_a_page_that_cannot_be_written_is_an_error_in_one_line(self) -> None:
        (self.folder / "folder").mkdir()
        for out in (
            self.folder / "folder",
            self.folder / "results.json" / "page.html",
            self.folder,
            pathlib.Path("."),
            pathlib.Path("/"),
            self.folder / ("a" * 300),
            pathlib.Path("/proc/page.html"),
        ):
            done = self.report(self.untimed(), "--out", str(out))
            self.assert_refused(done, f"report: {out}")
        self.assertEqual(
            sorted(file.name for file in self.folder.iterdir()), ["folder", "results.json"]
        )

    def test_output_that_does_not_arrive_is_an_error_in_one_line(self) -> None:
        (self.folder / "results.json").write_bytes(self.untimed())
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(
                [SCRIPTS / "report", self.folder / "results.json"],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                timeout=120,
            )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            done.stderr, "report: cannot write to standard output: No space left on device\n"
        )

    def test_names_of_files_need_not_be_utf_8(self) -> None:
        out = os.fsencode(self.folder) + b"/page\xff.html"
        done = self.report(self.untimed(), "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(r"page\udcff.html", done.stdout)
        self.assertTrue(os.path.exists(out))


if __name__ == "__main__":
    unittest.main()
