"""What the other arithmetics cost in hardware: ShiftAddNet's energy beside AdderNet's, POST's
lookup table, ASQ's step adapters."""

from .asq_tables import quantized
from .cells import ACCURACY, CYCLES, ENERGY, EXACT, POINTS_LOST, SYNTHETIC, Cell, Measure
from .energy_table import EnergyTable
from .errors import ReproductionError
from .table import ExtraLine, Table

# -- ShiftAddNet and AdderNet

ENERGY_TABLES = ("shiftadd-papers", "horowitz-45nm", "accelergy-40nm")
RATIO_BITS = (8, 6, 4)
# Taps of 8 bits with 8 fraction bits need it; the same for both networks.
ACCUMULATOR = (("array.accumulator_bits", "28"),)
ARITHMETIC_ACTIONS = ("add", "absolute_difference", "shift", "multiply")
ENERGY_UNIT, CYCLES_UNIT = "x energy", "x cycles"


# What a shift keeps below the binary point: all that the lanes have, and nothing, as the ShiftAdd
# papers count.
FRACTIONS = (("ShiftAddNet", "8"), ("ShiftAddNet without fraction bits", "0"))


def energy_ratio(datasets):
    """With random weights: neither cycles nor energy depend on them."""
    cells = []
    for dataset in datasets:
        for table in ENERGY_TABLES:
            for bits in RATIO_BITS:
                cells.append(Cell(SYNTHETIC, "resnet20", dataset, f"AdderNet, {table}", bits, "adder",
                                  energy=table, images=1, hardware=ACCUMULATOR))
                for method, fraction in FRACTIONS:
                    hardware = ACCUMULATOR + (("array.fraction_bits", fraction),)
                    cells.append(Cell(SYNTHETIC, "resnet20", dataset, f"{method}, {table}", bits,
                                      "shiftaddnet", energy=table, images=1, hardware=hardware))
    return cells


def pairs(outcomes):
    """(AdderNet's cell, its run, ShiftAddNet's method, its run) of the same table and width."""
    adders = {(cell.dataset, cell.energy, cell.bits): (cell, outcome.run)
              for cell, outcome in outcomes.items() if outcome.run and cell.arithmetic == "adder"}
    return [(*adders[cell.dataset, cell.energy, cell.bits], cell.method, outcome.run)
            for cell, outcome in outcomes.items()
            if outcome.run and cell.arithmetic == "shiftaddnet"
            and (cell.dataset, cell.energy, cell.bits) in adders]


def taps(run, ending=""):
    """Of the layers between the edges."""
    return sum(layer["macs_or_taps"] for layer in run["layers"]
               if layer["array"] == "array" and layer["name"].endswith(ending))


def counted_by_hand(adder_run, shiftadd_run, table, bits):
    """(ShiftAddNet's energy / AdderNet's, how counted), by taps and the table's unit energies."""
    add, shift = (table.picojoules(action, bits) for action in ("add", "shift"))
    adder = 2 * add * taps(adder_run)
    own_adders = 2 * add * taps(shiftadd_run, ".adder")
    shifts = taps(shiftadd_run, ".shift")
    return [((shifts * (shift + add) + own_adders) / adder,
             "a shift tap is a shift and an addition, an adder tap two additions"),
            ((shifts * shift + own_adders) / adder,
             "a shift tap is a shift alone, an adder tap two additions")]


