"""The page in a browser, Debian's chromium: that it works, and that it fits."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from typing import Any

from fake_programs import SCRIPTS
from made_up import many_runs, study, study_folder
from results_case import hostile, tiny

CHROMIUM, DRIVER = pathlib.Path("/usr/bin/chromium"), pathlib.Path("/usr/bin/chromedriver")

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select
    from selenium.webdriver.support.wait import WebDriverWait
except ImportError:
    MISSING = "python3-selenium"
else:
    MISSING = ", ".join(str(file) for file in (CHROMIUM, DRIVER) if not file.exists())

WIDTHS = (420, 1100, 1900)
SECONDS = 120  # a busy machine


def comparable() -> dict[str, Any]:
    """Four timed runs of one network with accuracies, the last over another number of images."""
    results = many_runs(8)
    results["runs"] = results["runs"][::2]
    for i, run in enumerate(results["runs"]):
        run["name"] = f"run {'abcd'[i]}"
        run["images"] = 10000 if i < 3 else 100
        run["accuracy_percent"] = (90, 91, 89, 95)[i]
        run["energy_per_image_uj"] = (10, 20, 15, 5)[i]
    return results


@unittest.skipIf(MISSING, f"skipped: no {MISSING}; scripts/setup.sh lint installs it")
class Browser(unittest.TestCase):
    folder: pathlib.Path
    driver: Any

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        options = Options()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
            options.add_argument(argument)
        options.binary_location = str(CHROMIUM)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        # The driver's own files; its children have it from us.
        os.environ["SE_CACHE_PATH"] = str(cls.folder)
        cls.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        cls.addClassCleanup(cls.driver.quit)
        cls.driver.set_page_load_timeout(SECONDS)
        cls.driver.set_script_timeout(SECONDS)

    def open(self, content: dict[str, Any], *options: str) -> None:
        """The page of it, which loads without errors and asks for nothing else."""
        file = self.folder / "results.json"
        file.write_text(json.dumps(content))
        self.open_page_of(file, *options)

    def open_page_of(self, file: pathlib.Path, *options: str) -> None:
        """The page beside the file, or in the folder."""
        done = subprocess.run(
            [SCRIPTS / "report", file, *options], capture_output=True, text=True, timeout=SECONDS
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.driver.get_log("performance")
        self.driver.get((self.folder / "report.html").as_uri())
        WebDriverWait(self.driver, SECONDS).until(
            lambda driver: driver.execute_script("return document.body.dataset.ready")
        )
        self.assert_no_errors()
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        asked = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        self.assertEqual([url for url in asked if not url.startswith(("file:", "data:"))], [])

    def assert_fits(self) -> None:
        """In windows of all widths."""
        for width in WIDTHS:
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            # Plots follow the window a moment later.
            WebDriverWait(self.driver, SECONDS).until(
                lambda driver: driver.execute_script(
                    "return [...document.querySelectorAll('#front .main-svg')].every("
                    "(svg) => svg.getBoundingClientRect().right <= innerWidth)"
                )
            )
            self.assertLessEqual(self.js("document.documentElement.scrollWidth"), width)
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What the browser has said since the last time."""
        return list(self.driver.get_log(kind))

    def assert_no_errors(self) -> None:
        """On the console."""
        self.assertEqual(self.log("browser"), [])

    def js(self, script: str) -> Any:
        """An expression's value."""
        return self.driver.execute_script(f"return {script}")

    def element(self, name: str) -> Any:
        """By its id."""
        return self.driver.find_element(By.ID, name)

    def click(self, name: str) -> None:
        """Wherever it stands on the page."""
        self.driver.execute_script("document.getElementById(arguments[0]).click()", name)

    def rows(self) -> list[str]:
        """Names of the visible rows."""
        return list(
            self.js(
                "[...document.querySelectorAll('#points tbody tr')].filter((row) => !row.hidden)"
                ".map((row) => row.cells[1].textContent)"
            )
        )

    def fronts(self) -> list[list[str]]:
        """Names of the points of each front."""
        return list(
            self.js(
                "abacus.fronts(abacus.visible(), abacus.state.x, abacus.state.y)"
                ".map((front) => front.map((point) => point.name))"
            )
        )

    def titles(self) -> list[str]:
        """Of the axes of the first plot, and the type of the horizontal one."""
        layout = "document.querySelector('#front .chart').layout"
        return list(
            self.js(f"[{layout}.xaxis.title.text, {layout}.yaxis.title.text, {layout}.xaxis.type]")
        )

    def test_fronts_are_of_what_may_be_compared(self) -> None:
        self.open(comparable())
        self.assertEqual(self.titles(), ["Energy (µJ)", "Accuracy (%)", "linear"])
        # d has the highest accuracy for the least energy, of fewer images.
        self.assertEqual(sorted(self.fronts()), [["run a", "run b"], ["run d"]])

    def test_axes_redraw(self) -> None:
        self.open(comparable())
        Select(self.element("x")).select_by_visible_text("Area (µm²)")
        self.click("x-log")
        self.assertEqual(self.titles(), ["Area (µm²)", "Accuracy (%)", "log"])
        self.assert_no_errors()

    def test_filters_take_points_away_and_bring_them_back(self) -> None:
        self.open(comparable())
        self.assertEqual(self.rows(), ["run a", "run b", "run c", "run d"])
        axis = self.js("abacus.data.axes.indexOf('arithmetic')")
        self.click(f"filter-{axis}-0")  # adder, which comes first
        self.assertEqual(self.rows(), ["run a", "run b", "run d"])
        self.assertEqual(self.element("count").text, "3 of 4 points")
        drawn = "[...document.querySelector('#front .chart').data].map((trace) => trace.name)"
        self.assertNotIn("adder", self.js(drawn))
        self.click("reset")
        self.assertEqual(len(self.rows()), 4)
        self.assertIn("adder", self.js(drawn))
        self.assert_no_errors()

    def test_a_baseline_changes_the_numbers_of_what_may_be_compared(self) -> None:
        self.open(comparable())
        changes = (
            "[...document.querySelectorAll('#points tbody tr')].map((row) =>"
            " [...row.querySelectorAll('.change')].map((change) => change.textContent))"
        )
        self.assertEqual({text for row in self.js(changes) for text in row}, {""})
        Select(self.element("baseline")).select_by_visible_text("run a")
        a, b, _, d = self.js(changes)
        self.assertEqual(set(a), {""})
        self.assertIn("+1.00 points", b)
        self.assertIn("+100.0 %", b)
        self.assertIn("−50.0 %", d)  # energy
        self.assertFalse([text for text in d if "points" in text])  # accuracy of 100 images
        self.assert_no_errors()

    def test_rows_are_sorted_by_a_metric(self) -> None:
        self.open(comparable())
        head = "[...document.querySelectorAll('#points th')]"
        self.js(f"{head}.find((th) => th.textContent === 'Energy µJ').firstChild.click()")
        self.assertEqual(self.rows(), ["run d", "run a", "run c", "run b"])

    def test_details_are_of_the_front_or_of_chosen_points(self) -> None:
        self.open(comparable())
        shown = "[...document.querySelectorAll('#details summary')].map((of) => of.textContent)"
        self.assertEqual(sorted(self.js(shown)), ["run a", "run b", "run d"])
        self.js("document.querySelectorAll('#points input')[2].click()")
        self.assertEqual(self.js(shown), ["run c"])
        self.assert_no_errors()

    def test_csv_has_the_visible_points_and_no_formulas(self) -> None:
        results = comparable()
        results["runs"][1]["name"] = "=1+1"
        self.open(results)
        lines = self.js("abacus.csvText()").splitlines()
        self.assertEqual(len(lines), 5)
        self.assertTrue(lines[0].startswith("name,status,images,network,"))
        self.assertTrue(lines[2].startswith("'=1+1,ok,10000,lenet,"))
        self.assertIn("0c" * 32, lines[1])

    def test_lines_that_pass_an_axis_stay(self) -> None:
        self.open(study(40), "--points")
        self.assertEqual(self.element("count").text, "40 of 40 points")
        self.js("abacus.update({ brushes: new Map([[0, [-0.1, 0.1]]]) })")
        self.assertEqual(self.element("count").text, "8 of 40 points")
        self.click("all-lines")
        self.assertEqual(self.element("count").text, "40 of 40 points")
        self.assert_no_errors()

    def test_legends_stand_below_the_names_of_the_axes(self) -> None:
        self.open(comparable())
        for width in WIDTHS:
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            WebDriverWait(self.driver, SECONDS).until(lambda driver: self.legends_in_place())
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def legends_in_place(self) -> bool:
        """Of all plots that show one, of which there are some; they follow the window later."""
        return bool(
            self.js(
                "((boxes) => boxes.length > 3 && boxes.every(([legend, names, chart]) =>"
                " legend.top > Math.max(...names.map((name) => name.bottom))"
                " && legend.bottom <= chart.bottom + 1))("
                "[...document.querySelectorAll('.chart')].filter((chart) =>"
                " chart.getBoundingClientRect().height && chart.querySelector('.legend'))"
                ".map((chart) => [chart.querySelector('.legend').getBoundingClientRect(),"
                " [...chart.querySelectorAll('.xaxislayer-above, .g-xtitle')]"
                ".map((name) => name.getBoundingClientRect()), chart.getBoundingClientRect()]))"
            )
        )

    def test_a_studys_folder(self) -> None:
        (self.folder / "study.sqlite").unlink(missing_ok=True)
        study_folder(self.folder, 40)
        self.open_page_of(self.folder)
        self.assertEqual(self.element("count").text, "40 of 40 points")
        # Energies by component of the front, and no layers.
        bars = "document.querySelectorAll('#details .chart').length"
        self.assertEqual(self.js(bars), 2)
        self.assertNotIn("Cycles by layer", self.element("details").text)
        # Accuracies over 100 images have a front of their own.
        images = self.js("abacus.data.points.map((point) => point.images)")
        for front in self.js(
            "abacus.fronts(abacus.visible(), abacus.metricAt('accuracy_percent'),"
            " abacus.metricAt('energy_per_image_uj')).map((front) => front.map((p) => p.index))"
        ):
            self.assertEqual(len({images[index] for index in front}), 1)
        axis = self.js("abacus.data.axes.indexOf('arithmetic')")
        self.click(f"filter-{axis}-0")
        self.assertEqual(self.element("count").text, "20 of 40 points")
        self.assert_fits()
        self.assert_no_errors()

    def test_names_become_no_markup(self) -> None:
        self.open(hostile())
        Select(self.element("baseline")).select_by_index(1)
        self.assertEqual(self.js("document.querySelectorAll('x-hostile, [onclick]').length"), 0)
        links = "[...document.querySelectorAll('a')].filter((a) => /javascript/.test(a.outerHTML))"
        self.assertEqual(self.js(f"{links}.length"), 0)
        self.assertIn("<x-hostile", self.element("points").text)
        self.assert_no_errors()

    def test_nothing_overflows(self) -> None:
        for content, options in (
            (many_runs(30), ()),
            (study(500), ("--points",)),
            (hostile(), ()),
            (tiny(), ()),
        ):
            self.open(content, *options)
            self.assert_fits()
            self.assert_no_errors()

    def test_tables_need_no_javascript(self) -> None:
        self.open(comparable())
        page = (self.folder / "report.html").read_text()
        bare = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
        (self.folder / "bare.html").write_text(bare)
        self.driver.get((self.folder / "bare.html").as_uri())
        self.assertIn("run d", self.element("points").text)
        self.assertFalse(self.driver.find_element(By.CLASS_NAME, "drawn").is_displayed())


if __name__ == "__main__":
    if MISSING:
        print(f"skipped: no {MISSING}; scripts/setup.sh lint installs it")
        sys.exit(77)  # as ctest knows it
    unittest.main()
