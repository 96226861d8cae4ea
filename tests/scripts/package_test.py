"""Integer network packages."""

import json
import unittest

from abacus.errors import AbacusError
from abacus.package import with_fraction_bits
from abacus.safetensors import read_metadata
from fake_programs import write_package
from reproduce_case import ReproduceCase


class Package(ReproduceCase):
    def test_fraction_bits_change_nothing_else_and_need_post_weights(self) -> None:
        package, copy = self.folder / "p.safetensors", self.folder / "copy.safetensors"
        write_package(package, "resnet20", "cifar10", "post-lsq-qat", 4, None, 1)
        with open(package, "ab") as file:
            file.write(b"tensors")
        with_fraction_bits(package, 3, copy)
        self.assertTrue(copy.read_bytes().endswith(b"tensors"))
        before, after = read_metadata(package), read_metadata(copy)
        self.assertEqual(before["recipe"], after["recipe"])
        changed = json.loads(after["network"])
        self.assertEqual(changed["layers"][1].pop("fraction_bits"), 3)
        original = json.loads(before["network"])
        self.assertEqual(original["layers"][1].pop("fraction_bits"), 8)
        self.assertEqual(changed, original)
        write_package(package, "resnet20", "cifar10", "lsq-lsq-qat", 4)
        with self.assertRaisesRegex(AbacusError, "none of its layers has POST weights"):
            with_fraction_bits(package, 3, copy)


if __name__ == "__main__":
    unittest.main()
