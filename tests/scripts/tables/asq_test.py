"""The ASQ and POST paper's tables of trainings with several seeds."""

import unittest

from abacus.package import with_fraction_bits
from fake_programs import write_package
from reproduce_case import ReproduceCase


class AsqTables(ReproduceCase):
    def test_seeds_give_mean_and_spread_and_cycles_once(self) -> None:
        _, more = self.add_cnn()
        lines = self.make("asq-table4", "--qat-epochs", "3", "--bits", "4", *more)
        cell = {"row": "ResNet-20 CIFAR-10", "method": "ASQ + POST", "bits": "4"}
        mean = self.one(lines, unit="%", **cell)
        self.assertEqual((mean["published"], mean["ours"]), ("93.00", "92.70"))
        self.assertIn("tables of 8 fraction bits", mean["note"])
        self.assertNotIn(
            "fraction",
            self.one(lines, row="ResNet-20 CIFAR-10", method="ASQ", bits="4", unit="%")["note"],
        )
        self.assertIn("seeds 1, 2, 3: 92.40, 92.70, 93.00 %", mean["note"])
        self.assertIn("3 epochs (the paper: 300)", mean["note"])
        self.assertEqual(self.one(lines, unit="points spread", **cell)["ours"], "0.30")
        lost = self.one(lines, unit="points lost", **cell)
        self.assertEqual((lost["published"], lost["ours"]), ("-0.40", "-0.87"))
        self.assertEqual(self.one(lines, unit="cycles", **cell)["ours"], "4000")
        self.assertEqual(len(self.trainings()), 9)

    def test_the_papers_recipe_trains_each_seed_into_a_package_of_its_name(self) -> None:
        cnn, more = self.add_cnn()
        self.make("asq-table5", "--seeds", "4,7", *more)
        names = sorted(file.name for file in (self.out / "trained").glob("*.safetensors"))
        self.assertEqual(
            names,
            sorted(
                f"resnet20-cifar10-{quantizers}-w4a4-seed{seed}.safetensors"
                for quantizers in ("lsq-lsq", "pot-lsq", "post-lsq", "lsq-asq", "post-asq")
                for seed in (4, 7)
            ),
        )
        for call in self.trainings():
            for part in (
                f"--checkpoint {cnn} ",
                "--scheme uniform ",
                "--epochs 300 ",
                "--lr=0.04",
                "--batch=128",
                "--momentum=0.9",
                "--weight-decay=1e-4",
            ):
                self.assertIn(part, call)
        for file in self.out.glob("runs/*/scenario.toml"):
            text = file.read_text()
            kind = (
                "shift"
                if "/resnet20-cifar10-pot" in text
                else ("post" if "/resnet20-cifar10-post" in text else "cnn")
            )
            self.assertIn(f'arithmetic = "{kind}"\n', text)

    def test_tables_4_and_5_share_their_packages(self) -> None:
        _, more = self.add_cnn()
        self.make("asq-table4", "--bits", "4", *more)
        self.make("asq-table5", *more)
        self.assertEqual(len(self.trainings()), 3 * 5)

    def test_the_order_is_said_with_its_spread(self) -> None:
        _, more = self.add_cnn()
        lines = self.make("asq-table4", *more)
        # The last of 300 epochs.
        self.assertEqual(
            self.one(lines, method="LSQ", bits="4", unit="training loss")["ours"], "0.6990"
        )
        order = self.one(lines, unit="order holds")
        self.assertEqual((order["method"], order["ours"]), ("LSQ < ASQ < ASQ + POST", "yes"))
        text = (self.out / "asq-table4.md").read_text()
        self.assertIn("LSQ 90.70 ± 0.30 % (3 seeds); ASQ 91.70 ± 0.30 % (3 seeds)", text)
        self.assertIn("from LSQ to ASQ +1.00 points (standard error 0.24)", text)
        self.assertIn("the order LSQ < ASQ < ASQ + POST holds", text)
        self.assertIn(
            "loss in the last epoch: LSQ 0.6990 ± 0.1000, ASQ 0.6490 ± 0.1000, ASQ + POST "
            "0.6490",
            text,
        )

    def test_an_order_that_does_not_hold_or_was_not_measured_is_said(self) -> None:
        cnn, more = self.add_cnn()
        packages = self.folder / "ready"
        packages.mkdir()

        def ready(quantizers: str, seed: int) -> None:
            write_package(
                packages / f"resnet20-cifar10-{quantizers}-w4a4-seed{seed}.safetensors",
                "resnet20",
                "cifar10",
                f"{quantizers}-qat",
                4,
                cnn,
                seed,
            )

        def course(quantizers: str, seed: int, loss: float) -> None:
            (packages / f"resnet20-cifar10-{quantizers}-w4a4-seed{seed}.csv").write_text(
                f"epoch,train_loss,seconds\n1,9,30\n2,{loss},30\n"
            )

        for quantizers, seed in (("lsq-lsq", 8), ("lsq-asq", 1), ("post-asq", 2)):
            ready(quantizers, seed)
        more += ("--packages", packages, "--qat-epochs", "0")
        lines = self.make("asq-table4", "--seeds", "8,1,2", *more)
        self.assertEqual(self.one(lines, unit="order holds")["ours"], "")
        self.assertIn(
            "the methods have no seed in common", (self.out / "asq-table4.md").read_text()
        )
        line = self.one(lines, method="ASQ", bits="4", unit="%")
        self.assertEqual(line["ours"], "91.40")
        self.assertIn("seed 8: not trained", line["note"])
        # Seed 3 of LSQ alone, which has the most, does not count. The last has a coarser table.
        for quantizers, seed in (("lsq-lsq", 1), ("lsq-lsq", 3), ("post-asq", 1)):
            ready(quantizers, seed)
        for quantizers, seed, loss in (
            ("lsq-lsq", 1, 0.5),
            ("lsq-lsq", 3, 0.1),
            ("lsq-asq", 1, 0.4),
            ("post-asq", 1, 0.3),
            ("post-asq", 2, 0.1),
        ):
            course(quantizers, seed, loss)
        coarse = packages / "resnet20-cifar10-post-asq-w4a4-seed1.safetensors"
        with_fraction_bits(coarse, -10, coarse)
        lines = self.make("asq-table4", "--seeds", "8,1,2,3", *more)
        self.assertEqual(self.one(lines, unit="order holds")["ours"], "no")
        text = (self.out / "asq-table4.md").read_text()
        self.assertIn("the order LSQ < ASQ < ASQ + POST does not hold", text)
        self.assertIn("from LSQ to ASQ +1.00 points (one seed tells nothing of chance)", text)
        self.assertIn("loss in the last epoch: LSQ 0.5000, ASQ 0.4000, ASQ + POST 0.3000.", text)
        lines = self.make("asq-table4", "--seeds", "5,6", *more)
        self.assertEqual(self.one(lines, unit="order holds")["ours"], "")
        self.assertIn(
            "there is no run of LSQ, ASQ, ASQ + POST", (self.out / "asq-table4.md").read_text()
        )


if __name__ == "__main__":
    unittest.main()
