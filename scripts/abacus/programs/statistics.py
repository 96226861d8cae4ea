"""`abacus-train statistics`: how large a checkpoint's activations and weights are."""

import pathlib
from dataclasses import dataclass, field
from typing import Any

from abacus.checkpoint import Checkpoint
from abacus.programs.answer import malformed
from abacus.programs.programs import Programs

Histogram = list[tuple[float, float, float]]  # from, to, count


@dataclass
class TensorStatistics:
    """Of activations or weights; what was not asked for is empty."""

    maximum: float = 0
    quantiles: dict[float, float] = field(default_factory=dict)  # share → magnitude
    channel_maxima: list[float] = field(default_factory=list)  # max |w| of each output channel
    histogram: Histogram = field(default_factory=list)


@dataclass
class LayerStatistics:
    """`weight_relative`: each weight over the largest of its output channel."""

    name: str
    arithmetic: str
    activation: TensorStatistics
    weight: TensorStatistics
    weight_relative: TensorStatistics


def statistics(
    programs: Programs, checkpoint: Checkpoint, layer: str, bins: int, folder: pathlib.Path
) -> dict[str, LayerStatistics]:
    """Layers by name, in the network's order, the one with histograms; kept in the folder."""
    trainer = programs.trainer()
    identity = "-".join(programs.sha256(file)[:12] for file in (checkpoint.file, trainer))
    answer = programs.ask_once(
        folder / f"statistics-{'-'.join(checkpoint.key)}-{identity}.json",
        trainer,
        "statistics",
        "--checkpoint",
        checkpoint.file,
        "--histogram",
        layer,
        "--bins",
        bins,
        *programs.data_arguments(),
    )
    try:
        return {one["layer"]: read_layer(one) for one in answer["layers"]}
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("statistics", "layers", error) from None


def read_layer(layer: dict[str, Any]) -> LayerStatistics:
    """One of an answer's layers."""
    return LayerStatistics(
        layer["layer"],
        layer["arithmetic"],
        *(read_tensor(layer[name]) for name in ("activation", "weight", "weight_relative")),
    )


def read_tensor(tensor: dict[str, Any]) -> TensorStatistics:
    """One of a layer's tensors."""
    return TensorStatistics(
        tensor.get("maximum", 0.0),
        {one["share"]: one["magnitude"] for one in tensor.get("quantiles", [])},
        list(tensor.get("channel_maxima", [])),
        [(low, high, count) for low, high, count in tensor.get("histogram", [])],
    )
