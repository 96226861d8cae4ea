"""Table 1 of the ASQ and POST paper: what the step adapters add to ResNet-18, by its formulas 10 to
16, and in our hardware."""

from abacus.cells.cell import Cell, Outcomes
from abacus.cells.measures import COST
from abacus.cells.runner import Runner
from abacus.errors import AbacusError
from abacus.programs.describe import LayerCosts
from abacus.tables.adapter_cost import adapter_lines, adapter_words, with_and_without_adapters
from abacus.tables.published import Published
from abacus.tables.table import Datasets, ExtraLine, Table

NETWORK, DATASET, ROW = "resnet18", "imagenet", "ResNet-18 ImageNet"
BITS = (8, 4, 3, 2)
ADAPTER_BITS = 8  # of the adapters' weights, whatever the network has
LAYERS_AT_BITS = 4  # which of the widths is listed layer by layer
# The adapters of 512 channels take 66,688 bytes, a little more than the preset's weight SRAM.
HARDWARE = (("weight_sram.bytes", "131072"),)
PARAMETERS, OPERATIONS = "% parameters", "% operations"


def cells(_datasets: Datasets) -> list[Cell]:
    """Without and with adapters at each width."""
    return [
        cell
        for bits in BITS
        for cell in with_and_without_adapters(NETWORK, DATASET, bits, HARDWARE)
    ]


class Counts:
    """Of ResNet-18's convolutions and classifier, as `abacus describe` counts them."""

    def __init__(self, runner: Runner) -> None:
        layers = runner.describe(NETWORK, DATASET)
        self.layers = [layer for layer in layers.values() if layer.kind == "convolution"]
        if len(self.layers) < 3:
            raise AbacusError("abacus describe lists no convolutions of ResNet-18")
        self.first, self.classifier = self.layers[0], self.layers[-1]
        self.shortcuts = [layer for layer in self.layers[1:-1] if layer.kernel == 1]

    def without(self, *left_out: LayerCosts) -> list[LayerCosts]:
        """All layers but these."""
        return [layer for layer in self.layers if not any(layer is one for one in left_out)]

    @staticmethod
    def weights(layers: list[LayerCosts]) -> int:
        """Formulas 10 and 11."""
        return sum(layer.weights for layer in layers)

    @staticmethod
    def with_biases(layers: list[LayerCosts]) -> int:
        """Formulas 10 and 11, and a bias for each output channel."""
        return sum(layer.weights + layer.output_channels for layer in layers)

    @staticmethod
    def taps(layers: list[LayerCosts]) -> int:
        """Formula 12."""
        return sum(layer.taps for layer in layers)

    def adapter_parameters(self) -> int:
        """Weights and biases."""
        return sum(layer.adapter_weights + layer.adapter_biases for layer in self.layers)

    def adapter_operations(self) -> int:
        """Multiplications an image."""
        return sum(layer.adapter_operations for layer in self.layers)


Counting = tuple[str, str, float, str]


def countings(counts: Counts) -> list[Counting]:
    """(method, unit, share of the network at equal widths, how counted). The first of each unit is
    the one that gives the paper's figures."""
    parameters, operations = counts.adapter_parameters(), counts.adapter_operations()
    no_shortcuts = counts.without(*counts.shortcuts)
    no_first = counts.without(counts.first, counts.classifier)
    return [
        (
            "adapters",
            PARAMETERS,
            parameters / counts.with_biases(no_shortcuts),
            "all convolutions but the 1×1 shortcuts, and the classifier, each with a bias an "
            "output",
        ),
        (
            "adapters",
            OPERATIONS,
            2 * operations / counts.taps(no_first),
            "an adapter's multiplications and additions in the multiplications of all convolutions "
            "but the first",
        ),
        (
            "adapters, all layers",
            PARAMETERS,
            parameters / counts.weights(counts.layers),
            "all weights of convolutions and classifier, formulas 10 and 11",
        ),
        (
            "adapters, all layers",
            OPERATIONS,
            2 * operations / counts.taps(counts.layers),
            "multiplications and additions, formula 13, in all multiplications, formula 12",
        ),
        (
            "adapters, all layers, multiplications alone",
            OPERATIONS,
            operations / counts.taps(counts.layers),
            "multiplications in multiplications",
        ),
        (
            "adapters, the operations' layers",
            PARAMETERS,
            parameters / counts.weights(no_first),
            "weights of the layers that give the paper's operations",
        ),
        (
            "adapters, the parameters' layers",
            OPERATIONS,
            2 * operations / counts.taps(no_shortcuts),
            "multiplications of the layers that give the paper's parameters",
        ),
    ]


