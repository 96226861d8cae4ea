"""ShiftAddNet's energy beside AdderNet's under each energy table, by component and by hand."""

from abacus.cells.cell import SYNTHETIC, Cell, Outcomes
from abacus.cells.measures import ARITHMETIC_ACTIONS, CYCLES, ENERGY
from abacus.cells.runner import Runner
from abacus.programs.prices import Prices
from abacus.results import Run
from abacus.tables.table import Datasets, ExtraLine, Table

ENERGY_TABLES = ("shiftadd-papers", "horowitz-45nm", "accelergy-40nm")
RATIO_BITS = (8, 6, 4)
HAND_BITS = (32, 8)  # of what is counted by hand
# Taps of 8 bits with 8 fraction bits need it; the same for both networks.
ACCUMULATOR = (("array.accumulator_bits", "28"),)
ENERGY_UNIT, CYCLES_UNIT = "x energy", "x cycles"


# What a shift keeps below the binary point: all that the lanes have, and nothing, as the ShiftAdd
# papers count.
FRACTIONS = (("ShiftAddNet", "8"), ("ShiftAddNet without fraction bits", "0"))


def cell_of(
    dataset: str, table: str, bits: int, method: str, arithmetic: str, fraction: str | None = None
) -> Cell:
    """With random weights: neither cycles nor energy depend on them."""
    own = () if fraction is None else (("array.fraction_bits", fraction),)
    return Cell(
        SYNTHETIC,
        "resnet20",
        dataset,
        f"{method}, {table}",
        bits,
        arithmetic,
        energy=table,
        images=1,
        hardware=ACCUMULATOR + own,
    )


def energy_ratio(datasets: Datasets) -> list[Cell]:
    """AdderNet and ShiftAddNet under each table at each width."""
    cells = []
    for dataset in datasets:
        for table in ENERGY_TABLES:
            for bits in RATIO_BITS:
                cells.append(cell_of(dataset, table, bits, "AdderNet", "adder"))
                for method, fraction in FRACTIONS:
                    cells.append(cell_of(dataset, table, bits, method, "shiftaddnet", fraction))
    return cells


Pair = tuple[Cell, Run, str, Run]


def pairs(outcomes: Outcomes) -> list[Pair]:
    """(AdderNet's cell, its run, ShiftAddNet's method, its run) of the same table and width."""
    adders = {
        (cell.dataset, cell.energy, cell.bits): (cell, outcome.run)
        for cell, outcome in outcomes.items()
        if outcome.run and cell.arithmetic == "adder"
    }
    return [
        (*adders[cell.dataset, cell.energy, cell.bits], cell.method, outcome.run)
        for cell, outcome in outcomes.items()
        if outcome.run
        and cell.arithmetic == "shiftaddnet"
        and (cell.dataset, cell.energy, cell.bits) in adders
    ]


def taps(run: Run, ending: str = "") -> int:
    """Of the layers between the edges."""
    counted: int = sum(
        layer["macs_or_taps"]
        for layer in run["layers"]
        if layer["array"] == "array" and layer["name"].endswith(ending)
    )
    return counted


def counted_by_hand(
    adder_run: Run, shiftadd_run: Run, prices: Prices, bits: int
) -> list[tuple[float, str]]:
    """(ShiftAddNet's energy / AdderNet's, how counted), by taps and the table's unit energies."""
    add, shift = (prices.picojoules(action, bits) for action in ("add", "shift"))
    adder = 2 * add * taps(adder_run)
    own_adders = 2 * add * taps(shiftadd_run, ".adder")
    shifts = taps(shiftadd_run, ".shift")
    return [
        (
            (shifts * (shift + add) + own_adders) / adder,
            "a shift tap is a shift and an addition, an adder tap two additions",
        ),
        (
            (shifts * shift + own_adders) / adder,
            "a shift tap is a shift alone, an adder tap two additions",
        ),
    ]


