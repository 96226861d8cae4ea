"""The figures of the AdderNet quantization paper (Nie et al., NeurIPS 2022) from our own data; each
function returns a figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from abacus.plot_style import ACTIVATIONS, WEIGHTS, WIDTH, colour, log_scale
from abacus.programs.statistics import Histogram, LayerStatistics

Array = NDArray[np.float64]
Course = list[dict[str, str]]  # lines of a training's metrics

BITS = 4
LOWEST, HIGHEST = -(1 << (BITS - 1)), (1 << (BITS - 1)) - 1
PAPER_SHARE = 0.999  # α of section 4.1


def shares(histogram: Histogram) -> tuple[Array, Array]:
    """Middles and shares of a histogram's bins."""
    edges = np.array(histogram)
    return (edges[:, 0] + edges[:, 1]) / 2, edges[:, 2] / edges[:, 2].sum()


def level_shares(histogram: Histogram, value_range: float) -> tuple[Array, float]:
    """How often each level of the symmetric grid is taken (the paper's equation 3), and the share
    of the values beyond the grid."""
    middles, weights = shares(histogram)
    step = 2 * value_range / ((1 << BITS) - 1)
    levels = np.rint(middles / step)
    beyond = float(weights[(levels < LOWEST) | (levels > HIGHEST)].sum())
    counts = np.zeros(1 << BITS)
    np.add.at(counts, np.clip(levels, LOWEST, HIGHEST).astype(int) - LOWEST, weights)
    return counts, beyond


