"""The page of a study's folder."""

import json
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

from fake_programs import SCRIPTS
from made_up import study_folder

from abacus.errors import AbacusError
from abacus.json_value import JsonValue
from abacus.report.page import study_page
from abacus.report.store import read_store
from abacus.report.study import Study, study_of


class Stores(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def change(self, sql: str, *values: object) -> None:
        """Of the study's database."""
        with sqlite3.connect(self.folder / "study.sqlite") as database:
            database.execute(sql, values)
        database.close()

    def study(self) -> Study:
        """As the page reads it."""
        return study_of(JsonValue(str(self.folder), "", read_store(self.folder)))

    def test_points_have_what_the_store_has(self) -> None:
        study_folder(self.folder, 20)
        study = self.study()
        self.assertEqual(len(study.points), 20)
        dead, alive = study.points[0], study.points[1]
        self.assertEqual((dead.status, dead.reason), ("infeasible", "needs 70000 bytes"))
        self.assertEqual(alive.name, "rows=8, weight_sram=2048, arithmetic=cnn")
        self.assertEqual(alive.axes, {"rows": 8, "weight_sram": 2048, "arithmetic": "cnn"})
        self.assertEqual((alive.network, alive.images), ("resnet20", 1000))
        self.assertEqual((alive.energy_table, alive.area_table), ("horowitz-45nm", "aladdin-40nm"))
        self.assertEqual(alive.metrics["area_um2"], 2e5)
        self.assertEqual(alive.metrics["stalls"], 7)  # an objective
        self.assertNotIn("units.load.busy_cycles", alive.metrics)
        self.assertEqual(dict(alive.components), {"dram": 4.0, "pe_array": 6.5})
        self.assertEqual(dict(alive.energies), {"horowitz-45nm": 10.0, "accelergy-40nm": 21.0})
        self.assertIsNotNone(alive.interval)
        self.assertEqual(alive.hashes[1], ("package", "ab" * 32))

    def test_the_page_says_what_it_is_of(self) -> None:
        study_folder(self.folder, 20)
        self.change("UPDATE meta SET value = '30' WHERE key = 'wanted'")
        text = study_page(self.study(), self.folder)
        for words in (
            "A study of 20 points, of them 2 infeasible. resnet20 on fashion-mnist; 100 images and"
            " 1,000 images a point; energy by horowitz-45nm; area by aladdin-40nm.",
            "It is not finished: it will have 30 points.",
            f"abacus explore studies/arrays.toml --out={self.folder}",
            f"abacus report {self.folder}",
            "# The scenario:",
            "Least energy by each table",
        ):
            self.assertIn(words, " ".join(text.split()))

    def test_accuracies_over_other_numbers_of_images_have_fronts_of_their_own(self) -> None:
        study_folder(self.folder, 20)
        images = {point.images for point in self.study().points if point.status == "ok"}
        self.assertEqual(images, {100, 1000})
        text = study_page(self.study(), self.folder)
        start = text.index('id="data">') + len('id="data">')
        data = json.loads(text[start : text.index("</script>", start)])
        self.assertEqual(data["metrics"][0]["alike"], "images")

    def test_a_log_that_a_killed_process_left_is_read(self) -> None:
        study_folder(self.folder, 3)
        file = self.folder / "study.sqlite"
        database = sqlite3.connect(file)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("DELETE FROM points WHERE number = 2")
        database.commit()
        self.assertEqual(len(self.study().points), 2)
        database.close()

    def test_the_script_writes_into_the_folder(self) -> None:
        study_folder(self.folder, 5)
        done = subprocess.run([SCRIPTS / "report", self.folder], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("rows=8", (self.folder / "report.html").read_text())
        done = subprocess.run(
            [SCRIPTS / "report", "--detail=x", self.folder], capture_output=True, text=True
        )
        self.assertIn("--detail: goes with results.json", done.stderr)

    def test_folders_that_are_no_studies(self) -> None:
        with self.assertRaisesRegex(AbacusError, "is no study's folder"):
            read_store(self.folder)
        (self.folder / "study.sqlite").write_text("no database, which has a longer header" * 9)
        with self.assertRaisesRegex(AbacusError, r"study\.sqlite: file is not a database"):
            read_store(self.folder)

    def test_damaged_studies(self) -> None:
        for sql, values, words in (
            ("UPDATE meta SET value = '9' WHERE key = 'schema'", (), 'found schema "9"'),
            ("DELETE FROM meta WHERE key = 'wishes'", (), "allowed: JSON"),
            ("UPDATE meta SET value = '{}' WHERE key = 'wishes'", (), "without 'objectives'"),
            ("UPDATE points SET axes = '{'", (), "allowed: JSON"),
            ("UPDATE points SET axes = '[]'", (), "allowed: an object"),
            ("UPDATE points SET metrics = ?", ('{"energy_per_image_uj": "x"}',), "allowed"),
            ("UPDATE points SET status = 'dead'", (), "allowed: ok or infeasible"),
            ("DELETE FROM points", (), "no point is finished yet"),
            ("DROP TABLE points", (), "no such table"),
        ):
            with self.subTest(sql=sql):
                (self.folder / "study.sqlite").unlink(missing_ok=True)
                study_folder(self.folder, 3)
                self.change(sql, *values)
                with self.assertRaisesRegex(AbacusError, words):
                    self.study()


if __name__ == "__main__":
    unittest.main()