def energy_ratio_lines(outcomes, _runner):
    lines = []
    by_hand = {}
    for cell, adder, method, shiftadd in pairs(outcomes):
        row = f"{cell.row}, {method}"

        def add(what, below, above, row=row, bits=cell.bits, note=""):
            lines.append(ExtraLine(row, what, bits, "µJ AdderNet", below, note, "{:.3f}"))
            lines.append(ExtraLine(row, what, bits, "µJ ShiftAddNet", above, note, "{:.3f}"))
            lines.append(ExtraLine(row, what, bits, ENERGY_UNIT,
                                   above / below if below else None, note))

        add("all", adder["energy_per_image_uj"], shiftadd["energy_per_image_uj"])
        for unit, run in (("cycles AdderNet", adder), ("cycles ShiftAddNet", shiftadd)):
            lines.append(ExtraLine(row, "all", cell.bits, unit, run["cycles_per_image"], "",
                                   "{:.0f}"))
        lines.append(ExtraLine(row, "all", cell.bits, CYCLES_UNIT,
                               shiftadd["cycles_per_image"] / adder["cycles_per_image"]))
        for name, below in adder["energy_by_component_uj"].items():
            above = shiftadd["energy_by_component_uj"].get(name, 0)
            if below or above:
                add(name, below, above)
        sums = [sum(run["energy_by_action_uj"].get(action, 0) for action in ARITHMETIC_ACTIONS)
                for run in (adder, shiftadd)]
        add("arithmetic alone", *sums, note="additions, |a − w|, shifts and multiplications of all "
            "components, without registers and memories")
        by_hand[cell.row, cell.energy] = (adder, shiftadd)
    for (row, name), (adder, shiftadd) in by_hand.items():
        table = EnergyTable(name)
        for bits in (32, 8):
            for ratio, how in counted_by_hand(adder, shiftadd, table, bits):
                lines.append(ExtraLine(f"{row}, {name}, by hand", how, bits, ENERGY_UNIT, ratio,
                                       "layers between the edges"))
    return lines + [ExtraLine("as published", "ShiftAddNet / AdderNet", 32, ENERGY_UNIT, None,
                              "measured on an FPGA, training included; of no stated counting")]


def energy_ratio_words(outcomes, _runner):
    found = pairs(outcomes)
    text = (
        "**The published ratio cannot come from unit energies.** A ShiftAddNet block is a k × k "
        "shift layer and, behind it, a k × k adder layer. That adder layer goes from the block's "
        "output channels to its output channels, where AdderNet's goes from the input channels, "
        "which are never more: with equal channels and equal precision ShiftAddNet does all that "
        "AdderNet does and the shift layer's work besides. Whatever a table says an operation costs, "
        "as long as it is not negative, the ratio is at least 1; no table can give −25.2 %. "
        "ShiftAddNet's authors "
        "measured on an FPGA, training included, and AdderNet's quantization paper carries their "
        "ratio over: it compares something else than two inferences of equal shape and precision.")
    if not found:
        return [text]
    ratios = [shiftadd["energy_per_image_uj"] / adder["energy_per_image_uj"]
              for _, adder, _, shiftadd in found]
    cycles = [shiftadd["cycles_per_image"] / adder["cycles_per_image"]
              for _, adder, _, shiftadd in found]
    return [text, f"Ours: {min(ratios):.2f} to {max(ratios):.2f} times AdderNet's energy over the "
            f"tables and widths, all components and memories counted, in {min(cycles):.2f} to "
            f"{max(cycles):.2f} times the cycles."]


# -- POST's lookup table

POST_BITS = 4
FRACTION_BITS = (8, 7, 6, 5, 4, 3, 2)
LANES = (1, 4, 16)


def post_cell(dataset, method, fraction_bits, lanes=1, **more):
    table = (("array.table.exponents", "3"), ("array.table.fraction_bits", str(fraction_bits)),
             ("array.table.lanes", str(lanes)))
    return quantized(dataset, method, POST_BITS, "post", "lsq", seeded=False, seed=1,
                     hardware=table, fraction_bits=fraction_bits, **more)


def post_fractions(datasets):
    cells = []
    for dataset in datasets:
        cells.append(quantized(dataset, "POST, exact arithmetic", POST_BITS, "post", "lsq",
                               kind=EXACT, seeded=False, seed=1))
        for bits in FRACTION_BITS:
            cells.append(post_cell(dataset, f"POST, table of {bits} fraction bits", bits))
        for lanes in LANES[1:]:
            cells.append(post_cell(dataset, f"POST, table of 8 fraction bits for {lanes} lanes", 8,
                                   lanes, images=1, note="for cycles and energy"))
        cells.append(quantized(dataset, "LSQ, multipliers", POST_BITS, "lsq", "lsq", seeded=False,
                               seed=1))
    return cells