def pair_lines(cell: Cell, adder: Run, method: str, shiftadd: Run) -> list[ExtraLine]:
    """Of one pair: energies in all, by component and of the arithmetic; cycles."""
    row, bits = f"{cell.row}, {method}", cell.bits
    lines = []

    def add(what: str, below: float, above: float, note: str = "") -> None:
        ratio = above / below if below else None
        lines.append(ExtraLine(row, what, bits, "µJ AdderNet", below, note, "{:.3f}"))
        lines.append(ExtraLine(row, what, bits, "µJ ShiftAddNet", above, note, "{:.3f}"))
        lines.append(ExtraLine(row, what, bits, ENERGY_UNIT, ratio, note))

    add("all", adder["energy_per_image_uj"], shiftadd["energy_per_image_uj"])
    cycles = [run["cycles_per_image"] for run in (adder, shiftadd)]
    for unit, of_run in zip(("cycles AdderNet", "cycles ShiftAddNet"), cycles):
        lines.append(ExtraLine(row, "all", bits, unit, of_run, "", "{:.0f}"))
    lines.append(ExtraLine(row, "all", bits, CYCLES_UNIT, cycles[1] / cycles[0]))
    for name, below in adder["energy_by_component_uj"].items():
        above = shiftadd["energy_by_component_uj"].get(name, 0)
        if below or above:
            add(name, below, above)
    below, above = (
        sum(run["energy_by_action_uj"].get(action, 0) for action in ARITHMETIC_ACTIONS)
        for run in (adder, shiftadd)
    )
    add(
        "arithmetic alone",
        below,
        above,
        note="additions, |a − w|, shifts and multiplications of all "
        "components, without registers and memories",
    )
    return lines


def energy_ratio_lines(outcomes: Outcomes, runner: Runner) -> list[ExtraLine]:
    """Of each pair, by hand, and the published ratio."""
    lines = []
    by_hand = {}
    for cell, adder, method, shiftadd in pairs(outcomes):
        lines += pair_lines(cell, adder, method, shiftadd)
        by_hand[cell.row, cell.energy] = (adder, shiftadd)
    for (row, name), (adder, shiftadd) in by_hand.items():
        prices = Prices(runner.programs, name, HAND_BITS)
        for bits in HAND_BITS:
            for ratio, how in counted_by_hand(adder, shiftadd, prices, bits):
                where = f"{row}, {name}, by hand"
                note = "layers between the edges"
                lines.append(ExtraLine(where, how, bits, ENERGY_UNIT, ratio, note))
    return lines + [
        ExtraLine(
            "as published",
            "ShiftAddNet / AdderNet",
            32,
            ENERGY_UNIT,
            None,
            "measured on an FPGA, training included; of no stated counting",
        )
    ]


def energy_ratio_words(outcomes: Outcomes, _runner: Runner) -> list[str]:
    """Why no table gives the published ratio, and ours."""
    found = pairs(outcomes)
    text = (
        "**The published ratio cannot come from unit energies.** A ShiftAddNet block is a k × k "
        "shift layer and, behind it, a k × k adder layer. That adder layer goes from the block's "
        "output channels to its output channels, where AdderNet's goes from the input channels, "
        "which are never more: with equal channels and equal precision ShiftAddNet does all that "
        "AdderNet does and the shift layer's work besides. Whatever a table says an operation "
        "costs, as long as it is not negative, the ratio is at least 1; no table can give −25.2 %. "
        "ShiftAddNet's authors "
        "measured on an FPGA, training included, and AdderNet's quantization paper carries their "
        "ratio over: it compares something else than two inferences of equal shape and precision."
    )
    if not found:
        return [text]
    ratios, cycles = (
        [shiftadd[name] / adder[name] for _, adder, _, shiftadd in found]
        for name in ("energy_per_image_uj", "cycles_per_image")
    )
    return [
        text,
        f"Ours: {min(ratios):.2f} to {max(ratios):.2f} times AdderNet's energy over the "
        f"tables and widths, all components and memories counted, in {min(cycles):.2f} to "
        f"{max(cycles):.2f} times the cycles.",
    ]


TABLES = {
    "energy-ratio": Table(
        "ShiftAddNet's energy against AdderNet's",
        "ResNet-20 with random weights, one image, both networks with one group of scales and "
        "operands of the same width, on arrays of the same size and throughput. Published: "
        "ShiftAddNet needs 25.2 % less (Nie et al., NeurIPS 2022, section 4.3, from You et al., "
        "NeurIPS 2020). By hand: taps between the edges times the table's unit energies, memories "
        "left out.",
        energy_ratio,
        (CYCLES, ENERGY),
        energy_ratio_lines,
        energy_ratio_words,
    ),
}
