"""The figures of the ASQ and POST paper ("Precision Neural Network Quantization via Learnable
Adaptive Modules") from our own data, and one that explains them; each function returns a figure."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from abacus.plot_style import ACTIVATIONS, WEIGHTS, WIDTH, colour, log_scale
from abacus.programs.activations import ComparedLayer
from abacus.programs.statistics import Histogram

Series = dict[str, list[tuple[str, float, float]]]  # method → (layer, mean, deviation)

LEAST_SHARE = 1e-3  # percent: the end of Figure 4's axis
NEAR_ZERO = 0.2  # what the right-hand side of Figure 3 magnifies


def plot_level_sets(levels: dict[str, list[float]], bits: int) -> Figure:
    """Figure 3. `levels`: method → its levels between −1 and 1."""
    figure, (whole, near) = plt.subplots(
        1,
        2,
        figsize=(WIDTH, 0.62 * len(levels) + 1.3),
        sharey=True,
        layout="constrained",
        width_ratios=(2, 1),
    )
    for i, (method, of) in enumerate(levels.items()):
        for axes, shown in ((whole, of), (near, [one for one in of if 0 <= one <= NEAR_ZERO])):
            axes.hlines(
                i,
                -1 if axes is whole else 0,
                1 if axes is whole else NEAR_ZERO,
                color="#cccccc",
                linewidth=1,
            )
            axes.scatter(shown, [i] * len(shown), marker="|", s=340, linewidth=1.8, color=colour(i))
        inside = sum(0 < one <= NEAR_ZERO for one in of)
        near.annotate(
            f"{inside} above 0",
            (1.03, i),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9,
            color="#333333",
        )
    whole.set_yticks(range(len(levels)), [f"{method} ({len(of)})" for method, of in levels.items()])
    whole.set_ylim(len(levels) - 0.5, -0.5)
    whole.set_title(f"Levels of {bits} bits over their largest (number of levels)")
    near.set_title(f"From 0 to {NEAR_ZERO:g}")
    whole.set_xlim(-1.03, 1.03)
    near.set_xlim(-0.02 * NEAR_ZERO, 1.02 * NEAR_ZERO)
    for axes in (whole, near):
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("Level")
    return figure


def shares(histogram: Histogram) -> NDArray[np.float64]:
    """Of the bins, in percent."""
    counts = np.array([count for _, _, count in histogram], dtype=np.float64)
    percent: NDArray[np.float64] = 100 * counts / counts.sum()
    return percent


def before_and_after(layers: dict[str, ComparedLayer], title: str) -> Figure:
    """Figure 4. A layer's activations as they are stored, as the array sees them, and how often
    each of the array's levels is taken; `layers`: method → the layer."""
    # Up to the last values that the axis of shares shows.
    reach = max(
        high
        for layer in layers.values()
        for quantity in ("stored", "quantized")
        for (_, high, _), share in zip(
            layer.histograms[quantity], shares(layer.histograms[quantity])
        )
        if share >= LEAST_SHARE
    )
    figure, panels = plt.subplots(
        len(layers),
        3,
        figsize=(WIDTH, 2.55 * len(layers) + 0.5),
        squeeze=False,
        layout="constrained",
        sharex="col",
    )
    for (method, layer), row in zip(layers.items(), panels):
        for axes, quantity, shade, words in (
            (row[0], "stored", ACTIVATIONS, "before"),
            (row[1], "quantized", WEIGHTS, "after"),
        ):
            histogram = layer.histograms[quantity]
            edges = [low for low, _, _ in histogram] + [histogram[-1][1]]
            axes.stairs(shares(histogram), edges, color=shade, fill=True, alpha=0.55)
            axes.stairs(shares(histogram), edges, color=shade, linewidth=1)
            log_scale(axes)
            axes.set_ylim(LEAST_SHARE, 150)
            axes.set_xlim(right=reach)
            axes.set_title(f"{method}: {words}")
        row[0].set_ylabel("Share (%, log)")
        middles = [(low + high) / 2 for low, high, _ in layer.histograms["level"]]
        row[2].bar(middles, shares(layer.histograms["level"]), width=0.8, color=WEIGHTS)
        row[2].set_xticks(middles if len(middles) <= 8 else middles[:: len(middles) // 4])
        row[2].set_title(f"{method}: levels")
        row[2].grid(axis="x", visible=False)
        factor = layer.quantities["step_factor"]
        text = f"{layer.mean('levels_used'):.2f} of {len(middles)} levels\nused in an image"
        if factor.lowest != factor.highest:
            text += f"\nβ {factor.lowest:.2f} to {factor.highest:.2f}"
        row[2].text(
            0.98,
            0.95,
            text,
            transform=row[2].transAxes,
            ha="right",
            va="top",
            fontsize=9,
            color="#333333",
        )
        row[2].set_ylabel("Share (%)")
    panels[-1][0].set_xlabel("Value")
    panels[-1][1].set_xlabel("Value")
    panels[-1][2].set_xlabel("Level")
    figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    return figure


def by_place(
    errors: Series, title: str, words: str, names: list[str], legend_at: str = "best"
) -> tuple[Figure, Any]:
    """Means with deviations, a line a method, over layers or blocks."""
    figure, axes = plt.subplots(figsize=(WIDTH, 4.2), layout="constrained")
    for i, (method, of) in enumerate(errors.items()):
        places = np.arange(len(of)) + (i - (len(errors) - 1) / 2) * 0.12
        axes.errorbar(
            places,
            [mean for _, mean, _ in of],
            yerr=[deviation for _, _, deviation in of],
            marker="o",
            markersize=5,
            linewidth=1.5,
            capsize=3,
            elinewidth=1,
            color=colour(i),
            label=method,
        )
    axes.set_xticks(range(len(names)), names)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("L2 norm of the error")
    axes.set_title(f"{title}: {words}")
    axes.grid(axis="x", visible=False)
    axes.legend(
        loc=legend_at, ncols=2, title="mean and deviation over the images", title_fontsize=9
    )
    return figure, axes


def weights_at_levels(layers: list[str], errors: dict[str, list[float]], title: str) -> Figure:
    """Relative errors of the weights. `errors`: words → one a layer."""
    figure, axes = plt.subplots(figsize=(WIDTH, 4.2), layout="constrained")
    for i, (words, of) in enumerate(errors.items()):
        axes.plot(
            range(len(layers)),
            [100 * one for one in of],
            marker="o",
            markersize=5,
            linewidth=1.5,
            color=colour(i),
            label=words,
        )
    axes.set_xticks(
        range(len(layers)), layers, rotation=55, ha="right", rotation_mode="anchor", fontsize=8.5
    )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("Error over the weights' L2 norm (%)")
    axes.set_title(f"{title}: float weights at each quantizer's levels")
    axes.grid(axis="x", visible=False)
    axes.legend(loc="best", title="and their root mean square", title_fontsize=9)
    return figure


def block_errors(errors: Series, title: str) -> Figure:
    """Figure 5. `errors`: method → (layer, mean, deviation) of the blocks' outputs."""
    count = len(next(iter(errors.values())))
    figure, axes = by_place(
        errors,
        title,
        "outputs of the blocks, against the float network",
        [str(i + 1) for i in range(count)],
    )
    axes.set_xlabel("Block")
    return figure


def quantization_errors(errors: Series, title: str) -> Figure:
    """Figure 6, in percent of the layers' inputs, whose sizes differ, where the paper's has L2
    norms. `errors`: method → (layer, mean, deviation)."""
    figure, axes = by_place(
        errors,
        title,
        "activations before and after their quantization",
        [name for name, _, _ in next(iter(errors.values()))],
        legend_at="lower left",
    )
    axes.set_ylabel("Error (% of the L2 norm)")
    axes.tick_params(axis="x", labelrotation=55, labelsize=8.5)
    for label in axes.get_xticklabels():
        label.set_ha("right")
        label.set_rotation_mode("anchor")
    return figure
