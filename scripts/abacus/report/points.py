"""What the page compares: one point a run of a results.json, or a point of a study. Each has values
of metrics, and of axes by which it is filtered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from abacus.report.results import Run, Timing, TrainedWeights

# Two values of a metric are compared where these fields of the points are equal too.
IMAGES, ENERGY_TABLE, AREA_TABLE = "images", "energy_table", "area_table"


@dataclass(frozen=True)
class Metric:
    """`better`: less, more, or empty where neither is; `alike`: what two points must share."""

    key: str
    label: str
    unit: str = ""
    better: str = "less"
    alike: str = ""


@dataclass(frozen=True)
class Point:
    """`network` and `dataset`: what is solved; points of different ones are never compared.
    `interval` of the accuracy in percent; `hashes` by what they are of; `run`: its place among the
    results' runs. Of a point of a study: energies by component, and by energy table."""

    name: str
    network: str
    dataset: str
    metrics: Mapping[str, float | None]
    axes: Mapping[str, str | float]
    status: str = "ok"
    reason: str = ""
    images: int | None = None
    energy_table: str = ""
    area_table: str = ""
    interval: tuple[float, float] | None = None
    hashes: tuple[tuple[str, str], ...] = ()
    run: int | None = None
    components: Mapping[str, float] = field(default_factory=dict)
    energies: Mapping[str, float] = field(default_factory=dict)


ACCURACY = Metric("accuracy_percent", "Accuracy", "%", "more", IMAGES)

METRICS = (
    ACCURACY,
    Metric("energy_per_image_uj", "Energy", "µJ", alike=ENERGY_TABLE),
    Metric("time_per_image_us", "Latency", "µs"),
    Metric("area_um2", "Area", "µm²", alike=AREA_TABLE),
    Metric("energy_delay_product_uj_us", "Energy × delay", "µJ·µs", alike=ENERGY_TABLE),
    Metric("cycles_per_image", "Cycles", "cycles"),
    Metric("static_energy_uj", "Static energy", "µJ", alike=ENERGY_TABLE),
    Metric("power_mw", "Power", "mW", alike=ENERGY_TABLE),
    Metric("array_area_um2", "Area of the PE array", "µm²", alike=AREA_TABLE),
    Metric("dram_bytes", "DRAM traffic", "bytes"),
    Metric("taps_per_cycle", "Taps a cycle", "", "more"),
)


def wilson(percent: float, images: int) -> tuple[float, float] | None:
    """95 % interval of an accuracy measured on so many images, in percent (Wilson, JASA 1927)."""
    if images == 0:
        return None
    z, p = 1.959964, percent / 100
    centre = p + z * z / (2 * images)
    half = z * (p * (1 - p) / images + z * z / (4 * images * images)) ** 0.5
    scale = 1 + z * z / images
    return 100 * max(0.0, (centre - half) / scale), 100 * min(1.0, (centre + half) / scale)


def taps(run: Run) -> int:
    """Of an image."""
    return sum(layer.macs_or_taps for layer in run.layers)


def dram_bytes(timing: Timing) -> float:
    """That an image moves."""
    moved = ("dram_read", "dram_write")
    return sum(of.count * of.bits_a / 8 for of in timing.actions if of.name in moved)


def metrics_of(run: Run) -> dict[str, float | None]:
    """By METRICS' keys; those alone that there are."""
    found: dict[str, float | None] = {ACCURACY.key: run.accuracies.hardware}
    if run.area:
        found["area_um2"] = run.area.accelerator_um2
        found["array_area_um2"] = run.area.array_um2
    if run.timing:
        timing = run.timing
        found["energy_per_image_uj"] = timing.energy_uj
        found["time_per_image_us"] = timing.time_us
        found["energy_delay_product_uj_us"] = timing.energy_uj * timing.time_us
        found["cycles_per_image"] = timing.cycles
        found["static_energy_uj"] = timing.static_energy_uj
        found["power_mw"] = 1e3 * timing.energy_uj / timing.time_us if timing.time_us else None
        found["dram_bytes"] = dram_bytes(timing)
        found["taps_per_cycle"] = taps(run) / timing.cycles
    return found


def hardware_values(run: Run) -> dict[str, str]:
    """By their keys of a scenario: array.rows."""
    return {
        ".".join(word for word in (part, name) if word): value
        for part, values in run.hardware.parts
        for name, value in values
    }


def hashes_of(run: Run) -> tuple[tuple[str, str], ...]:
    """Of the files behind the weights."""
    if not isinstance(run.weights, TrainedWeights):
        return ()
    named = (("checkpoint", run.weights.checkpoint), ("package", run.weights.package))
    return tuple((name, value) for name, value in named if value is not None)


def axes_of(run: Run) -> dict[str, str | float]:
    """What it solves, and by what."""
    return {
        "network": run.network,
        "dataset": run.dataset,
        "arithmetic": run.arithmetic,
        "weight_bits": run.widths.weights,
        "activation_bits": run.widths.activations,
        "scheme": run.scheme,
    }


def points_of_runs(runs: Sequence[Run]) -> list[Point]:
    """One a run. All of the hardware that differs is an axis too."""
    hardware = [hardware_values(run) for run in runs]
    keys = list(dict.fromkeys(key for values in hardware for key in values))
    differing = [key for key in keys if len({values.get(key) for values in hardware}) > 1]
    return [
        Point(
            name=run.name,
            network=run.network,
            dataset=run.dataset,
            metrics=metrics_of(run),
            axes=axes_of(run) | {key: as_axis(values[key]) for key in differing if key in values},
            images=run.images,
            energy_table=run.energy_table,
            area_table=run.area.table if run.area else "",
            interval=(
                None
                if run.accuracies.hardware is None
                else wilson(run.accuracies.hardware, run.images)
            ),
            hashes=hashes_of(run),
            run=i,
        )
        for i, (run, values) in enumerate(zip(runs, hardware))
    ]


def as_axis(text: str) -> str | float:
    """A number where it is one that is worth an axis of numbers."""
    if len(text) > 30 or not text.lstrip("-").replace(".", "", 1).isdecimal() or not text.isascii():
        return text
    return float(text) if "." in text else int(text)


def front(points: Sequence[Point], x: Metric, y: Metric) -> set[int]:
    """Places of those that no comparable one beats in one metric without losing in the other."""
    groups: dict[tuple[object, ...], list[tuple[float, float, int]]] = {}
    for i, point in enumerate(points):
        a, b = point.metrics.get(x.key), point.metrics.get(y.key)
        if a is None or b is None:
            continue
        alike = tuple(getattr(point, metric.alike, None) for metric in (x, y) if metric.alike)
        key = (point.network, point.dataset, *alike)
        groups.setdefault(key, []).append((cost(a, x), cost(b, y), i))
    found: set[int] = set()
    for members in groups.values():
        best = float("inf")
        last = (0.0, 0.0)
        for a, b, i in sorted(members):
            if b < best or (a, b) == last:
                best, last = b, (a, b)
                found.add(i)
    return found


def cost(value: float, metric: Metric) -> float:
    """Less is better."""
    return -value if metric.better == "more" else value
