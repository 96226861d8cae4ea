"""The tables of the AdderNet quantization paper (Nie et al., NeurIPS 2022), and those of its
figures 5 and 6."""

from abacus.cells.cell import CITED, PTQ, QAT, Cell, Outcomes
from abacus.cells.measures import ACCURACY, COST, POINTS_LOST, Measure, operations
from abacus.cells.runner import Runner
from abacus.tables.energy_ratio import ACCUMULATOR
from abacus.tables.table import Datasets, ExtraLine, Table, float_cell

# Section 4.1: α; the settings of the float training but for the learning rate. That training's
# adaptive rate has η = 0.2, and it clips no gradients (0: off).
PAPER_ALPHA = ("alpha", "0.999")
PAPER_TRAINING = (
    ("lr", "1e-4"),
    ("batch", "256"),
    ("momentum", "0.9"),
    ("weight_decay", "5e-4"),
    ("adder_rate", "0.2"),
    ("gradient_clip", "0"),
    ("train_on", "train_all"),
)
PAPER_EPOCHS = 50

OptionTexts = dict[str, str]


def paper_ptq(
    network: str,
    dataset: str,
    bits: int,
    method: str = "PTQ",
    options: OptionTexts | None = None,
    hardware: tuple[tuple[str, str], ...] = (),
) -> Cell:
    """AdderQuant as published: four groups, both clamps, one α for every width."""
    return Cell(
        PTQ,
        network,
        dataset,
        method,
        bits,
        scheme="adderquant-ptq",
        options=(PAPER_ALPHA, *(options or {}).items()),
        hardware=hardware,
    )


def paper_qat(
    network: str,
    dataset: str,
    bits: int,
    method: str = "QAT",
    scheme: str = "adderquant",
    options: OptionTexts | None = None,
    published_as: str = "",
) -> Cell:
    """Trained by the paper's recipe."""
    alpha = (PAPER_ALPHA,) if scheme == "adderquant" else ()
    return Cell(
        QAT,
        network,
        dataset,
        method,
        bits,
        scheme=scheme,
        options=(*alpha, *(options or {}).items()),
        training=PAPER_TRAINING,
        paper_epochs=PAPER_EPOCHS,
        published_as=published_as,
    )


def table1(datasets: Datasets) -> list[Cell]:
    """Three networks after training, and trained at 4 bits."""
    cells = []
    for network in ("vgg-small", "resnet20", "resnet32"):
        for dataset in datasets:
            cells.append(float_cell(network, dataset))
            cells += [paper_ptq(network, dataset, bits) for bits in (8, 6, 5, 4)]
            cells.append(paper_qat(network, dataset, 4))
    return cells


def ablation(datasets: Datasets, methods: list[tuple[str, OptionTexts]]) -> list[Cell]:
    """Each method after training and with training. The paper's ablations are of trained networks:
    its best figure there is Table 1's QAT."""
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset))
        for method, options in methods:
            cells.append(paper_ptq("resnet20", dataset, 4, f"{method}, PTQ", options=options))
        for method, options in methods:
            cells.append(
                paper_qat(
                    "resnet20",
                    dataset,
                    4,
                    f"{method}, QAT",
                    options=options,
                    published_as=method,
                )
            )
    return cells


def table3(datasets: Datasets) -> list[Cell]:
    """The sub-methods."""

    def parts(groups: bool, weights: bool, activations: bool) -> OptionTexts:
        return {
            "groups": "4" if groups else "1",
            "weight_clamp": "true" if weights else "false",
            "activation_clamp": "true" if activations else "false",
        }

    return ablation(
        datasets,
        [
            ("no sub-method", parts(False, False, False)),
            ("groups", parts(True, False, False)),
            ("weight clamp", parts(False, True, False)),
            ("activation clamp", parts(False, False, True)),
            ("groups + weight clamp", parts(True, True, False)),
            ("groups + both clamps", parts(True, True, True)),
        ],
    )


GROUP_NUMBERS = (1, 2, 4, 8)


def group_text(groups: int) -> str:
    """How many, in words."""
    return f"{groups} group" if groups == 1 else f"{groups} groups"


