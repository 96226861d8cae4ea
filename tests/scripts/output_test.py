"""abacus.output, and what the scripts' writers make of links, devices, pipes and full disks."""

import os
import pathlib
import signal
import stat
import tempfile
import threading
import unittest
from collections.abc import Callable

from abacus.errors import AbacusError
from abacus.files import write_csv
from abacus.output import check_output, make_folder, reserved, write_output

Writer = Callable[[pathlib.Path], None]
WRITERS: dict[str, Writer] = {
    "text": lambda file: write_output(file, "new"),
    "bytes": lambda file: write_output(file, b"new"),
    "csv": lambda file: write_csv(file, ["a", "b"], [[1, 2]]),
}


class Output(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def refused(self, file: pathlib.Path, words: str, *writers: Writer) -> None:
        """By the check and by each writer, with the file's name."""
        for step in (check_output, *(writers or WRITERS.values())):
            with self.assertRaises(AbacusError) as caught:
                step(file)
            self.assertIn(f"{file}: ", str(caught.exception))
            self.assertIn(words, str(caught.exception))

    def names(self) -> list[str]:
        return sorted(os.listdir(self.folder))

    def killed(self, work: Callable[[], None]) -> None:
        """Runs it in a process that is killed at its end."""
        process = os.fork()
        if process == 0:
            try:
                work()
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(process, 0)

    def test_every_writer_replaces_a_file_whole_and_keeps_its_mode(self) -> None:
        for name, write in WRITERS.items():
            file = self.folder / name
            file.write_text("a longer old text")
            file.chmod(0o640)
            write(file)
            self.assertIn(file.read_text(), ("new", "a,b\n1,2\n"))
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o640)
        self.assertEqual(self.names(), sorted(WRITERS))

    def test_every_writer_follows_links_and_leaves_devices_and_pipes(self) -> None:
        (self.folder / "target").write_text("old")
        os.mkfifo(self.folder / "pipe")
        links = {"link": "target", "dangling": "made", "null": "/dev/null", "to pipe": "pipe"}
        for link, target in links.items():
            (self.folder / link).symlink_to(target)
        for write in WRITERS.values():
            read: list[str] = []
            reader = threading.Thread(
                target=lambda: read.append((self.folder / "pipe").read_text())
            )
            reader.start()
            for link in links:
                write(self.folder / link)
            reader.join()
            self.assertEqual((self.folder / "target").read_text(), read[0])
            self.assertEqual((self.folder / "made").read_text(), read[0])
            for link in links:
                self.assertTrue((self.folder / link).is_symlink(), link)
            self.assertTrue(stat.S_ISFIFO((self.folder / "pipe").stat().st_mode))
            self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_a_full_disk_is_told(self) -> None:
        (self.folder / "full").symlink_to("/dev/full")
        check_output(self.folder / "full")
        for write in WRITERS.values():
            with self.assertRaisesRegex(AbacusError, "full: cannot write it: No space left"):
                write(self.folder / "full")
        self.assertEqual(self.names(), ["full"])

    def test_what_cannot_be_written_is_refused_by_name(self) -> None:
        (self.folder / "file").write_text("")
        (self.folder / "round").symlink_to("round")
        (self.folder / "nowhere").symlink_to("absent/file")
        self.refused(self.folder, "it is a folder")
        self.refused(self.folder / "round", "Too many levels of symbolic links")
        self.refused(self.folder / "nowhere", "there is no folder")
        for step in (check_output, *WRITERS.values()):
            with self.assertRaisesRegex(
                AbacusError, "file/a: cannot write it: .*file is no folder"
            ):
                step(self.folder / "file" / "a")
        self.assertEqual(self.names(), ["file", "nowhere", "round"])

    def test_read_only_files_and_folders_are_refused(self) -> None:
        (self.folder / "closed").mkdir()
        file = self.folder / "read-only"
        file.write_text("old")
        file.chmod(0o444)
        (self.folder / "closed").chmod(0o555)
        self.folder.chmod(0o755)
        as_root = os.geteuid() == 0
        if as_root:  # whom no permission holds back
            os.seteuid(65534)
        try:
            self.refused(file, "Permission denied")
            self.refused(self.folder / "closed" / "a", "Permission denied")
        finally:
            if as_root:
                os.seteuid(0)
        self.assertEqual(file.read_text(), "old")

    def test_a_descriptor_of_ours_is_written_where_it_stands(self) -> None:
        log = self.folder / "log"
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, b"before ")
        write_output(pathlib.Path(f"/dev/fd/{descriptor}"), "it")
        os.write(descriptor, b" after")
        os.close(descriptor)
        self.assertEqual(log.read_text(), "before it after")

    def test_what_a_killed_writer_left_is_swept_and_the_old_content_stays(self) -> None:
        write_output(self.folder / "a", "old")

        def die_before_the_rename() -> None:
            os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
            write_output(self.folder / "a", "new")

        self.killed(die_before_the_rename)
        self.assertEqual((self.folder / "a").read_text(), "old")
        self.assertEqual(len(self.names()), 2)
        write_output(self.folder / "b", "x")
        self.assertEqual(self.names(), ["a", "b"])

    def test_a_folder_is_one_process_alone(self) -> None:
        out = self.folder / "out"
        with reserved(out, [out / "a"]):
            with self.assertRaisesRegex(AbacusError, "out: another process works in it"):
                with reserved(out, []):
                    self.fail("reserved twice")
            write_output(out / "a", "x")
        self.assertEqual(os.listdir(out), ["a"])

        def die_holding_it() -> None:
            held = reserved(out, [])
            held.__enter__()

        self.killed(die_holding_it)
        with reserved(out, []):
            pass
        self.assertEqual(os.listdir(out), ["a"])

    def test_a_folder_that_is_a_file_is_named(self) -> None:
        (self.folder / "file").write_text("")
        with self.assertRaisesRegex(AbacusError, "file: cannot write into it: it is no folder"):
            make_folder(self.folder / "file")


if __name__ == "__main__":
    unittest.main()
