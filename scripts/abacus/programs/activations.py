"""`abacus-train activations`: a package beside its float network, layer by layer."""

import pathlib
from dataclasses import dataclass
from typing import Any

from abacus.checkpoint import Checkpoint
from abacus.programs.answer import malformed
from abacus.programs.programs import Programs
from abacus.programs.statistics import Histogram

ALWAYS = ("output_norm", "output_error")
OF_READ_QUANTIZERS = (
    "step_factor",
    "input_norm",
    "input_error",
    "common_step_error",
    "own_step_error",
    "levels_used",
)


@dataclass(frozen=True)
class ImageStatistics:
    """Of one number an image, over the images."""

    mean: float
    deviation: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class ComparedLayer:
    """Quantities by name; those of inputs only where a layer has a read quantizer."""

    name: str
    ends_block: bool
    quantities: dict[str, ImageStatistics]
    histograms: dict[str, Histogram]  # level; stored, quantized where they were asked for

    def mean(self, quantity: str) -> float:
        """Over the images."""
        return self.quantities[quantity].mean

    def deviation(self, quantity: str) -> float:
        """Over the images."""
        return self.quantities[quantity].deviation

    @property
    def quantizes(self) -> bool:
        """Whether it has a read quantizer."""
        return "input_error" in self.quantities


def activations(
    programs: Programs,
    checkpoint: Checkpoint,
    package: pathlib.Path,
    images: int,
    layer: str | None,
    folder: pathlib.Path,
) -> list[ComparedLayer]:
    """In the network's order, `layer` with its histograms; kept in the folder."""
    trainer = programs.trainer()
    identity = "-".join(programs.sha256(file)[:12] for file in (package, checkpoint.file, trainer))
    answer = programs.ask_once(
        folder / f"activations-{identity}-{layer or 'errors'}-{images}.json",
        trainer,
        "activations",
        "--checkpoint",
        checkpoint.file,
        "--package",
        package,
        "--images",
        images,
        *(["--histogram", layer] if layer else []),
        *programs.data_arguments(),
    )
    try:
        layers = [read_layer(one) for one in answer["layers"]]
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("activations", "layers", error) from None
    if not layers:
        raise malformed("activations", "layers", ValueError("it lists none"))
    return layers


def read_layer(layer: dict[str, Any]) -> ComparedLayer:
    """One of an answer's layers."""
    names = [*ALWAYS, *(OF_READ_QUANTIZERS if layer["quantizes"] else ())]
    return ComparedLayer(
        layer["layer"],
        layer["ends_block"],
        {name: ImageStatistics(**layer[name]) for name in names},
        {
            name: [(low, high, count) for low, high, count in bins]
            for name, bins in layer["histograms"].items()
        },
    )
