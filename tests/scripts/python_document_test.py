"""docs/python.md: its example runs, and says something."""

import contextlib
import io
import os
import pathlib
import re
import tempfile
import unittest

from abacus import places

PROGRAM = pathlib.Path(os.environ.get("ABACUS_PROGRAM", "build/release/bin/abacus")).resolve()


class PythonDocument(unittest.TestCase):
    def test_its_example_runs(self) -> None:
        page = (places.ROOT / "docs" / "python.md").read_text(encoding="utf-8")
        (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
        places.BUILDS[:] = [PROGRAM.parent]
        said = io.StringIO()
        before = pathlib.Path.cwd()
        self.addCleanup(os.chdir, before)
        with tempfile.TemporaryDirectory() as name:
            (pathlib.Path(name) / "scenarios").symlink_to(places.ROOT / "scenarios")
            os.chdir(name)
            with contextlib.redirect_stdout(said):
                exec(compile(code, "docs/python.md", "exec"), {})
            os.chdir(before)
        self.assertRegex(said.getvalue(), r"AdderNet +0\.\d+")  # fewer cycles
        self.assertIn("pe_utilisation", said.getvalue())
        self.assertIn("activation_sram", said.getvalue())


if __name__ == "__main__":
    unittest.main()
