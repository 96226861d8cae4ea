"""The AdderNet quantization paper's figures from our own data: 1, 2 and 4 from `abacus-train
statistics`, 5 and 6 from their tables, 5 from the trainings' metrics too."""

import csv
import pathlib

from abacus.cells.cell import DATASETS, PTQ, QAT
from abacus.checkpoint import Checkpoint
from abacus.figures.adderquant_plots import (
    Course,
    accuracy_and_energy,
    distributions,
    losses_and_courses,
    ranges,
    shared_and_own_scales,
)
from abacus.figures.request import NETWORK, MakeFigure, Request, name_of
from abacus.figures.saving import save
from abacus.output import write_output
from abacus.programs.statistics import LayerStatistics, statistics
from abacus.tables.published import Published

LAYER = "layer1.1.conv2"  # the paper's example (section 2.2)
BINS = 20000
METRICS = ("epoch", "train_loss", "train_accuracy_percent", "validation_accuracy_percent")


def statistics_of(request: Request, checkpoint: Checkpoint) -> dict[str, LayerStatistics]:
    """The checkpoint's, with histograms of the example."""
    return statistics(request.programs, checkpoint, LAYER, BINS, request.settings.runs)


def figure1(request: Request) -> None:
    """Shared and own scales."""
    adder = request.checkpoint("adder")
    cnn = request.find_checkpoint("cnn")
    figure = shared_and_own_scales(
        statistics_of(request, adder)[LAYER],
        statistics_of(request, cnn)[LAYER] if cnn else None,
        f"{LAYER} of {name_of(adder)}",
    )
    save(request.name, request.settings, figure)


def figure2(request: Request) -> None:
    """Ranges."""
    adder = request.checkpoint("adder")
    figure = ranges(statistics_of(request, adder), LAYER, name_of(adder))
    save(request.name, request.settings, figure)


def figure4(request: Request) -> None:
    """Distributions before and after the clamps."""
    adder = request.checkpoint("adder")
    figure = distributions(statistics_of(request, adder)[LAYER], f"{LAYER} of {name_of(adder)}")
    save(request.name, request.settings, figure)


def read_metrics(package: pathlib.Path) -> Course:
    """The lines of a training's metrics; none where they are not there."""
    try:
        with open(package.with_suffix(".csv"), encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError:
        return []


def figure5(request: Request) -> None:
    """Points lost, and the trainings' courses."""
    losses: dict[str, dict[str, dict[int, float]]] = {}
    courses: dict[str, dict[str, Course]] = {}
    lines = [["row", "method", *METRICS]]
    for cell, outcome in (request.outcomes or {}).items():
        if cell.kind == PTQ and outcome.run and outcome.float_accuracy is not None:
            lost = outcome.float_accuracy - outcome.run["accuracy_percent"]
            by_method = losses.setdefault(DATASETS[cell.dataset], {})
            by_method.setdefault(cell.method, {})[cell.bits] = lost
        if cell.kind == QAT and outcome.package:
            course = read_metrics(outcome.package)
            if course:
                courses.setdefault(DATASETS[cell.dataset], {})[cell.method] = course
                lines += [
                    [cell.row, cell.method, *(line[name] for name in METRICS)] for line in course
                ]
    write_output(
        request.settings.out / f"{request.name}-courses.csv",
        "\n".join(",".join(line) for line in lines) + "\n",
    )
    if losses or courses:
        save(request.name, request.settings, losses_and_courses(losses, courses))


def figure6(request: Request) -> None:
    """Accuracy against energy."""
    points: dict[str, dict[str, list[tuple[float, float, int]]]] = {}
    stated: dict[str, tuple[float, float]] = {}
    published = Published()
    ratio = published.value(
        "energy-ratio", "as published", "", "ShiftAddNet / AdderNet", 32, "x energy"
    )
    for cell, outcome in (request.outcomes or {}).items():
        if cell.kind != PTQ or not outcome.run:
            continue
        dataset, energy = DATASETS[cell.dataset], outcome.run["energy_per_image_uj"]
        points.setdefault(dataset, {}).setdefault(cell.method, []).append(
            (energy, outcome.run["accuracy_percent"], cell.bits)
        )
        accuracy = published.value("figure6", NETWORK, cell.dataset, "ShiftAddNet float", 32, "%")
        if cell.arithmetic == "adder" and cell.bits == 8 and None not in (ratio, accuracy):
            assert ratio is not None and accuracy is not None
            stated[dataset] = (ratio * energy, accuracy)
    if points:
        save(request.name, request.settings, accuracy_and_energy(points, stated))


FIGURES: dict[str, MakeFigure] = {
    "figure1": figure1,
    "figure2": figure2,
    "figure4": figure4,
    "figure5": figure5,
    "figure6": figure6,
}
