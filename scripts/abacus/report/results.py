"""What the page needs of a results.json (docs/results-json.md), as checked values. Units are the
file's: µs, µJ, pJ, µm²."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class UnitCycles:
    """Of one unit; the stalled ones are among the busy ones."""

    busy: float
    stalled: float


UnitTimes = Mapping[str, UnitCycles]
NO_CYCLES = UnitCycles(0, 0)  # of a unit that the file does not have: it was added later


@dataclass(frozen=True)
class Action:
    """How often an image does it, and its price."""

    component: str
    name: str
    bits_a: int
    bits_b: int
    count: float
    pj_each: float

    @property
    def energy_uj(self) -> float:
        """An image."""
        return 1e-6 * self.count * self.pj_each


@dataclass(frozen=True)
class LayerTiming:
    """A layer's part of an image."""

    cycles: float
    pe_utilisation: float
    energy_uj: float
    units: UnitTimes
    spent: Mapping[str, Mapping[str, float]]  # cycles by unit and cause; empty in older files


@dataclass(frozen=True)
class Frame:
    """An image and the time until the next one; the energy is None where an image takes longer."""

    frames_per_second: float
    energy_uj: float | None
    power_mw: float | None


@dataclass(frozen=True)
class Timing:
    """Of an image; `layers` in the order of the run's."""

    cycles: float
    time_us: float
    energy_uj: float
    static_energy_uj: float | None  # of it, for time alone; None: an older program
    energy_by_component_uj: Mapping[str, float]
    frame: Frame | None  # with a rate of frames alone
    units: UnitTimes
    actions: tuple[Action, ...]
    layers: tuple[LayerTiming, ...]


@dataclass(frozen=True)
class Widths:
    """In bits."""

    weights: int
    activations: int


@dataclass(frozen=True)
class Layer:
    """What a layer has without any timing."""

    name: str
    kind: str
    array: str | None
    widths: Widths | None  # of a convolution
    macs_or_taps: int
    output_tiles: int
    groups: int
    saturations: int
    step_saturations: int | None  # all together; None without an adapter


@dataclass(frozen=True)
class Area:
    """Of the accelerator, and of its PE array; `filled` of the area of `same_area_as`'s, 0 … 1.
    `accelerator_um2`: None where an older program did not tell; `left_out`: what the table lacks.
    """

    table: str
    table_title: str
    array_um2: float
    accelerator_um2: float | None
    left_out: tuple[str, ...]
    same_area_as: str | None
    filled: float | None


@dataclass(frozen=True)
class Hardware:
    """`parts`: each with its parameters, array.rows as rows of array; `bytes_per_cycle` of the bus
    or the DRAM's pins, whichever has fewer: None where the file does not tell."""

    kind: str
    rows: int
    columns: int
    parts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    bytes_per_cycle: float | None


@dataclass(frozen=True)
class Accuracies:
    """In percent; None where there is none."""

    hardware: float | None
    fake_quantized: float | None
    floating: float | None

    @property
    def change(self) -> float | None:
        """By quantization."""
        if self.hardware is None or self.floating is None:
            return None
        return self.hardware - self.floating


@dataclass(frozen=True)
class Check:
    """Of --check; `mismatch` says the first difference, None where all is exact."""

    images: int
    mismatch: str | None


@dataclass(frozen=True)
class RandomWeights:
    """In place of trained ones."""

    seed: int


@dataclass(frozen=True)
class TrainedWeights:
    """SHA-256 of the files; None where unknown."""

    checkpoint: str | None
    package: str | None


@dataclass(frozen=True)
class Run:
    """One network on one accelerator. `check`: None where it was not asked for; `timing`: None at
    the functional level."""

    name: str
    network: str
    arithmetic: str
    dataset: str
    scheme: str
    widths: Widths
    images: int
    weights: RandomWeights | TrainedWeights
    accuracies: Accuracies
    energy_table: str
    energy_table_title: str
    energy_left_out: tuple[str, ...]  # what the table lacks
    check: Check | None
    area: Area | None  # None where an older program did not tell
    hardware: Hardware
    layers: tuple[Layer, ...]
    timing: Timing | None


@dataclass(frozen=True)
class Program:
    """What made a file; `commit`: None where unknown, `dirty`: its sources had changes since."""

    name: str
    version: str
    commit: str | None
    dirty: bool
    command: tuple[str, ...]


@dataclass(frozen=True)
class Results:
    """All of a file. `disagreements`: of tables about which of two runs needs less, in words."""

    runs: tuple[Run, ...]
    disagreements: tuple[str, ...]
    scenario_name: str
    scenario_file: str
    scenario_text: str
    settings: tuple[str, ...]  # KEY=VALUE in place of what the text says
    program: Program | None  # None in files of schema 1
    started: str
    seconds: float
    jobs: int


def timed(runs: Sequence[Run]) -> list[tuple[Run, Timing]]:
    """Those with cycles."""
    return [(run, run.timing) for run in runs if run.timing is not None]
