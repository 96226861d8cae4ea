#!/usr/bin/python3
"""Makes a self-contained HTML page of a results.json of `abacus simulate`.

usage: report.py RESULTS.json [--out PAGE.html]     (default: report.html beside the results)
"""

import argparse
import html
import json
import os
import pathlib
import sys

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #222; background: #fff;
       max-width: 1120px; margin: 2.2em auto; padding: 0 1.4em; }
h1 { font-size: 1.7em; margin-bottom: 0.1em; } h2 { font-size: 1.25em; margin: 2em 0 0.3em; }
p.lead { color: #555; margin-top: 0.2em; } p.note { color: #666; font-size: 0.9em; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9em; margin: 0.6em 0; white-space: nowrap; }
th, td { padding: 0.3em 0.7em; text-align: right; border-bottom: 1px solid #e4e4e4;
         font-variant-numeric: tabular-nums; }
th { border-bottom: 2px solid #999; font-weight: 600; } th.text, td.text { text-align: left; }
svg { width: 100%; height: auto; margin: 0.4em 0; }
pre { background: #f6f6f4; padding: 0.9em 1.1em; overflow-x: auto; font-size: 0.86em;
      border-radius: 4px; }
details { margin: 0.5em 0; } summary { cursor: pointer; font-weight: 600; }
.bad { color: #b00020; font-weight: 600; }
"""

UNIT_NAMES = {"load": "Load", "compute_array": "PE array", "compute_edge": "Edge array",
              "compute_vector": "Vector unit", "step_adapter": "Step adapter", "store": "Store"}


def escape(value):
    return html.escape(str(value))


def number(value, form="{:,.0f}", missing="–"):
    return missing if value is None else form.format(value)


def table(header, rows, text_columns=(0,)):
    """Cells are HTML already; `text_columns` are set to the left."""
    def row(cells, tag):
        parts = []
        for i, cell in enumerate(cells):
            kind = ' class="text"' if i in text_columns else ""
            parts.append(f"<{tag}{kind}>{cell}</{tag}>")
        return "<tr>" + "".join(parts) + "</tr>"
    body = "".join(row(cells, "td") for cells in rows)
    return f'<div class="table"><table>{row(header, "th")}{body}</table></div>'


def exactness(run):
    if run["bit_exact"] is None:
        return "not checked"
    if run["bit_exact"]:
        return f"yes ({run['checked_images']})"
    return f'<span class="bad" title="{escape(run["mismatch"])}">no</span>'


def array(run):
    """Kind and size; a star where the size was chosen for its area."""
    of = run["hardware"]["array"]
    star = "*" if run.get("area", {}).get("same_area_as") else ""
    return f"{of['rows']} × {of['columns']} {of['kind']}{star}"


def widths(run):
    """Asked for, and what weights between the edges are stored in where that is another width."""
    stored = sorted({layer["weight_bits"] for layer in run["layers"]
                     if layer.get("array") == "array" and "weight_bits" in layer})
    text = f"{run['weight_bits']} / {run['activation_bits']}"
    if stored and stored != [run["weight_bits"]]:
        text += f" (weights stored in {', '.join(str(bits) for bits in stored)})"
    return text


def step_saturations(layer):
    """What the adapted step of a layer had to saturate; None of layers without an adapter."""
    found = layer.get("step_saturations")
    return None if found is None else sum(found.values())


def saturation_notes(runs):
    notes = []
    for run in runs:
        accumulators = sum(layer.get("saturations", 0) for layer in run["layers"])
        steps = sum(step_saturations(layer) or 0 for layer in run["layers"])
        lost = [text for count, text in
                ((accumulators, f"accumulators saturated {accumulators:,} times"),
                 (steps, f"factors or multipliers of adapted steps saturated {steps:,} times"))
                if count]
        if lost:
            notes.append(f'<p class="bad">{escape(run["name"])}: in {run["images"]:,} images '
                         f'{" and ".join(lost)}; the layers are below.</p>')
    return notes


def summary(runs):
    rows = []
    for run in runs:
        drop = (None if run["float_accuracy_percent"] is None or run["accuracy_percent"] is None
                else run["accuracy_percent"] - run["float_accuracy_percent"])
        rows.append([
            escape(run["name"]), escape(f"{run['network']} {run['arithmetic']}"),
            widths(run), escape(run["scheme"]),
            number(run["accuracy_percent"], "<b>{:.2f}</b>"),
            number(run["fake_quantized_accuracy_percent"], "{:.2f}"),
            number(run["float_accuracy_percent"], "{:.2f}"), number(drop, "{:+.2f}"),
            number(run["cycles_per_image"]), number(run["time_per_image_us"], "{:,.1f}"),
            number(run["energy_per_image_uj"], "{:,.2f}"), escape(array(run)),
            number(run.get("area", {}).get("array_um2")), exactness(run)])
    return table(["Run", "Network", "Bits W / A", "Scheme", "Accuracy %", "Torch %", "Float %", "Change",
                  "Cycles", "Time µs", "Energy µJ", "Array", "Area µm²", "Bit-exact"],
                 rows, text_columns=(0, 1, 3, 11, 13))


def area_notes(runs):
    areas = [run["area"] for run in runs if "area" in run]
    if not areas:
        return []
    tables = sorted({f"{area['table']} ({area['table_title']})" for area in areas})
    text = (f"Area is the PE array's: units, registers, adder trees and accumulators by "
            f"{escape(', '.join(tables))}.")
    if any(area["memories_um2"] is None for area in areas):
        text += " Weight buffers and lookup tables are left out: the source has no small memories."
    for run in runs:
        other = run.get("area", {}).get("same_area_as")
        if other:
            text += (f" * {escape(run['name'])}: as many lanes as fit into the area of "
                     f"{escape(other)}.")
    return [f"<p class=note>{text}</p>"]


def units(runs):
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


def layers(run):
    rows = []
    for layer in run["layers"]:
        rows.append([
            escape(layer["name"]), escape(layer["kind"].replace("_", " ")),
            f"{layer['weight_bits']} / {layer['activation_bits']}" if "weight_bits" in layer
            else "–",
            number(layer["cycles"]), number(layer["macs_or_taps"]),
            number(100 * layer["pe_utilisation"] if layer["pe_utilisation"] is not None
                   and layer["macs_or_taps"] else None, "{:.1f}"),
            number(layer["energy_uj"], "{:.4f}"), number(layer["output_tiles"]),
            number(layer["groups"]), number(layer["saturations"]),
            number(step_saturations(layer))])
    return table(["Layer", "Kind", "Bits W / A", "Cycles", "Taps or MACs", "PE utilisation %",
                  "Energy µJ", "Output tiles", "Groups", "Saturations", "Of steps"], rows,
                 text_columns=(0, 1))


def hardware(run):
    rows = []
    for key, value in run["hardware"].items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {entry}" for name, entry in value.items())
        rows.append([escape(key), f'<span style="white-space: normal">{escape(value)}</span>'])
    return table(["Part", "Parameters"], rows, text_columns=(0, 1))


def actions(run):
    rows = []
    for entry in run.get("activity_per_image", []):
        widths = str(entry["bits_a"]) + (f" × {entry['bits_b']}" if entry["bits_b"] else "")
        rows.append([escape(entry["component"]), escape(entry["action"]), widths,
                     number(entry["count"], "{:,.1f}" if isinstance(entry["count"], float)
                            else "{:,}"),
                     f"{entry['pj_each']:.4g}",
                     f"{1e-6 * entry['count'] * entry['pj_each']:.4f}"])
    return table(["Component", "Action", "Bits", "Count an image", "pJ each", "µJ an image"], rows,
                 text_columns=(0, 1))


def plots(runs):
    import report_plots
    parts = []
    if report_plots.with_accuracy(runs):
        parts += ["<h2>Accuracy against energy</h2>",
                  "<p class=note>Circles are adder networks, squares multiply, diamonds are all "
                  "others. The energy is one image's, DRAM included.</p>",
                  report_plots.accuracy_against_energy(runs)]
    parts += ["<h2>Energy by component</h2>", report_plots.energy_by_component(runs),
             "<p class=note>On the chip alone:</p>",
             report_plots.energy_by_component(runs, without=("DRAM",)),
             "<h2>Cycles by layer and by unit</h2>",
             "<p class=note>Load, compute and store work side by side, also across layers: a "
             "layer's load is often done while the layer before computes. A layer's share ends "
             "with its last compute command.</p>",
             report_plots.cycles_by_layer(runs),
             "<h2>PE utilisation</h2>",
             "<p class=note>Taps over lanes × the layer's cycles, in percent.</p>",
             report_plots.pe_utilisation(runs),
             "<h2>Units</h2>",
             "<p class=note>Share of the image's cycles in which a unit executed a command; in "
             "brackets, the part of it lost to waiting for memory.</p>",
             units(report_plots.timed(runs))]
    return "\n".join(parts)


def page(results, source):
    runs = results["runs"]
    scenario = results["scenario"]
    datasets = sorted({run["dataset"] for run in runs})
    tables = sorted({f"{run['energy_table']} ({run['energy_table_title']})" for run in runs})
    images = sorted({run["images"] for run in runs})
    file = scenario["file"]
    synthetic = [run["name"] for run in runs if run.get("weights") == "synthetic"]
    some_timed = any(run["cycles_per_image"] is not None for run in runs)
    parts = [
        f"<h1>{escape(scenario['name'])}</h1>",
        f"<p class=lead>{len(runs)} run{'s' if len(runs) != 1 else ''} on "
        f"{escape(', '.join(datasets))}, {escape(' and '.join(f'{n:,}' for n in images))} "
        f"images each, through Abacus' hardware models. Energy table: "
        f"{escape(', '.join(tables))}.</p>",
        summary(runs),
        "<p class=note>Accuracy is the hardware models' own, over all images; beside it torch's with "
        "the quantization imitated in float, as far as measured, and the float network's on the "
        "whole test set. Cycles and energy "
        "are one image's, from doorbell to interrupt, weights and activations to and from DRAM "
        "included. Bit-exact: every layer's output equals the reference executor's on so many "
        "images.</p>",
        *area_notes(runs),
        *([f"<p class=note><b>No accuracy</b> of {escape(', '.join(synthetic))}: the weights are "
           "random, in place of trained ones. Cycles, energy and traffic depend on the layers' sizes and "
           "widths alone; with POST weights also on how many of them have odd exponents, which read the "
           "lookup table.</p>"] if synthetic else []),
        *[f'<p class="bad">{escape(run["name"])} is not bit-exact: {escape(run["mismatch"])}</p>'
          for run in runs if run["bit_exact"] is False],
        *saturation_notes(runs),
        plots(runs) if some_timed else "",
        "<h2>Layers</h2>"]
    for run in runs:
        parts.append(f"<details><summary>{escape(run['name'])}</summary>{layers(run)}")
        parts.append(f"<p class=note>Hardware</p>{hardware(run)}")
        if run["cycles_per_image"] is not None:
            parts.append(f"<p class=note>Actions, priced by {escape(run['energy_table'])}</p>"
                         f"{actions(run)}")
        origin = (f"Random weights, seed {run['synthetic']['seed']}."
                  if run.get("weights") == "synthetic" else
                  f"Checkpoint {run['checkpoint_sha256']}, package {run['package_sha256']}.")
        parts.append(f"<p class=note>{origin}</p></details>")
    check = " --check" if any(run["bit_exact"] is not None for run in runs) else ""
    parts += [
        "<h2>Scenario</h2>", f"<pre>{escape(scenario['text'])}</pre>",
        "<h2>To reproduce</h2>",
        f"<pre>abacus simulate {escape(file)}{check}\n"
        f"abacus report {escape(source)}</pre>",
        f"<p class=note>Simulated in {results['times']['seconds']:.0f} s with "
        f"{results['times']['jobs']} processes, started {escape(results['times']['started'])}."
        "</p>"]
    return ("<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>"
            f"<title>{escape(scenario['name'])} – Abacus</title>"
            '<meta name=viewport content="width=device-width, initial-scale=1">'
            f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n")


def read(file):
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        sys.exit(f"report.py: {file}: {error.strerror}")
    except ValueError as error:
        sys.exit(f"report.py: {file}: no JSON: {error}")
    schema = results.get("schema") if isinstance(results, dict) else None
    if schema != 1:
        sys.exit(f"report.py: {file}: found schema {schema}; allowed: 1")
    if not results.get("runs"):
        sys.exit(f"report.py: {file}: it has no runs")
    return results


def main():
    parser = argparse.ArgumentParser(description="Make an HTML page of a results file.")
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    results = read(arguments.results)
    out = arguments.out or arguments.results.with_name("report.html")
    text = page(results, arguments.results)
    partial = out.with_name(f"{out.name}.partial.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        sys.exit(f"report.py: {out}: {error.strerror}")
    print(f"report: {out}")


if __name__ == "__main__":
    main()
