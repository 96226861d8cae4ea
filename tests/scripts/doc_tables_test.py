"""Figures that go from results into README and docs."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest
from typing import Any

from abacus.doc_tables.blocks import BOXES, WAYS, drawing
from abacus.doc_tables.columns import ARRAY, CYCLES, DRAM, NAME, Column, number
from abacus.doc_tables.command import put, rows
from abacus.doc_tables.tables import TABLES, Table
from abacus.errors import AbacusError
from abacus.places import ROOT


def a_run(**changes: Any) -> dict[str, Any]:
    """As results.json has it, in the fields that are asked for."""
    return {
        "name": "adder",
        "bit_exact": True,
        "cycles_per_image": 149481.0,
        "energy_per_image_uj": 160.449,
        "area": {"array_um2": 68751.2},
        "hardware": {"array": {"rows": 16, "columns": 22}},
        "dram_bytes_per_image": 103424.0,
    } | changes


class Blocks(unittest.TestCase):
    def test_the_document_has_this_drawing(self) -> None:
        shipped = (ROOT / "docs" / "figures" / "accelerator.svg").read_text(encoding="utf-8")
        self.assertEqual(shipped, drawing(), "run: scripts/doc-tables accelerator")

    def test_every_block_is_connected(self) -> None:
        self.assertEqual({name for way in WAYS for name in (way[0], way[2])}, set(BOXES))


class DocTables(unittest.TestCase):
    def test_a_row_a_run(self) -> None:
        energy = Column("µJ", number("energy_per_image_uj", 1))
        area = Column("mm²", number("area.array_um2", 3, "", 1e-6))
        table = Table("t", "d.md", "s.toml", (NAME, ARRAY, CYCLES, DRAM, energy, area))
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "results.json"
            file.write_text(json.dumps({"schema": 2, "runs": [a_run(), a_run(name="b")]}))
            text = rows(table, file).splitlines()
            file.write_text(json.dumps({"schema": 2, "runs": [a_run(bit_exact=False)]}))
            self.assertRaisesRegex(AbacusError, "not bit-exact", rows, table, file)
        self.assertEqual(text[0], "| run | array | cycles an image | DRAM | µJ | mm² |")
        self.assertEqual(text[2], "| adder | 16 × 22 | 149,481 | 101 KiB | 160.4 | 0.069 |")
        self.assertEqual(len(text), 4)

    def test_a_table_is_replaced_between_its_lines_alone(self) -> None:
        begin, end = "<!-- scripts/doc-tables t -->\n", "<!-- end -->\n"
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            file = pathlib.Path(folder) / "d.md"
            for old in ("", "\n| old |\n\n"):
                file.write_text(f"before\n{begin}{old}{end}after\n", encoding="utf-8")
                put(file, "t", "| new |\n")
                self.assertEqual(
                    file.read_text(encoding="utf-8"), f"before\n{begin}\n| new |\n\n{end}after\n"
                )
            self.assertRaisesRegex(AbacusError, "found 0 places", put, file, "other", "")
            file.write_text(2 * (begin + end), encoding="utf-8")
            self.assertRaisesRegex(AbacusError, "found 2 places", put, file, "t", "")

    def test_every_table_has_its_place_and_its_scenario(self) -> None:
        for table in TABLES:
            document = (ROOT / table.document).read_text(encoding="utf-8")
            self.assertEqual(document.count(f"<!-- scripts/doc-tables {table.name} -->\n"), 1)
            self.assertTrue((ROOT / "scenarios" / table.scenario).is_file())


if __name__ == "__main__":
    unittest.main()
