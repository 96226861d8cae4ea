"""Figures 3 to 6 of the ASQ and POST paper, from `abacus-train levels`, and from our own packages
by `abacus-train activations`."""

from collections.abc import Callable

from matplotlib.figure import Figure

from abacus.cells.cell import DATASETS, Outcome
from abacus.cells.runner import Runner
from abacus.errors import AbacusError
from abacus.figures.asq_plots import (
    Series,
    before_and_after,
    block_errors,
    plot_level_sets,
    quantization_errors,
)
from abacus.figures.request import MakeFigure, Request
from abacus.figures.saving import save
from abacus.files import write_csv
from abacus.programs.activations import ComparedLayer, activations
from abacus.programs.levels import level_sets
from abacus.tables.asq import quantized
from abacus.tables.catalogue import check_options, with_options

# A layer in the middle of the network, whose inputs are a block's.
LAYER = "layer2.0.conv1"
LEVEL_BITS = 4
IMAGES = 200  # of the validation split; test images are looked at for accuracies alone
METHODS = (("LSQ", "lsq"), ("ASQ", "asq"))
# The figure's methods, by the level sets that they have.
LEVEL_SETS = (("uniform", "uniform"), ("POT", "pot"), ("POST", "post"), ("APoT", "apot"))


def figure3(request: Request) -> None:
    """Levels of the weight quantizers."""
    sets = level_sets(request.programs, LEVEL_BITS).levels
    found = {method: sets[name] for method, name in LEVEL_SETS}
    write_csv(
        request.settings.out / f"{request.name}.csv",
        ["method", "bits", "level"],
        [
            [method, LEVEL_BITS, f"{level:.6g}"]
            for method, levels in found.items()
            for level in levels
        ],
    )
    save(request.name, request.settings, plot_level_sets(found, LEVEL_BITS))


ByMethod = dict[str, list[ComparedLayer]]


def compared(
    request: Request, usual_bits: int, layer: str | None = None
) -> tuple[str, int, ByMethod]:
    """(data set's name, bits, by method the layers) of the first data set that has a CNN."""
    settings, checkpoint = request.settings, request.checkpoint("cnn")
    dataset, bits = checkpoint.dataset, request.bits(usual_bits)
    runner = Runner(settings, request.checkpoints)
    cells = {
        method: quantized(
            dataset, method, bits, "lsq", quantizer, seeded=False, seed=settings.seeds[0]
        )
        for method, quantizer in METHODS
    }
    check_options("the figure", cells.values(), settings.option)
    found = {}
    for method, cell in cells.items():
        cell = with_options(cell, settings.option)
        reason = runner.missing(cell)
        if reason:
            raise AbacusError(f"{cell.title}: {reason}")
        package = runner.make_package(cell, Outcome())
        images = settings.images or IMAGES
        found[method] = activations(
            runner.programs, checkpoint, package, images, layer, settings.runs
        )
    return DATASETS[dataset], bits, found


def one_layer(layers: list[ComparedLayer], name: str) -> ComparedLayer:
    """The one of this name, with histograms."""
    for layer in layers:
        if layer.name == name:
            if not {"level", "stored", "quantized"} <= set(layer.histograms):
                raise AbacusError(f"{name}: abacus-train activations told no histograms")
            return layer
    raise AbacusError(f"abacus-train activations told nothing of {name}")


def figure4(request: Request) -> None:
    """A layer's activations before and after."""
    dataset, bits, found = compared(request, 2, LAYER)
    layers = {method: one_layer(of, LAYER) for method, of in found.items()}
    write_csv(
        request.settings.out / f"{request.name}.csv",
        ["method", "layer", "bits", "histogram", "from", "to", "count"],
        [
            [method, LAYER, bits, quantity, low, high, f"{count:.0f}"]
            for method, layer in layers.items()
            for quantity, of in layer.histograms.items()
            for low, high, count in of
        ],
    )
    title = f"{LAYER} of ResNet-20, {dataset}, {bits} bits"
    save(request.name, request.settings, before_and_after(layers, title))


Hindsight = tuple[str, str, str]  # method, words, quantity
Draw = Callable[[Series, str], Figure]


def draw_errors(
    request: Request,
    quantity: str,
    wanted: Callable[[ComparedLayer], bool],
    draw: Draw,
    by_hindsight: tuple[Hindsight, ...] = (),
    relative: bool = False,
) -> None:
    """Errors by layer, LSQ beside ASQ. `by_hindsight`: what a method's tensors could have had, as
    lines of their own. `relative`: drawn in percent of what is quantized."""
    dataset, bits, found = compared(request, 3)
    by_method = {method: [layer for layer in of if wanted(layer)] for method, of in found.items()}
    names = {tuple(layer.name for layer in of) for of in by_method.values()}
    if len(names) != 1 or not next(iter(names)):
        raise AbacusError("the packages of LSQ and ASQ do not have the same layers")
    norm = quantity.replace("error", "norm")
    series = [(method, of, quantity) for method, of in by_method.items()]
    series += [
        (f"{method}, {words}", by_method[method], other) for method, words, other in by_hindsight
    ]
    write_csv(
        request.settings.out / f"{request.name}.csv",
        ["method", "layer", "bits", "error_mean", "error_deviation", "norm_mean"],
        [
            [
                method,
                layer.name,
                bits,
                f"{layer.mean(of_this):.6g}",
                f"{layer.deviation(of_this):.6g}",
                f"{layer.mean(norm):.6g}",
            ]
            for method, of, of_this in series
            for layer in of
        ],
    )

    def shown(layer: ComparedLayer, of_this: str) -> tuple[str, float, float]:
        unit = layer.mean(norm) / 100 if relative else 1
        return layer.name, layer.mean(of_this) / unit, layer.deviation(of_this) / unit

    drawn = {method: [shown(layer, of_this) for layer in of] for method, of, of_this in series}
    figure = draw(drawn, f"ResNet-20, {dataset}, {bits} bits")
    save(request.name, request.settings, figure)


def figure5(request: Request) -> None:
    """Errors of the blocks' outputs."""
    draw_errors(request, "output_error", lambda layer: layer.ends_block, block_errors)


def figure6(request: Request) -> None:
    """Errors of the activations' quantization."""
    draw_errors(
        request,
        "input_error",
        lambda layer: layer.quantizes,
        quantization_errors,
        (
            ("LSQ", "best step for all images", "common_step_error"),
            ("LSQ", "best step for each image", "own_step_error"),
        ),
        relative=True,
    )


FIGURES: dict[str, MakeFigure] = {
    "asq-figure3": figure3,
    "asq-figure4": figure4,
    "asq-figure5": figure5,
    "asq-figure6": figure6,
}
