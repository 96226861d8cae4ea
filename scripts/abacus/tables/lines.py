"""TABLE.csv: a line a figure."""

from dataclasses import astuple, dataclass, fields

from abacus.cells.cell import CITED, FLOAT, Cell, Outcome, Outcomes
from abacus.cells.runner import Runner
from abacus.files import csv_text
from abacus.tables.published import Published
from abacus.tables.table import Table


@dataclass(frozen=True)
class Line:
    """The file's columns; what is not there is an empty text."""

    row: str
    method: str
    bits: int
    published: str
    ours: str
    unit: str
    images: str
    note: str


def text_of(value: float | str | None, form: str) -> str:
    """A figure as the table has it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = form.format(value)
    return text.lstrip("-") if float(text) == 0 else text  # no "-0.00"


def lines_of(
    name: str, table: Table, outcomes: Outcomes, published: Published, runner: Runner
) -> list[Line]:
    """The cells' lines in their order, then the table's own."""
    lines = []
    for cell, outcome in outcomes.items():
        lines += cell_lines(name, table, cell, outcomes, published)
    for extra in table.extra_lines(outcomes, runner) if table.extra_lines else []:
        theirs = published.value(name, extra.row, "", extra.method, extra.bits, extra.unit)
        lines.append(
            Line(
                extra.row,
                extra.method,
                extra.bits,
                text_of(theirs, extra.published_form),
                text_of(extra.ours, extra.form),
                extra.unit,
                "",
                extra.note,
            )
        )
    return lines


def cell_lines(
    name: str, table: Table, cell: Cell, outcomes: Outcomes, published: Published
) -> list[Line]:
    """One a measure that we or the paper have; one at least, with the reason."""
    outcome = outcomes[cell]
    note = note_of(cell, outcome)
    images = str(outcome.run["images"]) if outcome.run else ""
    lines = []
    for measure in table.measures:
        ours = measure.value(cell, outcomes)
        theirs = published.value(
            table.published_in or name,
            cell.network,
            cell.dataset,
            cell.published_as or cell.method,
            cell.bits,
            measure.unit,
        )
        if ours is None and theirs is None:
            continue
        lines.append(
            Line(
                cell.row,
                cell.method,
                cell.bits,
                text_of(theirs, measure.form),
                text_of(ours, measure.form),
                measure.unit,
                images,
                note,
            )
        )
    if lines:
        return lines
    if cell.kind == FLOAT:
        note = note or "the checkpoint records no accuracy"
    return [Line(cell.row, cell.method, cell.bits, "", "", table.measures[0].unit, "", note)]


def note_of(cell: Cell, outcome: Outcome) -> str:
    """The reason why there is nothing, and what is worth knowing."""
    notes = ([outcome.reason] if outcome.reason else []) + outcome.notes
    return "; ".join(notes + ([cell.note] if cell.note and cell.kind != CITED else []))


def table_csv(lines: list[Line]) -> str:
    """The file's text."""
    return csv_text([[column.name for column in fields(Line)], *map(astuple, lines)])
