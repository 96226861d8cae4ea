"""The page of a results.json, in one file. Its markup is page.html's; every value that goes into it
becomes text, but for our own plots."""

import pathlib
import shlex
from collections.abc import Sequence

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from abacus.report import tables
from abacus.report.results import Program, RandomWeights, Results, Run, TrainedWeights, timed
from abacus.visible import visible


def as_text(value: object) -> object:
    """What each value passes before it is escaped; a finished piece of the page stays."""
    return value if isinstance(value, Markup) else visible(str(value))


TEMPLATES = Environment(
    loader=FileSystemLoader(pathlib.Path(__file__).parent),
    autoescape=True,
    finalize=as_text,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def plots(runs: Sequence[Run]) -> dict[str, Markup]:
    """By name; an empty piece where there is nothing to draw, none without timed runs."""
    if not timed(runs):
        return {}
    # Matplotlib takes a second to load; a page without timed runs needs none.
    from abacus.report import plots as draw

    drawn = {
        "accuracy_against_energy": draw.accuracy_against_energy(runs),
        "energy_by_component": draw.energy_by_component(runs),
        "energy_on_chip": draw.energy_by_component(runs, without=("DRAM",)),
        "cycles_by_layer": draw.cycles_by_layer(runs),
        "pe_utilisation": draw.pe_utilisation(runs),
    }
    return {name: Markup(svg) for name, svg in drawn.items()}


def origin(weights: RandomWeights | TrainedWeights) -> str:
    """In words."""
    if isinstance(weights, RandomWeights):
        return f"Random weights, seed {weights.seed}."
    return f"Checkpoint {weights.checkpoint or 'unknown'}, package {weights.package or 'unknown'}."


def made_by(program: Program | None) -> str:
    """In words."""
    if program is None:
        return ""
    commit = f", commit {program.commit}" if program.commit else ""
    changes = " with changes" if program.commit and program.dirty else ""
    return f", by {program.name} {program.version}{commit}{changes}"


def lines_of(text: str) -> list[str]:
    """Without the ends of the lines and without tabs, which are no surprise in a scenario."""
    return [line.expandtabs() for line in text.replace("\r\n", "\n").rstrip("\n").split("\n")]


def page(results: Results, source: object) -> str:
    """`source`: the results' file, as the page names it."""
    runs = results.runs
    check = ["--check"] if any(run.check for run in runs) else []
    return TEMPLATES.get_template("page.html").render(
        results=results,
        runs=runs,
        datasets=", ".join(sorted({run.dataset for run in runs})),
        images=" and ".join(f"{n:,}" for n in sorted({run.images for run in runs})),
        energy_tables=", ".join(
            sorted({f"{run.energy_table} ({run.energy_table_title})" for run in runs})
        ),
        without_accuracy=", ".join(
            run.name for run in runs if isinstance(run.weights, RandomWeights)
        ),
        plots=plots(runs),
        tables=tables,
        origin=origin,
        made_by=made_by(results.program),
        scenario_lines=lines_of(results.scenario_text),
        commands=[
            shlex.join(
                ["abacus", "simulate", results.scenario_file]
                + [f"--set={setting}" for setting in results.settings]
                + check
            ),
            shlex.join(["abacus", "report", str(source)]),
        ],
    )
