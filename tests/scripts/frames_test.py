"""Results and studies as frames."""

import json
import pathlib
import sqlite3
import tempfile
import unittest
from contextlib import closing
from unittest import mock

from abacus import frames
from abacus.errors import AbacusError

TINY = pathlib.Path(__file__).resolve().parent / "report" / "tiny_results.json"


class Frames(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_row_a_run_with_fields_of_fields_by_their_paths(self) -> None:
        frame = frames.runs(TINY)
        self.assertTrue(frame.index.is_unique)
        self.assertGreater(frame["cycles_per_image"].iloc[0], 0)
        self.assertIn("hardware.array.rows", frame.columns)
        self.assertNotIn("layers", frame.columns)

    def test_a_folder_stands_for_its_results(self) -> None:
        (self.folder / "results.json").write_bytes(TINY.read_bytes())
        self.assertTrue(frames.runs(self.folder).equals(frames.runs(TINY)))

    def test_layers_and_components_are_the_runs(self) -> None:
        runs, layers, energy = frames.runs(TINY), frames.layers(TINY), frames.energy(TINY)
        self.assertEqual(list(layers.index.unique("run")), list(runs.index))
        self.assertEqual(list(energy.index), list(runs.index))
        for run in json.loads(TINY.read_text())["runs"]:
            of = layers.loc[run["name"]]
            self.assertEqual(list(of.index), [layer["name"] for layer in run["layers"]])
            cycles = [layer["cycles"] or 0 for layer in run["layers"]]
            self.assertEqual(list(of["cycles"].fillna(0)), cycles)
            components = energy.loc[run["name"]].dropna().to_dict()
            self.assertEqual(components, run["energy_by_component_uj"] or {})

    def test_a_study_is_the_view_of_its_file(self) -> None:
        with closing(sqlite3.connect(self.folder / "study.sqlite")) as database:
            database.execute("CREATE TABLE t(number, rows, cycles_per_image)")
            database.executemany("INSERT INTO t VALUES (?, ?, ?)", [(1, 8, 90.0), (2, 16, None)])
            database.execute("CREATE VIEW results AS SELECT * FROM t")
            database.commit()
        frame = frames.study(self.folder)
        self.assertEqual(list(frame.index), [1, 2])
        self.assertEqual(list(frame["rows"]), [8, 16])
        self.assertEqual(frame["cycles_per_image"].isna().tolist(), [False, True])

    def test_what_is_no_study_is_named(self) -> None:
        (self.folder / "study.sqlite").write_text("no database")
        with self.assertRaisesRegex(AbacusError, "study.sqlite: it is no study"):
            frames.study(self.folder)
        with self.assertRaisesRegex(AbacusError, "absent.sqlite: it is no study"):
            frames.study(self.folder / "absent.sqlite")

    def test_settings_go_to_the_program_as_toml(self) -> None:
        said: list[object] = []
        with (
            mock.patch("abacus.frames.process.run", side_effect=said.extend),
            mock.patch("abacus.frames.process.find_program", return_value="abacus"),
            mock.patch("abacus.frames.runs"),
        ):
            settings: dict[str, frames.Value] = {
                "hardware.array.rows": 8,
                "level": "functional",
                "seed": 1.5,
                "a.b": True,
            }
            frames.simulate("s.toml", settings, out="o", images=3)
        words = [str(word) for word in said]
        self.assertEqual(
            words[:9],
            ["abacus", "simulate", "s.toml", "--out", "o", "--quiet", "--check", "--images", "3"],
        )
        self.assertEqual(
            words[10::2],
            ["hardware.array.rows=8", 'level="functional"', "seed=1.5", "a.b=true"],
        )


if __name__ == "__main__":
    unittest.main()
