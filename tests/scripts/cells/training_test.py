"""Packages of trained cells: made once, and refused where they are another training's."""

import unittest

from fake_programs import write_package
from reproduce_case import ReproduceCase


class Training(ReproduceCase):
    def test_a_package_of_another_recipe_is_refused_or_said(self) -> None:
        _, more = self.add_cnn()
        self.make(
            "asq-table4",
            "--seeds",
            "1,2",
            "--bits",
            "4",
            "--qat-epochs",
            "3",
            "--option",
            "qat:lr=0.01",
            *more,
        )
        trained = len(self.trainings())
        older = (self.out / "asq-table4.csv").read_text()
        done = self.run_it(
            "asq-table4", "--seeds", "1,2", "--bits", "4", "--option", "qat:lr=0.02", *more
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("trained with lr 0.01, asked for is 0.02", done.stderr)
        done = self.run_it(
            "asq-table4",
            "--seeds",
            "1,2",
            "--bits",
            "4",
            "--option",
            "asq:adapter-start=fitted",
            *more,
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("trained with adapter-start one, asked for is fitted", done.stderr)
        self.assertEqual((self.out / "asq-table4.csv").read_text(), older)
        lines = self.make("asq-table4", "--seeds", "1,2", "--bits", "4", "--qat-epochs", "0", *more)
        note = self.one(lines, method="ASQ", unit="%")["note"]
        self.assertIn("lr 0.01 (the table's recipe: 0.04)", note)
        self.assertNotIn("train-on", note)
        self.make(
            "asq-table4",
            "--seeds",
            "1,2",
            "--bits",
            "4",
            "--qat-epochs",
            "3",
            "--option",
            "qat:lr=1e-2",
            *more,
        )
        self.assertEqual(len(self.trainings()), trained)

    def test_a_package_of_another_seed_or_quantizer_is_refused(self) -> None:
        cnn, more = self.add_cnn()
        packages = self.folder / "ready"
        packages.mkdir()
        name = packages / "resnet20-cifar10-lsq-lsq-w4a4-seed2.safetensors"
        for scheme, seed, words in (
            ("lsq-lsq-qat", 3, "found seed 3; by its name it should have 2"),
            ("lsq-asq-qat", 2, "found scheme lsq-asq-qat"),
        ):
            write_package(name, "resnet20", "cifar10", scheme, 4, cnn, seed)
            done = self.run_it(
                "asq-table4", "--seeds", "2,", "--bits", "4", "--packages", packages, *more
            )
            self.assertEqual(done.returncode, 2, done.stderr)  # "2," is no list
            done = self.run_it(
                "asq-table4", "--seeds", "2,1", "--bits", "4", "--packages", packages, *more
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
            self.assertIn(str(name), done.stderr)
            self.assertFalse((self.out / "asq-table4.csv").exists())
        write_package(name, "resnet20", "cifar10", "lsq-lsq-qat", 4, cnn)
        lines = self.make(
            "asq-table4", "--seeds", "2,1", "--bits", "4", "--packages", packages, *more
        )
        self.assertIn(
            "seed 2: the package does not tell its seed",
            self.one(lines, method="LSQ", unit="%")["note"],
        )

    def test_a_seed_that_fails_is_named_and_the_others_are_kept(self) -> None:
        _, more = self.add_cnn()
        (self.folder / "fails").write_text("ASQ, 4 bit, seed 2")
        done = self.run_it("asq-table5", "--keep-going", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.run_it("asq-table4", "--bits", "4", "--keep-going", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("ASQ, 4 bit, seed 2", done.stderr)
        line = self.one(self.lines("asq-table4"), method="ASQ", bits="4", unit="%")
        self.assertEqual(line["ours"], "91.70")
        self.assertIn("seed 2: failed", line["note"])

    def test_training_makes_a_package_once_and_the_note_tells_the_epochs(self) -> None:
        more = ("--qat-epochs", "3", "--dataset", "cifar10", "--bits", "4")
        lines = self.make("table1", *more)
        trainings = self.trainings()
        self.assertEqual(len(trainings), 1)
        for part in (
            "--epochs 3",
            "--scheme adderquant ",
            "--alpha=0.999",
            "--lr=1e-4",
            "--resume",
        ):
            self.assertIn(part, trainings[0])
        line = self.one(lines, row="ResNet-20 CIFAR-10", method="QAT", unit="%")
        self.assertEqual((line["published"], line["note"]), ("91.21", "3 epochs (the paper: 50)"))
        self.make("table1", "--qat-epochs", "7", "--dataset", "cifar10", "--bits", "4")
        self.assertEqual(len(self.trainings()), 1)

    def test_a_ready_package_is_used_without_checkpoint_or_training(self) -> None:
        packages = self.folder / "ready"
        packages.mkdir()
        write_package(
            packages / "resnet20-cifar100-adderquant-w4a4.safetensors",
            "resnet20",
            "cifar100",
            "adderquant-qat",
            4,
        )
        lines = self.make(
            "table1", "--qat-epochs", "0", "--packages", packages, "--dataset", "cifar100"
        )
        line = self.one(lines, row="ResNet-20 CIFAR-100", method="QAT", unit="%")
        self.assertEqual((line["published"], line["ours"]), ("67.35", "90.40"))
        self.assertIn("epochs unknown", line["note"])

    def test_a_package_that_is_not_what_its_name_says_is_refused(self) -> None:
        packages = self.folder / "ready"
        packages.mkdir()
        for scheme, bits, checkpoint, words in (
            ("adderquant-qat", 5, self.checkpoint, "found weight_bits 5"),
            ("adderquant-ptq", 4, self.checkpoint, "found scheme adderquant-ptq"),
            ("adderquant-qat", 4, None, "another checkpoint"),
        ):
            write_package(
                packages / "resnet20-cifar10-adderquant-w4a4.safetensors",
                "resnet20",
                "cifar10",
                scheme,
                bits,
                checkpoint,
            )
            done = self.run_it("table1", "--packages", packages)
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
            self.assertFalse((self.out / "table1.csv").exists())


if __name__ == "__main__":
    unittest.main()
