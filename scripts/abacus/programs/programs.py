"""The two programs of a build, found when the first is needed, and asked in data."""

import pathlib
from collections.abc import Sequence

from abacus.files import sha256_of
from abacus.output import write_output
from abacus.programs.answer import Answer, parse_answer
from abacus.programs.process import find_program, run


class Programs:
    """`folder`: where they are, or None for the usual places. `data`: the data sets' folder, or
    None for the programs' own choice."""

    def __init__(self, folder: pathlib.Path | None, data: pathlib.Path | None) -> None:
        self._folder = folder
        self._data = data
        self._found: dict[str, pathlib.Path] = {}
        self._hashes: dict[pathlib.Path, str] = {}

    def abacus(self) -> pathlib.Path:
        """The simulator."""
        return self._find("abacus")

    def trainer(self) -> pathlib.Path:
        """The trainer."""
        return self._find("abacus-train")

    def sha256(self, file: pathlib.Path) -> str:
        """Of the file's content, read once."""
        if file not in self._hashes:
            self._hashes[file] = sha256_of(file)
        return self._hashes[file]

    def data_arguments(self) -> list[object]:
        """Of every command that reads images."""
        return ["--data", self._data] if self._data else []

    def ask(self, program: pathlib.Path, command: str, *arguments: object) -> Answer:
        """What the command says with --json."""
        return parse_answer(self._say(program, command, arguments), command)

    def ask_once(
        self, kept: pathlib.Path, program: pathlib.Path, command: str, *arguments: object
    ) -> Answer:
        """The same, from the file `kept` if it is there; else it is written."""
        if kept.is_file():
            return parse_answer(kept.read_text(encoding="utf-8"), command)
        text = self._say(program, command, arguments)
        answer = parse_answer(text, command)
        write_output(kept, text)
        return answer

    @staticmethod
    def _say(program: pathlib.Path, command: str, arguments: Sequence[object]) -> str:
        return run([program, command, *arguments, "--json"])

    def _find(self, name: str) -> pathlib.Path:
        if name not in self._found:
            self._found[name] = find_program(name, self._folder)
        return self._found[name]
