"""A picture of a Perfetto trace that `abacus trace` wrote: units, bus and DRAM over time."""

import argparse
import collections
import pathlib

import matplotlib.pyplot as plt

from abacus import perfetto
from abacus.plot_style import COLOURS, WIDTH

UNITS = [
    "sequencer",
    "load unit",
    "edge array",
    "PE array",
    "vector unit",
    "step adapter",
    "store unit",
]
MOST_CAUSES = 6  # that get a colour; the others are grey
WORK = COLOURS[2]
OTHERS = "#bbbbbb"


def rows_of(tracks: dict[str, list[perfetto.Slice]], start: int, end: int) -> list[str]:
    """Units that did something in this time, then bus and DRAM."""
    seen = [
        name
        for name, track in tracks.items()
        if any(s.end > start and s.begin < end for s in track)
    ]
    return [name for name in UNITS if name in seen] + sorted(set(seen) - set(UNITS))


def leading_causes(tracks: dict[str, list[perfetto.Slice]], start: int, end: int) -> list[str]:
    spent: collections.Counter[str] = collections.Counter()
    for name in UNITS:
        for s in tracks.get(name, []):
            if s.category == "wait":
                spent[s.name] += max(0, min(s.end, end) - max(s.begin, start))
    return [name for name, time in spent.most_common(MOST_CAUSES) if time > 0]


def draw(tracks: dict[str, list[perfetto.Slice]], start: int, end: int, out: pathlib.Path) -> None:
    rows = rows_of(tracks, start, end)
    causes = leading_causes(tracks, start, end)
    free = [colour for colour in COLOURS if colour != WORK]
    colours = dict(zip(causes, free, strict=False))
    figure, axes = plt.subplots(figsize=(WIDTH, 0.34 * len(rows) + 1.9))
    for row, name in enumerate(rows):
        bars: dict[str, list[tuple[float, float]]] = {}
        for s in tracks[name]:
            begin, stop = max(s.begin, start), min(s.end, end)
            if stop <= begin:
                continue
            bar = (begin / 1000, (stop - begin) / 1000)
            if s.category == "command":
                label = s.name.split(" ")[0]
                if bar[1] * 1000 > (end - start) / 12:
                    axes.text(
                        bar[0] + bar[1] / 2,
                        row - 0.44,
                        label,
                        ha="center",
                        va="bottom",
                        fontsize=7,
                    )
                continue
            colour = WORK if s.category != "wait" else colours.get(s.name, OTHERS)
            bars.setdefault(colour, []).append(bar)
        for colour, list_of_bars in bars.items():
            axes.broken_barh(list_of_bars, (row - 0.36, 0.62), facecolors=colour)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.9)
    axes.set_xlim(start / 1000, end / 1000)
    axes.set_xlabel("µs after the doorbell")
    axes.grid(axis="y", visible=False)
    handles = [plt.Rectangle((0, 0), 1, 1, color=WORK)]
    handles += [plt.Rectangle((0, 0), 1, 1, color=colours[name]) for name in causes]
    handles += [plt.Rectangle((0, 0), 1, 1, color=OTHERS)]
    axes.legend(
        handles,
        ["work, or in use", *causes, "other waits"],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.9 / (0.34 * len(rows) + 1)),
        ncol=5,
        fontsize=8,
    )
    figure.savefig(out, dpi=110, bbox_inches="tight")
    plt.close(figure)


SUFFIXES = (".png", ".svg")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="scripts/timeline", description=__doc__)
    parser.add_argument("trace", type=pathlib.Path)
    parser.add_argument("--from", dest="start", type=int, default=0, help="in ns; default: 0")
    parser.add_argument("--until", type=int, help="in ns; default: the end")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="PNG or SVG")
    options = parser.parse_args(arguments)
    if options.out.suffix not in SUFFIXES or not options.out.resolve().parent.is_dir():
        allowed = "a file ending in " + " or ".join(SUFFIXES) + ", in a folder that is there"
        parser.exit(1, f"scripts/timeline: --out is {options.out}; must be {allowed}\n")
    if options.start < 0:
        parser.exit(1, f"scripts/timeline: --from is {options.start}; must be 0 or more\n")
    try:
        tracks = perfetto.slices(options.trace.read_bytes())
    except (OSError, perfetto.Malformed) as error:
        parser.exit(1, f"scripts/timeline: {options.trace}: {error}\n")
    last = max((s.end for track in tracks.values() for s in track), default=1)
    end = min(options.until or last, last)
    if end <= options.start:
        parser.exit(
            1,
            f"scripts/timeline: --until is {end}; must be above --from, {options.start}\n",
        )
    draw(tracks, options.start, end, options.out)
