"""What `abacus-train statistics` writes of a checkpoint's layers."""

import csv
from dataclasses import dataclass, field

from .errors import ReproductionError


@dataclass
class TensorStatistics:
    maximum: float = 0
    quantiles: dict = field(default_factory=dict)  # share → magnitude
    channel_maxima: list = field(default_factory=list)  # weights: max |w| of each output channel
    histogram: list = field(default_factory=list)  # (from, to, count)


@dataclass
class LayerStatistics:
    name: str
    arithmetic: str
    tensors: dict = field(default_factory=dict)  # activation, weight, weight_relative

    @property
    def activation(self):
        return self.tensors["activation"]

    @property
    def weight(self):
        return self.tensors["weight"]


def read_statistics(file):
    """Layers by name, in the network's order."""
    layers = {}
    try:
        with open(file, encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                layer = layers.setdefault(line["layer"],
                                          LayerStatistics(line["layer"], line["arithmetic"]))
                tensor = layer.tensors.setdefault(line["tensor"], TensorStatistics())
                value = float(line["value"])
                if line["statistic"] == "maximum":
                    tensor.maximum = value
                elif line["statistic"] == "quantile":
                    tensor.quantiles[line["from"]] = value
                elif line["statistic"] == "channel_maximum":
                    tensor.channel_maxima.append(value)
                else:
                    tensor.histogram.append((float(line["from"]), float(line["to"]), value))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ReproductionError(f"{file}: no statistics of abacus-train: {error}") from None
    return layers
