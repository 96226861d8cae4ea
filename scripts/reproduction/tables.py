"""The tables that scripts/reproduce makes: which cells, which measures."""

from dataclasses import replace

from . import asq_tables, cost_tables, overhead_table
from .cells import (ACCURACY, CITED, COST, DRAM_TRAFFIC, FLOAT, POINTS_LOST, PTQ, QAT, SRAM_TRAFFIC,
                    Cell, Measure, operations)
from .errors import ReproductionError
from .table import ExtraLine, Table, float_cell

# Section 4.1: α; the settings of the float training but for the learning rate. That training's
# adaptive rate has η = 0.2, and it clips no gradients (0: off).
PAPER_ALPHA = ("alpha", "0.999")
PAPER_TRAINING = (("lr", "1e-4"), ("batch", "256"), ("momentum", "0.9"), ("weight_decay", "5e-4"),
                  ("adder_rate", "0.2"), ("gradient_clip", "0"), ("train_on", "train_all"))
# Our own, with the adder layers' true gradients and without labels (docs/results.md).
BEST_TRAINING = (("lr", "0.002"), ("optimizer", "adam"), ("adder_gradient", "exact"),
                 ("distill", "1"), ("temperature", "4"), ("train_on", "train_all"), ("crop_padding", "4"),
                 ("flip", "true"), ("bn_images", "10000"))
ALL_BITS = (8, 6, 5, 4, 3, 2)
STORAGE_BITS = range(2, 17)


def paper_ptq(network, dataset, bits, method="PTQ", **more):
    """AdderQuant as published: four groups, both clamps, one α for every width."""
    options = dict((PAPER_ALPHA,), **more.pop("options", {}))
    return Cell(PTQ, network, dataset, method, bits, scheme="adderquant-ptq",
                options=tuple(options.items()), **more)


def paper_qat(network, dataset, bits, method="QAT", scheme="adderquant", **more):
    alpha = (PAPER_ALPHA,) if scheme == "adderquant" else ()
    options = dict(alpha, **more.pop("options", {}))
    return Cell(QAT, network, dataset, method, bits, scheme=scheme,
                options=tuple(options.items()), training=PAPER_TRAINING, paper_epochs=50, **more)


def table1(datasets):
    cells = []
    for network in ("vgg-small", "resnet20", "resnet32"):
        for dataset in datasets:
            cells.append(float_cell(network, dataset))
            cells += [paper_ptq(network, dataset, bits) for bits in (8, 6, 5, 4)]
            cells.append(paper_qat(network, dataset, 4))
    return cells


def ablation(datasets, methods):
    """Each method after training and with training. The paper's ablations are of trained networks:
    its best figure there is Table 1's QAT."""
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset))
        for method, options in methods:
            cells.append(paper_ptq("resnet20", dataset, 4, f"{method}, PTQ", options=options))
        for method, options in methods:
            cells.append(paper_qat("resnet20", dataset, 4, f"{method}, QAT", options=options,
                                   published_as=method))
    return cells


def table3(datasets):
    def parts(groups, weights, activations):
        return {"groups": "4" if groups else "1", "weight_clamp": "true" if weights else "false",
                "activation_clamp": "true" if activations else "false"}
    return ablation(datasets, [("no sub-method", parts(False, False, False)),
                               ("groups", parts(True, False, False)),
                               ("weight clamp", parts(False, True, False)),
                               ("activation clamp", parts(False, False, True)),
                               ("groups + weight clamp", parts(True, True, False)),
                               ("groups + both clamps", parts(True, True, True))])


GROUP_NUMBERS = (1, 2, 4, 8)


def group_text(groups):
    return f"{groups} group" if groups == 1 else f"{groups} groups"


def table4(datasets):
    return ablation(datasets, [(group_text(g), {"groups": str(g)}) for g in GROUP_NUMBERS])