def table4(datasets: Datasets) -> list[Cell]:
    """The number of groups."""
    return ablation(datasets, [(group_text(g), {"groups": str(g)}) for g in GROUP_NUMBERS])


def relative_operations(cell: Cell, outcomes: Outcomes) -> float | None:
    """Against the same network with one group."""
    options = dict(cell.options)
    run = outcomes[cell].run
    if run is None or options.get("groups") is None:
        return None
    for other, outcome in outcomes.items():
        if (
            outcome.run
            and dict(other.options) == {**options, "groups": "1"}
            and (other.kind, other.dataset) == (cell.kind, cell.dataset)
            and operations(outcome.run) > 0
        ):
            return operations(run) / operations(outcome.run)
    return None


def operations_of_proposition_2(groups: int, channels: int) -> float:
    """Relative operations of a 3×3 adder layer with as many input as output channels. A tap is two
    additions; the proof, for 4 groups, has the ratio 1/(6c + 1) = 3c / (18c² + 3c): each further
    group quantizes the c inputs once more."""
    return 1 + (groups - 1) * channels / (18 * channels**2 + 3 * channels)


def proposition_2(_outcomes: Outcomes, _runner: Runner) -> list[ExtraLine]:
    """By the paper's formula."""
    note = "by the formula: 1 + (g − 1)c / (18c² + 3c); with 4 groups the addition is 1/(6c + 1)"
    return [
        ExtraLine(
            "32 channels in and out",
            group_text(g),
            4,
            "x operations",
            operations_of_proposition_2(g, 32),
            note,
        )
        for g in GROUP_NUMBERS
    ]


def table5(datasets: Datasets) -> list[Cell]:
    """The group methods."""
    methods = ("uniform", "all", "mean", "max")
    return ablation(datasets, [(name, {"groups": "4", "group_method": name}) for name in methods])


def qssf_ptq(dataset: str, bits: int, shared: str) -> Cell:
    """One shared scale, that of the activations or of the weights."""
    return Cell(
        PTQ,
        "resnet20",
        dataset,
        f"QSSF PTQ, scale of the {shared}",
        bits,
        scheme="qssf-ptq",
        options=(("shared_scale", shared),),
    )


def figure5(datasets: Datasets) -> list[Cell]:
    """QSSF against AdderQuant."""
    cells = []
    for bits, methods in (
        (8, ["AdderQuant PTQ"]),
        (6, ["AdderQuant PTQ"]),
        (5, ["QSSF PTQ", "AdderQuant PTQ"]),
        (4, ["QSSF PTQ", "AdderQuant PTQ"]),
    ):
        for method in methods:
            note = "no ImageNet here; compare the trend"
            cells.append(Cell(CITED, "resnet18", "imagenet", method, bits, note=note))
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset))
        for bits in (8, 6, 5, 4):
            cells += [qssf_ptq(dataset, bits, shared) for shared in ("activations", "weights")]
            cells.append(paper_ptq("resnet20", dataset, bits, "AdderQuant PTQ"))
        cells.append(paper_qat("resnet20", dataset, 4, "QSSF QAT", "qssf"))
        cells.append(paper_qat("resnet20", dataset, 4, "AdderQuant QAT"))
    return cells


FIGURE6_BITS = (8, 6, 5, 4)


def figure6(datasets: Datasets) -> list[Cell]:
    """AdderNet, CNN and ShiftAddNet."""

    def other(dataset: str, method: str, bits: int, arithmetic: str, scheme: str) -> Cell:
        return Cell(
            PTQ,
            "resnet20",
            dataset,
            method,
            bits,
            arithmetic,
            scheme=scheme,
            hardware=ACCUMULATOR,
        )

    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset, "adder", "AdderNet float"))
        cells.append(float_cell("resnet20", dataset, "cnn", "CNN float"))
        cells.append(float_cell("resnet20", dataset, "shiftaddnet", "ShiftAddNet float"))
        for bits in FIGURE6_BITS:
            cells.append(
                paper_ptq("resnet20", dataset, bits, "AdderNet, AdderQuant", hardware=ACCUMULATOR)
            )
            cells.append(other(dataset, "CNN, BRECQ", bits, "cnn", "brecq"))
            cells.append(other(dataset, "ShiftAddNet", bits, "shiftaddnet", "shiftaddnet"))
    return cells


