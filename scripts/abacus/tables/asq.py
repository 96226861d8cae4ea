"""The tables of the ASQ and POST paper ("Precision Neural Network Quantization via Learnable
Adaptive Modules"): ordinary ResNet-20 trained with its quantizers."""

import math
import statistics
from collections.abc import Callable
from typing import Any

from abacus.cells.cell import DATASETS, QAT, Cell, Outcome, Outcomes
from abacus.cells.measures import ACCURACY, COST, POINTS_LOST, SPREAD, TRAINING_LOSS
from abacus.cells.runner import Runner
from abacus.tables.table import Datasets, ExtraLine, Table, float_cell

# Section 4.3, with the usual augmentation; it clips no gradients (0: off). On all training images.
PAPER_TRAINING = (
    ("lr", "0.04"),
    ("batch", "128"),
    ("momentum", "0.9"),
    ("weight_decay", "1e-4"),
    ("gradient_clip", "0"),
    ("train_on", "train_all"),
    ("crop_padding", "4"),
    ("flip", "true"),
)
PAPER_EPOCHS = 300


def quantized(
    dataset: str,
    method: str,
    bits: int,
    weights: str,
    activations: str,
    kind: str = QAT,
    seeded: bool = True,
    **more: Any,
) -> Cell:
    """Trained with these quantizers by the paper's recipe."""
    return Cell(
        kind,
        "resnet20",
        dataset,
        method,
        bits,
        "cnn",
        scheme="uniform",
        options=(("weight_quantizer", weights), ("activation_quantizer", activations)),
        training=PAPER_TRAINING,
        paper_epochs=PAPER_EPOCHS,
        seeded=seeded,
        **more,
    )


def table4(datasets: Datasets) -> list[Cell]:
    """LSQ, ASQ, ASQ with POST weights."""
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset, "cnn"))
        for bits in (2, 3, 4):
            cells.append(quantized(dataset, "LSQ", bits, "lsq", "lsq"))
            cells.append(quantized(dataset, "ASQ", bits, "lsq", "asq"))
            if bits > 2:  # of 2 bits POST would be ternary
                cells.append(quantized(dataset, "ASQ + POST", bits, "post", "asq"))
    return cells


def table5(datasets: Datasets) -> list[Cell]:
    """The ablation."""
    methods = (
        ("baseline (LSQ)", "lsq", "lsq"),
        ("POT for weights", "pot", "lsq"),
        ("POST for weights", "post", "lsq"),
        ("ASQ for activations", "lsq", "asq"),
        ("POST for weights + ASQ for activations", "post", "asq"),
    )
    cells = []
    for dataset in datasets:
        cells.append(float_cell("resnet20", dataset, "cnn"))
        for method, weights, activations in methods:
            cells.append(quantized(dataset, method, 4, weights, activations))
    return cells


ORDER = (("lsq-lsq", "LSQ"), ("lsq-asq", "ASQ"), ("post-asq", "ASQ + POST"))
ORDER_BITS = 4

BySeed = dict[int | None, float]
Named = tuple[str, list[float]]  # a method and its values


def accuracies_by_seed(outcome: Outcome) -> BySeed:
    """On the test images."""
    return {seed: run["accuracy_percent"] for seed, run in outcome.runs.items()}


def losses_by_seed(outcome: Outcome) -> BySeed:
    """Of the trainings."""
    return outcome.losses


def orders(
    outcomes: Outcomes, by_seed: Callable[[Outcome], BySeed] = accuracies_by_seed
) -> dict[str, list[Named]]:
    """By data set: the methods whose order the paper states, at 4 bits, with their values over the
    seeds that all of them have."""
    found: dict[str, dict[str, BySeed]] = {}
    for cell, outcome in outcomes.items():
        name = dict(ORDER).get(cell.quantizers)
        if name and cell.bits == ORDER_BITS:
            found.setdefault(cell.dataset, {})[name] = by_seed(outcome)
    result = {}
    for dataset, by_name in found.items():
        values = [by_name.get(name, {}) for _, name in ORDER]
        common = [seed for seed in values[0] if all(seed in of for of in values)]
        result[dataset] = [
            (name, [of[seed] for seed in common]) for (_, name), of in zip(ORDER, values)
        ]
    return result


def methods_without_runs(outcomes: Outcomes, dataset: str) -> list[str]:
    """Of those whose order the paper states."""
    there = {
        cell.quantizers
        for cell, outcome in outcomes.items()
        if (cell.dataset, cell.bits) == (dataset, ORDER_BITS) and outcome.runs
    }
    return [name for quantizers, name in ORDER if quantizers not in there]