def relative_operations(cell, outcomes):
    """Against the same network with one group."""
    options = dict(cell.options)
    run = outcomes[cell].run
    if run is None or options.get("groups") is None:
        return None
    for other, outcome in outcomes.items():
        if (outcome.run and dict(other.options) == {**options, "groups": "1"}
                and (other.kind, other.dataset) == (cell.kind, cell.dataset)
                and operations(outcome.run) > 0):
            return operations(run) / operations(outcome.run)
    return None


def operations_of_proposition_2(groups, channels):
    """Relative operations of a 3×3 adder layer with as many input as output channels. A tap is two
    additions; the proof, for 4 groups, has the ratio 1/(6c + 1) = 3c / (18c² + 3c): each further
    group quantizes the c inputs once more."""
    return 1 + (groups - 1) * channels / (18 * channels**2 + 3 * channels)


def proposition_2(_outcomes, _runner):
    note = "by the formula: 1 + (g − 1)c / (18c² + 3c); with 4 groups the addition is 1/(6c + 1)"
    return [ExtraLine("32 channels in and out", group_text(g), 4, "x operations",
                      operations_of_proposition_2(g, 32), note) for g in GROUP_NUMBERS]


def table5(datasets):
    return ablation(datasets, [(name, {"groups": "4", "group_method": name})
                               for name in ("uniform", "all", "mean", "max")])


def figure5(datasets):
    cells = []
    for bits, methods in ((8, ["AdderQuant PTQ"]), (6, ["AdderQuant PTQ"]),
                          (5, ["QSSF PTQ", "AdderQuant PTQ"]),
                          (4, ["QSSF PTQ", "AdderQuant PTQ"])):
        for method in methods:
            cells.append(Cell(CITED, "resnet18", "imagenet", method, bits,
                              note="no ImageNet here; compare the trend"))
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset))
        for bits in (8, 6, 5, 4):
            for shared in ("activations", "weights"):
                cells.append(Cell(PTQ, "resnet20", dataset,
                                  f"QSSF PTQ, scale of the {shared}", bits, scheme="qssf-ptq",
                                  options=(("shared_scale", shared),)))
            cells.append(paper_ptq("resnet20", dataset, bits, "AdderQuant PTQ"))
        cells.append(paper_qat("resnet20", dataset, 4, "QSSF QAT", "qssf"))
        cells.append(paper_qat("resnet20", dataset, 4, "AdderQuant QAT"))
    return cells


def best(datasets):
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset))
        for bits in ALL_BITS:
            cells.append(Cell(PTQ, "resnet20", dataset, "our best PTQ", bits, scheme="best-ptq",
                              published_as="PTQ"))
        for bits in ALL_BITS:
            cells.append(Cell(QAT, "resnet20", dataset, "our best QAT", bits, scheme="nonnegative",
                              training=BEST_TRAINING, published_as="QAT",
                              train=bits <= 4))
    return cells


def storage(datasets):
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset))
        for scheme, name in (("adderquant-ptq", "AdderQuant PTQ"), ("best-ptq", "our best PTQ")):
            options = (PAPER_ALPHA,) if scheme == "adderquant-ptq" else ()
            for bits in (8, 4):
                for stored in (8, 10, 12, 16):
                    cells.append(Cell(PTQ, "resnet20", dataset, f"{name}, {stored} bits stored",
                                      bits, scheme=scheme, options=options, storage_bits=stored))
    return cells


def on_grid(dataset, bits, grid, groups):
    """One operand grid with so many groups; the non-negative one is a scheme of its own."""
    options = [("groups", str(groups))]
    if grid != "non-negative":
        options.append(("operand_grid", grid))
    scheme = "nonnegative-ptq" if grid == "non-negative" else "adderquant-ptq"
    return Cell(PTQ, "resnet20", dataset, f"{grid} grid, {group_text(groups)}", bits,
                scheme=scheme, options=tuple(options))


def nonnegative(datasets):
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset))
        for bits in ALL_BITS:
            for grid in ("symmetric", "unsigned", "non-negative"):
                usual = 1 if grid == "non-negative" else 4
                for groups in (4, 1):
                    if groups == usual or bits <= 4:
                        cells.append(on_grid(dataset, bits, grid, groups))
    return cells


