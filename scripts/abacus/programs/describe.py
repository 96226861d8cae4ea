"""`abacus describe`: the layers of a network and what they cost."""

import hashlib
import pathlib
from dataclasses import dataclass

from abacus.programs.answer import malformed
from abacus.programs.programs import Programs


@dataclass(frozen=True)
class LayerCosts:
    """Shapes and counts of a layer, an image (docs/workloads.md)."""

    name: str
    kind: str
    kernel: int
    taps: int
    weights: int
    output_channels: int
    adapter_weights: int
    adapter_biases: int
    adapter_operations: int


def describe(
    programs: Programs, network: str, image_arguments: list[str], dataset: str, folder: pathlib.Path
) -> dict[str, LayerCosts]:
    """By name, in the network's order; kept in the folder. `image_arguments`: which say the images'
    size; `dataset`: how the images are called in the kept file's name."""
    abacus = programs.abacus()
    identity = hashlib.sha256(programs.sha256(abacus).encode()).hexdigest()[:12]
    answer = programs.ask_once(
        folder / f"layers-{network}-{dataset}-{identity}.json",
        abacus,
        "describe",
        "--network",
        network,
        *image_arguments,
    )
    try:
        return {
            layer["layer"]: LayerCosts(
                layer["layer"],
                layer["kind"],
                layer["kernel"] or 0,
                layer["taps"],
                layer["weights"],
                layer["output_channels"],
                layer["adapter_weights"],
                layer["adapter_biases"],
                layer["adapter_operations"],
            )
            for layer in answer["layers"]
        }
    except (KeyError, TypeError) as error:
        raise malformed("describe", "layers", error) from None
