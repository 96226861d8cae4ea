"""Table 1 of the ASQ and POST paper: what the step adapters add to ResNet-18, by its formulas 10 to
16, and in our hardware."""

from .cells import COST
from .cost_tables import adapter_lines, adapter_words, with_and_without_adapters
from .errors import ReproductionError
from .published import Published
from .table import ExtraLine, Table

NETWORK, DATASET, ROW = "resnet18", "imagenet", "ResNet-18 ImageNet"
BITS = (8, 4, 3, 2)
ADAPTER_BITS = 8  # of the adapters' weights, whatever the network has
LAYERS_AT_BITS = 4  # which of the widths is listed layer by layer
# The adapters of 512 channels take 66,688 bytes, a little more than the preset's weight SRAM.
HARDWARE = (("weight_sram.bytes", "131072"),)
PARAMETERS, OPERATIONS = "% parameters", "% operations"


def cells(_datasets):
    return [cell for bits in BITS
            for cell in with_and_without_adapters(NETWORK, DATASET, bits, HARDWARE)]


class Counts:
    """Of ResNet-18's convolutions and classifier, as `abacus describe` counts them."""

    def __init__(self, runner):
        layers = runner.describe(NETWORK, DATASET)
        self.layers = [layer for layer in layers.values() if layer.get("kind") == "convolution"]
        if len(self.layers) < 3:
            raise ReproductionError("abacus describe lists no convolutions of ResNet-18")
        self.first, self.classifier = self.layers[0], self.layers[-1]
        self.shortcuts = [layer for layer in self.layers[1:-1] if layer["kernel"] == 1]

    def without(self, *left_out):
        return [layer for layer in self.layers if not any(layer is one for one in left_out)]

    @staticmethod
    def weights(layers):
        return sum(layer["weights"] for layer in layers)

    @staticmethod
    def with_biases(layers):
        """Formulas 10 and 11, and a bias for each output channel."""
        return sum(layer["weights"] + layer["output_channels"] for layer in layers)

    @staticmethod
    def taps(layers):
        return sum(layer["taps"] for layer in layers)

    def adapter_parameters(self):
        return sum(layer["adapter_weights"] + layer["adapter_biases"] for layer in self.layers)

    def adapter_operations(self):
        return sum(layer["adapter_operations"] for layer in self.layers)


def countings(counts):
    """(method, unit, share of the network at equal widths, how counted). The first of each unit is
    the one that gives the paper's figures."""
    parameters, operations = counts.adapter_parameters(), counts.adapter_operations()
    no_shortcuts = counts.without(*counts.shortcuts)
    no_first = counts.without(counts.first, counts.classifier)
    return [
        ("adapters", PARAMETERS, parameters / counts.with_biases(no_shortcuts),
         "all convolutions but the 1×1 shortcuts, and the classifier, each with a bias an output"),
        ("adapters", OPERATIONS, 2 * operations / counts.taps(no_first),
         "an adapter's multiplications and additions in the multiplications of all convolutions but "
         "the first"),
        ("adapters, all layers", PARAMETERS, parameters / counts.weights(counts.layers),
         "all weights of convolutions and classifier, formulas 10 and 11"),
        ("adapters, all layers", OPERATIONS, 2 * operations / counts.taps(counts.layers),
         "multiplications and additions, formula 13, in all multiplications, formula 12"),
        ("adapters, all layers, multiplications alone", OPERATIONS,
         operations / counts.taps(counts.layers), "multiplications in multiplications"),
        ("adapters, the operations' layers", PARAMETERS, parameters / counts.weights(no_first),
         "weights of the layers that give the paper's operations"),
        ("adapters, the parameters' layers", OPERATIONS,
         2 * operations / counts.taps(no_shortcuts),
         "multiplications of the layers that give the paper's parameters")]


def at_width(share, bits):
    """Percent: adapters of 8 bits in a network of so many."""
    return 100 * share * ADAPTER_BITS / bits


def lines(outcomes, runner):
    made = []
    for bits in BITS:
        for method, unit, share, how in countings(Counts(runner)):
            made.append(ExtraLine(ROW, method, bits, unit, at_width(share, bits), how,
                                  "{:.4f}", "{:.2f}"))
    return made + adapter_lines(outcomes, runner, (LAYERS_AT_BITS,))


def matched(share, unit):
    """The widths at which it is the published share, as far as that is told."""
    published = Published()
    return [bits for bits in BITS if abs(at_width(share, bits) - published.value(
        "asq-table1", ROW, "", "adapters", bits, unit)) <= 0.005]


def words(outcomes, runner):
    counts = Counts(runner)
    no_shortcuts = counts.without(*counts.shortcuts)
    no_first = counts.without(counts.first, counts.classifier)
    sentences = []
    for method, unit, share, _ in countings(counts):
        values = " / ".join(f"{at_width(share, bits):.2f}" for bits in BITS)
        agreeing = len(matched(share, unit))
        sentences.append(f"{method}, {unit}: {values}, {agreeing} of 4 as published")
    return [
        "**Which layers the paper counts.** Its figures grow as 8/B with the network's width B, so "
        "its adapters have 8 bits at every width. One adapter of C → C/4 → 1 stands before each of "
        f"{sum(1 for layer in counts.layers if layer['adapter_operations'])} convolutions, the 1×1 "
        "shortcuts among them, none before the first and the classifier: together "
        f"{counts.adapter_parameters():,} weights and biases and {counts.adapter_operations():,} "
        "multiplications. Its parameters come out if they are set against all convolutions but the "
        "1×1 shortcuts, and the classifier, with a bias for each output: "
        f"{counts.with_biases(no_shortcuts):,}. Its operations come out if the adapters' "
        "multiplications and additions are set against the multiplications of all convolutions but "
        f"the first: {counts.taps(no_first):,}. No one set of layers gives both.",
        "At 8 / 4 / 3 / 2 bits: " + "; ".join(sentences) + ".",
        *adapter_words(outcomes, runner)]


TABLES = {
    "asq-table1": Table(
        "ASQ paper, Table 1: what the step adapters add to ResNet-18",
        "Shares of parameters and of operations by the paper's formulas 10 to 16, from our own "
        "counts of the network (`abacus describe`). The rows LSQ and ASQ are the network with random "
        "weights on our hardware, without and with adapters, one image of 224 × 224, with 128 KiB of "
        f"weight SRAM; below them every layer at {LAYERS_AT_BITS} bits. The paper counts no hardware.",
        cells, COST, lines, words),
}
