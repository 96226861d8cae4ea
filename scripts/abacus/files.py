"""Files that are whole or not there, and their hashes."""

import csv
import hashlib
import io
import os
import pathlib
from collections.abc import Iterable, Sequence
from contextlib import suppress

from abacus.errors import AbacusError


def write_whole(file: pathlib.Path, content: str | bytes) -> None:
    """Under another name first, so that nobody sees half of it."""
    if not file.name:
        raise AbacusError(f"{file}: it is a folder")
    partial = file.with_name(f"{file.name}.partial.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(file)
    except OSError as error:
        raise AbacusError(f"{file}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def csv_text(lines: Iterable[Sequence[object]]) -> str:
    """The lines with commas between their fields, quoted where they must be."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def write_csv(file: pathlib.Path, header: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    """Writes the file and says so."""
    write_whole(file, csv_text([header, *lines]))
    print(file)


def sha256_of(file: pathlib.Path) -> str:
    """Of the file's content, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(file, "rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def duration_text(seconds: float) -> str:
    """1:02:03, or 2:03 of less than an hour."""
    whole = int(seconds + 0.5)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
