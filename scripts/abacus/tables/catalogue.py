"""All tables, and what the user may change in them."""

from collections.abc import Iterable
from dataclasses import replace

from abacus.cells.cell import FLOAT, Cell
from abacus.cells.settings import OptionSetting
from abacus.errors import AbacusError
from abacus.tables import (
    adapter_cost,
    adderquant,
    asq,
    energy_ratio,
    overhead,
    own,
    post_fractions,
)

TABLES = {
    **adderquant.TABLES,
    **own.TABLES,
    **asq.TABLES,
    **energy_ratio.TABLES,
    **post_fractions.TABLES,
    **adapter_cost.TABLES,
    **overhead.TABLES,
}

STORAGE_BITS = range(2, 17)


def with_bits(cells: Iterable[Cell], bits: list[int]) -> list[Cell]:
    """Only the cells of these widths, and the float ones."""
    return [cell for cell in cells if not bits or cell.kind == FLOAT or cell.bits in bits]


def check_options(what: str, cells: Iterable[Cell], options: list[OptionSetting]) -> None:
    """Refuses an option that would reach none of the cells of `what`."""
    known: set[str] = set().union(*(cell.addresses for cell in cells if cell.takes_options))
    for scheme, name, value in options:
        if scheme and scheme not in known:
            raise AbacusError(
                f'--option {scheme}:{name}={value}: {what} has no row of "{scheme}"; allowed: '
                + (", ".join(sorted(known)) or "none, nothing is quantized")
            )


def with_options(cell: Cell, options: list[OptionSetting]) -> Cell:
    """The cell with those of the user's options that are for it."""
    if not cell.takes_options:
        return cell
    chosen = {
        name: value for scheme, name, value in options if not scheme or scheme in cell.addresses
    }
    # A cell's own field, which scenarios and trainings' commands name already.
    stored = chosen.pop("storage_bits", None)
    if stored is not None:
        if not stored.isdecimal() or int(stored) not in STORAGE_BITS:
            raise AbacusError(
                f"--option storage-bits={stored}: found {stored}; allowed: "
                f"{STORAGE_BITS[0]} to {STORAGE_BITS[-1]}"
            )
        cell = replace(cell, storage_bits=int(stored))
    return replace(cell, more_options=tuple(chosen.items()))
