"""A table's two files: TABLE.csv, a line a figure, and TABLE.md, a line a cell."""

import csv
import io
from dataclasses import dataclass

from .cells import CITED, FLOAT
from .files import duration_text
from .tables import PUBLISHED_IN

COLUMNS = ("row", "method", "bits", "published", "ours", "unit", "images", "note")


@dataclass
class Line:
    row: str
    method: str
    bits: int
    published: str
    ours: str
    unit: str
    images: str
    note: str


def text_of(value, form):
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = form.format(value)
    return text.lstrip("-") if float(text) == 0 else text  # no "-0.00"


def lines_of(name, table, outcomes, published, runner):
    lines = []
    for cell, outcome in outcomes.items():
        note = "; ".join(([outcome.reason] if outcome.reason else []) + outcome.notes
                         + ([cell.note] if cell.note and cell.kind != CITED else []))
        images = outcome.run["images"] if outcome.run else ""
        made = []
        for measure in table.measures:
            ours = measure.value(cell, outcomes)
            theirs = published.value(PUBLISHED_IN.get(name, name), cell.network, cell.dataset,
                                     cell.published_as or cell.method, cell.bits, measure.unit)
            if ours is None and theirs is None:
                continue
            made.append(Line(cell.row, cell.method, cell.bits, text_of(theirs, measure.form),
                             text_of(ours, measure.form), measure.unit, str(images), note))
        if not made:  # the row is listed all the same, with the reason
            made.append(Line(cell.row, cell.method, cell.bits, "", "", table.measures[0].unit, "",
                             note or "the checkpoint records no accuracy"
                             if cell.kind == FLOAT else note))
        lines += made
    for extra in table.extra_lines(outcomes, runner) if table.extra_lines else []:
        theirs = published.value(name, extra.row, "", extra.method, extra.bits, extra.unit)
        lines.append(Line(extra.row, extra.method, extra.bits, text_of(theirs, extra.published_form),
                          text_of(extra.ours, extra.form), extra.unit, "", extra.note))
    return lines


def csv_text(lines):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([getattr(line, column) for column in COLUMNS])
    return text.getvalue()


def cell_text(value):
    return value.replace("|", "\\|") if value else "–"


def grouped(number):
    """Thousands apart, for large counts."""
    digits = number.split(".")[0].lstrip("-")
    return f"{int(number):,}" if number.isdigit() and len(digits) > 4 else number


def blocks(lines):
    """Rows (row, method, bits → unit → line) that share units, a table each; in the lines' order."""
    rows = {}
    for line in lines:
        rows.setdefault((line.row, line.method, line.bits), {})[line.unit] = line
    found = []
    for key, by_unit in rows.items():
        for units, block in found:
            if units & set(by_unit):
                units.update(by_unit)
                block[key] = by_unit
                break
        else:
            found.append((set(by_unit), {key: by_unit}))
    return [block for _, block in found]


def block_text(block, table):
    """One Markdown table."""
    there = list(dict.fromkeys(unit for by_unit in block.values() for unit in by_unit))
    units = [measure.unit for measure in table.measures if measure.unit in there]
    units += [unit for unit in there if unit not in units]
    all_lines = [line for by_unit in block.values() for line in by_unit.values()]
    with_published = {line.unit for line in all_lines if line.published}
    with_images = any(line.images for line in all_lines)
    header, marks = ["Network, data", "Method", "Bits"], ["---", "---", "---:"]
    for unit in units:
        names = [f"published, {unit}", f"ours, {unit}"] if unit in with_published else [unit]
        header += names
        marks += ["---:"] * len(names)
    header += (["Images"] if with_images else []) + ["Note"]
    marks += (["---:"] if with_images else []) + ["---"]
    text = ["| " + " | ".join(header) + " |", "| " + " | ".join(marks) + " |"]
    for (row, method, bits), by_unit in block.items():
        cells = [row, method, str(bits)]
        for unit in units:
            line = by_unit.get(unit)
            if unit in with_published:
                cells.append(grouped(line.published) if line else "")
            cells.append(grouped(line.ours) if line else "")
        notes = "; ".join(dict.fromkeys(line.note for line in by_unit.values() if line.note))
        cells += ([next(iter(by_unit.values())).images] if with_images else []) + [notes]
        text.append("| " + " | ".join(cell_text(cell) for cell in cells) + " |")
    return text


def markdown_text(table, lines, command, outcomes, images, runner):
    seconds = sum(outcome.seconds for outcome in outcomes.values())
    text = [f"# {table.title}", "", table.about]
    for block in blocks(lines):
        text += [""] + block_text(block, table)
    for paragraph in table.conclusions(outcomes, runner) if table.conclusions else []:
        text += ["", paragraph]
    if any(line.unit == "%" for line in lines):
        text += ["",
                 "Accuracies are the integer hardware models'; cycles and energy are one image's."]
    if images:
        text.append(f"Only the first {images:,} test images: points lost compare with the float "
                    "accuracy on all of them.")
    text += ["", f"Made by `{command}`; machine time {duration_text(seconds)}.", ""]
    return "\n".join(text)
