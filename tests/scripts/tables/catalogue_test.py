"""All tables, and the user's options."""

import unittest

from abacus.tables.catalogue import TABLES
from abacus.tables.published import Published
from reproduce_case import ReproduceCase


class Catalogue(ReproduceCase):
    def test_no_line_is_there_twice(self) -> None:
        for table in TABLES:
            lines = self.make(table, "--qat-epochs", "0", "--dataset", "cifar10", "--bits", "4")
            keys = [tuple(line[k] for k in ("row", "method", "bits", "unit")) for line in lines]
            self.assertEqual(len(keys), len(set(keys)), table)

    def test_every_published_figure_of_a_table_finds_its_line(self) -> None:
        published = Published()
        for table in (
            "table1",
            "table3",
            "table4",
            "table5",
            "figure5",
            "asq-table1",
            "asq-table4",
            "asq-table5",
            "figure6",
        ):
            lines = self.make(table, "--qat-epochs", "0")
            wanted = sorted(value for key, value in published.values.items() if key[0] == table)
            found = sorted(float(line["published"]) for line in lines if line["published"])
            self.assertEqual(found, wanted, table)

    def test_an_option_may_be_one_quantizers(self) -> None:
        _, more = self.add_cnn()
        self.make(
            "asq-table4",
            "--seeds",
            "1,2",
            "--bits",
            "4",
            "--qat-epochs",
            "1",
            "--option",
            "asq:adapter-rate=10",
            "--option",
            "post:lr=0.02",
            *more,
        )
        for call in self.trainings():
            self.assertEqual(
                "--adapter-rate=10" in call, "--activation-quantizer=asq" in call, call
            )
            self.assertEqual("--lr=0.02" in call, "--weight-quantizer=post" in call, call)
        self.assertEqual(len(self.trainings()), 6)

    def test_an_option_for_nothing_is_refused(self) -> None:
        _, more = self.add_cnn()
        for table, allowed in (
            ("asq-table4", "asq, lsq, post, qat, uniform"),
            ("asq-figure6", "asq, lsq, qat, uniform"),
            ("table5", "adderquant, adderquant-ptq, ptq, qat"),
        ):
            done = self.run_it(table, "--option", "asqq:adapter-rate=10", "--bits", "4", *more)
            self.assertEqual(done.returncode, 1)
            self.assertIn('has no row of "asqq"; allowed: ' + allowed, done.stderr)
        self.assertEqual(self.calls(), [])

    def test_options_reach_their_scheme_alone(self) -> None:
        for text in self.scenarios_with("qssf-ptq:bn-images=400"):
            self.assertEqual("options.bn_images = 400" in text, 'scheme = "qssf-ptq"' in text)

    def scenarios_with(self, option: str) -> list[str]:
        """Of figure5's two QSSF rows and its AdderQuant row."""
        self.make(
            "figure5",
            "--qat-epochs",
            "0",
            "--dataset",
            "cifar10",
            "--bits",
            "4",
            "--option",
            option,
        )
        texts = [file.read_text() for file in self.out.glob("runs/*/scenario.toml")]
        self.assertEqual(len(texts), 3)
        return texts

    def test_stored_bits_may_be_an_option(self) -> None:
        for text in self.scenarios_with("qssf-ptq:storage-bits=12"):
            stored = 12 if 'scheme = "qssf-ptq"' in text else 8
            self.assertEqual(text.count("storage_bits"), 1)
            self.assertIn(f"storage_bits = {stored}\n", text)

    def test_stored_bits_that_are_none_are_refused(self) -> None:
        for found in ("1", "17", "12.5", "wide"):
            done = self.run_it(
                "figure5",
                "--qat-epochs",
                "0",
                "--dataset",
                "cifar10",
                "--option",
                f"storage-bits={found}",
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"found {found}; allowed: 2 to 16", done.stderr)
            self.assertFalse((self.out / "figure5.csv").exists())


if __name__ == "__main__":
    unittest.main()
