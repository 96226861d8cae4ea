"""What the page's own JavaScript gets: numbers and texts alone, as JSON that cannot leave its
element."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from abacus.report.points import (
    ACCURACY,
    ENERGY_TABLE,
    Metric,
    Point,
    cost,
    dram_bytes,
    front,
    taps,
)
from abacus.report.results import NO_CYCLES, LayerTiming, Run, Timing, UnitTimes
from abacus.visible import visible

# Of layers, actions and hardware. A page of fewer runs has it of all.
MOST_DETAILS = 24

UNITS = (
    ("Load", ("load",)),
    ("Compute", ("compute_array", "compute_edge", "compute_vector", "step_adapter")),
    ("Store", ("store",)),
)

# What the compute unit's cycles go into (docs/waits.md), as they are drawn.
CAUSES = (
    ("Work", ("work",)),
    ("Weights into the PEs", ("weight_fill",)),
    ("Pipeline", ("pipeline",)),
    ("Scale unit, lookup tables", ("scale_unit", "lookup_table")),
    ("SRAM ports", ("activation_sram", "weight_sram", "parameter_sram")),
    ("Waits for loads", ("token_load",)),
    ("Waits for stores", ("token_store",)),
    ("Waits for commands", ("commands", "token_compute")),
)

COMPONENTS = (
    ("PE array", ("pe_array",)),
    ("Edge array", ("edge_array",)),
    ("Quantizer, scale, vector", ("read_quantizer", "step_adapter", "scale_unit", "vector_unit")),
    ("Activation SRAM", ("activation_sram",)),
    ("Weight SRAM", ("weight_sram",)),
    ("Parameter SRAM", ("parameter_sram",)),
    ("Bus, DMA, sequencer", ("dma", "bus", "sequencer")),
    ("DRAM", ("dram",)),
)
OTHER = "Other"


def with_details(
    points: Sequence[Point], metrics: Sequence[Metric], chosen: Iterable[str]
) -> set[int]:
    """Places of the points whose layers the page has: the chosen ones, and then those of the fronts
    over accuracy (or latency) and energy first."""
    names = set(chosen)
    found = {i for i, point in enumerate(points) if point.name in names}
    able = [i for i, point in enumerate(points) if point.run is not None]
    if len(able) <= MOST_DETAILS:
        return set(able) | found
    energies = [metric for metric in metrics if metric.alike == ENERGY_TABLE][:1]
    for x in energies or metrics[:1]:
        for y in [metric for metric in metrics if metric is not x and metric.better]:
            of_front = front(points, x, y) & set(able)
            for i in sorted(of_front, key=lambda i: cost(points[i].metrics[x.key] or 0, x)):
                if len(found) < max(MOST_DETAILS, len(names)):
                    found.add(i)
    return found


def payload(
    points: Sequence[Point], metrics: Sequence[Metric], runs: Sequence[Run], detailed: set[int]
) -> dict[str, Any]:
    """Lists rather than objects wherever names are a file's."""

    def detail_of(i: int) -> dict[str, Any]:
        return detail(runs[points[i].run or 0])

    shown = [m for m in metrics if any(point.metrics.get(m.key) is not None for point in points)]
    axes = list(dict.fromkeys(key for point in points for key in point.axes))
    # Layers of runs, components alone of a study's points.
    own = sorted(detailed | {i for i, point in enumerate(points) if point.components})
    details = [
        {"components": grouped(points[i].components)} if points[i].components else detail_of(i)
        for i in own
    ]
    places = {i: at for at, i in enumerate(own)}
    return {
        "metrics": [
            {
                "key": metric.key,
                "label": metric.label,
                "unit": metric.unit,
                "better": metric.better,
                "alike": metric.alike,
                "interval": metric.key == ACCURACY.key,
            }
            for metric in shown
        ],
        "axes": axes,
        "components": [label for label, _ in COMPONENTS] + [OTHER],
        "units": [label for label, _ in UNITS],
        "causes": [label for label, _ in CAUSES],
        "points": [
            {
                "name": point.name,
                "status": point.status,
                "reason": point.reason,
                "network": point.network,
                "dataset": point.dataset,
                "images": point.images,
                "energy_table": point.energy_table,
                "area_table": point.area_table,
                "values": [point.metrics.get(metric.key) for metric in shown],
                "interval": point.interval,
                "axes": [point.axes.get(axis) for axis in axes],
                "hashes": [list(one) for one in point.hashes],
                "roofline": roofline(None if point.run is None else runs[point.run]),
                "detail": places.get(i),
            }
            for i, point in enumerate(points)
        ],
        "details": details,
    }


def roofline(run: Run | None) -> list[float | None] | None:
    """Taps a DRAM byte, taps a cycle; the hardware's lanes and bytes a cycle."""
    if run is None or run.timing is None or not taps(run):
        return None
    moved = dram_bytes(run.timing)
    if not moved:
        return None
    lanes = run.hardware.rows * run.hardware.columns
    return [
        taps(run) / moved,
        taps(run) / run.timing.cycles,
        lanes or None,
        run.hardware.bytes_per_cycle or None,
    ]


def detail(run: Run) -> dict[str, Any]:
    """Of one run's layers and components; lists of a number a layer."""
    timing = run.timing
    found: dict[str, Any] = {"layers": [layer.name for layer in run.layers]}
    if timing is None:
        return found
    found["components"] = components(timing)
    found["cycles"] = [layer.cycles for layer in timing.layers]
    found["energy"] = [layer.energy_uj for layer in timing.layers]
    found["utilisation"] = [
        100 * own.pe_utilisation if layer.macs_or_taps else None
        for layer, own in zip(run.layers, timing.layers)
    ]
    by_unit = [[busy_and_stalled(own.units, names) for own in timing.layers] for _, names in UNITS]
    found["busy"] = [[busy for busy, _ in layers] for layers in by_unit]
    found["stalled"] = [[stalled for _, stalled in layers] for layers in by_unit]
    if any(own.spent for own in timing.layers):
        found["spent"] = [[spent_on(own, names) for own in timing.layers] for _, names in CAUSES]
    whole = [busy_and_stalled(timing.units, names) for _, names in UNITS]
    found["share"] = [[100 * part / timing.cycles for part in unit] for unit in whole]
    return found


def busy_and_stalled(units: UnitTimes, names: Sequence[str]) -> tuple[float, float]:
    """Of some units together."""
    found = [units.get(name, NO_CYCLES) for name in names]
    return sum(unit.busy for unit in found), sum(unit.stalled for unit in found)


def spent_on(layer: LayerTiming, causes: Sequence[str]) -> float:
    """Cycles of the compute unit."""
    _, units = UNITS[1]
    return sum(layer.spent.get(unit, {}).get(cause, 0) for unit in units for cause in causes)


def components(timing: Timing) -> list[float]:
    """In COMPONENTS' order."""
    return grouped(timing.energy_by_component_uj)


def grouped(energies: Mapping[str, float]) -> list[float]:
    """What no group names still belongs to the sum."""
    sums = [sum(energies.get(name, 0.0) for name in names) for _, names in COMPONENTS]
    known = {name for _, names in COMPONENTS for name in names}
    return sums + [sum(value for name, value in energies.items() if name not in known)]


def as_seen(value: Any) -> Any:
    """All texts in it made visible, numbers to as many digits as anybody reads."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {name: as_seen(of) for name, of in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_seen(of) for of in value]
    return value


def script_json(value: Any) -> Markup:
    """As the content of a script element of type application/json. It is ASCII: U+2028 is too."""
    text = json.dumps(as_seen(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
