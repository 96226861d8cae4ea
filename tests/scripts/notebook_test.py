"""The notebooks of docs/notebooks run from the first cell to the last, and show their plots."""

import importlib
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
from typing import Any

from abacus import places

PROGRAM = pathlib.Path(os.environ.get("ABACUS_PROGRAM", "build/release/bin/abacus")).resolve()
NOTEBOOKS = sorted((places.ROOT / "docs" / "notebooks").glob("*.ipynb"))
SKIPPED = 77  # as CTest is told

try:
    importlib.import_module("ipykernel")
    nbformat = importlib.import_module("nbformat")
    nbclient = importlib.import_module("nbclient")
except ImportError as error:
    MISSING = str(error.name)
else:
    MISSING = ""


def done(notebook: pathlib.Path, folder: pathlib.Path) -> Any:
    """The notebook with its outputs, run in a tree without builds; abacus stands on PATH."""
    for name in ("scenarios", "docs"):
        (folder / name).symlink_to(places.ROOT / name)
    shutil.copytree(places.ROOT / "scripts" / "abacus", folder / "scripts" / "abacus")
    content = nbformat.read(notebook, as_version=4)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{PROGRAM.parent}:{before}"
    try:
        resources = {"metadata": {"path": str(folder)}}
        client = nbclient.NotebookClient(
            content, timeout=600, kernel_name="python3", resources=resources
        )
        client.execute()
    finally:
        os.environ["PATH"] = before
    return content


class Notebooks(unittest.TestCase):
    def test_there_is_one(self) -> None:
        self.assertNotEqual(NOTEBOOKS, [])

    def test_none_has_outputs_of_some_machine(self) -> None:
        for notebook in NOTEBOOKS:
            for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
                self.assertFalse(cell.get("outputs"), notebook.name)
                self.assertIsNone(cell.get("execution_count"), notebook.name)

    def test_they_run_and_every_plot_is_shown(self) -> None:
        if MISSING:
            self.skipTest(f"no {MISSING}")
        for notebook in NOTEBOOKS:
            with self.subTest(notebook.name), tempfile.TemporaryDirectory() as name:
                content = done(notebook, pathlib.Path(name))
                shown = 0
                for cell in content.cells:
                    outputs = cell.get("outputs", [])
                    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
                    if "plots." in cell.source and cell.cell_type == "code":
                        self.assertEqual(len(pictures), 1, cell.source)
                        shown += 1
                    self.assertFalse([o for o in outputs if o.output_type == "error"])
                self.assertGreater(shown, 2)


if __name__ == "__main__":
    if MISSING:
        print(f"notebook_test: no {MISSING}; scripts/setup.sh installs it", file=sys.stderr)
    program = unittest.main(exit=False)
    if not program.result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if MISSING else 0)