def cnn(datasets):
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset, "cnn", "CNN float"))
        for bits in ALL_BITS:
            for scheme in ("uniform-ptq", "brecq"):
                cells.append(Cell(PTQ, "resnet20", dataset, f"CNN, {scheme}", bits, "cnn",
                                  scheme=scheme))
        cells.append(Cell(PTQ, "resnet20", dataset, "BNN", 1, "bnn", scheme="bnn"))
        cells.append(float_cell("resnet20", dataset, "adder", "adder float"))
        for bits in ALL_BITS:
            cells.append(paper_ptq("resnet20", dataset, bits, "adder, adderquant-ptq"))
            cells.append(Cell(PTQ, "resnet20", dataset, "adder, best-ptq", bits,
                              scheme="best-ptq"))
    return cells


FIGURE6_BITS = (8, 6, 5, 4)


def figure6(datasets):
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset, "adder", "AdderNet float"))
        cells.append(float_cell("resnet20", dataset, "cnn", "CNN float"))
        cells.append(float_cell("resnet20", dataset, "shiftaddnet", "ShiftAddNet float"))
        for bits in FIGURE6_BITS:
            cells.append(paper_ptq("resnet20", dataset, bits, "AdderNet, AdderQuant",
                                   hardware=cost_tables.ACCUMULATOR))
            cells.append(Cell(PTQ, "resnet20", dataset, "CNN, BRECQ", bits, "cnn", scheme="brecq",
                              hardware=cost_tables.ACCUMULATOR))
            cells.append(Cell(PTQ, "resnet20", dataset, "ShiftAddNet", bits, "shiftaddnet",
                              scheme="shiftaddnet", hardware=cost_tables.ACCUMULATOR))
    return cells


def at_equal_energy(outcomes, _runner):
    """The paper's statement, "under similar energy cost, the quantized Adder ResNet-20 with our
    method achieves a higher accuracy": for each other point the best AdderNet point that costs no more."""
    points = {}
    for cell, outcome in outcomes.items():
        if cell.kind == PTQ and outcome.run:
            points.setdefault(cell.row, {}).setdefault(cell.arithmetic, []).append(
                (outcome.run["energy_per_image_uj"], outcome.run["accuracy_percent"], cell))
    paragraphs = []
    for row, by_arithmetic in points.items():
        sentences = []
        for arithmetic in ("cnn", "shiftaddnet"):
            for energy, accuracy, cell in by_arithmetic.get(arithmetic, []):
                within = [(one[1], one[2].bits) for one in by_arithmetic.get("adder", [])
                          if one[0] <= energy]
                name = f"{cell.method} at {cell.bits} bits, {accuracy:.2f} % for {energy:.1f} µJ"
                if within:
                    best_accuracy, bits = max(within)
                    sentences.append(f"{name}: AdderNet of {bits} bits has {best_accuracy:.2f} % for "
                                     f"no more ({best_accuracy - accuracy:+.2f} points)")
                elif "adder" in by_arithmetic:
                    sentences.append(f"{name}: no AdderNet point costs as little")
        if sentences:
            paragraphs.append(f"**At equal energy, {row}.** {'; '.join(sentences)}.")
    return paragraphs


ABLATION_ABOUT = (
    "ResNet-20 AdderNet at 4 bits. The paper's ablations are of trained networks (QAT): its figure "
    "for the complete method is Table 1's. The same without training stands beside it, as PTQ.")

