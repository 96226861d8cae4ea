"""TABLE.md: a line a cell, and what is said about them."""

from abacus.cells.cell import Outcomes
from abacus.cells.runner import Runner
from abacus.files import duration_text
from abacus.tables.lines import Line
from abacus.tables.table import Table

ByUnit = dict[str, Line]
Block = dict[tuple[str, str, int], ByUnit]  # row, method, bits


def cell_text(value: str) -> str:
    """As a Markdown table takes it."""
    return value.replace("|", "\\|") if value else "–"


def grouped(number: str) -> str:
    """Thousands apart, for large counts."""
    digits = number.split(".")[0].lstrip("-")
    return f"{int(number):,}" if number.isdigit() and len(digits) > 4 else number


def blocks(lines: list[Line]) -> list[Block]:
    """Rows that share units, a table each; in the lines' order."""
    rows: Block = {}
    for line in lines:
        rows.setdefault((line.row, line.method, line.bits), {})[line.unit] = line
    found: list[tuple[set[str], Block]] = []
    for key, by_unit in rows.items():
        for units, block in found:
            if units & set(by_unit):
                units.update(by_unit)
                block[key] = by_unit
                break
        else:
            found.append((set(by_unit), {key: by_unit}))
    return [block for _, block in found]


def block_text(block: Block, table: Table) -> list[str]:
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


def table_markdown(
    table: Table, lines: list[Line], command: str, outcomes: Outcomes, runner: Runner
) -> str:
    """The file's text. `command`: by which it was made."""
    seconds = sum(outcome.seconds for outcome in outcomes.values())
    images = runner.settings.images
    text = [f"# {table.title}", "", table.about]
    for block in blocks(lines):
        text += [""] + block_text(block, table)
    for paragraph in table.conclusions(outcomes, runner) if table.conclusions else []:
        text += ["", paragraph]
    if any(line.unit == "%" for line in lines):
        text += [
            "",
            "Accuracies are the integer hardware models'; cycles and energy are one image's.",
        ]
    if images:
        text.append(
            f"Only the first {images:,} test images: points lost compare with the float "
            "accuracy on all of them."
        )
    text += ["", f"Made by `{command}`; machine time {duration_text(seconds)}.", ""]
    return "\n".join(text)
