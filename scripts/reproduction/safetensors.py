"""Safetensors files: their metadata, nearly all that a reproduction needs to know of them, and float
tensors."""

import json
import pathlib
import struct

from .errors import ReproductionError
from .files import write_whole

LARGEST_HEADER = 100_000_000  # bytes, the format's own limit


def read_header(file):
    """The header, and where the tensors' bytes begin."""
    try:
        with open(file, "rb") as content:
            size = content.read(8)
            if len(size) < 8:
                raise ReproductionError(f"{file}: no safetensors file: found {len(size)} bytes")
            length = struct.unpack("<Q", size)[0]
            if length > LARGEST_HEADER:
                raise ReproductionError(
                    f"{file}: no safetensors file: its header would have {length} bytes")
            header = json.loads(content.read(length))
    except OSError as error:
        raise ReproductionError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise ReproductionError(f"{file}: no safetensors file: {error}") from None
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__"), dict):
        raise ReproductionError(f"{file}: it has no metadata")
    return header, 8 + length


def read_metadata(file):
    return read_header(file)[0]["__metadata__"]


def read_tensors(file):
    """The float32 tensors by name, in the order of their bytes."""
    import numpy as np
    header, start = read_header(file)
    content = pathlib.Path(file).read_bytes()[start:]
    tensors = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            if entry["dtype"] != "F32":
                continue
            (first, last), shape = entry["data_offsets"], entry["shape"]
            values = np.frombuffer(content[first:last], dtype="<f4").reshape(shape)
        except (KeyError, TypeError, ValueError) as error:
            raise ReproductionError(
                f"{file}: tensor {name}: found {json.dumps(entry)[:200]} in a file of "
                f"{len(content)} bytes of tensors ({error}); allowed: dtype, shape, and the "
                "data_offsets of as many values") from None
        tensors.append((first, name, values))
    return {name: values for _, name, values in sorted(tensors, key=lambda one: one[0])}


class Checkpoint:
    """A trained float network; the metadata tells which."""

    def __init__(self, file):
        self.file = pathlib.Path(file)
        metadata = read_metadata(file)
        if metadata.get("format") != "abacus-checkpoint-1":
            raise ReproductionError(
                f"{file}: found format \"{metadata.get('format')}\"; allowed: a checkpoint, "
                "abacus-checkpoint-1, of abacus-train train or import")
        try:
            self.network = metadata["network"]
            self.arithmetic = metadata["arithmetic"]
            self.dataset = metadata["dataset"]
            accuracy = float(metadata["float_accuracy_percent"])
        except (KeyError, ValueError) as error:
            raise ReproductionError(f"{file}: metadata: {error}") from None
        self.accuracy = accuracy if accuracy >= 0 else None
        self.epochs = int(metadata.get("epochs", 0))

    @property
    def key(self):
        return (self.network, self.arithmetic, self.dataset)


def package_origin(file):
    """Where an integer network package came from, as the quantizer recorded it."""
    metadata = read_metadata(file)
    try:
        return json.loads(metadata["network"])["origin"]
    except (KeyError, ValueError, TypeError):
        raise ReproductionError(f"{file}: it is no integer network package") from None


def package_recipe(file):
    """All that decided a trained package, by name ("seed": "2"), as `abacus-train qat` recorded it;
    empty for packages that tell nothing."""
    words = read_metadata(file).get("recipe", "").split()
    return dict(word.split("=", 1) for word in words if "=" in word)


def table_fraction_bits(package):
    """The fraction bits of a package's lookup tables, each number once; of other packages none."""
    try:
        network = json.loads(read_header(package)[0]["__metadata__"]["network"])
        return sorted({layer["fraction_bits"] for layer in network["layers"]
                       if layer.get("arithmetic") == "post"})
    except (KeyError, ValueError, TypeError):
        raise ReproductionError(f"{package}: it is no integer network package") from None


def with_fraction_bits(package, bits, copy):
    """Writes a copy of the package whose POST layers' lookup tables have so many fraction bits."""
    header, start = read_header(package)
    try:
        network = json.loads(header["__metadata__"]["network"])
        layers = [layer for layer in network["layers"] if layer.get("arithmetic") == "post"]
    except (KeyError, ValueError, TypeError):
        raise ReproductionError(f"{package}: it is no integer network package") from None
    if not layers:
        raise ReproductionError(f"{package}: none of its layers has POST weights")
    for layer in layers:
        layer["fraction_bits"] = bits
    header["__metadata__"]["network"] = json.dumps(network, separators=(",", ":"))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors stay aligned
    try:
        with open(package, "rb") as content:
            content.seek(start)
            write_whole(copy, struct.pack("<Q", len(text)) + text + content.read())
    except OSError as error:
        raise ReproductionError(f"{package}: {error.strerror}") from None


def find_checkpoints(given, shipped_folder):
    """By (network, arithmetic, data set): those given, and the shipped ones where none is given."""
    found = {}
    for file in given:
        checkpoint = Checkpoint(file)
        if checkpoint.key in found:
            raise ReproductionError(
                f"--checkpoint: {found[checkpoint.key].file} and {file} are both of "
                f"{' '.join(checkpoint.key)}; give one of them")
        found[checkpoint.key] = checkpoint
    for file in sorted(pathlib.Path(shipped_folder).glob("*.safetensors")):
        checkpoint = Checkpoint(file)
        found.setdefault(checkpoint.key, checkpoint)
    return found
