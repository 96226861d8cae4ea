"""The page's tables, as texts: their markup is page.html's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from abacus.report.points import ACCURACY, Point, wilson
from abacus.report.results import NO_CYCLES, Layer, Run, Timing, timed
from abacus.report.study import Study

MISSING = "–"

UNIT_NAMES = {
    "load": "Load",
    "compute_array": "PE array",
    "compute_edge": "Edge array",
    "compute_vector": "Vector unit",
    "step_adapter": "Step adapter",
    "store": "Store",
}


@dataclass(frozen=True)
class Cell:
    """`look`: a class of page.html's style; `hint` is shown where the mouse rests."""

    text: str
    look: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """`text_columns` are set to the left; `metrics`: keys of columns that are metrics of points."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    text_columns: tuple[int, ...] = (0,)
    metrics: Mapping[int, str] = field(default_factory=dict)


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str | Cell]],
    text_columns: tuple[int, ...] = (0,),
    metrics: Mapping[int, str] | None = None,
) -> Table:
    """Texts are cells without a look."""
    cells = [[Cell(one) if isinstance(one, str) else one for one in row] for row in rows]
    return Table(header, cells, text_columns, metrics or {})


def without_empty_columns(whole: Table) -> Table:
    """The same but for columns in which nothing stands."""
    kept = [
        i for i in range(len(whole.header)) if any(row[i].text != MISSING for row in whole.rows)
    ]
    return Table(
        [whole.header[i] for i in kept],
        [[row[i] for i in kept] for row in whole.rows],
        tuple(at for at, i in enumerate(kept) if i in whole.text_columns),
        {at: whole.metrics[i] for at, i in enumerate(kept) if i in whole.metrics},
    )


def number(value: float | None, form: str = "{:,.0f}") -> str:
    """In this form; a dash where there is none."""
    return MISSING if value is None else form.format(value)


def exactness(run: Run) -> str | Cell:
    """What --check found."""
    if run.check is None:
        return "not checked"
    if run.check.mismatch is None:
        return f"yes ({run.check.images})"
    return Cell("no", "bad", run.check.mismatch)


def array(run: Run) -> str:
    """Kind and size; a star where the size was chosen for its area."""
    star = "*" if run.area and run.area.same_area_as else ""
    return f"{run.hardware.rows} × {run.hardware.columns} {run.hardware.kind}{star}"


def widths(run: Run) -> str:
    """Asked for, and what weights between the edges are stored in where that is another width."""
    stored = sorted(
        {layer.widths.weights for layer in run.layers if layer.array == "array" and layer.widths}
    )
    text = f"{run.widths.weights} / {run.widths.activations}"
    if stored and stored != [run.widths.weights]:
        text += f" (weights stored in {', '.join(str(bits) for bits in stored)})"
    return text


def saturation_notes(runs: Sequence[Run]) -> list[str]:
    """A warning a run that saturated."""
    notes = []
    for run in runs:
        accumulators = sum(layer.saturations for layer in run.layers)
        steps = sum(layer.step_saturations or 0 for layer in run.layers)
        lost = [
            text
            for count, text in (
                (accumulators, f"accumulators saturated {accumulators:,} times"),
                (steps, f"factors or multipliers of adapted steps saturated {steps:,} times"),
            )
            if count
        ]
        if lost:
            notes.append(
                f"{run.name}: in {run.images:,} images {' and '.join(lost)}; the layers are below."
            )
    return notes


def interval(run: Run) -> str:
    """Of the accuracy."""
    if run.accuracies.hardware is None:
        return MISSING
    ends = wilson(run.accuracies.hardware, run.images)
    return MISSING if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"


def summary(runs: Sequence[Run]) -> Table:
    """A line a run."""
    rows: list[list[str | Cell]] = [
        [
            run.name,
            f"{run.network} {run.arithmetic}",
            widths(run),
            run.scheme,
            Cell(
                number(run.accuracies.hardware, "{:.2f}"),
                "" if run.accuracies.hardware is None else "strong",
            ),
            interval(run),
            number(run.accuracies.fake_quantized, "{:.2f}"),
            number(run.accuracies.floating, "{:.2f}"),
            number(run.accuracies.change, "{:+.2f}"),
            number(run.timing.cycles if run.timing else None),
            number(run.timing.time_us if run.timing else None, "{:,.1f}"),
            number(run.timing.energy_uj if run.timing else None, "{:,.2f}"),
            array(run),
            number(run.area.array_um2 if run.area else None),
            number(run.area.accelerator_um2 if run.area else None),
            exactness(run),
        ]
        for run in runs
    ]
    whole = table(
        [
            "Run",
            "Network",
            "Bits W / A",
            "Scheme",
            "Accuracy %",
            "95 % interval",
            "Torch %",
            "Float %",
            "Change",
            "Cycles",
            "Time µs",
            "Energy µJ",
            "Array",
            "Array µm²",
            "Area µm²",
            "Bit-exact",
        ],
        rows,
        text_columns=(0, 1, 3, 12, 15),
        metrics={
            4: ACCURACY.key,
            9: "cycles_per_image",
            10: "time_per_image_us",
            11: "energy_per_image_uj",
            13: "array_area_um2",
            14: "area_um2",
        },
    )
    return without_empty_columns(whole)


def study_cells(point: Point) -> list[str | Cell]:
    """What a point's row begins with."""
    look = "" if point.status == "ok" else "bad"
    return [point.name, Cell(point.status, look, point.reason)]


