"""Text of unknown origin, made so that a reader sees all of it."""

import unicodedata

# Control and format characters (which reverse, join or hide others), surrogates (bytes that are not
# UTF-8), separators of lines and paragraphs.
UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def visible(text: str) -> str:
    r"""An escape character as \x1b, a line's end as \n; the rest as it is."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        one.encode("unicode_escape").decode() if unicodedata.category(one) in UNSEEN else one
        for one in text
    )
