"""Integer network packages: where they came from, and copies with coarser lookup tables."""

import json
import pathlib
from typing import Any

from abacus.errors import AbacusError
from abacus.safetensors import read_header, write_with_header


def read_network(file: pathlib.Path) -> dict[str, Any]:
    """The network behind the tensors: `origin` and `layers`."""
    return parsed_network(file, read_header(file)[0])


def parsed_network(file: pathlib.Path, header: dict[str, Any]) -> dict[str, Any]:
    """The same of a header read before."""
    try:
        network = json.loads(header["__metadata__"]["network"])
        if isinstance(network["origin"], dict) and isinstance(network["layers"], list):
            return dict(network)
    except (KeyError, ValueError, TypeError):
        pass
    raise AbacusError(f"{file}: it is no integer network package")


def table_layers(network: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers with POST weights, which have lookup tables."""
    return [layer for layer in network["layers"] if layer.get("arithmetic") == "post"]


def table_fraction_bits(network: dict[str, Any]) -> list[int]:
    """The fraction bits of the lookup tables, each number once; none without POST weights."""
    return sorted({layer["fraction_bits"] for layer in table_layers(network)})


def with_fraction_bits(package: pathlib.Path, bits: int, copy: pathlib.Path) -> None:
    """Writes a copy of the package whose POST layers' lookup tables have so many fraction bits."""
    header, start = read_header(package)
    network = parsed_network(package, header)
    layers = table_layers(network)
    if not layers:
        raise AbacusError(f"{package}: none of its layers has POST weights")
    for layer in layers:
        layer["fraction_bits"] = bits
    header["__metadata__"]["network"] = json.dumps(network, separators=(",", ":"))
    write_with_header(package, start, header, copy)
