"""scripts/reproduce with stand-ins for the two programs."""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "scripts"
sys.path[:0] = [str(HERE), str(SCRIPTS)]

from fake_programs import write_checkpoint, write_package, write_programs  # noqa: E402
from reproduction import tables  # noqa: E402
from reproduction.energy_table import EnergyTable  # noqa: E402
from reproduction.errors import ReproductionError  # noqa: E402
from reproduction.published import Published  # noqa: E402
from reproduction.safetensors import read_metadata, with_fraction_bits  # noqa: E402

COLUMNS = ["row", "method", "bits", "published", "ours", "unit", "images", "note"]


class Reproduce(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"
        self.checkpoint = self.folder / "c10.safetensors"
        write_checkpoint(self.checkpoint)
        write_programs(self.folder)
        self.script = self.copy_of_the_script()

    def copy_of_the_script(self):
        """In a folder where these checkpoints alone are shipped, whatever is shipped besides."""
        copy = self.folder / "project"
        shutil.copytree(SCRIPTS, copy / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        scenarios = SCRIPTS.parent / "scenarios"
        shipped = copy / "scenarios" / "checkpoints"
        shipped.mkdir(parents=True)
        (copy / "scenarios" / "energy").symlink_to(scenarios / "energy")
        for name in ("cifar10-cnn", "cifar10-shiftaddnet", "fashion-mnist-adder",
                     "fashion-mnist-cnn", "fashion-mnist-shiftaddnet"):
            file = f"resnet20-{name}.safetensors"
            (shipped / file).symlink_to(scenarios / "checkpoints" / file)
        return copy / "scripts" / "reproduce"

    def command(self, table, *more):
        return [str(self.script), table, "--out", str(self.out), "--bin",
                str(self.folder), "--checkpoint", str(self.checkpoint), "--jobs", "1",
                *map(str, more)]

    def run_it(self, table, *more, environment=None):
        return subprocess.run(self.command(table, *more), capture_output=True, text=True,
                              timeout=120, env={**os.environ, **(environment or {})})

    def make(self, table, *more, environment=None):
        """The table's lines."""
        done = self.run_it(table, *more, environment=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.lines(table)

    def lines(self, table):
        with open(self.out / f"{table}.csv", encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            self.assertEqual(reader.fieldnames, COLUMNS)
            return list(reader)

    def calls(self):
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    @staticmethod
    def one(lines, **wanted):
        found = [line for line in lines if all(line[k] == v for k, v in wanted.items())]
        assert len(found) == 1, (wanted, found)
        return found[0]

    def test_a_line_has_our_figure_beside_the_published_one(self):
        lines = self.make("table1", "--qat-epochs", "0", "--images", "2000")
        cell = {"row": "ResNet-20 CIFAR-10", "method": "PTQ", "bits": "6"}
        accuracy = self.one(lines, unit="%", **cell)
        self.assertEqual((accuracy["published"], accuracy["ours"], accuracy["images"]),
                         ("91.32", "90.60", "2000"))
        lost = self.one(lines, unit="points lost", **cell)
        self.assertEqual((lost["published"], lost["ours"]), ("0.10", "1.23"))
        self.assertEqual(self.one(lines, row="ResNet-20 CIFAR-10", method="float")["ours"], "91.83")

    def test_no_line_is_there_twice(self):
        for table in tables.TABLES:
            lines = self.make(table, "--qat-epochs", "0", "--dataset", "cifar10", "--bits", "4")
            keys = [tuple(line[k] for k in ("row", "method", "bits", "unit")) for line in lines]
            self.assertEqual(len(keys), len(set(keys)), table)

    def test_every_published_figure_of_a_table_finds_its_line(self):
        published = Published()
        for table in ("table1", "table3", "table4", "table5", "figure5", "asq-table1",
                      "asq-table4", "asq-table5", "figure6"):
            lines = self.make(table, "--qat-epochs", "0")
            wanted = sorted(value for key, value in published._values.items() if key[0] == table)
            found = sorted(float(line["published"]) for line in lines if line["published"])
            self.assertEqual(found, wanted, table)

    def add_cnn(self):
        """A checkpoint of the ordinary network beside the adder one; the arguments that name it."""
        file = self.folder / "cnn.safetensors"
        write_checkpoint(file, arithmetic="cnn", accuracy="92.50")
        return file, ("--checkpoint", file, "--dataset", "cifar10")

    def trainings(self):
        return [call for call in self.calls() if call.startswith("abacus-train qat")]

    def test_seeds_give_mean_and_spread_and_cycles_once(self):
        _, more = self.add_cnn()
        lines = self.make("asq-table4", "--qat-epochs", "3", "--bits", "4", *more)
        cell = {"row": "ResNet-20 CIFAR-10", "method": "ASQ + POST", "bits": "4"}
        mean = self.one(lines, unit="%", **cell)
        self.assertEqual((mean["published"], mean["ours"]), ("93.00", "92.70"))
        self.assertIn("tables of 8 fraction bits", mean["note"])
        self.assertNotIn("fraction", self.one(lines, row="ResNet-20 CIFAR-10", method="ASQ", bits="4",
                                              unit="%")["note"])
        self.assertIn("seeds 1, 2, 3: 92.40, 92.70, 93.00 %", mean["note"])
        self.assertIn("3 epochs (the paper: 300)", mean["note"])
        self.assertEqual(self.one(lines, unit="points spread", **cell)["ours"], "0.30")
        lost = self.one(lines, unit="points lost", **cell)
        self.assertEqual((lost["published"], lost["ours"]), ("-0.40", "-0.87"))
        self.assertEqual(self.one(lines, unit="cycles", **cell)["ours"], "4000")
        self.assertEqual(len(self.trainings()), 9)

    def test_the_papers_recipe_trains_each_seed_into_a_package_of_its_name(self):
        cnn, more = self.add_cnn()
        self.make("asq-table5", "--seeds", "4,7", *more)
        names = sorted(file.name for file in (self.out / "trained").glob("*.safetensors"))
        self.assertEqual(names, sorted(
            f"resnet20-cifar10-{quantizers}-w4a4-seed{seed}.safetensors"
            for quantizers in ("lsq-lsq", "pot-lsq", "post-lsq", "lsq-asq", "post-asq")
            for seed in (4, 7)))
        for call in self.trainings():
            for part in (f"--checkpoint {cnn} ", "--scheme uniform ", "--epochs 300 ", "--lr=0.04",
                         "--batch=128", "--momentum=0.9", "--weight-decay=1e-4"):
                self.assertIn(part, call)
        for file in self.out.glob("runs/*/scenario.toml"):
            text = file.read_text()
            kind = "shift" if "/resnet20-cifar10-pot" in text else (
                "post" if "/resnet20-cifar10-post" in text else "cnn")
            self.assertIn(f'arithmetic = "{kind}"\n', text)

    def test_tables_4_and_5_share_their_packages(self):
        _, more = self.add_cnn()
        self.make("asq-table4", "--bits", "4", *more)
        self.make("asq-table5", *more)
        self.assertEqual(len(self.trainings()), 3 * 5)

    def test_the_order_is_said_with_its_spread(self):
        _, more = self.add_cnn()
        lines = self.make("asq-table4", *more)
        # The last of 300 epochs.
        self.assertEqual(self.one(lines, method="LSQ", bits="4", unit="training loss")["ours"],
                         "0.6990")
        order = self.one(lines, unit="order holds")
        self.assertEqual((order["method"], order["ours"]), ("LSQ < ASQ < ASQ + POST", "yes"))
        text = (self.out / "asq-table4.md").read_text()
        self.assertIn("LSQ 90.70 ± 0.30 % (3 seeds); ASQ 91.70 ± 0.30 % (3 seeds)", text)
        self.assertIn("from LSQ to ASQ +1.00 points (standard error 0.24)", text)
        self.assertIn("the order LSQ < ASQ < ASQ + POST holds", text)
        self.assertIn("loss in the last epoch: LSQ 0.6990 ± 0.1000, ASQ 0.6490 ± 0.1000, ASQ + POST "
                      "0.6490", text)

    def test_an_order_that_does_not_hold_or_was_not_measured_is_said(self):
        cnn, more = self.add_cnn()
        packages = self.folder / "ready"
        packages.mkdir()

        def ready(quantizers, seed):
            write_package(packages / f"resnet20-cifar10-{quantizers}-w4a4-seed{seed}.safetensors",
                          "resnet20", "cifar10", f"{quantizers}-qat", 4, cnn, seed)

        def course(quantizers, seed, loss):
            (packages / f"resnet20-cifar10-{quantizers}-w4a4-seed{seed}.csv").write_text(
                f"epoch,train_loss,seconds\n1,9,30\n2,{loss},30\n")

        for quantizers, seed in (("lsq-lsq", 8), ("lsq-asq", 1), ("post-asq", 2)):
            ready(quantizers, seed)
        more += ("--packages", packages, "--qat-epochs", "0")
        lines = self.make("asq-table4", "--seeds", "8,1,2", *more)
        self.assertEqual(self.one(lines, unit="order holds")["ours"], "")
        self.assertIn("the methods have no seed in common",
                      (self.out / "asq-table4.md").read_text())
        line = self.one(lines, method="ASQ", bits="4", unit="%")
        self.assertEqual(line["ours"], "91.40")
        self.assertIn("seed 8: not trained", line["note"])
        # Seed 3 of LSQ alone, which has the most, does not count. The last has a coarser table.
        for quantizers, seed in (("lsq-lsq", 1), ("lsq-lsq", 3), ("post-asq", 1)):
            ready(quantizers, seed)
        for quantizers, seed, loss in (("lsq-lsq", 1, 0.5), ("lsq-lsq", 3, 0.1), ("lsq-asq", 1, 0.4),
                                       ("post-asq", 1, 0.3), ("post-asq", 2, 0.1)):
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
        self.assertIn("there is no run of LSQ, ASQ, ASQ + POST",
                      (self.out / "asq-table4.md").read_text())

    def test_a_package_of_another_recipe_is_refused_or_said(self):
        _, more = self.add_cnn()
        self.make("asq-table4", "--seeds", "1,2", "--bits", "4", "--qat-epochs", "3",
                  "--option", "qat:lr=0.01", *more)
        trained = len(self.trainings())
        done = self.run_it("asq-table4", "--seeds", "1,2", "--bits", "4", "--option", "qat:lr=0.02",
                           *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("trained with lr 0.01, asked for is 0.02", done.stderr)
        done = self.run_it("asq-table4", "--seeds", "1,2", "--bits", "4", "--option",
                           "asq:adapter-start=fitted", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("trained with adapter-start one, asked for is fitted", done.stderr)
        self.assertFalse((self.out / "asq-table4.csv").exists())
        lines = self.make("asq-table4", "--seeds", "1,2", "--bits", "4", "--qat-epochs", "0", *more)
        note = self.one(lines, method="ASQ", unit="%")["note"]
        self.assertIn("lr 0.01 (the table's recipe: 0.04)", note)
        self.assertNotIn("train-on", note)
        self.make("asq-table4", "--seeds", "1,2", "--bits", "4", "--qat-epochs", "3",
                  "--option", "qat:lr=1e-2", *more)
        self.assertEqual(len(self.trainings()), trained)

    def test_an_option_may_be_one_quantizers(self):
        _, more = self.add_cnn()
        self.make("asq-table4", "--seeds", "1,2", "--bits", "4", "--qat-epochs", "1",
                  "--option", "asq:adapter-rate=10", "--option", "post:lr=0.02", *more)
        for call in self.trainings():
            self.assertEqual("--adapter-rate=10" in call, "--activation-quantizer=asq" in call, call)
            self.assertEqual("--lr=0.02" in call, "--weight-quantizer=post" in call, call)
        self.assertEqual(len(self.trainings()), 6)

    def test_an_edited_energy_table_or_array_is_simulated_anew(self):
        home = self.folder / "home"
        table = home / "scenarios" / "energy" / "horowitz-45nm.toml"
        array = home / "scenarios" / "hardware" / "edge-16x16.toml"
        own = self.folder / "own.toml"
        for file in (table, array):
            file.parent.mkdir(parents=True)
        arguments = ("table1", "--qat-epochs", "0", "--dataset", "cifar10", "--bits", "4")
        for file, more in ((table, ()), (array, ()), (own, ("--energy", own))):
            counts = []
            for text in ("one", "one", "another"):
                file.write_text(text)
                self.make(*arguments, *more, environment={"ABACUS_HOME": str(home)})
                counts.append(sum(call.startswith("abacus simulate") for call in self.calls()))
            self.assertEqual(counts[0], counts[1], file)
            self.assertGreater(counts[2], counts[1], file)

    def test_a_package_of_another_seed_or_quantizer_is_refused(self):
        cnn, more = self.add_cnn()
        packages = self.folder / "ready"
        packages.mkdir()
        name = packages / "resnet20-cifar10-lsq-lsq-w4a4-seed2.safetensors"
        for scheme, seed, words in (("lsq-lsq-qat", 3, "found seed 3; by its name it should have 2"),
                                    ("lsq-asq-qat", 2, "found scheme lsq-asq-qat")):
            write_package(name, "resnet20", "cifar10", scheme, 4, cnn, seed)
            done = self.run_it("asq-table4", "--seeds", "2,", "--bits", "4", "--packages", packages,
                               *more)
            self.assertEqual(done.returncode, 2, done.stderr)  # "2," is no list
            done = self.run_it("asq-table4", "--seeds", "2,1", "--bits", "4", "--packages", packages,
                               *more)
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
            self.assertIn(str(name), done.stderr)
            self.assertFalse((self.out / "asq-table4.csv").exists())
        write_package(name, "resnet20", "cifar10", "lsq-lsq-qat", 4, cnn)
        lines = self.make("asq-table4", "--seeds", "2,1", "--bits", "4", "--packages", packages, *more)
        self.assertIn("seed 2: the package does not tell its seed",
                      self.one(lines, method="LSQ", unit="%")["note"])

    def test_a_seed_that_fails_is_named_and_the_others_are_kept(self):
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

    def test_the_best_trainings_have_exact_gradients_and_no_labels(self):
        self.make("best", "--qat-epochs", "2", "--bits", "4", "--dataset", "cifar10")
        self.assertEqual(len(self.trainings()), 1)
        for part in ("--scheme nonnegative ", "--optimizer=adam", "--adder-gradient=exact",
                     "--distill=1", "--temperature=4", "--bn-images=10000", "--lr=0.002"):
            self.assertIn(part, self.trainings()[0] + " ")

    def test_the_energy_ratio_under_each_table_by_component_and_by_hand(self):
        lines = self.make("energy-ratio", "--dataset", "cifar10")  # without any checkpoint of it
        for table in ("shiftadd-papers", "horowitz-45nm", "accelergy-40nm"):
            for method in ("ShiftAddNet", "ShiftAddNet without fraction bits"):
                row = {"row": f"ResNet-20 CIFAR-10, {method}, {table}", "bits": "6",
                       "unit": "x energy"}
                self.assertEqual(self.one(lines, method="all", **row)["ours"], "2.0000")
                self.assertEqual(self.one(lines, method="dram", **row)["ours"], "2.0000")
                # 1 + 0.5 + 0.5 pJ against 2 + 0.5 + 0.25 + 0.5 pJ
                self.assertEqual(self.one(lines, method="arithmetic alone", **row)["ours"], "1.6250")
        # 8 bits of the papers' table: 0.03 pJ an addition, 0.024 pJ a shift; half as many shift taps.
        by_hand = {"row": "ResNet-20 CIFAR-10, shiftadd-papers, by hand", "bits": "8"}
        self.assertEqual(
            sorted(line["ours"] for line in lines
                   if all(line[k] == v for k, v in by_hand.items())),
            [f"{1 + 0.5 * 0.024 / 0.06:.4f}", f"{1 + 0.5 * 0.054 / 0.06:.4f}"])
        published = self.one(lines, row="as published")
        self.assertEqual((published["published"], published["ours"]), ("0.748", ""))
        text = (self.out / "energy-ratio.md").read_text()
        self.assertIn("the ratio is at least 1", text)
        self.assertIn("2.00 to 2.00 times AdderNet's energy", text)
        texts = [file.read_text() for file in self.out.glob("runs/*/scenario.toml")]
        self.assertEqual(len(texts), 3 * 3 * 3)
        for one in texts:
            self.assertIn('weights = "synthetic"\n', one)
            self.assertIn("hardware.array.accumulator_bits = 28\n", one)
            self.assertIn("images = 1\n", one)
        self.assertEqual(len([one for one in texts if "array.fraction_bits = 0\n" in one]), 9)

    def test_the_ratios_reason_is_said_without_a_run(self):
        (self.folder / "fails").write_text("ShiftAddNet")
        self.assertEqual(self.run_it("energy-ratio", "--dataset", "cifar10", "--keep-going").returncode, 1)
        self.assertEqual([one["row"] for one in self.lines("energy-ratio")
                          if one["unit"] == "x energy"], ["as published"])
        self.assertIn("the ratio is at least 1", (self.out / "energy-ratio.md").read_text())

    def test_the_adapters_overhead_comes_out_as_published_in_all_eight_figures(self):
        lines = self.make("asq-table1")
        for unit in ("% parameters", "% operations"):
            for bits in ("8", "4", "3", "2"):
                line = self.one(lines, row="ResNet-18 ImageNet", method="adapters", bits=bits,
                                unit=unit)
                self.assertLessEqual(abs(float(line["ours"]) - float(line["published"])), 0.005)
        whole = {"row": "ResNet-18 ImageNet", "method": "adapters, all layers", "bits": "8"}
        self.assertEqual(self.one(lines, unit="% parameters", **whole)["ours"],
                         f"{100 * 307091 / 11678912:.4f}")
        self.assertEqual(self.one(lines, unit="% operations", **whole)["ours"],
                         f"{100 * 2 * 306112 / 1814073344:.4f}")
        self.assertEqual(self.one(lines, method="layer1.0.conv1", bits="4",
                                  unit="adapter cycles")["ours"], "100")
        self.assertFalse([one for one in lines
                          if one["method"] == "layer1.0.conv1" and one["bits"] != "4"])
        text = (self.out / "asq-table1.md").read_text()
        for words in ("before each of 19 convolutions", "307,091 weights and biases", "11,511,784",
                      "1,695,547,392", "adapters, % parameters: 2.67 / 5.34 / 7.11 / 10.67, 4 of 4",
                      "adapters, % operations: 0.04 / 0.07 / 0.10 / 0.14, 4 of 4",
                      "+100 cycles (+2.50 %)"):
            self.assertIn(words, text)
        self.assertNotIn("Accuracies", text)
        scenario = next(self.out.glob("runs/*asq--4-bit*/scenario.toml")).read_text()
        for words in ("image = [3, 224, 224]\nclasses = 1000\n", 'weights = "synthetic"\n',
                      "hardware.weight_sram.bytes = 131072\n", "adapters = true\n"):
            self.assertIn(words, scenario)
        self.assertNotIn("dataset =", scenario)

    def test_layers_without_the_needed_columns_are_refused(self):
        (self.folder / "short").write_text("")
        for table in ("asq-table1", "adapter-cost"):
            done = self.run_it(table, "--dataset", "cifar10")
            self.assertEqual(done.returncode, 1)
            self.assertIn("no layers of abacus describe: 'adapter_weights'", done.stderr)
            self.assertFalse((self.out / f"{table}.csv").exists())

    def test_one_post_package_with_each_fraction_and_in_exact_arithmetic(self):
        _, more = self.add_cnn()
        lines = self.make("post-fractions", "--qat-epochs", "3", *more)
        self.assertEqual(len(self.trainings()), 2)
        cell = {"row": "ResNet-20 CIFAR-10", "bits": "4", "unit": "%"}
        exact = self.one(lines, method="POST, exact arithmetic", **cell)
        self.assertEqual((exact["ours"], exact["images"]), ("93.10", "10000"))
        for bits in range(2, 9):
            line = self.one(lines, method=f"POST, table of {bits} fraction bits", **cell)
            self.assertEqual(line["ours"], f"{90.9 - 0.1 * (8 - bits):.2f}")
        table = self.one(lines, method="POST, table of 3 fraction bits", unit="µJ table reads")
        self.assertEqual(table["ours"], "0.12")
        self.assertEqual(self.one(lines, method="LSQ, multipliers", unit="µJ table reads")["ours"],
                         "0.00")
        text = (self.out / "post-fractions.md").read_text()
        self.assertIn("exact arithmetic: -2.20 with 8 fraction bits, -2.30 with 7", text)
        self.assertIn("an image is 0.01 points", text)
        self.assertIn("with multipliers: 4.00 µJ; with shifts and a table: 4.00 µJ (8 fraction", text)
        calls = [call for call in self.calls() if call.startswith("abacus-train evaluate")]
        self.assertEqual(len(calls), 1)
        self.assertIn("resnet20-cifar10-post-lsq-w4a4-seed1.safetensors --exponents exact --images 0",
                      calls[0])
        shared = [text for text in (file.read_text()
                                    for file in self.out.glob("runs/*/scenario.toml"))
                  if "hardware.array.table.lanes = 16" in text]
        self.assertEqual(len(shared), 1)
        self.assertIn("images = 1\n", shared[0])
        self.make("post-fractions", "--qat-epochs", "3", *more)  # all of it was kept
        self.assertEqual(len([c for c in self.calls() if c.startswith("abacus-train")]), 3)

    def test_an_evaluation_without_an_accuracy_is_refused(self):
        _, more = self.add_cnn()
        (self.folder / "says").write_text("nothing of use")
        done = self.run_it("post-fractions", "--qat-epochs", "3", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing of use", done.stderr)
        self.assertFalse((self.out / "post-fractions.csv").exists())

    def test_fraction_bits_change_nothing_else_and_need_post_weights(self):
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
        with self.assertRaisesRegex(ReproductionError, "none of its layers has POST weights"):
            with_fraction_bits(package, 3, copy)

    def test_an_adapters_cost_by_layer_and_in_all(self):
        lines = self.make("adapter-cost", "--bits", "4", "--dataset", "cifar10")
        layer = {"row": "ResNet-20 CIFAR-10", "method": "layer1.0.conv1", "bits": "4"}
        for unit, value in (("cycles LSQ", "900"), ("cycles ASQ", "1000"), ("adapter cycles", "100"),
                            ("of them stalled", "10"), ("µJ LSQ", "2.000"), ("µJ ASQ", "2.500"),
                            ("% of the layer's operations",
                             f"{100 * 16 * 65 / (64 * 64 * 9 * 56**2):.4f}")):
            self.assertEqual(self.one(lines, unit=unit, **layer)["ours"], value)
        text = (self.out / "adapter-cost.md").read_text()
        self.assertIn("4 bits: +100 cycles (+2.50 %) an image with adapters, which themselves take 100; "
                      "+0.50 µJ (+4.76 %): step_adapter +0.25 µJ.", text)

    def test_an_option_for_nothing_is_refused(self):
        _, more = self.add_cnn()
        for table, allowed in (("asq-table4", "asq, lsq, post, qat, uniform"),
                               ("asq-figure6", "asq, lsq, qat, uniform"),
                               ("table5", "adderquant, adderquant-ptq, ptq, qat")):
            done = self.run_it(table, "--option", "asqq:adapter-rate=10", "--bits", "4", *more)
            self.assertEqual(done.returncode, 1)
            self.assertIn('has no row of "asqq"; allowed: ' + allowed, done.stderr)
        self.assertEqual(self.calls(), [])

    def test_accuracy_against_energy_with_the_published_statements(self):
        _, more = self.add_cnn()
        shiftaddnet = self.folder / "shiftaddnet.safetensors"
        write_checkpoint(shiftaddnet, arithmetic="shiftaddnet", accuracy="89.00")
        lines = self.make("figure6", "--checkpoint", shiftaddnet, *more)
        self.assertEqual(self.one(lines, method="ShiftAddNet float")["published"], "89.32")
        self.assertEqual(self.one(lines, method="AdderNet, AdderQuant", bits="8", unit="µJ")["ours"],
                         "10.5")
        text = (self.out / "figure6.md").read_text()
        self.assertIn("CNN, BRECQ at 8 bits, 90.80 % for 10.5 µJ: AdderNet of 8 bits has 90.80 % for no "
                      "more (+0.00 points)", text)
        self.assertIn("ShiftAddNet at 4 bits, 90.40 % for 21.0 µJ: AdderNet of 8 bits has 90.80 % for no "
                      "more (+0.40 points)", text)
        self.assertTrue((self.out / "figure6.png").is_file())
        # Texts are drawn as outlines, a comment before each.
        plot = (self.out / "figure6.svg").read_text()
        for words in ("AdderNet, AdderQuant", "CNN, BRECQ", "ShiftAddNet as published: 89.32 %, at the"):
            self.assertIn(words, plot)

    def test_level_sets_are_those_of_the_formulas(self):
        done = self.run_it("asq-figure3")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.out / "asq-figure3.csv", encoding="utf-8", newline="") as file:
            found = {}
            for line in csv.DictReader(file):
                found.setdefault(line["method"], []).append(float(line["level"]))
        self.assertEqual({method: len(of) for method, of in found.items()},
                         dict.fromkeys(("uniform", "POT", "POST", "APoT"), 15))
        root = 2**-0.5
        for method, wanted in (("uniform", [i / 7 for i in range(1, 8)]),
                               ("POT", [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]),
                               ("POST", [1 / 8, root / 4, 1 / 4, root / 2, 1 / 2, root, 1]),
                               ("APoT", [0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1])):
            for level, value in zip(found[method], [-w for w in reversed(wanted)] + [0] + wanted):
                self.assertAlmostEqual(level, value, places=5)
        self.assertEqual(self.calls(), [])  # no program is needed
        for kind in ("svg", "png"):
            self.assertTrue((self.out / f"asq-figure3.{kind}").is_file())

    def figure_lines(self, name):
        with open(self.out / f"{name}.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def test_figures_of_activations_show_lsq_beside_asq(self):
        _, more = self.add_cnn()
        for name, bits, layers in (("asq-figure5", "3", ["layer1.0.conv2", "layer2.0.conv1"]),
                                   ("asq-figure6", "3", ["layer1.0.conv1", "layer1.0.conv2",
                                                         "layer2.0.conv1"])):
            done = self.run_it(name, "--qat-epochs", "2", "--seeds", "5,9", *more)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = self.figure_lines(name)
            for method, scale in (("LSQ", 1.0), ("ASQ", 0.5)):
                of = [line for line in lines if line["method"] == method]
                self.assertEqual([line["layer"] for line in of], layers)
                self.assertEqual({line["bits"] for line in of}, {bits})
                self.assertEqual(float(of[-1]["error_mean"]), 4 * scale)
                self.assertEqual(float(of[-1]["norm_mean"]), 4)
            hindsight = {line["method"]: float(line["error_mean"]) for line in lines
                         if line["method"] not in ("LSQ", "ASQ")}  # of the last layer
            self.assertEqual(hindsight, {"LSQ, best step for all images": 3,
                                         "LSQ, best step for each image": 1}
                             if name == "asq-figure6" else {})
            for kind in ("svg", "png"):
                self.assertTrue((self.out / f"{name}.{kind}").is_file())
        self.assertEqual(len(self.trainings()), 2)  # the first seed's, shared by both figures
        self.assertIn("-seed5.safetensors", self.trainings()[0])
        calls = [call for call in self.calls() if call.startswith("abacus-train activations")]
        self.assertEqual(len(calls), 2)
        self.assertIn("--images 200", calls[0])
        done = self.run_it("asq-figure4", "--qat-epochs", "2", "--images", "50", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = self.figure_lines("asq-figure4")
        self.assertEqual({(line["method"], line["histogram"]) for line in lines},
                         {(method, histogram) for method in ("LSQ", "ASQ")
                          for histogram in ("level", "stored", "quantized")})
        self.assertIn("w2a2-seed1.safetensors --images 50 --histogram layer2.0.conv1",
                      self.calls()[-1])

    def test_errors_of_weights_are_those_of_the_levels_and_the_scale(self):
        import numpy as np
        from reproduction.weight_errors import (AT_QUANTILE, BEST, PER_CHANNEL, PER_LAYER, level_sets,
                                                relative_error)
        random = np.random.default_rng(1)

        def nearest(weights, of, scale):
            return scale * np.array(of)[np.abs(weights[:, None] - scale * np.array(of)).argmin(1)]

        for of in level_sets(4).values():
            # Weights that are levels, the largest among them, lose nothing.
            exact = np.stack([scale * random.choice(of, 300) for scale in (0.3, 5.0)])
            exact[:, 0] = (0.3, 5.0)
            self.assertAlmostEqual(relative_error(exact, of, BEST, PER_CHANNEL), 0,
                                   delta=1e-6 if max(np.abs(of)) == 1 else 0.01)
            self.assertGreater(relative_error(exact, of, BEST, PER_LAYER), 1e-3)
            normal = random.normal(size=(2, 1500)) * [[1], [3]]
            flat = normal.ravel()
            scales = np.abs(flat).max() * np.linspace(0.1, 1.4, 400)
            wanted = min(np.linalg.norm(flat - nearest(flat, of, scale)) for scale in scales)
            self.assertAlmostEqual(relative_error(normal, of, BEST, PER_LAYER),
                                   wanted / np.linalg.norm(flat), delta=2e-3)
            square = sum(np.sum((row - nearest(row, of, np.quantile(np.abs(row), 0.99)))**2)
                         for row in normal)
            self.assertAlmostEqual(relative_error(normal, of, AT_QUANTILE, PER_CHANNEL),
                                   np.sqrt(square / np.sum(flat**2)), places=9)
        for scale in (BEST, AT_QUANTILE):
            self.assertEqual(relative_error(np.zeros((2, 4)), [-1, 0, 1], scale, PER_CHANNEL), 0)

    def test_the_figure_of_weights_needs_a_checkpoint_alone(self):
        done = self.run_it("asq-weights", "--dataset", "cifar100")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no checkpoint of ResNet-20 cnn cifar100", done.stderr)
        shipped = SCRIPTS.parent / "scenarios" / "checkpoints" / "resnet20-cifar10-cnn.safetensors"
        done = self.run_it("asq-weights", "--dataset", "cifar10", "--checkpoint", str(shipped))
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = self.figure_lines("asq-weights")
        self.assertEqual(len(lines), 5 * (20 + 1))  # the edges are left out
        errors = {(line["method"], line["scale"], line["per"]): float(line["relative_error"])
                  for line in lines if line["layer"] == "root mean square"}
        post, lsq = errors["POST", "0.99-quantile", "channel"], errors["LSQ", "best", "layer"]
        self.assertLess(errors["LSQ", "best", "channel"], post)
        self.assertLess(post, lsq)
        self.assertLess(lsq, errors["POT", "0.99-quantile", "channel"])
        self.assertEqual(self.calls(), [])
        for kind in ("svg", "png"):
            self.assertTrue((self.out / f"asq-weights.{kind}").is_file())
        done = self.run_it("asq-weights", "--dataset", "cifar10", "--bits", "3", "--checkpoint",
                           str(shipped))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({line["bits"] for line in self.figure_lines("asq-weights")}, {"3"})
        cut = self.folder / "cut.safetensors"
        cut.write_bytes(shipped.read_bytes()[:-1000])
        done = self.run_it("asq-weights", "--dataset", "cifar10", "--checkpoint", str(cut))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"cut.safetensors: tensor \S+: found .* bytes of tensors")
        empty, more = self.add_cnn()
        done = self.run_it("asq-weights", "--dataset", "cifar10", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{empty}: found no weights of convolutions between the edges", done.stderr)

    def test_users_options_reach_a_figures_trainings(self):
        _, more = self.add_cnn()
        done = self.run_it("asq-figure6", "--qat-epochs", "2", "--bits", "4", "--option",
                           "qat:lr=0.5", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        for call in self.trainings():
            self.assertIn("--lr=0.5", call)
            self.assertIn("--weight-bits 4 ", call)

    def test_figures_of_activations_tell_what_is_missing(self):
        done = self.run_it("asq-figure5", "--dataset", "cifar100")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no checkpoint of ResNet-20 cnn cifar100", done.stderr)
        _, more = self.add_cnn()
        done = self.run_it("asq-figure5", "--qat-epochs", "0", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("LSQ, 3 bit, seed 1: not trained", done.stderr)
        (self.folder / "short").write_text("")
        done = self.run_it("asq-figure5", "--qat-epochs", "2", *more)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no layers of abacus-train activations", done.stderr)
        self.assertFalse((self.out / "asq-figure5.csv").exists())
        self.assertFalse((self.out / "asq-figure5.png").exists())

    def test_unit_energies_follow_the_tables_laws(self):
        table = EnergyTable("shiftadd-papers")
        self.assertAlmostEqual(table.picojoules("add", 8), 0.03)
        self.assertAlmostEqual(table.picojoules("add", 4), 0.015)
        self.assertAlmostEqual(table.picojoules("add", 20), (0.03 + 0.9) / 2)
        self.assertAlmostEqual(table.picojoules("add", 64), 1.8)
        self.assertAlmostEqual(table.picojoules("multiply", 8, 8), 0.2)
        self.assertAlmostEqual(table.picojoules("multiply", 4, 8), 0.1)
        self.assertAlmostEqual(table.picojoules("buffer_write", 16), 3.7)
        self.assertEqual(table.picojoules("dram_activate", 16), 0)
        with self.assertRaisesRegex(ReproductionError, "divide"):
            table.picojoules("divide", 8)
        with self.assertRaisesRegex(ReproductionError, "capacity"):
            EnergyTable("horowitz-45nm").picojoules("sram_read", 8)
        with self.assertRaisesRegex(ReproductionError, "nowhere.toml"):
            EnergyTable("nowhere")

    def test_rows_without_a_checkpoint_are_listed_with_the_reason(self):
        lines = self.make("table1", "--qat-epochs", "0")
        line = self.one(lines, row="VGG-Small CIFAR-100", method="PTQ", bits="5", unit="%")
        self.assertEqual((line["published"], line["ours"]), ("73.50", ""))
        self.assertIn("no checkpoint of VGG-Small adder cifar100", line["note"])
        self.assertIn("VGG-Small CIFAR-100", (self.out / "table1.md").read_text())

    def test_the_markdown_has_a_line_a_cell(self):
        self.make("table1", "--qat-epochs", "0", "--dataset", "cifar10")
        rows = [line for line in (self.out / "table1.md").read_text().splitlines()
                if line.startswith("| ResNet-20")]
        self.assertEqual(len(rows), 6)
        self.assertIn("| ResNet-20 CIFAR-10 | PTQ | 4 | 90.72 | 90.40 | 0.70 | 1.43 | 10000 | – |",
                      rows)

    def test_rows_of_other_units_get_a_table_of_their_own(self):
        self.make("adapter-cost", "--bits", "4", "--dataset", "cifar10")
        text = (self.out / "adapter-cost.md").read_text().splitlines()
        heads = [line for line in text if line.startswith("| Network, data")]
        self.assertEqual(len(heads), 2)
        self.assertNotIn("cycles LSQ", heads[0])
        self.assertNotIn("Images", heads[1])
        self.assertIn("| ResNet-20 CIFAR-10 | LSQ | 4 | 4000 | 10.5 | 1 | – |", text)

    def test_the_markdown_tells_the_command_without_what_is_the_machines(self):
        self.make("table5", "--qat-epochs", "0", "--images=70", "--data", self.folder)
        text = (self.out / "table5.md").read_text()
        self.assertIn(f"`scripts/reproduce table5 --out {self.out} --checkpoint {self.checkpoint} "
                      "--qat-epochs 0 --images=70`", text)

    def test_operations_count_what_lies_outside_of_the_edge_array(self):
        lines = self.make("table4", "--qat-epochs", "0", "--dataset", "cifar10")
        line = self.one(lines, row="ResNet-20 CIFAR-10", method="8 groups, PTQ",
                        unit="x operations")
        self.assertEqual(line["ours"], f"{(1000 + 80) / (1000 + 10):.4f}")
        proposition = self.one(lines, row="32 channels in and out", method="4 groups")
        self.assertEqual(proposition["published"], "1.005")
        self.assertEqual(proposition["ours"], f"{1 + 1 / (6 * 32 + 1):.4f}")

    def test_finished_rows_are_kept(self):
        first = self.make("table5", "--qat-epochs", "0", "--dataset", "cifar10")
        self.assertEqual(len(self.calls()), 4)
        self.assertEqual(self.make("table5", "--qat-epochs", "0", "--dataset", "cifar10"), first)
        self.assertEqual(len(self.calls()), 4)

    def test_what_decides_a_row_makes_it_again(self):
        self.make("table5", "--qat-epochs", "0")
        self.make("table5", "--qat-epochs", "0", "--images", "100")
        self.assertEqual(len(self.calls()), 8)
        self.make("table5", "--qat-epochs", "0", "--option", "bn-images=400")
        self.assertEqual(len(self.calls()), 12)
        write_checkpoint(self.checkpoint, accuracy="91.84")
        self.make("table5", "--qat-epochs", "0")
        self.assertEqual(len(self.calls()), 16)
        with open(self.folder / "abacus", "a", encoding="utf-8") as program:
            program.write("\n")
        self.make("table5", "--qat-epochs", "0")
        self.assertEqual(len(self.calls()), 20)

    def scenarios_with(self, option):
        """Of figure5's two QSSF rows and its AdderQuant row."""
        self.make("figure5", "--qat-epochs", "0", "--dataset", "cifar10", "--bits", "4",
                  "--option", option)
        texts = [file.read_text() for file in self.out.glob("runs/*/scenario.toml")]
        self.assertEqual(len(texts), 3)
        return texts

    def test_options_reach_their_scheme_alone(self):
        for text in self.scenarios_with("qssf-ptq:bn-images=400"):
            self.assertEqual('options.bn_images = 400' in text, 'scheme = "qssf-ptq"' in text)

    def test_stored_bits_may_be_an_option(self):
        for text in self.scenarios_with("qssf-ptq:storage-bits=12"):
            stored = 12 if 'scheme = "qssf-ptq"' in text else 8
            self.assertEqual(text.count("storage_bits"), 1)
            self.assertIn(f"storage_bits = {stored}\n", text)

    def test_stored_bits_that_are_none_are_refused(self):
        for found in ("1", "17", "12.5", "wide"):
            done = self.run_it("figure5", "--qat-epochs", "0", "--dataset", "cifar10", "--option",
                               f"storage-bits={found}")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"found {found}; allowed: 2 to 16", done.stderr)
            self.assertFalse((self.out / "figure5.csv").exists())

    def test_training_makes_a_package_once_and_the_note_tells_the_epochs(self):
        more = ("--qat-epochs", "3", "--dataset", "cifar10", "--bits", "4")
        lines = self.make("table1", *more)
        trainings = [call for call in self.calls() if call.startswith("abacus-train qat")]
        self.assertEqual(len(trainings), 1)
        for part in ("--epochs 3", "--scheme adderquant ", "--alpha=0.999", "--lr=1e-4", "--resume"):
            self.assertIn(part, trainings[0])
        line = self.one(lines, row="ResNet-20 CIFAR-10", method="QAT", unit="%")
        self.assertEqual((line["published"], line["note"]), ("91.21", "3 epochs (the paper: 50)"))
        self.make("table1", "--qat-epochs", "7", "--dataset", "cifar10", "--bits", "4")
        self.assertEqual(len([c for c in self.calls() if c.startswith("abacus-train")]), 1)

    def test_a_ready_package_is_used_without_checkpoint_or_training(self):
        packages = self.folder / "ready"
        packages.mkdir()
        write_package(packages / "resnet20-cifar100-adderquant-w4a4.safetensors", "resnet20",
                      "cifar100", "adderquant-qat", 4)
        lines = self.make("table1", "--qat-epochs", "0", "--packages", packages, "--dataset",
                          "cifar100")
        line = self.one(lines, row="ResNet-20 CIFAR-100", method="QAT", unit="%")
        self.assertEqual((line["published"], line["ours"]), ("67.35", "90.40"))
        self.assertIn("epochs unknown", line["note"])

    def test_a_package_that_is_not_what_its_name_says_is_refused(self):
        packages = self.folder / "ready"
        packages.mkdir()
        for scheme, bits, checkpoint, words in (
                ("adderquant-qat", 5, self.checkpoint, "found weight_bits 5"),
                ("adderquant-ptq", 4, self.checkpoint, "found scheme adderquant-ptq"),
                ("adderquant-qat", 4, None, "another checkpoint")):
            write_package(packages / "resnet20-cifar10-adderquant-w4a4.safetensors", "resnet20",
                          "cifar10", scheme, bits, checkpoint)
            done = self.run_it("table1", "--packages", packages)
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
            self.assertFalse((self.out / "table1.csv").exists())

    def test_wrong_arguments_are_named_with_what_is_allowed(self):
        for arguments, words in (
                (("tabel1",), ("tabel1", "table1")),
                (("table1", "--images", "-1"), ("--images", "-1")),
                (("table1", "--bits", "9"), ("--bits", "1 to 8")),
                (("asq-table4", "--seeds", "0"), ("--seeds", "found 0", "1 to 100")),
                (("asq-table4", "--seeds", "101"), ("--seeds", "1 to 100")),
                (("asq-table4", "--seeds", "1,1"), ("--seeds", "different seeds")),
                (("asq-table4", "--seeds", "1,-2"), ("--seeds", "from 1")),
                (("asq-table4", "--seeds", "two"), ("--seeds", "found two")),
                (("table1", "--option", "alpha"), ("--option", "NAME=VALUE")),
                (("table1", "--checkpoint", "nowhere"), ("--checkpoint", "nowhere")),
                (("table1", "--data", "nowhere"), ("--data", "nowhere"))):
            done = self.run_it(*arguments)
            self.assertEqual(done.returncode, 2)
            for word in words:
                self.assertIn(word, done.stderr)
        self.assertFalse(self.out.exists())

    def test_bad_checkpoints_are_named(self):
        bad = self.folder / "bad.safetensors"
        for content, words in ((b"abc", "found 3 bytes"), (b"\xff" * 64, "header"),
                               (b"\x02\0\0\0\0\0\0\0{}", "no metadata")):
            bad.write_bytes(content)
            done = self.run_it("table1", "--checkpoint", bad)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(bad), done.stderr)
            self.assertIn(words, done.stderr)
        twin = self.folder / "twin.safetensors"
        write_checkpoint(twin)
        done = self.run_it("table1", "--checkpoint", twin)
        self.assertEqual(done.returncode, 1)
        self.assertIn("are both of resnet20 adder cifar10", done.stderr)

    def test_missing_programs_are_named(self):
        (self.folder / "abacus").unlink()
        done = self.run_it("table1", "--qat-epochs", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no program abacus in", done.stderr)

    def test_a_failing_row_ends_it_with_the_programs_words_and_keeps_the_others(self):
        (self.folder / "fails").write_text("mean, PTQ")
        done = self.run_it("table5", "--qat-epochs", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("mean, PTQ", done.stderr)
        self.assertIn("s.toml:1:1: something is wrong", done.stderr)
        self.assertFalse((self.out / "table5.csv").exists())
        self.assertFalse((self.out / "table5.md").exists())
        (self.folder / "fails").unlink()
        before = len(self.calls())
        self.make("table5", "--qat-epochs", "0")
        self.assertEqual(len(self.calls()) - before, 2)

    def test_keep_going_lists_the_failing_row(self):
        (self.folder / "fails").write_text("mean, PTQ")
        done = self.run_it("table5", "--qat-epochs", "0", "--keep-going")
        self.assertEqual(done.returncode, 1)
        line = self.one(self.lines("table5"), row="ResNet-20 CIFAR-10", method="mean, PTQ")
        self.assertEqual(line["ours"], "")
        self.assertIn("something is wrong", line["note"])

    def test_an_interrupt_leaves_no_half_table_and_the_next_call_goes_on(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            (self.folder / "slow").write_text("")
            process = subprocess.Popen(self.command("table5", "--qat-epochs", "0"),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                       text=True)
            started = self.folder / "started"
            deadline = time.monotonic() + 60
            while not started.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            started.unlink()
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130)
            self.assertIn("goes on", errors)
            self.assertFalse((self.out / "table5.csv").exists())
        (self.folder / "slow").unlink()
        self.make("table5", "--qat-epochs", "0")

    def test_an_older_table_does_not_pass_for_one_that_failed(self):
        self.make("table5", "--qat-epochs", "0")
        (self.folder / "fails").write_text("mean, PTQ")
        self.assertEqual(self.run_it("table5", "--qat-epochs", "0", "--images", "5").returncode, 1)
        self.assertEqual([file.name for file in self.out.iterdir() if file.is_file()], [])


if __name__ == "__main__":
    os.environ.pop("ABACUS_DATA", None)
    unittest.main()
