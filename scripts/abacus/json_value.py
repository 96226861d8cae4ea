"""Values of a JSON file, which know where they stand: whoever reads one says what is allowed."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from abacus.errors import AbacusError
from abacus.visible import visible

T = TypeVar("T")

MOST_COUNT = 2**64 - 1
# What no quantity of ours leaves. Sums and ratios of such numbers are finite.
LEAST, MOST = 1e-30, 1e18

LONGEST_SHOWN = 60


def shown(value: object) -> str:
    """In an error."""
    if isinstance(value, (dict, list)):
        kind, of = ("an object", "fields") if isinstance(value, dict) else ("a list", "entries")
        return f"{kind} of {len(value)} {of}"
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


class MissingField(AbacusError):
    """A field that is not there."""


@dataclass(frozen=True)
class JsonValue:
    """All functions raise AbacusError with file, path, what was found and what is allowed."""

    file: str
    path: str  # runs[0].name
    value: Any

    def error(self, allowed: str) -> AbacusError:
        """Of another value."""
        return AbacusError(
            f"{self.file}: {visible(self.path)}: found {shown(self.value)}; allowed: {allowed}"
        )

    def fields(self) -> dict[str, Any]:
        """Of an object, in the file's order."""
        if not isinstance(self.value, dict):
            raise self.error("an object")
        return self.value

    def inner(self, name: str) -> "JsonValue":
        """A field that is there."""
        path = f"{self.path}.{name}" if self.path else name
        return JsonValue(self.file, path, self.fields()[name])

    def items(self) -> list[tuple[str, "JsonValue"]]:
        """All fields with their names."""
        return [(name, self.inner(name)) for name in self.fields()]

    def get(self, name: str) -> "JsonValue | None":
        """A field that may be left out."""
        return self.inner(name) if name in self.fields() else None

    def __getitem__(self, name: str) -> "JsonValue":
        found = self.get(name)
        if found is None:
            where = f"{visible(self.path)}: " if self.path else ""
            raise MissingField(f"{self.file}: {where}found no field {name}; it is needed")
        return found

    def list_of(self, read: Callable[["JsonValue"], T]) -> tuple[T, ...]:
        """Each entry by `read`."""
        if not isinstance(self.value, list):
            raise self.error("a list")
        return tuple(
            read(JsonValue(self.file, f"{self.path}[{i}]", value))
            for i, value in enumerate(self.value)
        )

    def some_of(self, read: Callable[["JsonValue"], T]) -> tuple[T, ...]:
        """The same, of a list that is not empty."""
        if self.value == []:
            raise self.error("a list of 1 entry or more")
        return self.list_of(read)

    def map_of(self, read: Callable[["JsonValue"], T]) -> dict[str, T]:
        """Each field by `read`."""
        return {name: read(value) for name, value in self.items()}

    def or_null(self, read: Callable[["JsonValue"], T]) -> T | None:
        """None of null."""
        return None if self.value is None else read(self)

    def text(self) -> str:
        """Of any length."""
        if not isinstance(self.value, str):
            raise self.error("text")
        return self.value

    def one_of(self, *allowed: str) -> str:
        """One of these texts."""
        if self.value not in allowed:
            raise self.error(" or ".join(allowed))
        return str(self.value)

    def truth(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.error("true or false")
        return self.value

    def count(self, least: int = 0) -> int:
        """A whole number."""
        if type(self.value) is not int or not least <= self.value <= MOST_COUNT:
            raise self.error(f"whole numbers from {least} to {MOST_COUNT}")
        return self.value

    def quantity(self) -> float:
        """A measured number, not below zero; whole ones stay whole."""
        if not self.is_number() or not (self.value == 0 or LEAST <= self.value <= MOST):
            raise self.error(f"0, or numbers from {LEAST:g} to {MOST:g}")
        return self.value  # type: ignore[no-any-return]

    def cycles(self) -> float:
        """Of something that took time."""
        if not self.is_number() or not 1 <= self.value <= MOST:
            raise self.error(f"numbers from 1 to {MOST:g}")
        return self.value  # type: ignore[no-any-return]

    def percent(self) -> float:
        """0 to 100."""
        if not self.is_number() or not 0 <= self.value <= 100:
            raise self.error("numbers from 0 to 100")
        return float(self.value)

    def scalar(self) -> str:
        """Text, number, true or false as a text."""
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, bool) or (self.is_number() and abs(self.value) <= MOST):
            return json.dumps(self.value)
        raise self.error(f"text, true, false or numbers from -{MOST:g} to {MOST:g}")

    def is_number(self) -> bool:
        """A finite one; true and false are none."""
        return type(self.value) is int or (type(self.value) is float and math.isfinite(self.value))
