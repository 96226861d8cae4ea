"""What a table is: its cells, its measures, and what is said about them."""

from dataclasses import dataclass

from .cells import ACCURACY, FLOAT, POINTS_LOST, Cell


@dataclass(frozen=True)
class ExtraLine:
    """A line that belongs to no cell. The published figures know it by row, method, bits, unit."""

    row: str
    method: str
    bits: int
    unit: str
    ours: object  # number, text or None
    note: str = ""
    form: str = "{:.4f}"
    published_form: str = "{:.3f}"


@dataclass(frozen=True)
class Table:
    title: str
    about: str
    cells: object  # (data sets) → list of cells
    measures: tuple = (ACCURACY, POINTS_LOST)
    extra_lines: object = None  # (outcomes, runner) → list of ExtraLine
    conclusions: object = None  # (outcomes, runner) → paragraphs below the table


def float_cell(network, dataset, arithmetic="adder", method="float", published_as=""):
    return Cell(FLOAT, network, dataset, method, 32, arithmetic, published_as=published_as)
