"""Figures 3 to 6 of the ASQ and POST paper, from our own packages and `abacus-train activations`."""

import itertools

from . import programs
from .activations import read_activations
from .asq_tables import quantized
from .cells import DATASETS, Outcome
from .errors import ReproductionError
from .files import write_csv
from .runner import Runner
from .tables import check_options, with_options

# A layer in the middle of the network, whose inputs are a block's.
LAYER = "layer2.0.conv1"
LEVEL_BITS = 4
IMAGES = 200  # of the validation split; test images are looked at for accuracies alone
METHODS = (("LSQ", "lsq"), ("ASQ", "asq"))


def levels(bits):
    """Signed levels over their largest, by method: those of sw/quant/weights/level_sets.hpp. APoT's terms are
    given for 4 bits alone."""
    magnitudes = 2 ** (bits - 1) - 1
    positive = {
        "uniform": [i / magnitudes for i in range(1, magnitudes + 1)],
        "POT": [2.0**-i for i in range(magnitudes)],
        "POST": [2.0 ** (-i / 2) for i in range(magnitudes)]}
    if bits == 4:
        first, second = (0, 2**-1, 2**-2, 2**-4), (0, 2**-3)  # the sign aside
        positive["APoT"] = sorted({a + b for a, b in itertools.product(first, second)} - {0})
    return {method: sorted([0.0] + [sign * one / max(values) for one in values
                                    for sign in (1, -1)])
            for method, values in positive.items()}


def figure3(name, settings, _checkpoints):
    from asq_paper_figures import level_sets
    from .figures import draw
    found = levels(LEVEL_BITS)
    write_csv(settings.out / f"{name}.csv", ["method", "bits", "level"],
              [[method, LEVEL_BITS, f"{level:.6g}"] for method, of in found.items() for level in of])
    draw(name, settings, level_sets(found, LEVEL_BITS))


def compared(settings, checkpoints, usual_bits, layer=None):
    """(data set's name, bits, by method the layers) of the first data set that has a CNN."""
    dataset = next((one for one in settings.dataset
                    if ("resnet20", "cnn", one) in checkpoints), None)
    if dataset is None:
        raise ReproductionError("no checkpoint of ResNet-20 cnn "
                                f"{' or '.join(settings.dataset)} was given (--checkpoint)")
    bits = settings.bits[0] if settings.bits else usual_bits
    runner = Runner(settings, checkpoints)
    checkpoint = checkpoints["resnet20", "cnn", dataset]
    found = {}
    cells = {method: quantized(dataset, method, bits, "lsq", activations, seeded=False,
                               seed=settings.seeds[0]) for method, activations in METHODS}
    check_options("the figure", cells.values(), settings.option)
    for method, cell in cells.items():
        cell = with_options(cell, settings.option)
        reason = runner.missing(cell)
        if reason:
            raise ReproductionError(f"{cell.title}: {reason}")
        outcome = Outcome()
        runner.make_package(cell, checkpoint, outcome)
        found[method] = comparison(settings, runner, checkpoint, outcome.package, layer)
    return DATASETS[dataset], bits, found


def comparison(settings, runner, checkpoint, package, layer):
    """Made once and kept."""
    images = settings.images or IMAGES
    identity = "-".join(runner.sha256(file)[:12]
                        for file in (package, checkpoint.file, runner.trainer()))
    file = settings.out / "runs" / f"activations-{identity}-{layer or 'errors'}-{images}.csv"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        programs.run([runner.trainer(), "activations", "--checkpoint", checkpoint.file, "--package",
                      package, "--images", images]
                     + (["--histogram", layer] if layer else []) + runner.data_arguments()
                     + ["--out", file])
    return read_activations(file)


def one_layer(layers, name):
    for layer in layers:
        if layer.name == name:
            if not {"level", "stored", "quantized"} <= set(layer.histograms):
                raise ReproductionError(f"{name}: abacus-train activations wrote no histograms")
            return layer
    raise ReproductionError(f"abacus-train activations wrote nothing of {name}")


def figure4(name, settings, checkpoints):
    from asq_paper_figures import before_and_after
    from .figures import draw
    dataset, bits, found = compared(settings, checkpoints, 2, LAYER)
    layers = {method: one_layer(of, LAYER) for method, of in found.items()}
    write_csv(settings.out / f"{name}.csv",
              ["method", "layer", "bits", "histogram", "from", "to", "count"],
              [[method, LAYER, bits, quantity, low, high, f"{count:.0f}"]
               for method, layer in layers.items() for quantity, of in layer.histograms.items()
               for low, high, count in of])
    draw(name, settings, before_and_after(layers, f"{LAYER} of ResNet-20, {dataset}, {bits} bits"))


def errors(name, settings, checkpoints, quantity, wanted, drawn, by_hindsight=(),
           relative=False):
    """Errors by layer, LSQ beside ASQ. `by_hindsight`: (method, words, quantity): what a method's
    tensors could have had, as lines of their own. `relative`: drawn in percent of what is quantized."""
    from .figures import draw
    dataset, bits, found = compared(settings, checkpoints, 3)
    by_method = {method: [layer for layer in of if wanted(layer)] for method, of in found.items()}
    names = {tuple(layer.name for layer in of) for of in by_method.values()}
    if len(names) != 1 or not next(iter(names)):
        raise ReproductionError("the packages of LSQ and ASQ do not have the same layers")
    norm = quantity.replace("error", "norm")
    series = [(method, of, quantity) for method, of in by_method.items()]
    series += [(f"{method}, {words}", by_method[method], other)
               for method, words, other in by_hindsight]
    write_csv(settings.out / f"{name}.csv",
              ["method", "layer", "bits", "error_mean", "error_deviation", "norm_mean"],
              [[method, layer.name, bits, f"{layer.mean(of_this):.6g}",
                f"{layer.deviation(of_this):.6g}", f"{layer.mean(norm):.6g}"]
               for method, of, of_this in series for layer in of])

    def shown(layer, of_this):
        unit = layer.mean(norm) / 100 if relative else 1
        return layer.name, layer.mean(of_this) / unit, layer.deviation(of_this) / unit

    draw(name, settings, drawn({method: [shown(layer, of_this) for layer in of]
                                for method, of, of_this in series},
                               f"ResNet-20, {dataset}, {bits} bits"))


def figure5(name, settings, checkpoints):
    from asq_paper_figures import block_errors
    errors(name, settings, checkpoints, "output_error", lambda layer: layer.ends_block,
           block_errors)


def figure6(name, settings, checkpoints):
    from asq_paper_figures import quantization_errors
    errors(name, settings, checkpoints, "input_error", lambda layer: layer.quantizes,
           quantization_errors,
           [("LSQ", "best step for all images", "common_step_error"),
            ("LSQ", "best step for each image", "own_step_error")], relative=True)


FIGURES = {"asq-figure3": figure3, "asq-figure4": figure4, "asq-figure5": figure5,
           "asq-figure6": figure6}
