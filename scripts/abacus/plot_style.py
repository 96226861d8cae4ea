"""One look for all plots: the report's and the paper's figures."""

from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

WIDTH = 10.6  # inches; pages scale it to their own width

# Okabe and Ito's colours, told apart by colour-blind readers; then matplotlib's.
COLOURS = [
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#8C6D31",
    "#555555",
] + list(plt.get_cmap("tab20").colors)

ACTIVATIONS, WEIGHTS = COLOURS[0], COLOURS[1]

plt.rcParams.update(
    {
        "font.size": 10,
        "font.family": "DejaVu Sans",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": "#888888",
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#e6e6e6",
        "legend.frameon": False,
        "svg.hashsalt": "abacus",  # the same data give the same file
    }
)


def colour(index: int) -> Any:
    """The index-th of them, from the start again at the end."""
    return COLOURS[index % len(COLOURS)]
