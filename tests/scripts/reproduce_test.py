"""scripts/reproduce with stand-ins for the two programs."""

import csv
import os
import pathlib
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
from reproduction.published import Published  # noqa: E402

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

    def command(self, table, *more):
        return [str(SCRIPTS / "reproduce"), table, "--out", str(self.out), "--bin",
                str(self.folder), "--checkpoint", str(self.checkpoint), "--jobs", "1",
                *map(str, more)]

    def run_it(self, table, *more):
        return subprocess.run(self.command(table, *more), capture_output=True, text=True,
                              timeout=120)

    def make(self, table, *more):
        """The table's lines."""
        done = self.run_it(table, *more)
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
        for table in ("table1", "table3", "table4", "table5", "figure5"):
            lines = self.make(table, "--qat-epochs", "0")
            wanted = sorted(value for key, value in published._values.items() if key[0] == table)
            found = sorted(float(line["published"]) for line in lines if line["published"])
            self.assertEqual(found, wanted, table)

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

    def test_options_reach_their_scheme_alone(self):
        self.make("figure5", "--qat-epochs", "0", "--dataset", "cifar10", "--bits", "4",
                  "--option", "qssf-ptq:bn-images=400")
        texts = [file.read_text() for file in self.out.glob("runs/*/scenario.toml")]
        self.assertEqual(len(texts), 3)
        for text in texts:
            self.assertEqual('options.bn_images = 400' in text, 'scheme = "qssf-ptq"' in text)

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
