"""What is told of a cell: accuracies, cycles, energy, traffic."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from abacus.cells.cell import FLOAT, Cell, Outcome, Outcomes
from abacus.results import Run

Value = Callable[[Cell, Outcomes], float | None]


@dataclass(frozen=True)
class Measure:
    """A number of a cell, or None where there is none."""

    unit: str
    value: Value
    form: str = "{:.2f}"


def accuracies(outcome: Outcome) -> list[float]:
    """Of all seeds, in their order."""
    runs = list(outcome.runs.values()) or ([outcome.run] if outcome.run else [])
    return [run["accuracy_percent"] for run in runs if run["accuracy_percent"] is not None]


def accuracy(cell: Cell, outcomes: Outcomes) -> float | None:
    """Of several seeds the mean."""
    outcome = outcomes[cell]
    if cell.kind == FLOAT:
        return outcome.float_accuracy
    found = accuracies(outcome)
    return statistics.fmean(found) if found else None


def accuracy_spread(cell: Cell, outcomes: Outcomes) -> float | None:
    """Sample standard deviation over the seeds."""
    found = accuracies(outcomes[cell])
    return statistics.stdev(found) if len(found) > 1 else None


def training_loss(cell: Cell, outcomes: Outcomes) -> float | None:
    """Mean over the seeds."""
    found = list(outcomes[cell].losses.values())
    return statistics.fmean(found) if found else None


def points_lost(cell: Cell, outcomes: Outcomes) -> float | None:
    """Against the float accuracy that the checkpoint records."""
    outcome = outcomes[cell]
    ours = accuracy(cell, outcomes)
    if cell.kind == FLOAT or ours is None or outcome.float_accuracy is None:
        return None
    return outcome.float_accuracy - ours


def field_of_run(name: str) -> Value:
    """A number of results.json as it stands."""

    def value(cell: Cell, outcomes: Outcomes) -> float | None:
        found: float | None = outcomes[cell].value(name)
        return found

    return value


def traffic(components: tuple[str, ...], actions: tuple[str, ...]) -> Value:
    """Bytes an image that these components moved, in KiB."""

    def value(cell: Cell, outcomes: Outcomes) -> float | None:
        run = outcomes[cell].run
        if not run or "activity_per_image" not in run:
            return None
        bits: float = sum(
            entry["count"] * entry["bits_a"]
            for entry in run["activity_per_image"]
            if entry["component"] in components and entry["action"] in actions
        )
        return bits / 8 / 1024

    return value


ARITHMETIC_ACTIONS = ("add", "absolute_difference", "shift", "multiply")
INNER_COMPONENTS = ("pe_array", "read_quantizer", "scale_unit", "vector_unit")


def operations(run: Run) -> float:
    """Arithmetic operations an image outside of the edge array, as the models counted them."""
    counted: float = sum(
        entry["count"]
        for entry in run.get("activity_per_image", [])
        if entry["component"] in INNER_COMPONENTS and entry["action"] in ARITHMETIC_ACTIONS
    )
    return counted


ACCURACY = Measure("%", accuracy)
SPREAD = Measure("points spread", accuracy_spread)
POINTS_LOST = Measure("points lost", points_lost)
TRAINING_LOSS = Measure("training loss", training_loss, "{:.4f}")
CYCLES = Measure("cycles", field_of_run("cycles_per_image"), "{:.0f}")
ENERGY = Measure("µJ", field_of_run("energy_per_image_uj"), "{:.1f}")
DRAM_TRAFFIC = Measure("KiB DRAM", traffic(("dram",), ("dram_read", "dram_write")), "{:.1f}")
SRAM_TRAFFIC = Measure(
    "KiB SRAM",
    traffic(("activation_sram", "weight_sram", "parameter_sram"), ("sram_read", "sram_write")),
    "{:.1f}",
)
COST = (CYCLES, ENERGY)