def draw_levels(
    axes: Any, histogram: Histogram, value_range: float, shade: str, title: str
) -> None:
    """One panel of figure 1."""
    counts, beyond = level_shares(histogram, value_range)
    axes.bar(range(LOWEST, HIGHEST + 1), 100 * counts, color=shade, width=0.86)
    used = int((counts > 1e-4).sum())
    text = f"{used} of {1 << BITS} levels"
    if beyond > 5e-4:
        text += f"\n{100 * beyond:.1f} % clamped"
    axes.text(0.02, 0.97, text, transform=axes.transAxes, va="top", fontsize=9, color="#333333")
    axes.set_title(title, fontweight="normal", fontsize=9.5)
    axes.set_xticks([LOWEST, LOWEST // 2, 0, -LOWEST // 2, HIGHEST])
    axes.grid(axis="x", visible=False)


def shared_and_own_scales(
    adder: LayerStatistics, cnn: LayerStatistics | None, title: str
) -> Figure:
    """Figure 1. What a symmetric 4-bit grid makes of a layer: with scales of their own in an
    ordinary convolution, with one shared scale in an adder convolution."""
    columns: list[tuple[str, LayerStatistics, float, float | None]] = []
    if cnn is not None:
        columns.append(("CNN: own scales", cnn, cnn.activation.maximum, None))
    columns += [
        (
            "Adder: scale of the activations",
            adder,
            adder.activation.maximum,
            adder.activation.maximum,
        ),
        ("Adder: scale of the weights", adder, adder.weight.maximum, adder.weight.maximum),
    ]
    figure, panels = plt.subplots(
        2, len(columns), figsize=(WIDTH, 4.9), squeeze=False, layout="constrained", sharey="row"
    )
    for i, (name, layer, activations, weights) in enumerate(columns):
        draw_levels(
            panels[0, i],
            layer.activation.histogram,
            activations,
            ACTIVATIONS,
            f"activations, range {activations:.3g}",
        )
        panels[0, i].text(0, 1.17, name, transform=panels[0, i].transAxes, fontweight="bold")
        if weights is None:
            draw_levels(
                panels[1, i],
                layer.weight_relative.histogram,
                1,
                WEIGHTS,
                "weights, a range for each channel",
            )
        else:
            draw_levels(
                panels[1, i],
                layer.weight.histogram,
                weights,
                WEIGHTS,
                f"weights, range {weights:.3g}",
            )
        panels[1, i].set_xlabel("Level of the 4-bit grid")
    for axes in panels[:, 0]:
        axes.set_ylabel("Share (%)")
    for row in panels:
        low, high = row[0].get_ylim()
        row[0].set_ylim(low, 1.18 * high)  # room for the words
    figure.suptitle(title + "\n", fontsize=11, fontweight="bold", x=0.01, ha="left")
    return figure


def ranges(layers: dict[str, LayerStatistics], example: str, title: str) -> Figure:
    """Figure 2. Absolute ranges of activations and weights: by output channel in the paper's
    example layer, and of all adder layers."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(WIDTH, 6.9), layout="constrained")
    layer = layers[example]
    maxima = layer.weight.channel_maxima
    above.bar(
        range(len(maxima)),
        maxima,
        color=WEIGHTS,
        width=0.8,
        label="weights: max |w| of the channel",
    )
    above.axhline(
        layer.activation.maximum,
        color=ACTIVATIONS,
        linewidth=1.6,
        label=f"activations: maximum, {layer.activation.maximum:.3g}",
    )
    above.axhline(
        layer.activation.quantiles[PAPER_SHARE],
        color=ACTIVATIONS,
        linewidth=1.6,
        linestyle="--",
        label=f"activations: 99.9 % are below " f"{layer.activation.quantiles[PAPER_SHARE]:.3g}",
    )
    above.set_title(f"{example} of {title}")
    above.set_xlabel("Output channel")
    above.set_ylabel("Absolute range")
    above.set_xticks(range(len(maxima)))
    above.set_ylim(0, 1.3 * max(maxima + [layer.activation.maximum]))
    above.grid(axis="x", visible=False)
    above.legend(loc="upper center", ncol=3)

    adders = [one for one in layers.values() if one.arithmetic == "adder"]
    places = range(len(adders))
    boxes = below.boxplot(
        [one.weight.channel_maxima for one in adders],
        positions=list(places),
        widths=0.55,
        whis=(0, 100),
        patch_artist=True,
        showfliers=False,
        medianprops={"color": "white"},
    )
    for box in boxes["boxes"]:
        box.set(facecolor=WEIGHTS, edgecolor=WEIGHTS)
    for part in ("whiskers", "caps"):
        for line in boxes[part]:
            line.set_color(WEIGHTS)
    below.scatter(
        places,
        [one.activation.maximum for one in adders],
        marker="_",
        s=160,
        linewidth=2,
        color=ACTIVATIONS,
        zorder=3,
    )
    below.scatter(
        places,
        [one.activation.quantiles[PAPER_SHARE] for one in adders],
        marker="o",
        s=26,
        color=ACTIVATIONS,
        zorder=3,
    )
    handles = [
        boxes["boxes"][0],
        plt.Line2D(
            [], [], color=ACTIVATIONS, marker="_", markersize=12, markeredgewidth=2, linestyle=""
        ),
        plt.Line2D([], [], color=ACTIVATIONS, marker="o", markersize=5, linestyle=""),
    ]
    below.legend(
        handles,
        [
            "weights: max |w| by output channel (extremes, quartiles, median)",
            "activations: maximum",
            "activations: 99.9 %",
        ],
        loc="upper center",
        ncol=3,
    )
    log_scale(below)
    low, high = below.get_ylim()
    below.set_ylim(low, high * 3)
    below.set_title("All adder layers")
    below.set_ylabel("Absolute range (log)")
    below.set_xticks(
        list(places),
        [one.name for one in adders],
        rotation=55,
        ha="right",
        rotation_mode="anchor",
        fontsize=8.5,
    )
    below.grid(axis="x", visible=False)
    return figure


def density(histogram: Histogram, edges: Array) -> Array:
    """The histogram's shares in the bins of `edges`; what lies beyond counts in the outer ones."""
    middles, weights = shares(histogram)
    inside = np.clip(middles, edges[0] + 1e-9, edges[-1] - 1e-9)
    counts: Array = np.histogram(inside, bins=edges, weights=weights)[0]
    return counts


def distributions(layer: LayerStatistics, title: str) -> Figure:
    """Figure 4. Activations and weights before and after both clamps."""
    r_x = layer.activation.quantiles[PAPER_SHARE]
    r_w = layer.weight.maximum
    lowest = min(0.0, layer.activation.histogram[0][0])
    figure, panels = plt.subplots(1, 2, figsize=(WIDTH, 3.9), layout="constrained")
    reach = 1.02 * max(r_w, layer.activation.maximum)
    for axes, limit, name in (
        (panels[0], reach, "As trained"),
        (panels[1], r_x, f"After both clamps, r_x = {r_x:.3g}"),
    ):
        edges = np.linspace(-limit, limit, 101)
        centres = (edges[:-1] + edges[1:]) / 2
        for tensor, shade, label in (
            (layer.weight, WEIGHTS, "weights"),
            (layer.activation, ACTIVATIONS, "activations"),
        ):
            values = 100 * density(tensor.histogram, edges)
            if label == "activations" and lowest >= 0:
                values[centres < 0] = np.nan  # there are none
            axes.stairs(values, edges, color=shade, fill=True, alpha=0.45, label=label)
            axes.stairs(values, edges, color=shade, linewidth=1.1)
        log_scale(axes)
        axes.set_ylim(bottom=1e-3)
        axes.set_title(name)
        axes.set_xlabel("Value")
        axes.legend(
            loc="upper right" if limit == reach else "upper center",
            bbox_to_anchor=None if limit == reach else (0.3, 1),
        )
    panels[0].set_ylabel("Share of the values (%, log)")
    beyond = beyond_share(layer.weight.histogram, r_x)
    panels[0].annotate(
        f"{100 * beyond:.1f} % of the weights\nare beyond ±r_x",
        (0.02, 0.97),
        xycoords="axes fraction",
        va="top",
        fontsize=9,
        color="#333333",
    )
    for side in (-r_x, r_x):
        panels[0].axvline(side, color="#555555", linewidth=0.9, linestyle=":")
    figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    return figure


def beyond_share(histogram: Histogram, limit: float) -> float:
    """Of the values whose magnitude is above the limit."""
    middles, weights = shares(histogram)
    return float(weights[np.abs(middles) > limit].sum())


def losses_and_courses(
    losses: dict[str, dict[str, dict[int, float]]], courses: dict[str, dict[str, Course]]
) -> Figure:
    """Figure 5. `losses`: data set → method → bits → points lost. `courses`: data set → method →
    lines of the training's metrics."""
    count = len(losses) + len(courses)
    figure, panels = plt.subplots(
        1, count, figsize=(WIDTH, 4.1), squeeze=False, layout="constrained"
    )
    free = iter(panels[0])
    for dataset, methods in losses.items():
        draw_losses(next(free), dataset, methods)
    for dataset, trainings in courses.items():
        draw_courses(next(free), dataset, trainings)
    return figure


def draw_losses(axes: Any, dataset: str, methods: dict[str, dict[int, float]]) -> None:
    """A panel of points lost by width."""
    widths = sorted({bits for by_bits in methods.values() for bits in by_bits}, reverse=True)
    for i, (method, by_bits) in enumerate(methods.items()):
        known = [(widths.index(bits), lost) for bits, lost in by_bits.items()]
        axes.plot(
            *zip(*known),
            marker="o",
            linewidth=1.6,
            color=colour(method_shade(method, i)),
            label=method,
        )
    axes.set_xticks(range(len(widths)), [f"{bits} bit" for bits in widths])
    axes.set_ylabel("Accuracy lost (points)")
    axes.set_yscale("symlog", linthresh=1)
    most = max(lost for by_bits in methods.values() for lost in by_bits.values())
    ticks = [tick for tick in (0, 0.5, 1, 2, 5, 10, 20, 50, 100) if tick <= 2 * most] or [0]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    low = min(lost for by_bits in methods.values() for lost in by_bits.values())
    axes.set_ylim(min(-0.2, 1.2 * low), 1.5 * max(most, 0.2))
    axes.set_title(f"PTQ, {dataset}")
    axes.legend(loc="upper left", fontsize=9)


def draw_courses(axes: Any, dataset: str, courses: dict[str, Course]) -> None:
    """A panel of accuracies by epoch."""
    lines = (
        ("validation_accuracy_percent", 1.6, "-", "held out"),
        ("train_accuracy_percent", 1.2, "--", "training"),
    )
    for i, (method, course) in enumerate(courses.items()):
        for quantity, width, style, words in lines:
            axes.plot(
                [int(line["epoch"]) for line in course],
                [float(line[quantity]) for line in course],
                color=colour(method_shade(method, i)),
                linewidth=width,
                linestyle=style,
                label=f"{method}, {words}",
            )
    axes.set_xlabel("Epoch")
    axes.set_ylabel("Accuracy (%)")
    axes.set_title(f"4-bit QAT, {dataset}")
    axes.legend(loc="lower right", fontsize=9)


def method_shade(method: str, otherwise: int) -> int:
    """AdderQuant has one colour, QSSF's variants theirs."""
    for i, name in enumerate(("AdderQuant", "of the activations", "of the weights", "QSSF")):
        if name in method:
            return min(i, 2) if i < 3 else 1
    return 3 + otherwise


def accuracy_and_energy(
    points: dict[str, dict[str, list[tuple[float, float, int]]]],
    stated: dict[str, tuple[float, float]],
) -> Figure:
    """Figure 6. `points`: data set → method → (energy, accuracy, bits); `stated`: data set →
    (energy, accuracy) of ShiftAddNet: the published accuracy at the published ratio to our AdderNet
    of 8 bits."""
    figure, panels = plt.subplots(
        1, len(points), figsize=(WIDTH, 4.4), squeeze=False, layout="constrained"
    )
    for axes, (dataset, methods) in zip(panels[0], points.items()):
        for i, (method, found) in enumerate(methods.items()):
            found = sorted(found)
            axes.plot(
                [p[0] for p in found],
                [p[1] for p in found],
                marker="o",
                linewidth=1.6,
                color=colour(i),
                label=method,
            )
            for energy, accuracy, bits in found:
                axes.annotate(
                    f"{bits}",
                    (energy, accuracy),
                    xytext=(0, 6),
                    fontsize=8.5,
                    textcoords="offset points",
                    ha="center",
                    color=colour(i),
                )
        if dataset in stated:
            energy, accuracy = stated[dataset]
            axes.plot(
                energy,
                accuracy,
                marker="D",
                markerfacecolor="none",
                linestyle="",
                color="#555555",
                label=f"ShiftAddNet as published: {accuracy:.2f} %, at the\n"
                "published ratio to our AdderNet of 8 bits",
            )
        axes.set_xlabel("Energy an image (µJ)")
        axes.set_ylabel("Accuracy (%)")
        axes.set_title(f"ResNet-20, {dataset}; numbers are bits")
        axes.margins(0.08, 0.12)
        axes.legend(loc="best", fontsize=9)
    return figure
