"""What a table is: its cells, its measures, and what is said about them."""

from collections.abc import Callable
from dataclasses import dataclass

from abacus.cells.cell import FLOAT, Cell, Outcomes
from abacus.cells.measures import ACCURACY, POINTS_LOST, Measure
from abacus.cells.runner import Runner


@dataclass(frozen=True)
class ExtraLine:
    """A line that belongs to no cell. The published figures know it by row, method, bits, unit."""

    row: str
    method: str
    bits: int
    unit: str
    ours: float | str | None
    note: str = ""
    form: str = "{:.4f}"
    published_form: str = "{:.3f}"


Datasets = list[str]
ExtraLines = Callable[[Outcomes, Runner], list[ExtraLine]]
Paragraphs = Callable[[Outcomes, Runner], list[str]]


@dataclass(frozen=True)
class Table:
    """`cells`: of these data sets. `conclusions`: paragraphs below the table. `published_in`: whose
    published figures stand beside ours, where they are another table's."""

    title: str
    about: str
    cells: Callable[[Datasets], list[Cell]]
    measures: tuple[Measure, ...] = (ACCURACY, POINTS_LOST)
    extra_lines: ExtraLines | None = None
    conclusions: Paragraphs | None = None
    published_in: str = ""


def float_cell(
    network: str,
    dataset: str,
    arithmetic: str = "adder",
    method: str = "float",
    published_as: str = "",
) -> Cell:
    """The checkpoint's own accuracy."""
    return Cell(FLOAT, network, dataset, method, 32, arithmetic, published_as=published_as)
