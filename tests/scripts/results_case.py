"""A small results.json (that of a real run, cut down) for tests to change, and what a page of it
must be."""

import copy
import html.parser
import json
import pathlib
import unicodedata
import unittest
from collections.abc import Iterator
from typing import Any

from abacus.json_value import JsonValue
from abacus.report.page import page
from abacus.report.reading import results_of

FILE = pathlib.Path(__file__).resolve().parent / "report" / "tiny_results.json"
TINY: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))

Path = tuple[str | int, ...]

# It breaks out of any place where it is not escaped, of plotly.js's markup and of templates.
HOSTILE = (
    "_$\\frac$\"'></title></style></pre></script></svg>--><x-hostile onclick=1><!-- ]]> \\$ "
    "\x1b \x00 \n \r \u202e \u2028 \ud800 \udcff &lt; {{ 7 * 7 }} {% for %} "
    "<a href='javascript:1'>%{x}</a>"
)


def tiny() -> dict[str, Any]:
    """A timed run with trained weights; an untimed one with random weights that is not exact."""
    return copy.deepcopy(TINY)


def page_of(json_values: Any) -> str:
    """AbacusError where a value is not allowed."""
    return page(results_of(JsonValue("r.json", "", json_values)), "r.json")


def nodes(json_values: Any, path: Path = ()) -> Iterator[Path]:
    """Where there is a value, those in others after them."""
    yield path
    if isinstance(json_values, dict):
        for name, value in json_values.items():
            yield from nodes(value, (*path, name))
    elif isinstance(json_values, list):
        for i, value in enumerate(json_values):
            yield from nodes(value, (*path, i))


def at(json_values: Any, path: Path) -> Any:
    """The value there."""
    for step in path:
        json_values = json_values[step]
    return json_values


def put(json_values: Any, path: Path, value: Any) -> None:
    """In place of what was there."""
    at(json_values, path[:-1])[path[-1]] = value


LEAVES = [path for path in nodes(TINY) if path and not isinstance(at(TINY, path), (dict, list))]


def hostile() -> dict[str, Any]:
    """All texts of its first run, which comes twice, and of all others but the runs."""
    results = tiny()
    results["runs"] = [results["runs"][0], copy.deepcopy(results["runs"][0])]
    for path in LEAVES:
        if isinstance(at(TINY, path), str) and path[:2] != ("runs", 1) and path[-1] != "weights":
            put(results, path, HOSTILE)
    results["runs"][0]["energy_by_component_uj"][HOSTILE] = 1
    return results


class Tags(html.parser.HTMLParser):
    """Of a page, with the names of their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names |= {tag} | {f"{tag} {name}" for name, _ in attributes}

    def handle_endtag(self, tag: str) -> None:
        self.names.add(tag)


class ResultsCase(unittest.TestCase):
    """Tests of pages."""

    own_tags = Tags(page_of(TINY)).names

    def assert_harmless(self, text: str) -> None:
        """All tags are the page's own and all characters are seen."""
        self.assertLessEqual(Tags(text).names, self.own_tags)
        kinds = {unicodedata.category(one) for one in set(text) - {"\n"}}
        self.assertLessEqual(kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}, set())
        text.encode()
