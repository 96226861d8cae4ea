"""The picture of a scenario's runs: accuracy against energy, with the front."""

import io
import pathlib
from typing import Any

import matplotlib.pyplot as plt

from abacus.output import say, write_output
from abacus.plot_style import colour, plain
from abacus.results import Run, read_results

INCHES = (8.4, 4.2)
PLACES = [(8, y) for y in (5, -13, -23, 16, -33)]  # of a name, in points from its run's point
MARKS = "osD^vP"  # a network of another arithmetic has another


def front(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those of which no other one has at most the energy and at least the accuracy, by energy."""
    best: list[tuple[float, float]] = []
    for energy, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or accuracy > best[-1][1]:
            best.append((energy, accuracy))
    return best


def drawn(runs: list[Run]) -> Any:
    """A figure; each run is named at its point."""
    figure, axes = plt.subplots(figsize=INCHES, layout="constrained")
    kinds = list(dict.fromkeys(run["arithmetic"] for run in runs))
    points = [(run["energy_per_image_uj"], run["accuracy_percent"]) for run in runs]
    axes.step(*zip(*front(points)), where="post", color="#888888", linewidth=1, zorder=1)
    for run, point in zip(runs, points):
        kind = kinds.index(run["arithmetic"])
        axes.scatter(*point, color=colour(kind), marker=MARKS[kind % len(MARKS)], zorder=2)
    axes.set_xlabel("energy an image, µJ, accelerator and DRAM")
    axes.set_ylabel("accuracy, %")
    axes.margins(y=0.09)
    axes.set_xlim(right=axes.get_xlim()[1] * 1.12)  # for the names
    axes.set_title("ResNet-20 on 10,000 images of Fashion-MNIST: nine accelerators")
    put_names(figure, axes, runs, points)
    return figure


def put_names(figure: Any, axes: Any, runs: list[Run], points: list[tuple[float, float]]) -> None:
    """Each right of its point, where it covers neither a point nor another name."""
    figure.draw_without_rendering()  # settles the scales
    marks = [axes.transData.transform(point) for point in points]
    taken: list[Any] = []
    for run, point in zip(runs, points):
        name = axes.annotate(
            plain(run["name"]), point, textcoords="offset points", xytext=(0, 0), fontsize=9
        )
        for place in PLACES:
            name.set_position(place)
            box = name.get_window_extent()
            if not any(box.overlaps(other) for other in taken) and not any(
                box.contains(*mark) for mark in marks
            ):
                break
        taken.append(box)


def draw(results: pathlib.Path, file: pathlib.Path) -> None:
    """Writes it as SVG, the same for the same results."""
    figure = drawn(read_results(results)["runs"])
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None})
    plt.close(figure)
    write_output(file, content.getvalue())
    say(file)