TABLES = {
    "table1": Table(
        "Table 1: AdderQuant on CIFAR-10 and CIFAR-100",
        "AdderQuant (Nie et al., NeurIPS 2022): four groups, both clamps, α = 0.999. Points lost "
        "are counted against the float accuracy of the checkpoint, which is not the paper's.",
        table1),
    "table3": Table("Table 3: the sub-methods", ABLATION_ABOUT, table3),
    "table4": Table(
        "Table 4: the number of groups",
        ABLATION_ABOUT + " Operations: additions, multiplications and shifts of array, read "
        "quantizer, scale and vector unit that the models counted, relative to one group; below, "
        "Proposition 2.",
        table4, (ACCURACY, POINTS_LOST, Measure("x operations", relative_operations, "{:.4f}"))
        + COST, proposition_2),
    "table5": Table("Table 5: the group methods", ABLATION_ABOUT, table5),
    "figure5": Table(
        "Figure 5: one shared scale (QSSF) against AdderQuant",
        "The paper's Figure 5 (a) is ResNet-18 on ImageNet without training, (b) 4-bit ResNet-20 on "
        "CIFAR-100 with training. Ours is ResNet-20 in both.", figure5),
    "figure6": Table(
        "Figure 6: accuracy against energy",
        "ResNet-20 as AdderNet, CNN and ShiftAddNet. Published, for CIFAR-100 and energies measured on "
        "an FPGA: at similar energy AdderNet is the more accurate; the paper takes ShiftAddNet's "
        "energy as AdderNet's less 25.2 % and its "
        "accuracy (89.32 % on CIFAR-10) from ShiftAddNet's paper, whose network is not quantized "
        "further. Why the energy ratio is another one here: table energy-ratio.",
        figure6, (ACCURACY, POINTS_LOST) + COST, conclusions=at_equal_energy),
    "best": Table(
        "Our own best scheme at each width",
        "Published is AdderQuant at the same width.", best, (ACCURACY, POINTS_LOST) + COST),
    "storage": Table(
        "Storage precision of the tensors between layers",
        "One image's traffic, cycles and energy. Layers compute at the width in the column bits.",
        storage, (ACCURACY, POINTS_LOST, DRAM_TRAFFIC, SRAM_TRAFFIC) + COST),
    "nonnegative": Table(
        "Operand grids: the paper's groups and the non-negative grid",
        "Each group of output channels streams a layer's activations once more; the non-negative "
        "grid needs no groups. Every grid has its default α at each width.", nonnegative, (ACCURACY, POINTS_LOST) + COST),
    "cnn": Table(
        "CNN, BNN and AdderNet on the same accelerator",
        "ResNet-20. The array has multipliers for CNNs and adders for AdderNets.", cnn,
        (ACCURACY, POINTS_LOST) + COST),
    **asq_tables.TABLES,
    **cost_tables.TABLES,
    **overhead_table.TABLES,
}

# Whose published figures a table shows beside ours, where they are another one's.
PUBLISHED_IN = {"best": "table1"}


def with_bits(cells, bits):
    """Only the cells of these widths, and the float ones."""
    return [cell for cell in cells if not bits or cell.kind == FLOAT or cell.bits in bits]


def takes_options(cell):
    return cell.kind == PTQ or cell.is_trained


def addresses(cell):
    """By which an option may say that it is for this cell: scheme, quantizers, ptq or qat."""
    return {cell.scheme, QAT if cell.is_trained else cell.kind, *cell.quantizers.split("-")} - {""}


def check_options(what, cells, options):
    """Refuses an option that would reach none of the cells of `what`."""
    known = set().union(*(addresses(cell) for cell in cells if takes_options(cell)))
    for scheme, name, value in options:
        if scheme and scheme not in known:
            raise ReproductionError(
                f"--option {scheme}:{name}={value}: {what} has no row of \"{scheme}\"; allowed: "
                + (", ".join(sorted(known)) or "none, nothing is quantized"))


def with_options(cell, options):
    """The cell with those of the user's options that are for it."""
    if not takes_options(cell):
        return cell
    chosen = {name: value for scheme, name, value in options
              if not scheme or scheme in addresses(cell)}
    # A cell's own field, which scenarios and trainings' commands name already.
    stored = chosen.pop("storage_bits", None)
    if stored is not None:
        if not stored.isdecimal() or int(stored) not in STORAGE_BITS:
            raise ReproductionError(f"--option storage-bits={stored}: found {stored}; allowed: "
                                    f"{STORAGE_BITS[0]} to {STORAGE_BITS[-1]}")
        cell = replace(cell, storage_bits=int(stored))
    return replace(cell, more_options=tuple(chosen.items()))
