"""The page's own JavaScript and style: files of page/, put together in this order."""

import base64
import hashlib
import pathlib
from functools import cache

from markupsafe import Markup

PAGE = pathlib.Path(__file__).parent / "page"

MODULES = (
    "elements.js",
    "data.js",
    "comparison.js",
    "state.js",
    "plot.js",
    "filters.js",
    "front.js",
    "parallel.js",
    "roofline.js",
    "details.js",
    "table.js",
    "downloads.js",
    "main.js",
)


@cache
def style() -> Markup:
    """Of the page."""
    return Markup((PAGE / "page.css").read_text(encoding="utf-8"))


@cache
def script() -> Markup:
    """All modules, each in a scope of its own; what others use of it is in `abacus`."""
    bodies = [(PAGE / name).read_text(encoding="utf-8") for name in MODULES]
    scopes = "".join(f"(() => {{\n{body}}})();\n" for body in bodies)
    return Markup(f'"use strict";\nconst abacus = {{}};\n{scopes}')


@cache
def source_of(content: str) -> str:
    """As a content security policy names an element's content."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
