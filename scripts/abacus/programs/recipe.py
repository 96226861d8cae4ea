"""`abacus-train recipe`: by which options a package was trained, defaults included."""

import pathlib
from dataclasses import dataclass

from abacus.programs.answer import malformed
from abacus.programs.programs import Programs

Value = str | float | None  # None: left to the program


@dataclass(frozen=True)
class Recipe:
    """Options by name ("weight-decay") of the training and of the quantization plan that it started
    from; both empty where the package does not tell."""

    options: dict[str, Value]

    def tells(self, name: str) -> bool:
        """Whether it has this option, named as a cell or as the command line does."""
        return dashed(name) in self.options

    def value(self, name: str) -> Value:
        """Of an option that it tells."""
        return self.options[dashed(name)]

    def agrees(self, name: str, wanted: str) -> bool:
        """Whether the option was what a command line would spell so."""
        return same_value(self.value(name), wanted)

    def text(self, name: str) -> str:
        """The option for people."""
        value = self.value(name)
        if value is None:
            return "the default"
        return value if isinstance(value, str) else f"{value:g}"


def dashed(name: str) -> str:
    """weight_decay → weight-decay."""
    return name.replace("_", "-")


def same_value(found: Value, wanted: str) -> bool:
    """Command lines spell truths and numbers in several ways; recipes have 1 for true."""
    text = {"true": "1", "false": "0"}.get(wanted, wanted)
    if found is None or isinstance(found, str):
        return found == wanted
    try:
        return found == float(text)
    except ValueError:
        return False


def read_recipe(programs: Programs, package: pathlib.Path) -> Recipe:
    """As the trainer recorded it."""
    answer = programs.ask(programs.trainer(), "recipe", "--package", package)
    try:
        return Recipe({**(answer["training"] or {}), **(answer["plan"] or {})})
    except (KeyError, TypeError) as error:
        raise malformed("recipe", "options", error) from None