def holds(order: list[Named]) -> bool | None:
    """Whether the means rise; None while a method has none."""
    if not all(values for _, values in order):
        return None
    means = [statistics.fmean(values) for _, values in order]
    return all(low < high for low, high in zip(means, means[1:]))


def order_lines(outcomes: Outcomes, _runner: Runner) -> list[ExtraLine]:
    """Yes or no, a data set."""
    text = {True: "yes", False: "no", None: None}
    return [
        ExtraLine(
            f"order at {ORDER_BITS} bits, {DATASETS[dataset]}",
            " < ".join(name for name, _ in order),
            ORDER_BITS,
            "order holds",
            text[holds(order)],
            "by the means over the seeds; in words below the table",
        )
        for dataset, order in orders(outcomes).items()
    ]


def with_spread(values: list[float]) -> str:
    """Mean and deviation in words."""
    if len(values) == 1:
        return f"{values[0]:.2f} % (one seed)"
    return (
        f"{statistics.fmean(values):.2f} ± {statistics.stdev(values):.2f} % "
        f"({len(values)} seeds)"
    )


def step_text(low: Named, high: Named) -> str:
    """The difference of two methods' means, beside the standard error of that difference."""
    (low_name, below), (high_name, above) = low, high
    difference = statistics.fmean(above) - statistics.fmean(below)
    text = f"from {low_name} to {high_name} {difference:+.2f} points"
    if len(below) > 1 and len(above) > 1:
        error = math.sqrt(
            statistics.variance(below) / len(below) + statistics.variance(above) / len(above)
        )
        text += f" (standard error {error:.2f}"
        text += ": within chance)" if abs(difference) <= 2 * error else ")"
    else:
        text += " (one seed tells nothing of chance)"
    return text


def losses_in_words(order: list[Named]) -> str:
    """How well the trainings themselves ended, where chance among the test images has no part."""
    if not all(values for _, values in order):
        return ""
    parts = [
        f"{name} {statistics.fmean(values):.4f}"
        + (f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else "")
        for name, values in order
    ]
    return f" The trainings' loss in the last epoch: {', '.join(parts)}."


def order_in_words(outcomes: Outcomes, _runner: Runner) -> list[str]:
    """The order at 4 bits, LSQ < ASQ < ASQ + POST, and what the seeds' spread says of it."""
    paragraphs = []
    losses = orders(outcomes, losses_by_seed)
    for dataset, order in orders(outcomes).items():
        start = f"**Order at {ORDER_BITS} bits, {DATASETS[dataset]}**"
        missing = methods_without_runs(outcomes, dataset)
        if missing:
            paragraphs.append(
                f"{start}: not measured, since there is no run of {', '.join(missing)}."
            )
            continue
        if not order[0][1]:
            paragraphs.append(f"{start}: not measured, since the methods have no seed in common.")
            continue
        verdict = (
            "the order LSQ < ASQ < ASQ + POST holds"
            if holds(order)
            else "the order LSQ < ASQ < ASQ + POST does not hold"
        )
        values = "; ".join(f"{name} {with_spread(of)}" for name, of in order)
        steps = ", ".join(step_text(*pair) for pair in zip(order, order[1:]))
        paragraphs.append(
            f"{start}: {values}. By the means {verdict}: {steps}."
            + losses_in_words(losses[dataset])
        )
    return paragraphs


ABOUT = (
    "ResNet-20 as an ordinary CNN, trained from its float checkpoint; first convolution and "
    "classifier have 8 bits. The paper's recipe: 300 epochs of SGD, learning rate 0.04 with a "
    "cosine, batch 128, momentum 0.9, weight decay 1e-4, no clipping of gradients; the notes tell "
    "what was trained. "
    "Accuracies are means over the seeds, the spread is their sample standard deviation; cycles "
    "and energy are those of the first seed."
)
MEASURES = (ACCURACY, SPREAD, POINTS_LOST, TRAINING_LOSS) + COST

TABLES = {
    "asq-table4": Table(
        "ASQ paper, Table 4: LSQ, ASQ, and ASQ with POST weights",
        ABOUT,
        table4,
        MEASURES,
        order_lines,
        order_in_words,
    ),
    "asq-table5": Table(
        "ASQ paper, Table 5: its parts, 4 bits",
        ABOUT,
        table5,
        MEASURES,
        order_lines,
        order_in_words,
    ),
}
