"""The report's plots: each function takes the runs of a results file and returns an SVG text."""

import io
from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, PercentFormatter
from matplotlib.transforms import ScaledTranslation

from abacus.plot_style import WIDTH, colour, plain
from abacus.report.results import NO_CYCLES, Run, timed

MARKERS = {"adder": "o", "cnn": "s"}

UNITS = [
    ("Load", ["load"], "#56B4E9"),
    ("Compute", ["compute_array", "compute_edge", "compute_vector", "step_adapter"], "#009E73"),
    ("Store", ["store"], "#E69F00"),
]

COMPONENTS = [
    ("PE array", ["pe_array"], "#0072B2"),
    ("Edge array", ["edge_array"], "#56B4E9"),
    (
        "Read quantizer, step adapter,\nscale and vector unit",
        ["read_quantizer", "step_adapter", "scale_unit", "vector_unit"],
        "#CC79A7",
    ),
    ("Activation SRAM", ["activation_sram"], "#009E73"),
    ("Weight SRAM", ["weight_sram"], "#86C5A4"),
    ("Parameter SRAM", ["parameter_sram"], "#C4E3B2"),
    ("Bus, DMA, sequencer", ["dma", "bus", "sequencer"], "#E69F00"),
    ("DRAM", ["dram"], "#D55E00"),
]


def to_svg(figure: Figure) -> str:
    """For a page; the figure is done with."""
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def accuracy_against_energy(runs: Sequence[Run]) -> str:
    """A point a run, a line a float network; empty where no timed run has an accuracy: random
    weights have none."""
    points = [
        (i, run, run.timing.energy_uj, run.accuracies.hardware)
        for i, run in enumerate(runs)
        if run.timing is not None and run.accuracies.hardware is not None
    ]
    if not points:
        return ""
    figure, axes = plt.subplots(figsize=(WIDTH, 4.4))
    for i, run, energy, accuracy in points:
        axes.scatter(
            energy,
            accuracy,
            s=110,
            marker=MARKERS.get(run.arithmetic, "D"),
            color=colour(i),
            edgecolor="white",
            linewidth=0.8,
            zorder=3,
            label=plain(run.name),
        )
    # One line where several arithmetics quantize the same network.
    reference: dict[tuple[str, str, float], dict[str, None]] = {}
    for run, _ in timed(runs):
        if run.accuracies.floating is not None:
            key = (run.network, run.dataset, run.accuracies.floating)
            reference.setdefault(key, {})[run.arithmetic] = None
    for (network, _, accuracy), arithmetics in reference.items():
        axes.axhline(
            accuracy,
            color="#999999",
            linewidth=1,
            linestyle="--" if "adder" in arithmetics else ":",
            zorder=1,
            label=plain(f"{network} {', '.join(arithmetics)}") + f", float: {accuracy:.2f} %",
        )
    axes.set_xlabel("Energy per image (µJ)")
    axes.set_ylabel("Accuracy (%)")
    axes.set_xlim(0, 1.08 * max(energy for _, _, energy, _ in points) or 1)
    # At least a point of accuracy, lest noise look like a result.
    axes.margins(y=0.15)
    low, high = axes.get_ylim()
    if high - low < 1:
        axes.set_ylim((low + high - 1) / 2, (low + high + 1) / 2)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return to_svg(figure)


def energy_by_component(runs: Sequence[Run], without: tuple[str, ...] = ()) -> str:
    """A bar a run."""
    shown = timed(runs)
    figure, axes = plt.subplots(figsize=(WIDTH, 1.3 + 0.42 * len(shown)))
    left = [0.0] * len(shown)
    rows = range(len(shown))
    # What no group names still belongs to the sum.
    grouped = {name for _, names, _ in COMPONENTS for name in names}
    others = sorted({name for _, of in shown for name in of.energy_by_component_uj} - grouped)
    for label, names, shade in COMPONENTS + [("Other", others, "#999999")]:
        if label in without:
            continue
        values = [
            sum(of.energy_by_component_uj.get(name, 0.0) for name in names) for _, of in shown
        ]
        if max(values) == 0:
            continue
        axes.barh(
            rows,
            values,
            left=left,
            color=shade,
            label=label,
            height=0.68,
            edgecolor="white",
            linewidth=0.6,
        )
        left = [a + b for a, b in zip(left, values)]
    for row, total in zip(rows, left):
        axes.text(total, row, f"  {total:.3g} µJ", va="center", fontsize=9)
    axes.set_yticks(list(rows), [plain(run.name) for run, _ in shown])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 1.12 * max(left) or 1)
    axes.set_xlabel("Energy per image (µJ)")
    if max(left) > 0:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return to_svg(figure)


