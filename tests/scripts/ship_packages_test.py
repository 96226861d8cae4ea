"""The packages that ship, and the comparison with packages made anew."""

import json
import pathlib
import struct
import tempfile
import unittest

from abacus.package import read_network
from abacus.safetensors import read_metadata
from abacus.ship_packages import FOLDER, OtherProcessor, differs, home_without_packages, ship_name


def package(file: pathlib.Path, recipe: str, tensors: bytes = b"") -> pathlib.Path:
    """A header with a recipe, and bytes."""
    header = json.dumps({"__metadata__": {"recipe": recipe}}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header + tensors)
    return file


class ShipPackages(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_the_name_is_what_the_package_holds(self) -> None:
        quantized = 0
        for file in FOLDER.glob("*.safetensors"):
            if "post-asq" in file.name:
                continue  # a training's
            self.assertEqual(file.name, ship_name(read_network(file)["origin"]))
            self.assertIn("version=", read_metadata(file)["recipe"])
            quantized += 1
        self.assertGreater(quantized, 0)

    def test_the_same_bytes_are_the_same_package(self) -> None:
        one = package(self.folder / "one", "bits=4 threads=2 kernels=AVX2,AVX2", b"a")
        self.assertEqual(differs(one, one), "")

    def test_other_bytes_of_the_same_recipe_are_a_fault(self) -> None:
        recipe = "bits=4 threads=2 kernels=AVX2,AVX2"
        one = package(self.folder / "one", recipe, b"a")
        other = package(self.folder / "other", recipe, b"b")
        self.assertIn("other: found another package", differs(one, other))

    def test_another_recipe_is_a_fault(self) -> None:
        one = package(self.folder / "one", "bits=4 threads=2 kernels=AVX2,AVX2")
        other = package(self.folder / "other", "bits=3 threads=2 kernels=AVX2,AVX2")
        self.assertIn("other: found another package", differs(one, other))

    def test_another_processors_bytes_are_not_compared(self) -> None:
        one = package(self.folder / "one", "bits=4 threads=2 kernels=AVX2,AVX2")
        other = package(self.folder / "other", "bits=4 threads=8 kernels=AVX512,AVX3")
        with self.assertRaises(OtherProcessor):
            differs(one, other)

    def test_a_missing_package_is_a_fault(self) -> None:
        one = package(self.folder / "one", "bits=4")
        self.assertIn("it is not there", differs(one, self.folder / "other"))

    def test_abacus_finds_all_but_the_packages(self) -> None:
        scenarios = home_without_packages(self.folder) / "scenarios"
        self.assertTrue((scenarios / "hardware" / "edge-16x16.toml").is_file())
        self.assertFalse((scenarios / "packages").exists())


if __name__ == "__main__":
    unittest.main()
