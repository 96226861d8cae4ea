"""What README and docs promise their readers: short sentences, and links that lead somewhere."""

import re
import statistics
import unicodedata
import unittest
from pathlib import Path

from abacus.places import ROOT

README = ROOT / "README.md"
DOCUMENTS = sorted(
    file
    for pattern in ("*.md", "docs/**/*.md", "scenarios/**/*.md", ".github/**/*.md")
    for file in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(text: str) -> str:
    """Without code, tables, headings, comments and the targets of links."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return "\n".join(
        re.sub(r"^- ", "\n", line) if not line.startswith(("|", "#")) else ""
        for line in text.splitlines()
    )


def sentences(text: str) -> list[str]:
    """Paragraphs end them, too."""
    found = []
    for paragraph in re.split(r"\n\s*\n", prose(text)):
        for sentence in re.split(r"(?<=[.:;?!])\s+", paragraph.strip()):
            if len(sentence.split()) > 1:
                found.append(sentence)
    return found


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def anchors(file: Path) -> set[str]:
    """As GitHub names headings: small letters, no punctuation, - for a space; the second of a name
    has -1."""
    found: set[str] = set()
    text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        name = "".join(
            character
            for character in plain.replace(" ", "-")
            if character in "-_" or unicodedata.category(character)[0] in "LN"
        )
        again = 0
        while (unique := f"{name}-{again}" if again else name) in found:
            again += 1
        found.add(unique)
    return found


class Readme(unittest.TestCase):
    def test_sentences_are_short(self) -> None:
        lengths = {sentence: len(sentence.split()) for sentence in sentences(README.read_text())}
        self.assertGreater(len(lengths), 10)
        self.assertLessEqual(statistics.median(lengths.values()), 16)
        self.assertEqual({s: n for s, n in lengths.items() if n > 35}, {})

    def test_two_screens(self) -> None:
        self.assertLessEqual(len(README.read_text().splitlines()), 100)

    def test_a_sentence_ends_where_it_ends(self) -> None:
        text = "# A b\n\nOne two. Three [four](x.md) five:\n\n```sh\nno no\n```\n\n- Six seven.\n"
        self.assertEqual(sentences(text), ["One two.", "Three four five:", "Six seven."])


class Links(unittest.TestCase):
    def test_lead_somewhere(self) -> None:
        broken = []
        for file in DOCUMENTS:
            for link in LINK.findall(without_code(file.read_text(encoding="utf-8"))):
                if re.match(r"[a-z]+:", link):
                    continue
                path, _, anchor = link.partition("#")
                target = (file.parent / path).resolve() if path else file
                if not target.exists():
                    broken.append(f"{file.relative_to(ROOT)}: {link}")
                elif anchor and target.suffix == ".md" and anchor not in anchors(target):
                    broken.append(f"{file.relative_to(ROOT)}: {link}: no such heading")
        self.assertEqual(broken, [])

    def test_every_page_is_in_the_index(self) -> None:
        index = ROOT / "docs" / "README.md"
        linked = {
            (index.parent / link.partition("#")[0]).resolve()
            for link in LINK.findall(index.read_text(encoding="utf-8"))
        }
        pages = {file.resolve() for file in (ROOT / "docs").glob("*.md")} - {index.resolve()}
        self.assertEqual(pages - linked, set())


if __name__ == "__main__":
    unittest.main()
