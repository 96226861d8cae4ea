"""What `abacus-train activations` writes of a package beside its float network."""

import csv
from dataclasses import dataclass, field

from .errors import ReproductionError

STATISTICS = ("mean", "deviation", "lowest", "highest")


@dataclass
class ComparedLayer:
    name: str
    ends_block: bool
    values: dict = field(default_factory=dict)  # (quantity, statistic) → number
    histograms: dict = field(default_factory=dict)  # quantity → list of (from, to, count)

    def mean(self, quantity):
        return self.values[quantity, "mean"]

    def deviation(self, quantity):
        return self.values[quantity, "deviation"]

    @property
    def quantizes(self):
        return ("input_error", "mean") in self.values


def read_activations(file):
    """Layers in the network's order."""
    layers = {}
    try:
        with open(file, encoding="utf-8", newline="") as lines:
            for line in csv.DictReader(lines):
                layer = layers.setdefault(line["layer"], ComparedLayer(
                    line["layer"], {"yes": True, "no": False}[line["ends_block"]]))
                value = float(line["value"])
                if line["statistic"] == "histogram":
                    layer.histograms.setdefault(line["quantity"], []).append(
                        (float(line["from"]), float(line["to"]), value))
                else:
                    layer.values[line["quantity"], line["statistic"]] = value
        for layer in layers.values():
            inputs = ["input_error", "common_step_error", "own_step_error"]
            for quantity in ["output_error"] + inputs * layer.quantizes:
                for statistic in STATISTICS:
                    layer.values[quantity, statistic]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ReproductionError(f"{file}: no layers of abacus-train activations: {error}") from None
    if not layers:
        raise ReproductionError(f"{file}: no layers of abacus-train activations: it is empty")
    return list(layers.values())
