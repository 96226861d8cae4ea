"""Plots of results and studies as functions, for notebooks and documents (docs/python.md). Each
takes a frame of abacus.frames and gives a figure of matplotlib.

    import abacus.frames as frames, abacus.plots as plots
    plots.trade_off(frames.runs("results/first")).savefig("first.svg")
"""

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

from abacus.errors import AbacusError
from abacus.plot_style import colour, plain

INCHES = (8.4, 4.2)
PLACES = [(8, y) for y in (5, -13, -23, 16, -33)]  # of a name, in points from its run's point
MARKS = "osD^vP"  # a network of another arithmetic has another

LABELS = {
    "accuracy_percent": "accuracy, %",
    "energy_per_image_uj": "energy an image, µJ, accelerator and DRAM",
    "energy_uj": "energy an image, µJ, accelerator and DRAM",
    "cycles_per_image": "cycles an image",
    "time_per_image_us": "time an image, µs",
}
UNITS = {"load": "load", "compute_array": "array", "compute_edge": "edge array", "store": "store"}


def front(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those of which no other one has at most the first and at least the second, by the first."""
    best: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or y > best[-1][1]:
            best.append((x, y))
    return best


def new_figure(height: float = INCHES[1]) -> tuple[Any, Any]:
    """A figure and its axes. pyplot forgets it, so that a notebook shows it once."""
    figure, axes = plt.subplots(figsize=(INCHES[0], height), layout="constrained")
    plt.close(figure)
    return figure, axes


def columns(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The rows that have all of these; AbacusError where there are none."""
    missing = [name for name in names if name not in frame]
    if missing:
        known = ", ".join(map(str, frame.columns))
        raise AbacusError(f"found no column {', '.join(missing)}; allowed: {known}")
    rows = frame.dropna(subset=list(names))
    if rows.empty:
        raise AbacusError(f"no row has all of {', '.join(names)}")
    return rows


def trade_off(
    runs: pd.DataFrame,
    x: str = "energy_per_image_uj",
    y: str = "accuracy_percent",
    *,
    kind: str = "arithmetic",
    title: str = "",
) -> Any:
    """More of `y` against less of `x` with the front; each row is named at its point, and has the
    colour of what it has in the column `kind`."""
    shown = columns(runs, [x, y])
    kinds = list(dict.fromkeys(shown[kind])) if kind in shown else []
    points = list(zip(shown[x].astype(float), shown[y].astype(float)))
    figure, axes = new_figure()
    axes.step(*zip(*front(points)), where="post", color="#888888", linewidth=1, zorder=1)
    for (_, run), point in zip(shown.iterrows(), points):
        of = kinds.index(run[kind]) if kinds else 0
        axes.scatter(*point, color=colour(of), marker=MARKS[of % len(MARKS)], zorder=2)
    axes.set_xlabel(LABELS.get(x, plain(x)))
    axes.set_ylabel(LABELS.get(y, plain(y)))
    axes.margins(y=0.09)
    axes.set_xlim(right=axes.get_xlim()[1] * 1.12)  # for the names
    axes.set_title(title)
    put_names(figure, axes, [str(name) for name in shown.index], points)
    return figure


def put_names(
    figure: Any, axes: Any, names: Sequence[str], points: Sequence[tuple[float, float]]
) -> None:
    """Each right of its point, where it covers neither a point nor another name."""
    figure.draw_without_rendering()  # settles the scales
    marks = [axes.transData.transform(point) for point in points]
    taken: list[Any] = []
    for run, point in zip(names, points):
        name = axes.annotate(
            plain(run), point, textcoords="offset points", xytext=(0, 0), fontsize=9
        )
        for place in PLACES:
            name.set_position(place)
            box = name.get_window_extent()
            if not any(box.overlaps(other) for other in taken) and not any(
                box.contains(*mark) for mark in marks
            ):
                break
        taken.append(box)


def energy_by_component(energy: pd.DataFrame, *, title: str = "") -> Any:
    """Bars of frames.energy(): a run each, its components side by side; none of a run without
    energy."""
    shown = energy.dropna(how="all").fillna(0.0)
    shown = shown.loc[:, (shown > 0).any()]
    if shown.empty:
        raise AbacusError("none of the runs has energies")
    figure, axes = new_figure(1.4 + 0.4 * len(shown))
    left = pd.Series(0.0, index=shown.index)
    places = range(len(shown))
    for index, component in enumerate(shown):
        label = str(component).replace("_", " ")
        axes.barh(places, shown[component], left=left, color=colour(index), label=plain(label))
        left += shown[component]
    axes.set_yticks(list(places), [plain(str(name)) for name in shown.index])
    axes.invert_yaxis()
    axes.set_xlabel(LABELS["energy_per_image_uj"])
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    axes.set_title(title)
    return figure


def cycles_by_layer(layers: pd.DataFrame, run: str, *, title: str = "") -> Any:
    """Bars of frames.layers(): what load, compute and store units are busy with in each layer of a
    run, and as a line the layer's share of the image's cycles."""
    if run not in layers.index.get_level_values(0):
        known = ", ".join(map(str, layers.index.unique(0)))
        raise AbacusError(f"found run {run!r}; allowed: {known}")
    shown = columns(layers.loc[run], ["cycles"])
    figure, axes = new_figure()
    width = 0.8 / len(UNITS)
    for index, (unit, label) in enumerate(UNITS.items()):
        busy = shown.get(f"units.{unit}.busy_cycles")
        if busy is not None:
            places = [place + width * (index - (len(UNITS) - 1) / 2) for place in range(len(shown))]
            axes.bar(places, busy.fillna(0), width, color=colour(index), label=f"{label} busy")
    axes.plot(shown["cycles"].to_numpy(), "k_", markersize=9, label="layer's share of the cycles")
    names = [plain(str(name)) for name in shown.index]
    axes.set_xticks(range(len(shown)), names, rotation=55, ha="right", rotation_mode="anchor")
    axes.set_ylabel("cycles")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    axes.set_title(title)
    return figure