def part_of_energy(sorted_by, name):
    """`sorted_by`: component or action."""
    def value(cell, outcomes):
        run = outcomes[cell].run
        parts = run.get(f"energy_by_{sorted_by}_uj") if run else None
        return parts.get(name) if parts else None
    return value


def measured_accuracy(cell, outcomes):
    """But of the cells that run one image, for their cost."""
    return None if cell.images == 1 else ACCURACY.value(cell, outcomes)


def measured_loss(cell, outcomes):
    return None if cell.images == 1 else POINTS_LOST.value(cell, outcomes)


def post_words(outcomes, _runner):
    """By network: accuracy against exact arithmetic, and the post array against the mac array."""
    paragraphs = []
    for row in dict.fromkeys(cell.row for cell in outcomes):
        runs = {cell: outcome.run for cell, outcome in outcomes.items()
                if cell.row == row and outcome.run}
        tables = {cell: run for cell, run in runs.items() if cell.fraction_bits and not cell.images}
        for exact in (run for cell, run in runs.items() if cell.kind == EXACT):
            if tables:
                paragraphs.append(f"{row}, points against exact arithmetic: " + ", ".join(
                    f"{run['accuracy_percent'] - exact['accuracy_percent']:+.2f} with "
                    f"{cell.fraction_bits} fraction bits" for cell, run in tables.items())
                    + f"; an image is {100 / exact['images']:.2f} points.")
        for multipliers in (run for cell, run in runs.items() if cell.quantizers == "lsq-lsq"):
            array = multipliers["energy_by_component_uj"]["pe_array"]
            paragraphs += [
                f"{row}, energy of the array with multipliers: {array:.2f} µJ; with shifts and a "
                "table: " + ", ".join(
                    f"{run['energy_by_component_uj']['pe_array']:.2f} µJ ({cell.fraction_bits} "
                    "fraction bits)" for cell, run in tables.items()) + "."] if tables else []
    return paragraphs


# -- ASQ's step adapters

ADAPTER_BITS = (4, 3, 2)


def with_and_without_adapters(network, dataset, bits, hardware=()):
    """With random weights: an adapter's cost does not depend on them."""
    return [Cell(SYNTHETIC, network, dataset, method, bits, "cnn", images=1, hardware=hardware,
                 options=(("adapters", adapters),))
            for method, adapters in (("LSQ", "false"), ("ASQ", "true"))]


def adapter_cost(datasets):
    return [cell for dataset in datasets for bits in ADAPTER_BITS
            for cell in with_and_without_adapters("resnet20", dataset, bits)]


def adapter_pairs(outcomes):
    """(ASQ's cell, LSQ's run, ASQ's run) of the same network and width."""
    runs = {(cell.row, cell.bits, cell.method): (cell, outcome.run)
            for cell, outcome in outcomes.items() if outcome.run}
    return [(cell, runs[row, bits, "LSQ"][1], run) for (row, bits, method), (cell, run)
            in runs.items() if method == "ASQ" and (row, bits, "LSQ") in runs]


def adapter_lines(outcomes, runner, widths=ADAPTER_BITS):
    lines = []
    for cell, fixed, adaptive in adapter_pairs(outcomes):
        if cell.bits not in widths:
            continue
        counts = runner.describe(cell.network, cell.dataset)
        fixed_layers = {layer["name"]: layer for layer in fixed["layers"]}
        for layer in adaptive["layers"]:
            name = layer["name"]
            if name not in fixed_layers or name not in counts:
                where = "the network without adapters" if name in counts else "abacus describe"
                raise ReproductionError(f"{cell.title}: layer {name} is not in {where}")
            other, unit = fixed_layers[name], layer["units"].get("step_adapter", {})

            def add(unit_name, value, form, name=name, cell=cell):
                lines.append(ExtraLine(cell.row, name, cell.bits, unit_name, value, "", form))

            add("cycles LSQ", other["cycles"], "{:.0f}")
            add("cycles ASQ", layer["cycles"], "{:.0f}")
            add("adapter cycles", unit.get("busy_cycles", 0), "{:.0f}")
            add("of them stalled", unit.get("stalled_cycles", 0), "{:.0f}")
            add("µJ LSQ", other["energy_uj"], "{:.3f}")
            add("µJ ASQ", layer["energy_uj"], "{:.3f}")
            if counts[name]["adapter_operations"]:
                add("% of the layer's operations",
                    100 * counts[name]["adapter_operations"] / counts[name]["taps"], "{:.4f}")
    return lines


