"""Tables of our own: the best scheme at each width, storage precision, operand grids, arithmetics
side by side."""

from abacus.cells.cell import PTQ, QAT, Cell
from abacus.cells.measures import ACCURACY, COST, DRAM_TRAFFIC, POINTS_LOST, SRAM_TRAFFIC
from abacus.tables.adderquant import PAPER_ALPHA, group_text, paper_ptq
from abacus.tables.table import Datasets, Table, float_cell

ALL_BITS = (8, 6, 5, 4, 3, 2)
# With the adder layers' true gradients and without labels (docs/results.md).
BEST_TRAINING = (
    ("lr", "0.002"),
    ("optimizer", "adam"),
    ("adder_gradient", "exact"),
    ("distill", "1"),
    ("temperature", "4"),
    ("train_on", "train_all"),
    ("crop_padding", "4"),
    ("flip", "true"),
    ("bn_images", "10000"),
)


def best_ptq(dataset: str, bits: int, method: str, published_as: str = "") -> Cell:
    """Without training, adder layers."""
    return Cell(
        PTQ,
        "resnet20",
        dataset,
        method,
        bits,
        scheme="best-ptq",
        published_as=published_as,
    )


def best_qat(dataset: str, bits: int) -> Cell:
    """With training, up to 4 bits."""
    return Cell(
        QAT,
        "resnet20",
        dataset,
        "our best QAT",
        bits,
        scheme="nonnegative",
        training=BEST_TRAINING,
        published_as="QAT",
        train=bits <= 4,
    )


def best(datasets: Datasets) -> list[Cell]:
    """After and with training."""
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset))
        cells += [best_ptq(dataset, bits, "our best PTQ", "PTQ") for bits in ALL_BITS]
        cells += [best_qat(dataset, bits) for bits in ALL_BITS]
    return cells


def storage(datasets: Datasets) -> list[Cell]:
    """Widths of what is stored between layers."""
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset))
        for scheme, name in (("adderquant-ptq", "AdderQuant PTQ"), ("best-ptq", "our best PTQ")):
            for bits in (8, 4):
                for stored in (8, 10, 12, 16):
                    cells.append(
                        Cell(
                            PTQ,
                            "resnet20",
                            dataset,
                            f"{name}, {stored} bits stored",
                            bits,
                            scheme=scheme,
                            options=(PAPER_ALPHA,) if scheme == "adderquant-ptq" else (),
                            storage_bits=stored,
                        )
                    )
    return cells


def on_grid(dataset: str, bits: int, grid: str, groups: int) -> Cell:
    """One operand grid with so many groups; the non-negative one is a scheme of its own."""
    own = () if grid == "non-negative" else (("operand_grid", grid),)
    return Cell(
        PTQ,
        "resnet20",
        dataset,
        f"{grid} grid, {group_text(groups)}",
        bits,
        scheme="nonnegative-ptq" if grid == "non-negative" else "adderquant-ptq",
        options=(("groups", str(groups)), *own),
    )


def nonnegative(datasets: Datasets) -> list[Cell]:
    """Each grid as it is usually, and with the other number of groups where that matters."""
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


def cnn(datasets: Datasets) -> list[Cell]:
    """CNN, BNN and AdderNet."""

    def ordinary(dataset: str, scheme: str, bits: int) -> Cell:
        return Cell(PTQ, "resnet20", dataset, f"CNN, {scheme}", bits, "cnn", scheme=scheme)

    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset, "cnn", "CNN float"))
        for bits in ALL_BITS:
            cells += [ordinary(dataset, scheme, bits) for scheme in ("uniform-ptq", "brecq")]
        cells.append(Cell(PTQ, "resnet20", dataset, "BNN", 1, "bnn", scheme="bnn"))
        cells.append(float_cell("resnet20", dataset, "adder", "adder float"))
        for bits in ALL_BITS:
            cells.append(paper_ptq("resnet20", dataset, bits, "adder, adderquant-ptq"))
            cells.append(best_ptq(dataset, bits, "adder, best-ptq"))
    return cells


TABLES = {
    "best": Table(
        "Our own best scheme at each width",
        "Published is AdderQuant at the same width.",
        best,
        (ACCURACY, POINTS_LOST) + COST,
        published_in="table1",
    ),
    "storage": Table(
        "Storage precision of the tensors between layers",
        "One image's traffic, cycles and energy. Layers compute at the width in the column bits.",
        storage,
        (ACCURACY, POINTS_LOST, DRAM_TRAFFIC, SRAM_TRAFFIC) + COST,
    ),
    "nonnegative": Table(
        "Operand grids: the paper's groups and the non-negative grid",
        "Each group of output channels streams a layer's activations once more; the non-negative "
        "grid needs no groups. Every grid has its default α at each width.",
        nonnegative,
        (ACCURACY, POINTS_LOST) + COST,
    ),
    "cnn": Table(
        "CNN, BNN and AdderNet on the same accelerator",
        "ResNet-20. The array has multipliers for CNNs and adders for AdderNets.",
        cnn,
        (ACCURACY, POINTS_LOST) + COST,
    ),
}
