"""scripts/reproduce: its arguments, what it keeps, how it ends."""

import signal
import subprocess
import time
import unittest

from abacus.output import reserved
from fake_programs import write_checkpoint
from reproduce_case import ReproduceCase


class Reproduce(ReproduceCase):
    def test_the_markdown_tells_the_command_without_what_is_the_machines(self) -> None:
        self.make("table5", "--qat-epochs", "0", "--images=70", "--data", self.folder)
        text = (self.out / "table5.md").read_text()
        self.assertIn(
            f"`scripts/reproduce table5 --out {self.out} --checkpoint {self.checkpoint} "
            "--qat-epochs 0 --images=70`",
            text,
        )

    def test_finished_rows_are_kept(self) -> None:
        first = self.make("table5", "--qat-epochs", "0", "--dataset", "cifar10")
        self.assertEqual(len(self.calls()), 4)
        self.assertEqual(self.make("table5", "--qat-epochs", "0", "--dataset", "cifar10"), first)
        self.assertEqual(len(self.calls()), 4)

    def test_what_decides_a_row_makes_it_again(self) -> None:
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

    def test_an_edited_energy_table_or_array_is_simulated_anew(self) -> None:
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

    def test_wrong_arguments_are_named_with_what_is_allowed(self) -> None:
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
            (("table1", "--data", "nowhere"), ("--data", "nowhere")),
        ):
            done = self.run_it(*arguments)
            self.assertEqual(done.returncode, 2)
            for word in words:
                self.assertIn(word, done.stderr)
        self.assertFalse(self.out.exists())

    def test_bad_checkpoints_are_named(self) -> None:
        bad = self.folder / "bad.safetensors"
        for content, words in (
            (b"abc", "found 3 bytes"),
            (b"\xff" * 64, "header"),
            (b"\x02\0\0\0\0\0\0\0{}", "no metadata"),
        ):
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

    def test_missing_programs_are_named(self) -> None:
        (self.folder / "abacus").unlink()
        done = self.run_it("table1", "--qat-epochs", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no program abacus in", done.stderr)

    def test_a_failing_row_ends_it_with_the_programs_words_and_keeps_the_others(self) -> None:
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

    def test_keep_going_lists_the_failing_row(self) -> None:
        (self.folder / "fails").write_text("mean, PTQ")
        done = self.run_it("table5", "--qat-epochs", "0", "--keep-going")
        self.assertEqual(done.returncode, 1)
        line = self.one(self.lines("table5"), row="ResNet-20 CIFAR-10", method="mean, PTQ")
        self.assertEqual(line["ours"], "")
        self.assertIn("something is wrong", line["note"])

    def test_an_interrupt_leaves_no_half_table_and_the_next_call_goes_on(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            (self.folder / "slow").write_text("")
            process = subprocess.Popen(
                self.command("table5", "--qat-epochs", "0"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
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

    def test_an_older_table_stays_until_a_whole_newer_one_replaces_it(self) -> None:
        self.make("table5", "--qat-epochs", "0")
        older = {file: file.read_bytes() for file in self.out.iterdir() if file.is_file()}
        self.assertEqual(sorted(file.name for file in older), ["table5.csv", "table5.md"])
        (self.folder / "fails").write_text("mean, PTQ")
        self.assertEqual(self.run_it("table5", "--qat-epochs", "0", "--images", "5").returncode, 1)
        for file, content in older.items():
            self.assertEqual(file.read_bytes(), content)
        (self.folder / "fails").unlink()
        self.make("table5", "--qat-epochs", "0", "--images", "5")
        for file, content in older.items():
            self.assertNotEqual(file.read_bytes(), content)

    def test_a_table_that_cannot_be_written_is_refused_before_any_work(self) -> None:
        (self.out / "table5.md").mkdir(parents=True)
        done = self.run_it("table5", "--qat-epochs", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.out / 'table5.md'}: cannot write it: it is a folder", done.stderr)
        self.assertEqual(self.calls(), [])

    def test_a_second_process_in_the_folder_is_refused(self) -> None:
        with reserved(self.out, []):
            done = self.run_it("table5", "--qat-epochs", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.out}: another process works in it", done.stderr)
        self.make("table5", "--qat-epochs", "0")


if __name__ == "__main__":
    unittest.main()