def adapter_words(outcomes, _runner):
    paragraphs = []
    for cell, fixed, adaptive in adapter_pairs(outcomes):
        cycles = [run["cycles_per_image"] for run in (fixed, adaptive)]
        energy = [run["energy_per_image_uj"] for run in (fixed, adaptive)]
        before, after = (run["energy_by_component_uj"] for run in (fixed, adaptive))
        by_component = {name: spent - before.get(name, 0) for name, spent in after.items()}
        largest = sorted(by_component, key=lambda name: -abs(by_component[name]))
        shares = ", ".join(f"{name} {by_component[name]:+.2f}" for name in largest
                           if abs(by_component[name]) >= 0.005)
        waits = sum(layer["units"].get("step_adapter", {}).get("busy_cycles", 0)
                    for layer in adaptive["layers"])
        paragraphs.append(
            f"{cell.row}, {cell.bits} bits: {cycles[1] - cycles[0]:+,.0f} cycles "
            f"({100 * (cycles[1] / cycles[0] - 1):+.2f} %) an image with adapters, which themselves "
            f"take {waits:,.0f}; {energy[1] - energy[0]:+.2f} µJ "
            f"({100 * (energy[1] / energy[0] - 1):+.2f} %)" + (f": {shares} µJ." if shares else "."))
    if paragraphs:
        paragraphs.append(
            "The difference is more than the adapters: their weights come from DRAM and take room in the "
            "weight SRAM, so that a layer may be scheduled in another way, dearer or cheaper; and where "
            "operands are as wide as stored values (8 bits) the read quantizer, which else passes them "
            "through, computes.")
    return paragraphs


TABLES = {
    "energy-ratio": Table(
        "ShiftAddNet's energy against AdderNet's",
        "ResNet-20 with random weights, one image, both networks with one group of scales and "
        "operands of the same width, on arrays of the same size and throughput. Published: "
        "ShiftAddNet needs 25.2 % less (Nie et al., NeurIPS 2022, section 4.3, from You et al., "
        "NeurIPS 2020). By hand: taps between the edges times the table's unit energies, memories "
        "left out.",
        energy_ratio, (CYCLES, ENERGY), energy_ratio_lines, energy_ratio_words),
    "post-fractions": Table(
        "POST by a lookup table and in exact arithmetic",
        "CNN ResNet-20 with POST weights of 4 bits, LSQ activations. One trained package "
        "throughout; only the fraction of its tables' entries differs. Exact: the reference executor "
        "with real numbers, nothing cut off. A table serves one lane but where said otherwise; "
        "multipliers: the same network with LSQ weights on a mac array.",
        post_fractions,
        (Measure("%", measured_accuracy), Measure("points lost", measured_loss), CYCLES, ENERGY,
         Measure("µJ array", part_of_energy("component", "pe_array"), "{:.2f}"),
         Measure("µJ table reads", part_of_energy("action", "table_read"), "{:.2f}"),
         Measure("µJ multiplications", part_of_energy("action", "multiply"), "{:.2f}")),
        conclusions=post_words),
    "adapter-cost": Table(
        "ASQ's step adapters in hardware",
        "CNN ResNet-20 with random weights, one image, LSQ beside ASQ activations. A layer's cycles "
        "are its share of the image's (a layer ends with its last compute command, load and store "
        "overlap); an adapter's cycles are those in which its layer waits for β. The paper counts "
        "parameters and operations only: the last column, the multiplications of an adapter's "
        "network in those of its layer.",
        adapter_cost, (CYCLES, ENERGY), adapter_lines, adapter_words),
}