def at_width(share: float, bits: int) -> float:
    """Percent: adapters of 8 bits in a network of so many."""
    return 100 * share * ADAPTER_BITS / bits


def lines(outcomes: Outcomes, runner: Runner) -> list[ExtraLine]:
    """The shares, then the layers."""
    counts = Counts(runner)
    made = [
        ExtraLine(ROW, method, bits, unit, at_width(share, bits), how, "{:.4f}", "{:.2f}")
        for bits in BITS
        for method, unit, share, how in countings(counts)
    ]
    return made + adapter_lines(outcomes, runner, (LAYERS_AT_BITS,))


def matched(share: float, unit: str, published: Published) -> list[int]:
    """The widths at which it is the published share, as far as that is told."""
    found = []
    for bits in BITS:
        theirs = published.value("asq-table1", ROW, "", "adapters", bits, unit)
        if theirs is not None and abs(at_width(share, bits) - theirs) <= 0.005:
            found.append(bits)
    return found


def words(outcomes: Outcomes, runner: Runner) -> list[str]:
    """Which layers the paper counts, and what the adapters cost in hardware."""
    counts, published = Counts(runner), Published()
    no_shortcuts = counts.without(*counts.shortcuts)
    no_first = counts.without(counts.first, counts.classifier)
    sentences = []
    for method, unit, share, _ in countings(counts):
        values = " / ".join(f"{at_width(share, bits):.2f}" for bits in BITS)
        agreeing = len(matched(share, unit, published))
        sentences.append(f"{method}, {unit}: {values}, {agreeing} of 4 as published")
    return [
        "**Which layers the paper counts.** Its figures grow as 8/B with the network's width B, so "
        "its adapters have 8 bits at every width. One adapter of C → C/4 → 1 stands before each of "
        f"{sum(1 for layer in counts.layers if layer.adapter_operations)} convolutions, the 1×1 "
        "shortcuts among them, none before the first and the classifier: together "
        f"{counts.adapter_parameters():,} weights and biases and {counts.adapter_operations():,} "
        "multiplications. Its parameters come out if they are set against all convolutions but the "
        "1×1 shortcuts, and the classifier, with a bias for each output: "
        f"{counts.with_biases(no_shortcuts):,}. Its operations come out if the adapters' "
        "multiplications and additions are set against the multiplications of all convolutions but "
        f"the first: {counts.taps(no_first):,}. No one set of layers gives both.",
        "At 8 / 4 / 3 / 2 bits: " + "; ".join(sentences) + ".",
        *adapter_words(outcomes, runner),
    ]


TABLES = {
    "asq-table1": Table(
        "ASQ paper, Table 1: what the step adapters add to ResNet-18",
        "Shares of parameters and of operations by the paper's formulas 10 to 16, from our own "
        "counts of the network (`abacus describe`). The rows LSQ and ASQ are the network with "
        "random weights on our hardware, without and with adapters, one image of 224 × 224, with "
        f"128 KiB of weight SRAM; below them every layer at {LAYERS_AT_BITS} bits. The paper "
        "counts no hardware.",
        cells,
        COST,
        lines,
        words,
    ),
}
