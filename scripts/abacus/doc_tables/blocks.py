"""The block diagram of the accelerator for docs/architecture.md, as SVG."""

import pathlib
from dataclasses import dataclass
from xml.sax.saxutils import escape

from abacus.output import say, write_output

WIDTH, HEIGHT = 860, 430
GREY, DATA, CONTROL = "#555555", "#0072B2", "#D55E00"


@dataclass(frozen=True)
class Box:
    """A block with its left upper corner, and a page that tells of it."""

    name: str
    note: str
    left: int
    top: int
    width: int = 130
    height: int = 50

    def point(self, side: str) -> tuple[float, float]:
        """The middle of one of its sides: l, r, t or b."""
        across = {"l": 0.0, "r": 1.0}.get(side, 0.5)
        down = {"t": 0.0, "b": 1.0}.get(side, 0.5)
        return self.left + across * self.width, self.top + down * self.height


BOXES = {
    "host": Box("host", "driver, interrupt", 20, 30),
    "dram": Box("DRAM", "rows, banks, refresh", 20, 345),
    "bus": Box("bus", "arbitration, bursts", 20, 130, 130, 165),
    "sequencer": Box("sequencer", "fetch, token counters", 210, 30, 150),
    "load": Box("load DMA", "", 210, 130),
    "store": Box("store DMA", "", 210, 260),
    "weights": Box("weight SRAM", "", 390, 110),
    "parameters": Box("parameter SRAM", "scales, biases", 390, 220),
    "activations": Box("activation SRAM", "banks, ports", 390, 330, 140),
    "quantizer": Box("read quantizer", "stored → operand", 560, 160),
    "array": Box("PE array", "rows × columns of lanes", 700, 90, 145, 60),
    "edge": Box("edge array", "first and last layer", 700, 180, 145),
    "scale": Box("scale unit", "+ residual, ReLU", 700, 260, 145),
    "vector": Box("vector unit", "pooling, additions", 700, 360, 145),
    "adapter": Box("step adapter", "ASQ", 560, 30),
}
# From, side, to, side, what goes there.
WAYS = [
    ("host", "b", "bus", "t", CONTROL),
    ("bus", "b", "dram", "t", DATA),
    ("bus", "r", "load", "l", DATA),
    ("store", "l", "bus", "r", DATA),
    ("bus", "r", "sequencer", "l", CONTROL),
    ("sequencer", "b", "load", "t", CONTROL),
    ("load", "r", "weights", "l", DATA),
    ("load", "r", "parameters", "l", DATA),
    ("load", "r", "activations", "l", DATA),
    ("activations", "l", "store", "r", DATA),
    ("weights", "r", "array", "l", DATA),
    ("activations", "t", "quantizer", "b", DATA),
    ("quantizer", "r", "array", "l", DATA),
    ("quantizer", "r", "edge", "l", DATA),
    ("adapter", "b", "quantizer", "t", CONTROL),
    ("edge", "b", "scale", "t", DATA),
    ("array", "r", "scale", "r", DATA),
    ("parameters", "r", "scale", "l", DATA),
    ("scale", "l", "activations", "r", DATA),
    ("activations", "r", "vector", "l", DATA),
]


def arrow(one: str, of: str, other: str, to: str, colour: str) -> str:
    """A line with a head; from a right side to a right side around the blocks."""
    (x, y), (u, v) = BOXES[one].point(of), BOXES[other].point(to)
    middle = f"{x + 8:g},{y:g} {x + 8:g},{v:g} " if of == to == "r" else ""
    return (
        f'<polyline points="{x:g},{y:g} {middle}{u:g},{v:g}" fill="none" stroke="{colour}" '
        f'stroke-width="1.4" marker-end="url(#{colour[1:]})"/>'
    )


def head(colour: str) -> str:
    """Of arrows of this colour."""
    return (
        f'<marker id="{colour[1:]}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
    )


def block(box: Box) -> list[str]:
    """A box with its name, and below it what it does."""
    middle, name_at = box.left + box.width / 2, box.top + box.height / 2 + (-2 if box.note else 5)
    lines = [
        f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" rx="4" '
        f'fill="#f6f6f4" stroke="{GREY}"/>',
        f'<text x="{middle:g}" y="{name_at:g}" font-weight="bold">{escape(box.name)}</text>',
    ]
    if box.note:
        lines.append(
            f'<text x="{middle:g}" y="{name_at + 16:g}" fill="{GREY}" font-size="11">'
            f"{escape(box.note)}</text>"
        )
    return lines


def drawing() -> str:
    """The whole of it."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="DejaVu Sans, sans-serif" font-size="13" '
        'text-anchor="middle">',
        "<title>Blocks of the accelerator</title>",
        f"<defs>{head(DATA)}{head(CONTROL)}</defs>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    lines += [arrow(*way) for way in WAYS]
    for box in BOXES.values():
        lines += block(box)
    lines.append(
        f'<text x="20" y="{HEIGHT - 12}" text-anchor="start" font-size="11">'
        f'<tspan fill="{DATA}">data</tspan>, <tspan fill="{CONTROL}">control</tspan></text>'
    )
    return "\n".join([*lines, "</svg>"]) + "\n"


def draw(file: pathlib.Path) -> None:
    """Writes it."""
    write_output(file, drawing())
    say(file)
