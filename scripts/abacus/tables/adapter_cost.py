"""What ASQ's step adapters cost in hardware."""

from abacus.cells.cell import SYNTHETIC, Cell, Options, Outcomes
from abacus.cells.measures import CYCLES, ENERGY
from abacus.cells.runner import Runner
from abacus.errors import AbacusError
from abacus.programs.describe import LayerCosts
from abacus.results import Run
from abacus.tables.table import Datasets, ExtraLine, Table

ADAPTER_BITS = (4, 3, 2)


def with_and_without_adapters(
    network: str, dataset: str, bits: int, hardware: Options = ()
) -> list[Cell]:
    """With random weights: an adapter's cost does not depend on them."""
    return [
        Cell(
            SYNTHETIC,
            network,
            dataset,
            method,
            bits,
            "cnn",
            images=1,
            hardware=hardware,
            options=(("adapters", adapters),),
        )
        for method, adapters in (("LSQ", "false"), ("ASQ", "true"))
    ]


def adapter_cost(datasets: Datasets) -> list[Cell]:
    """ResNet-20 with and without them."""
    return [
        cell
        for dataset in datasets
        for bits in ADAPTER_BITS
        for cell in with_and_without_adapters("resnet20", dataset, bits)
    ]


def adapter_pairs(outcomes: Outcomes) -> list[tuple[Cell, Run, Run]]:
    """(ASQ's cell, LSQ's run, ASQ's run) of the same network and width."""
    runs = {
        (cell.row, cell.bits, cell.method): (cell, outcome.run)
        for cell, outcome in outcomes.items()
        if outcome.run
    }
    return [
        (cell, runs[row, bits, "LSQ"][1], run)
        for (row, bits, method), (cell, run) in runs.items()
        if method == "ASQ" and (row, bits, "LSQ") in runs
    ]


def layer_lines(cell: Cell, fixed: Run, adaptive: Run, costs: LayerCosts) -> list[ExtraLine]:
    """Of one layer without and with an adapter."""
    unit = adaptive["units"].get("step_adapter", {})
    numbers = [
        ("cycles LSQ", fixed["cycles"], "{:.0f}"),
        ("cycles ASQ", adaptive["cycles"], "{:.0f}"),
        ("adapter cycles", unit.get("busy_cycles", 0), "{:.0f}"),
        ("of them stalled", unit.get("stalled_cycles", 0), "{:.0f}"),
        ("µJ LSQ", fixed["energy_uj"], "{:.3f}"),
        ("µJ ASQ", adaptive["energy_uj"], "{:.3f}"),
    ]
    if costs.adapter_operations:
        share = 100 * costs.adapter_operations / costs.taps
        numbers.append(("% of the layer's operations", share, "{:.4f}"))
    return [
        ExtraLine(cell.row, costs.name, cell.bits, unit_name, value, "", form)
        for unit_name, value, form in numbers
    ]


def adapter_lines(
    outcomes: Outcomes, runner: Runner, widths: tuple[int, ...] = ADAPTER_BITS
) -> list[ExtraLine]:
    """Layer by layer, at these widths."""
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
                raise AbacusError(f"{cell.title}: layer {name} is not in {where}")
            lines += layer_lines(cell, fixed_layers[name], layer, counts[name])
    return lines


def adapter_words(outcomes: Outcomes, _runner: Runner) -> list[str]:
    """The whole image's cycles and energy, and why they differ by more than the adapters."""
    paragraphs = []
    for cell, fixed, adaptive in adapter_pairs(outcomes):
        cycles = [run["cycles_per_image"] for run in (fixed, adaptive)]
        energy = [run["energy_per_image_uj"] for run in (fixed, adaptive)]
        before, after = (run["energy_by_component_uj"] for run in (fixed, adaptive))
        by_component: dict[str, float] = {
            name: spent - before.get(name, 0) for name, spent in after.items()
        }
        largest = sorted(by_component, key=lambda name: -abs(by_component[name]))
        shares = ", ".join(
            f"{name} {by_component[name]:+.2f}"
            for name in largest
            if abs(by_component[name]) >= 0.005
        )
        waits = sum(
            layer["units"].get("step_adapter", {}).get("busy_cycles", 0)
            for layer in adaptive["layers"]
        )
        paragraphs.append(
            f"{cell.row}, {cell.bits} bits: {cycles[1] - cycles[0]:+,.0f} cycles "
            f"({100 * (cycles[1] / cycles[0] - 1):+.2f} %) an image with adapters, which "
            f"themselves take {waits:,.0f}; {energy[1] - energy[0]:+.2f} µJ "
            f"({100 * (energy[1] / energy[0] - 1):+.2f} %)" + (f": {shares} µJ." if shares else ".")
        )
    if paragraphs:
        paragraphs.append(
            "The difference is more than the adapters: their weights come from DRAM and take "
            "room in the weight SRAM, so that a layer may be scheduled in another way, dearer or "
            "cheaper; and where operands are as wide as stored values (8 bits) the read "
            "quantizer, which else passes them through, computes."
        )
    return paragraphs


TABLES = {
    "adapter-cost": Table(
        "ASQ's step adapters in hardware",
        "CNN ResNet-20 with random weights, one image, LSQ beside ASQ activations. A layer's "
        "cycles are its share of the image's (a layer ends with its last compute command, load "
        "and store overlap); an adapter's cycles are those in which its layer waits for β. The "
        "paper counts parameters and operations only: the last column, the multiplications of an "
        "adapter's network in those of its layer.",
        adapter_cost,
        (CYCLES, ENERGY),
        adapter_lines,
        adapter_words,
    ),
}