def cycles_by_layer(runs: Sequence[Run]) -> str:
    """One panel a run: a layer's cycles, in front of them what each unit was busy and stalled."""
    shown = timed(runs)

    def names_of(run: Run) -> list[str]:
        return [plain(layer.name) for layer in run.layers]

    # Runs of one network share the layers' names, which then stand below the last one only.
    last = names_of(shown[-1][0])
    named = [i == len(shown) - 1 or names_of(run) != last for i, (run, _) in enumerate(shown)]
    figure, panels = plt.subplots(
        len(shown),
        1,
        figsize=(WIDTH, 1.8 * len(shown) + 1.1 * sum(named)),
        squeeze=False,
        layout="constrained",
    )
    highest = max(layer.cycles for _, timing in shown for layer in timing.layers)
    for axes, (run, timing), with_names in zip(panels[:, 0], shown, named):
        layers = timing.layers
        places = range(len(layers))
        axes.bar(
            places,
            [layer.cycles for layer in layers],
            width=0.9,
            color="#dcdcdc",
            label="Layer's share of the image's cycles",
        )
        for i, (label, names, shade) in enumerate(UNITS):
            x = [place + 0.26 * (i - 1) for place in places]
            found = [[layer.units.get(n, NO_CYCLES) for n in names] for layer in layers]
            busy = [sum(unit.busy for unit in units) for units in found]
            stalled = [sum(unit.stalled for unit in units) for units in found]
            axes.bar(x, busy, width=0.24, color=shade, label=f"{label} busy")
            axes.bar(
                x,
                stalled,
                width=0.24,
                color="none",
                edgecolor="#333333",
                hatch="/////",
                linewidth=0,
                label="of it stalled by memory" if i == 2 else None,
            )
            highest = max(highest, *busy)
        axes.set_title(f"{plain(run.name)}: {timing.cycles:,.0f} cycles")
        axes.set_ylabel("Cycles")
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.grid(axis="x", visible=False)
        axes.set_xlim(-0.6, len(layers) - 0.4)
        if with_names:
            axes.set_xticks(
                list(places),
                names_of(run),
                rotation=55,
                ha="right",
                rotation_mode="anchor",
                fontsize=8.5,
            )
        else:
            axes.set_xticks(list(places), [])
    for axes in panels[:, 0]:
        axes.set_ylim(0, 1.05 * highest or 1)
    above_title = panels[0, 0].transAxes + ScaledTranslation(0, 20 / 72, figure.dpi_scale_trans)
    panels[0, 0].legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1),
        bbox_transform=above_title,
        ncol=5,
        fontsize=9,
        borderaxespad=0,
        columnspacing=1.4,
    )
    return to_svg(figure)


def pe_utilisation(runs: Sequence[Run]) -> str:
    """A heat map, a row a run; layers without taps (pools, additions) stay empty. Empty where no
    layer has taps."""
    groups: dict[tuple[str, ...], list[tuple[str, list[float]]]] = {}
    for run, timing in timed(runs):
        counted = [
            (plain(layer.name), own.pe_utilisation)
            for layer, own in zip(run.layers, timing.layers)
            if layer.macs_or_taps
        ]
        if counted:
            names = tuple(name for name, _ in counted)
            values = [value for _, value in counted]
            groups.setdefault(names, []).append((plain(run.name), values))
    if not groups:
        return ""
    height = sum(len(members) for members in groups.values())
    figure, panels = plt.subplots(
        len(groups),
        1,
        figsize=(WIDTH, 0.42 * height + 1.3 * len(groups) + 0.3),
        squeeze=False,
        layout="constrained",
        gridspec_kw={"height_ratios": [len(m) + 1 for m in groups.values()]},
    )
    image = None
    for axes, (names, members) in zip(panels[:, 0], groups.items()):
        rows = [values for _, values in members]
        image = axes.imshow(rows, aspect="auto", vmin=0, vmax=1, cmap="YlGnBu")
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                axes.text(
                    x,
                    y,
                    f"{100 * value:.0f}",
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if value > 0.55 else "#333333",
                )
        axes.set_yticks(range(len(members)), [name for name, _ in members])
        axes.set_xticks(
            range(len(names)), names, rotation=55, ha="right", rotation_mode="anchor", fontsize=8.5
        )
        axes.grid(visible=False)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
    figure.colorbar(
        image,
        ax=panels[:, 0].tolist(),
        format=PercentFormatter(xmax=1),
        shrink=0.9,
        aspect=12,
        pad=0.01,
    )
    return to_svg(figure)
