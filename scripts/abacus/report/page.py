"""The page of a results.json, in one file."""

from abacus.report.html import STYLE, escape
from abacus.report.tables import (
    actions,
    area_notes,
    hardware,
    layers,
    saturation_notes,
    summary,
    units,
)
from abacus.results import Results, Run


def plots(runs: list[Run]) -> str:
    """With the table of units below."""
    # Matplotlib takes a second to load; a page without timed runs needs none.
    from abacus.report import plots as draw

    parts = []
    if draw.with_accuracy(runs):
        parts += [
            "<h2>Accuracy against energy</h2>",
            "<p class=note>Circles are adder networks, squares multiply, diamonds are all "
            "others. The energy is one image's, DRAM included.</p>",
            draw.accuracy_against_energy(runs),
        ]
    parts += [
        "<h2>Energy by component</h2>",
        draw.energy_by_component(runs),
        "<p class=note>On the chip alone:</p>",
        draw.energy_by_component(runs, without=("DRAM",)),
        "<h2>Cycles by layer and by unit</h2>",
        "<p class=note>Load, compute and store work side by side, also across layers: a "
        "layer's load is often done while the layer before computes. A layer's share ends "
        "with its last compute command.</p>",
        draw.cycles_by_layer(runs),
        "<h2>PE utilisation</h2>",
        "<p class=note>Taps over lanes × the layer's cycles, in percent.</p>",
        draw.pe_utilisation(runs),
        "<h2>Units</h2>",
        "<p class=note>Share of the image's cycles in which a unit executed a command; in "
        "brackets, the part of it lost to waiting for memory.</p>",
        units(draw.timed(runs)),
    ]
    return "\n".join(parts)


def page(results: Results, source: object) -> str:
    """`source`: the results' file, as the page names it."""
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
        "<p class=note>Accuracy is the hardware models' own, over all images; beside it torch's "
        "with the quantization imitated in float, as far as measured, and the float network's on "
        "the whole test set. Cycles and energy "
        "are one image's, from doorbell to interrupt, weights and activations to and from DRAM "
        "included. Bit-exact: every layer's output equals the reference executor's on so many "
        "images.</p>",
        *area_notes(runs),
        *(
            [
                f"<p class=note><b>No accuracy</b> of {escape(', '.join(synthetic))}: the weights "
                "are random, in place of trained ones. Cycles, energy and traffic depend on the "
                "layers' sizes and widths alone; with POST weights also on how many of them have "
                "odd exponents, which read the lookup table.</p>"
            ]
            if synthetic
            else []
        ),
        *[
            f'<p class="bad">{escape(run["name"])} is not bit-exact: {escape(run["mismatch"])}</p>'
            for run in runs
            if run["bit_exact"] is False
        ],
        *saturation_notes(runs),
        plots(runs) if some_timed else "",
        "<h2>Layers</h2>",
    ]
    for run in runs:
        parts.append(f"<details><summary>{escape(run['name'])}</summary>{layers(run)}")
        parts.append(f"<p class=note>Hardware</p>{hardware(run)}")
        if run["cycles_per_image"] is not None:
            parts.append(
                f"<p class=note>Actions, priced by {escape(run['energy_table'])}</p>"
                f"{actions(run)}"
            )
        origin = (
            f"Random weights, seed {run['synthetic']['seed']}."
            if run.get("weights") == "synthetic"
            else f"Checkpoint {run['checkpoint_sha256']}, package {run['package_sha256']}."
        )
        parts.append(f"<p class=note>{origin}</p></details>")
    check = " --check" if any(run["bit_exact"] is not None for run in runs) else ""
    parts += [
        "<h2>Scenario</h2>",
        f"<pre>{escape(scenario['text'])}</pre>",
        "<h2>To reproduce</h2>",
        f"<pre>abacus simulate {escape(file)}{check}\n" f"abacus report {escape(source)}</pre>",
        f"<p class=note>Simulated in {results['times']['seconds']:.0f} s with "
        f"{results['times']['jobs']} processes, started {escape(results['times']['started'])}."
        "</p>",
    ]
    return (
        "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>"
        f"<title>{escape(scenario['name'])} – Abacus</title>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )
