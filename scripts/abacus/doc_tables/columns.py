"""Columns: what of a run's results stands in a cell, and how it is written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from abacus.results import Run

Cell = Callable[[Run], str]


@dataclass(frozen=True)
class Column:
    """One of a table's columns."""

    title: str
    cell: Cell


def value(run: Run, path: str) -> Any:
    """A field by its path, as in area.array_um2; KeyError where a run has none."""
    for name in path.split("."):
        run = run[name]
    return run


def number(path: str, digits: int = 0, unit: str = "", factor: float = 1) -> Cell:
    """With so many digits behind the point, thousands apart."""
    return lambda run: f"{value(run, path) * factor:,.{digits}f}{unit}"


def energy_of(*actions: str) -> Cell:
    """Of these actions together, µJ an image."""
    return lambda run: f"{sum(run['energy_by_action_uj'].get(a, 0) for a in actions):.2f}"


def share(run: Run, component: str) -> float:
    """Of the image's energy, %."""
    return float(100 * run["energy_by_component_uj"][component] / run["energy_per_image_uj"])


def compute_cycles(run: Run) -> int:
    """Of the units that compute, what they waited for memory aside."""
    units = run["units"]
    computing = (units[name] for name in ("compute_array", "compute_edge", "compute_vector"))
    return int(sum(unit["busy_cycles"] - unit["stalled_cycles"] for unit in computing))


def transfer_cycles(run: Run) -> float:
    """In which the load unit had a transfer under way."""
    outside = ("commands", "token_load", "token_compute", "token_store", "drained")
    return float(sum(c for cause, c in run["spent_cycles"]["load"].items() if cause not in outside))


def load_bandwidth(run: Run) -> str:
    """What bus and DRAM give a load while it is under way, GB/s."""
    hardware = run["hardware"]
    moved = run["spent_cycles"]["load"]["work"] * hardware["bus"]["bytes_per_cycle"]
    return f"{moved / transfer_cycles(run) * hardware['clock_mhz'] / 1e3:.2f}"


def load_waits(run: Run) -> str:
    """For the DRAM, of that time."""
    spent = run["spent_cycles"]["load"]
    waited = sum(cycles for cause, cycles in spent.items() if cause.startswith("dram_"))
    return f"{100 * waited / transfer_cycles(run):.0f} %"


def array(run: Run) -> str:
    """16 × 16."""
    lanes = run["hardware"]["array"]
    return f"{lanes['rows']} × {lanes['columns']}"


NAME = Column("run", lambda run: str(run["name"]))
ACCURACY = Column("accuracy", number("accuracy_percent", 2, " %"))
FLOAT_ACCURACY = Column("float", number("float_accuracy_percent", 2, " %"))
CYCLES = Column("cycles an image", number("cycles_per_image"))
TIME = Column("time", number("time_per_image_us", 0, " µs"))
ENERGY = Column("energy (Horowitz, 45 nm)", number("energy_per_image_uj", 1, " µJ"))
DRAM_SHARE = Column("of it DRAM", lambda run: f"{share(run, 'dram'):.0f} %")
ON_CHIP = Column(
    "on the chip",
    lambda run: f"{run['energy_per_image_uj'] - run['energy_by_component_uj']['dram']:.1f} µJ",
)
STATIC = Column("of it static", number("static_energy_uj", 1, " µJ"))
DRAM = Column("DRAM", number("dram_bytes_per_image", 0, " KiB", 1 / 1024))
ARRAY = Column("array", array)
