"""Safetensors files: a header of JSON with metadata, then the tensors' bytes."""

from __future__ import annotations

import json
import pathlib
import struct
from typing import TYPE_CHECKING, Any

from abacus.errors import AbacusError
from abacus.output import write_output

if TYPE_CHECKING:  # plots need NumPy, tables do not
    import numpy as np
    from numpy.typing import NDArray

LARGEST_HEADER = 100_000_000  # bytes, the format's own limit

Header = dict[str, Any]


def read_header(file: pathlib.Path) -> tuple[Header, int]:
    """The header, and where the tensors' bytes begin."""
    try:
        with open(file, "rb") as content:
            size = content.read(8)
            if len(size) < 8:
                raise AbacusError(f"{file}: no safetensors file: found {len(size)} bytes")
            length = struct.unpack("<Q", size)[0]
            if length > LARGEST_HEADER:
                raise AbacusError(
                    f"{file}: no safetensors file: its header would have {length} bytes"
                )
            header = json.loads(content.read(length))
    except OSError as error:
        raise AbacusError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise AbacusError(f"{file}: no safetensors file: {error}") from None
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__"), dict):
        raise AbacusError(f"{file}: it has no metadata")
    return header, 8 + length


def read_metadata(file: pathlib.Path) -> dict[str, str]:
    """The texts by name that the file's writer put into its header."""
    metadata: dict[str, str] = read_header(file)[0]["__metadata__"]
    return metadata


def read_tensors(file: pathlib.Path) -> dict[str, NDArray[np.float32]]:
    """The float32 tensors by name, in the order of their bytes."""
    import numpy as np

    header, start = read_header(file)
    content = file.read_bytes()[start:]
    tensors: list[tuple[int, str, NDArray[np.float32]]] = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            if entry["dtype"] != "F32":
                continue
            (first, last), shape = entry["data_offsets"], entry["shape"]
            values = np.frombuffer(content[first:last], dtype="<f4").reshape(shape)
        except (KeyError, TypeError, ValueError) as error:
            raise AbacusError(
                f"{file}: tensor {name}: found {json.dumps(entry)[:200]} in a file of "
                f"{len(content)} bytes of tensors ({error}); allowed: dtype, shape, and the "
                "data_offsets of as many values"
            ) from None
        tensors.append((first, name, values))
    return {name: values for _, name, values in sorted(tensors, key=lambda one: one[0])}


def write_with_header(source: pathlib.Path, start: int, header: Header, copy: pathlib.Path) -> None:
    """The source's tensors, which begin at `start`, under another header."""
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors stay aligned
    try:
        with open(source, "rb") as content:
            content.seek(start)
            write_output(copy, struct.pack("<Q", len(text)) + text + content.read())
    except OSError as error:
        raise AbacusError(f"{source}: {error.strerror}") from None
