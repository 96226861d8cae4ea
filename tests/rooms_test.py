"""Rooms use one another as docs/architecture.md says: every #include is held to its table."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUFFIXES = {".cpp", ".hpp", ".cu", ".cuh"}
LIBRARIES = {
    "torch/": "torch",
    "systemc": "SystemC",
    "tlm_utils/": "SystemC",
    "tlm": "SystemC",
}

Uses = dict[str, set[str]]


def room_of(path: str) -> str:
    """models/dma/burst_engine.hpp → models; sw/network/zoo.hpp → sw/network."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "sw" else parts[0]


def uses_of(text: str, room: str) -> set[str]:
    """Rooms and libraries that a source includes."""
    rooms = {room_of(name) for name in re.findall(r'^#include "([^"]+/[^"]+)"', text, re.MULTILINE)}
    libraries = {
        library
        for name in re.findall(r"^#include <([^>]+)>", text, re.MULTILINE)
        for start, library in LIBRARIES.items()
        if name == start or (name.startswith(start) and start.endswith("/"))
    }
    return (rooms | libraries) - {room}


def found() -> Uses:
    """By the sources."""
    uses: Uses = {}
    for top in ("tlm", "models", "sw"):
        for file in sorted((ROOT / top).rglob("*")):
            if file.suffix in SUFFIXES:
                room = room_of(str(file.relative_to(ROOT)))
                uses.setdefault(room, set()).update(uses_of(file.read_text("utf-8"), room))
    return uses


def found_in(room: str) -> Uses:
    """By the sources of one room, its folders; a folder in a folder counts with the outer one."""

    def folder_of(path: str) -> str:
        return "/".join(path.split("/")[:2]) if path.count("/") > 1 else room

    uses: Uses = {}
    for file in sorted((ROOT / room).rglob("*")):
        if file.suffix in SUFFIXES:
            names = re.findall(
                rf'^#include "({room}/[^"]+)"', file.read_text("utf-8"), re.MULTILINE
            )
            folder = folder_of(str(file.relative_to(ROOT)))
            uses.setdefault(folder, set()).update({folder_of(name) for name in names} - {folder})
    return uses


def circle(uses: Uses) -> set[str]:
    """Rooms of a circle, and those that need them; none where there is no circle."""
    left = dict(uses)
    while ends := [room for room, used in left.items() if not used & set(left)]:
        for room in ends:
            del left[room]
    return set(left)


def allowed(document: str) -> Uses:
    """By the table: what its last column names."""
    uses: Uses = {}
    for line in re.findall(r"^\| `(?:tlm|models|sw)/.*\|$", document, re.MULTILINE):
        cells = line.strip("|").split(" | ")
        words = set(re.findall(r"`((?:sw/)?\w+)`", cells[-1]))
        words |= {library for library in ("torch", "SystemC") if library in cells[-1]}
        words |= {"all"} if cells[-1].strip().startswith("all") else set()
        uses[cells[0].strip().strip("`").rstrip("/")] = words
    return uses


class Rooms(unittest.TestCase):
    def test_use_what_the_table_allows(self) -> None:
        table = allowed((ROOT / "docs" / "architecture.md").read_text("utf-8"))
        sources = found()
        self.assertEqual(sorted(sources), sorted(table), "a row for each room")
        for room, uses in sources.items():
            if "all" in table[room]:
                uses = {use for use in uses if use in ("torch", "SystemC")}
            self.assertLessEqual(uses, table[room], room)

    def test_do_not_use_one_another_in_a_circle(self) -> None:
        table = {room: uses & set(found()) for room, uses in found().items()}
        self.assertEqual(circle(table), set())

    def test_no_more_do_the_blocks_of_the_hardware(self) -> None:
        self.assertEqual(circle(found_in("models")), set())

    def test_a_circle_is_seen(self) -> None:
        self.assertEqual(
            circle({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}),
            {"a", "b", "c"},
        )

    def test_a_wall_that_is_crossed_is_seen(self) -> None:
        text = '#include "models/dma/dma.hpp"\n#include <torch/torch.h>\n#include "own.hpp"\n'
        self.assertEqual(uses_of(text, "sw/driver"), {"models", "torch"})
        self.assertEqual(
            allowed("| `sw/a/` | x | torch, `sw/b`, `tlm` (plain) |\n| `sw/b/` | y | nothing |\n"),
            {"sw/a": {"torch", "sw/b", "tlm"}, "sw/b": set()},
        )


if __name__ == "__main__":
    unittest.main()