def study_points(study: Study) -> Table:
    """A line a point."""
    axes = list(dict.fromkeys(axis for point in study.points for axis in point.axes))
    metrics = [
        metric
        for metric in study.metrics
        if any(point.metrics.get(metric.key) is not None for point in study.points)
    ]
    counted = any(point.images is not None for point in study.points)
    header = ["Point", "Status"] + (["Images"] if counted else []) + axes
    header += [f"{metric.label} {metric.unit}".rstrip() for metric in metrics]
    rows = [
        study_cells(point)
        + ([number(point.images)] if counted else [])
        + [str(point.axes.get(axis, MISSING)) for axis in axes]
        + [number(point.metrics.get(metric.key), "{:,.6g}") for metric in metrics]
        for point in study.points
    ]
    columns = {len(header) - len(metrics) + i: metric.key for i, metric in enumerate(metrics)}
    return table(header, rows, text_columns=(0, 1), metrics=columns)


def least_energies(points: Sequence[Point]) -> Table | None:
    """The cheapest point by each table that prices all finished ones; None where no table does, or
    points of different networks make the question idle."""
    ok = [point for point in points if point.status == "ok" and point.energies]
    names = [name for name in (ok[0].energies if ok else ()) if all(name in p.energies for p in ok)]
    if not names or len({(point.network, point.dataset) for point in ok}) > 1:
        return None
    rows = []
    for name in names:
        best = min(ok, key=lambda point: point.energies[name])
        rows.append([name, best.name, number(best.energies[name], "{:,.6g}")])
    return table(["Energy table", "Point", "Energy µJ"], rows, text_columns=(0, 1))


def area_note(runs: Sequence[Run]) -> str:
    """Where the areas are from."""
    areas = [(run.name, run.area) for run in runs if run.area]
    if not areas:
        return "The results do not tell areas: an older program wrote them."
    tables = sorted({f"{area.table} ({area.table_title})" for _, area in areas})
    text = (
        f"Area is the whole accelerator's, by {', '.join(tables)}; beside it the PE array's alone."
    )
    for names in sorted({area.left_out for _, area in areas if area.left_out}):
        text += f" Counted as 0, since the table lacks them: {', '.join(names)}."
    for name, area in areas:
        if area.same_area_as:
            share = "" if area.filled is None else f" ({100 * area.filled:.1f} % of it)"
            text += f" * {name}: as many lanes as fit into the area of {area.same_area_as}{share}."
    return text


