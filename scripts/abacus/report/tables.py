"""The page's tables, and the notes that go with them."""

from typing import Any

from abacus.report.html import escape, number, table
from abacus.results import Run

Layer = dict[str, Any]  # of a run

UNIT_NAMES = {
    "load": "Load",
    "compute_array": "PE array",
    "compute_edge": "Edge array",
    "compute_vector": "Vector unit",
    "step_adapter": "Step adapter",
    "store": "Store",
}


def exactness(run: Run) -> str:
    """What --check found."""
    if run["bit_exact"] is None:
        return "not checked"
    if run["bit_exact"]:
        return f"yes ({run['checked_images']})"
    return f'<span class="bad" title="{escape(run["mismatch"])}">no</span>'


def array(run: Run) -> str:
    """Kind and size; a star where the size was chosen for its area."""
    of = run["hardware"]["array"]
    star = "*" if run.get("area", {}).get("same_area_as") else ""
    return f"{of['rows']} × {of['columns']} {of['kind']}{star}"


def widths(run: Run) -> str:
    """Asked for, and what weights between the edges are stored in where that is another width."""
    stored = sorted(
        {
            layer["weight_bits"]
            for layer in run["layers"]
            if layer.get("array") == "array" and "weight_bits" in layer
        }
    )
    text = f"{run['weight_bits']} / {run['activation_bits']}"
    if stored and stored != [run["weight_bits"]]:
        text += f" (weights stored in {', '.join(str(bits) for bits in stored)})"
    return text


def step_saturations(layer: Layer) -> int | None:
    """What the adapted step of a layer had to saturate; None of layers without an adapter."""
    found = layer.get("step_saturations")
    return None if found is None else int(sum(found.values()))


def saturation_notes(runs: list[Run]) -> list[str]:
    """A warning a run that saturated."""
    notes = []
    for run in runs:
        accumulators = sum(layer.get("saturations", 0) for layer in run["layers"])
        steps = sum(step_saturations(layer) or 0 for layer in run["layers"])
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
                f'<p class="bad">{escape(run["name"])}: in {run["images"]:,} images '
                f'{" and ".join(lost)}; the layers are below.</p>'
            )
    return notes


def summary(runs: list[Run]) -> str:
    """A line a run."""
    rows = []
    for run in runs:
        drop = (
            None
            if run["float_accuracy_percent"] is None or run["accuracy_percent"] is None
            else run["accuracy_percent"] - run["float_accuracy_percent"]
        )
        rows.append(
            [
                escape(run["name"]),
                escape(f"{run['network']} {run['arithmetic']}"),
                widths(run),
                escape(run["scheme"]),
                number(run["accuracy_percent"], "<b>{:.2f}</b>"),
                number(run["fake_quantized_accuracy_percent"], "{:.2f}"),
                number(run["float_accuracy_percent"], "{:.2f}"),
                number(drop, "{:+.2f}"),
                number(run["cycles_per_image"]),
                number(run["time_per_image_us"], "{:,.1f}"),
                number(run["energy_per_image_uj"], "{:,.2f}"),
                escape(array(run)),
                number(run.get("area", {}).get("array_um2")),
                exactness(run),
            ]
        )
    return table(
        [
            "Run",
            "Network",
            "Bits W / A",
            "Scheme",
            "Accuracy %",
            "Torch %",
            "Float %",
            "Change",
            "Cycles",
            "Time µs",
            "Energy µJ",
            "Array",
            "Area µm²",
            "Bit-exact",
        ],
        rows,
        text_columns=(0, 1, 3, 11, 13),
    )


def area_notes(runs: list[Run]) -> list[str]:
    """Where the areas are from."""
    areas = [run["area"] for run in runs if "area" in run]
    if not areas:
        return []
    tables = sorted({f"{area['table']} ({area['table_title']})" for area in areas})
    text = (
        f"Area is the PE array's: units, registers, adder trees and accumulators by "
        f"{escape(', '.join(tables))}."
    )
    if any(area["memories_um2"] is None for area in areas):
        text += " Weight buffers and lookup tables are left out: the source has no small memories."
    for run in runs:
        other = run.get("area", {}).get("same_area_as")
        if other:
            text += (
                f" * {escape(run['name'])}: as many lanes as fit into the area of "
                f"{escape(other)}."
            )
    return [f"<p class=note>{text}</p>"]


def units(runs: list[Run]) -> str:
    """How busy each unit was, and how long it stalled."""
    rows = []
    for run in runs:
        cells = [escape(run["name"])]
        for unit in UNIT_NAMES:
            share = 100 / run["cycles_per_image"]
            # Results from before a unit existed do not have it.
            found = run["units"].get(unit, {"busy_cycles": 0, "stalled_cycles": 0})
            busy = found["busy_cycles"] * share
            stalled = found["stalled_cycles"] * share
            cells.append(f"{busy:.1f} ({stalled:.1f})")
        rows.append(cells)
    return table(["Run"] + [f"{name} %" for name in UNIT_NAMES.values()], rows)


def layers(run: Run) -> str:
    """A line a layer."""
    rows = []
    for layer in run["layers"]:
        rows.append(
            [
                escape(layer["name"]),
                escape(layer["kind"].replace("_", " ")),
                f"{layer['weight_bits']} / {layer['activation_bits']}"
                if "weight_bits" in layer
                else "–",
                number(layer["cycles"]),
                number(layer["macs_or_taps"]),
                number(
                    100 * layer["pe_utilisation"]
                    if layer["pe_utilisation"] is not None and layer["macs_or_taps"]
                    else None,
                    "{:.1f}",
                ),
                number(layer["energy_uj"], "{:.4f}"),
                number(layer["output_tiles"]),
                number(layer["groups"]),
                number(layer["saturations"]),
                number(step_saturations(layer)),
            ]
        )
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
        rows,
        text_columns=(0, 1),
    )


def hardware(run: Run) -> str:
    """Parameters by part."""
    rows = []
    for key, value in run["hardware"].items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {entry}" for name, entry in value.items())
        rows.append([escape(key), f'<span style="white-space: normal">{escape(value)}</span>'])
    return table(["Part", "Parameters"], rows, text_columns=(0, 1))


def actions(run: Run) -> str:
    """Counts and prices."""
    rows = []
    for entry in run.get("activity_per_image", []):
        widths = str(entry["bits_a"]) + (f" × {entry['bits_b']}" if entry["bits_b"] else "")
        rows.append(
            [
                escape(entry["component"]),
                escape(entry["action"]),
                widths,
                number(entry["count"], "{:,.1f}" if isinstance(entry["count"], float) else "{:,}"),
                f"{entry['pj_each']:.4g}",
                f"{1e-6 * entry['count'] * entry['pj_each']:.4f}",
            ]
        )
    return table(
        ["Component", "Action", "Bits", "Count an image", "pJ each", "µJ an image"],
        rows,
        text_columns=(0, 1),
    )
