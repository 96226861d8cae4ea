"""POST's lookup table, by the fraction bits of its entries."""

from typing import Any

from abacus.cells.cell import EXACT, Cell, Outcomes
from abacus.cells.measures import ACCURACY, CYCLES, ENERGY, POINTS_LOST, Measure, Value
from abacus.cells.runner import Runner
from abacus.tables.asq import quantized
from abacus.tables.table import Datasets, Table

BITS = 4
FRACTION_BITS = (8, 7, 6, 5, 4, 3, 2)
LANES = (1, 4, 16)


def post_cell(dataset: str, method: str, fraction_bits: int, lanes: int = 1, **more: Any) -> Cell:
    """By a table of this kind."""
    table = (
        ("array.table.exponents", "3"),
        ("array.table.fraction_bits", str(fraction_bits)),
        ("array.table.lanes", str(lanes)),
    )
    return quantized(
        dataset,
        method,
        BITS,
        "post",
        "lsq",
        seeded=False,
        seed=1,
        hardware=table,
        fraction_bits=fraction_bits,
        **more,
    )


def post_fractions(datasets: Datasets) -> list[Cell]:
    """Exact, each fraction, tables for several lanes, and multipliers."""
    cells = []
    for dataset in datasets:
        cells.append(
            quantized(
                dataset,
                "POST, exact arithmetic",
                BITS,
                "post",
                "lsq",
                kind=EXACT,
                seeded=False,
                seed=1,
            )
        )
        for bits in FRACTION_BITS:
            cells.append(post_cell(dataset, f"POST, table of {bits} fraction bits", bits))
        for lanes in LANES[1:]:
            method = f"POST, table of 8 fraction bits for {lanes} lanes"
            note = "for cycles and energy"
            cells.append(post_cell(dataset, method, 8, lanes, images=1, note=note))
        cells.append(
            quantized(dataset, "LSQ, multipliers", BITS, "lsq", "lsq", seeded=False, seed=1)
        )
    return cells


def part_of_energy(sorted_by: str, name: str) -> Value:
    """`sorted_by`: component or action."""

    def value(cell: Cell, outcomes: Outcomes) -> float | None:
        parts = outcomes[cell].value(f"energy_by_{sorted_by}_uj")
        found: float | None = parts.get(name) if parts else None
        return found

    return value


def of_all_images(measure: Measure) -> Measure:
    """But of the cells that run one image, for their cost."""

    def value(cell: Cell, outcomes: Outcomes) -> float | None:
        return None if cell.images == 1 else measure.value(cell, outcomes)

    return Measure(measure.unit, value, measure.form)


def post_words(outcomes: Outcomes, _runner: Runner) -> list[str]:
    """By network: accuracy against exact arithmetic, and the post array against the mac array."""
    paragraphs = []
    for row in dict.fromkeys(cell.row for cell in outcomes):
        runs = {
            cell: outcome.run
            for cell, outcome in outcomes.items()
            if cell.row == row and outcome.run
        }
        tables = {cell: run for cell, run in runs.items() if cell.fraction_bits and not cell.images}
        if not tables:
            continue
        for exact in (run for cell, run in runs.items() if cell.kind == EXACT):
            points = ", ".join(
                f"{run['accuracy_percent'] - exact['accuracy_percent']:+.2f} with "
                f"{cell.fraction_bits} fraction bits"
                for cell, run in tables.items()
            )
            paragraphs.append(
                f"{row}, points against exact arithmetic: {points}"
                f"; an image is {100 / exact['images']:.2f} points."
            )
        for multipliers in (run for cell, run in runs.items() if cell.quantizers == "lsq-lsq"):
            array = multipliers["energy_by_component_uj"]["pe_array"]
            energies = ", ".join(
                f"{run['energy_by_component_uj']['pe_array']:.2f} µJ ({cell.fraction_bits} "
                "fraction bits)"
                for cell, run in tables.items()
            )
            paragraphs.append(
                f"{row}, energy of the array with multipliers: {array:.2f} µJ; with shifts and a "
                f"table: {energies}."
            )
    return paragraphs


TABLES = {
    "post-fractions": Table(
        "POST by a lookup table and in exact arithmetic",
        "CNN ResNet-20 with POST weights of 4 bits, LSQ activations. One trained package "
        "throughout; only the fraction of its tables' entries differs. Exact: the reference "
        "executor with real numbers, nothing cut off. A table serves one lane but where said "
        "otherwise; multipliers: the same network with LSQ weights on a mac array.",
        post_fractions,
        (
            of_all_images(ACCURACY),
            of_all_images(POINTS_LOST),
            CYCLES,
            ENERGY,
            Measure("µJ array", part_of_energy("component", "pe_array"), "{:.2f}"),
            Measure("µJ table reads", part_of_energy("action", "table_read"), "{:.2f}"),
            Measure("µJ multiplications", part_of_energy("action", "multiply"), "{:.2f}"),
        ),
        conclusions=post_words,
    ),
}