def energies(runs: Sequence[Run]) -> Table:
    """What an image costs for what is done and for the time that it takes."""
    rows = []
    for run, timing in timed(runs):
        static = timing.static_energy_uj
        cells = [
            run.name,
            number(timing.energy_uj, "{:,.2f}"),
            number(None if static is None else timing.energy_uj - static, "{:,.2f}"),
            number(static, "{:,.2f}"),
            number(1e3 * timing.energy_uj / timing.time_us if timing.time_us else None, "{:,.1f}"),
            number(timing.energy_uj * timing.time_us, "{:,.0f}"),
        ]
        if any(other.frame for _, other in timed(runs)):
            frame = timing.frame
            cells += [
                number(frame.frames_per_second if frame else None, "{:,g}"),
                number(frame.energy_uj if frame else None, "{:,.2f}"),
                number(frame.power_mw if frame else None, "{:,.1f}"),
            ]
        rows.append(cells)
    header = ["Run", "Energy µJ", "Dynamic", "Static", "Power mW", "Energy × time µJ·µs"]
    if any(timing.frame for _, timing in timed(runs)):
        header += ["Frames / s", "Energy a frame µJ", "Power mW"]
    return table(header, rows)


def energy_notes(runs: Sequence[Run]) -> list[str]:
    """What was counted as 0."""
    return [
        f"{run.name}: energy table {run.energy_table} lacks {', '.join(run.energy_left_out)}; "
        "they count as 0."
        for run in runs
        if run.energy_left_out
    ]


def units(runs: Sequence[Run]) -> Table:
    """How busy each unit was, and how long it stalled."""
    rows = []
    for run, timing in timed(runs):
        cells = [run.name]
        for unit in UNIT_NAMES:
            share = 100 / timing.cycles
            found = timing.units.get(unit, NO_CYCLES)
            cells.append(f"{found.busy * share:.1f} ({found.stalled * share:.1f})")
        rows.append(cells)
    return table(["Run"] + [f"{name} %" for name in UNIT_NAMES.values()], rows)


def layer_row(layer: Layer, index: int, timing: Timing | None) -> list[str]:
    """`index`: of the layer in its run."""
    own = timing.layers[index] if timing else None
    return [
        layer.name,
        layer.kind.replace("_", " "),
        f"{layer.widths.weights} / {layer.widths.activations}" if layer.widths else MISSING,
        number(own.cycles if own else None),
        number(layer.macs_or_taps),
        number(100 * own.pe_utilisation if own and layer.macs_or_taps else None, "{:.1f}"),
        number(own.energy_uj if own else None, "{:.4f}"),
        number(layer.output_tiles),
        number(layer.groups),
        number(layer.saturations),
        number(layer.step_saturations),
    ]


def layers(run: Run) -> Table:
    """A line a layer."""
    return table(
        [
            "Layer",
            "Kind",
            "Bits W / A",
            "Cycles",
            "Taps or MACs",
            "PE utilisation %",
            "Energy µJ",
            "Output tiles",
            "Groups",
            "Saturations",
            "Of steps",
        ],
        [layer_row(layer, i, run.timing) for i, layer in enumerate(run.layers)],
        text_columns=(0, 1),
    )


def hardware(run: Run) -> Table:
    """Parameters by part."""
    rows: list[list[str | Cell]] = [
        [part, Cell(", ".join(f"{name} {value}".lstrip() for name, value in values), "wide")]
        for part, values in run.hardware.parts
    ]
    return table(["Part", "Parameters"], rows, text_columns=(0, 1))


def actions(timing: Timing) -> Table:
    """Counts and prices."""
    rows = [
        [
            action.component,
            action.name,
            f"{action.bits_a}" + (f" × {action.bits_b}" if action.bits_b else ""),
            number(action.count, "{:,.1f}" if isinstance(action.count, float) else "{:,}"),
            f"{action.pj_each:.4g}",
            f"{action.energy_uj:.4f}",
        ]
        for action in timing.actions
    ]
    return table(
        ["Component", "Action", "Bits", "Count an image", "pJ each", "µJ an image"],
        rows,
        text_columns=(0, 1),
    )
