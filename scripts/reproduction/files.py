"""Files that are whole or not there."""

import csv
import io
import os
import pathlib

from .errors import ReproductionError


def write_whole(file, content):
    """Text or bytes."""
    file = pathlib.Path(file)
    partial = file.with_name(f"{file.name}.partial.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ReproductionError(f"{file}: {error.strerror}") from None
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_csv(file, header, lines):
    """And says so."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    write_whole(file, text.getvalue())
    print(file)


def duration_text(seconds):
    whole = int(seconds + 0.5)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