Point = tuple[float, float, Cell]  # energy, accuracy


def at_equal_energy(outcomes: Outcomes, _runner: Runner) -> list[str]:
    """The paper's statement, "under similar energy cost, the quantized Adder ResNet-20 with our
    method achieves a higher accuracy": for each other point the best AdderNet point that costs no
    more."""
    points: dict[str, dict[str, list[Point]]] = {}
    for cell, outcome in outcomes.items():
        if cell.kind == PTQ and outcome.run:
            run = outcome.run
            points.setdefault(cell.row, {}).setdefault(cell.arithmetic, []).append(
                (run["energy_per_image_uj"], run["accuracy_percent"], cell)
            )
    paragraphs = []
    for row, by_arithmetic in points.items():
        sentences = [
            sentence_at_equal_energy(point, by_arithmetic["adder"])
            for arithmetic in ("cnn", "shiftaddnet")
            for point in by_arithmetic.get(arithmetic, [])
            if "adder" in by_arithmetic
        ]
        if sentences:
            paragraphs.append(f"**At equal energy, {row}.** {'; '.join(sentences)}.")
    return paragraphs


def sentence_at_equal_energy(point: Point, adders: list[Point]) -> str:
    """Of one other point."""
    energy, accuracy, cell = point
    within = [(one[1], one[2].bits) for one in adders if one[0] <= energy]
    name = f"{cell.method} at {cell.bits} bits, {accuracy:.2f} % for {energy:.1f} µJ"
    if not within:
        return f"{name}: no AdderNet point costs as little"
    best_accuracy, bits = max(within)
    return (
        f"{name}: AdderNet of {bits} bits has {best_accuracy:.2f} % for "
        f"no more ({best_accuracy - accuracy:+.2f} points)"
    )


ABLATION_ABOUT = (
    "ResNet-20 AdderNet at 4 bits. The paper's ablations are of trained networks (QAT): its figure "
    "for the complete method is Table 1's. The same without training stands beside it, as PTQ."
)

TABLES = {
    "table1": Table(
        "Table 1: AdderQuant on CIFAR-10 and CIFAR-100",
        "AdderQuant (Nie et al., NeurIPS 2022): four groups, both clamps, α = 0.999. Points lost "
        "are counted against the float accuracy of the checkpoint, which is not the paper's.",
        table1,
    ),
    "table3": Table("Table 3: the sub-methods", ABLATION_ABOUT, table3),
    "table4": Table(
        "Table 4: the number of groups",
        ABLATION_ABOUT + " Operations: additions, multiplications and shifts of array, read "
        "quantizer, scale and vector unit that the models counted, relative to one group; below, "
        "Proposition 2.",
        table4,
        (ACCURACY, POINTS_LOST, Measure("x operations", relative_operations, "{:.4f}")) + COST,
        proposition_2,
    ),
    "table5": Table("Table 5: the group methods", ABLATION_ABOUT, table5),
    "figure5": Table(
        "Figure 5: one shared scale (QSSF) against AdderQuant",
        "The paper's Figure 5 (a) is ResNet-18 on ImageNet without training, (b) 4-bit ResNet-20 "
        "on CIFAR-100 with training. Ours is ResNet-20 in both.",
        figure5,
    ),
    "figure6": Table(
        "Figure 6: accuracy against energy",
        "ResNet-20 as AdderNet, CNN and ShiftAddNet. Published, for CIFAR-100 and energies "
        "measured on an FPGA: at similar energy AdderNet is the more accurate; the paper takes "
        "ShiftAddNet's energy as AdderNet's less 25.2 % and its "
        "accuracy (89.32 % on CIFAR-10) from ShiftAddNet's paper, whose network is not quantized "
        "further. Why the energy ratio is another one here: table energy-ratio.",
        figure6,
        (ACCURACY, POINTS_LOST) + COST,
        conclusions=at_equal_energy,
    ),
}
