"""One look for all plots: the report's and the paper's figures."""

from typing import Any

import matplotlib

from abacus.visible import visible

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

WIDTH = 10.6  # inches; pages scale it to their own width
LONGEST_NAME = 32  # characters; longer ones would leave no room to the plot
MOST_TICKS = 60  # of a logarithmic axis, drawn or not

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
        # Names come from users' files: a $ in them is a $.
        "text.parse_math": False,
        "svg.hashsalt": "abacus",  # the same data give the same file
    }
)


def colour(index: int) -> Any:
    """The index-th of them, from the start again at the end."""
    return COLOURS[index % len(COLOURS)]


def plain(name: str) -> str:
    """A name of a user's file as a text of a plot."""
    text = visible(name)
    if len(text) > LONGEST_NAME:
        text = text[: LONGEST_NAME - 1] + "…"
    # Legends leave out what begins with an underscore.
    return f"\u200a{text}" if text.startswith("_") else text


def log_scale(axes: Any) -> None:
    """Logarithmic from below to above; the powers of ten at its ticks are matplotlib's formulas."""
    axes.set_yscale("log")
    # A text keeps what it was made with. Those of ticks are made now rather than when drawn.
    with matplotlib.rc_context({"text.parse_math": True}):
        axes.yaxis.get_major_ticks(MOST_TICKS)
        axes.yaxis.get_minor_ticks(MOST_TICKS)
